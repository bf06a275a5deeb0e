"""`vectors:DIR`: representations computed elsewhere, as files.

For every language DIR holds `<code or tag>.npy`, of shape (sentences, dim) or (layers, sentences, dim),
and `<code or tag>.ids`, a sentence id a line: the ids of the corpus, in the order of the rows.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32

from ...data import Side
from ...data.text import read_lines

PREFIX = "vectors:"


class GivenVectors:
    """Representations read from a folder of .npy files."""

    def __init__(self, folder: Path) -> None:
        """Look at the folder; the layers are those of its first file.

        Raises:
            ValueError: no .npy files, or files of different numbers of layers.
        """
        self.folder = folder
        if not folder.is_dir():
            raise ValueError(f"{PREFIX}{folder}: no such folder")
        files = sorted(folder.glob("*.npy"))
        if not files:
            raise ValueError(f"{folder}: no .npy files there, a file per language is expected")
        layers = {path.name: len(_open(path)) for path in files}
        if len(set(layers.values())) > 1:
            raise ValueError(f"{folder}: different numbers of layers in {layers}")
        self.last = layers[files[0].name] - 1

    @property
    def name(self) -> str:
        """As a command names them."""
        return f"{PREFIX}{self.folder}"

    @property
    def available(self) -> tuple[int, ...]:
        """All layers of the files."""
        return tuple(range(self.last + 1))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over names and bytes of the files."""
        digest = hashlib.sha256()
        for path in sorted([*self.folder.glob("*.npy"), *self.folder.glob("*.ids")]):
            digest.update(path.name.encode() + b"\0")
            with path.open("rb") as stream:
                for chunk in iter(lambda: stream.read(1 << 24), b""):
                    digest.update(chunk)
        return digest.hexdigest()

    def read(self, side: Side, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of a side at some layers.

        Raises:
            ValueError: a language without file, an id without row, values that are not finite.
        """
        path = self._file(side)
        values, rows = _open(path), self._rows(path, values_rows=_open(path).shape[1])
        lacking = [i for i in side.ids if i not in rows]
        if lacking:
            raise ValueError(
                f"{path.with_suffix('.ids')}: {len(lacking)} of {len(side.ids)} sentence ids are not "
                f"there, first {lacking[0]!r}"
            )
        take = np.array([rows[i] for i in side.ids])
        result: np.ndarray = np.stack([values[layer][take] for layer in layers]).astype(np.float32)
        bad = ~np.isfinite(result).all(axis=2)
        if bad.any():
            layer = int(np.flatnonzero(bad.any(axis=1))[0])
            which = np.flatnonzero(bad[layer])
            raise ValueError(
                f"{path}: layer {layers[layer]} is not finite for {len(which)} sentences, first "
                + ", ".join(side.ids[i] for i in which[:3])
            )
        return result

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return zeros: nothing is known of the tokens."""
        return np.zeros((len(side.ids), 3), np.int32)

    def _file(self, side: Side) -> Path:
        for name in (side.code, side.language):
            if (self.folder / f"{name}.npy").is_file():
                return self.folder / f"{name}.npy"
        raise ValueError(f"{self.folder}: neither {side.code}.npy nor {side.language}.npy there")

    def _rows(self, path: Path, *, values_rows: int) -> dict[str, int]:
        ids = [line.strip() for _, line in read_lines(path.with_suffix(".ids"))]
        if len(ids) != values_rows:
            raise ValueError(
                f"{path} has {values_rows} rows but {path.with_suffix('.ids')} has {len(ids)} lines"
            )
        return {name: row for row, name in enumerate(ids)}


def _open(path: Path) -> np.ndarray:
    """Return a memory map of shape (layers, sentences, dim)."""
    try:
        values: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise ValueError(f"{path}: no .npy array ({error})") from None
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.dtype.kind != "f":
        raise ValueError(
            f"{path}: expected floats of shape (sentences, dim) or (layers, sentences, dim), got "
            f"{values.dtype} {values.shape}"
        )
    return values
