"""`vectors:DIR`: representations computed elsewhere, as files.

For every language DIR holds `<code or tag>.npy`, of shape (sentences, dim) or (layers, sentences, dim),
and `<code or tag>.ids`, a sentence id a line: the ids of the corpus, in the order of the rows. Where
several corpora or splits are used, as for maps, each has a folder of its own: `DIR/flores/dev/de.npy`;
sentences of all of them are numbered from 1.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32

from ...data import Side
from ...data.text import read_lines
from ..checkpoints.folders import refusing

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
        files = self._files("npy")
        if not files:
            raise ValueError(f"{folder}: no .npy files there, a file per language is expected")
        layers = {str(path.relative_to(folder)): len(_open(path)) for path in files}
        if len(set(layers.values())) > 1:
            raise ValueError(f"{folder}: different numbers of layers in {layers}")
        self.last = next(iter(layers.values())) - 1

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
        for path in sorted([*self._files("npy"), *self._files("ids")]):
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
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
        with np.errstate(over="ignore"):
            bad = ~np.isfinite(np.square(result).sum(axis=2))  # float32 has to hold their products
        if bad.any():
            layer = int(np.flatnonzero(bad.any(axis=1))[0])
            which = np.flatnonzero(bad[layer])
            raise ValueError(
                f"{path}: layer {layers[layer]} is not finite, or too large, for {len(which)} "
                "sentences, first " + ", ".join(side.ids[i] for i in which[:3])
            )
        return result

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return zeros: nothing is known of the tokens."""
        return np.zeros((len(side.ids), 3), np.int32)

    def refuse_mixed(self, sides: Iterable[Side]) -> None:
        """Raise unless at most one of some sides' corpora has no folder of its own.

        Raises:
            ValueError: ids of two corpora would be looked up in the same files.
        """
        mixed = sorted({side.corpus for side in sides if self._place(side) == self.folder})
        if len(mixed) > 1:
            raise ValueError(
                f"{self.name}: ids of {mixed[0]} and of {mixed[1]} are different sentences; put the "
                f"vectors of {mixed[1]} into {self.folder / mixed[1]}"
            )

    def _place(self, side: Side) -> Path:
        own = self.folder / side.corpus
        return own if side.corpus and own.is_dir() else self.folder

    def _file(self, side: Side) -> Path:
        place = self._place(side)
        for name in (side.code, side.language):
            if (place / f"{name}.npy").is_file():
                return place / f"{name}.npy"
        raise ValueError(f"{place}: neither {side.code}.npy nor {side.language}.npy there")

    def _files(self, ending: str) -> list[Path]:
        """Return the files of the folder itself, and of those of corpora and splits in it."""
        return sorted([*self.folder.glob(f"*.{ending}"), *self.folder.glob(f"*/*/*.{ending}")])

    def _rows(self, path: Path, *, values_rows: int) -> dict[str, int]:
        ids = [line.strip() for _, line in read_lines(path.with_suffix(".ids"))]
        if len(ids) != values_rows:
            raise ValueError(
                f"{path} has {values_rows} rows but {path.with_suffix('.ids')} has {len(ids)} lines"
            )
        rows = {name: row for row, name in enumerate(ids)}
        if len(rows) < len(ids):
            twice = next(name for row, name in enumerate(ids) if rows[name] != row)
            raise ValueError(f"{path.with_suffix('.ids')}: the id {twice!r} is there twice")
        return rows


def _open(path: Path) -> np.ndarray:
    """Return a memory map of shape (layers, sentences, dim)."""
    with refusing(path, "no .npy array"):
        values: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.dtype.kind != "f" or 0 in values.shape:
        raise ValueError(
            f"{path}: expected floats of shape (sentences, dim) or (layers, sentences, dim), got "
            f"{values.dtype} {values.shape}"
        )
    return values
