"""`vectors:DIR`: representations computed elsewhere, as files.

For every language DIR holds a file of vectors, `<code or tag>.npy` (or .safetensors, .parquet: see
`vector_files`), and the ids of its sentences: those of the corpus, in the order of the rows. Where
several corpora or splits are used, as for maps, each has a folder of its own: `DIR/flores/dev/de.npy`;
sentences of all of them are numbered from 1.

What `extract` wrote has besides `DIR/vectors.json`, which says of which checkpoint, poolings and layers
they are, and a folder per pooling: `DIR/mean/flores/dev/de.npy`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32

from ...data import Side
from ...data.rows import Row
from ..runs.files import Damaged, file_checksum, read_json
from .options import ENDINGS
from .vector_files import VectorFile, open_vector_file

PREFIX = "vectors:"
MANIFEST = "vectors.json"


@dataclass(frozen=True, eq=False)
class GivenVectors:
    """Representations read from a folder of files."""

    folder: Path
    pooling: str = ""  # the first that there is

    def __post_init__(self) -> None:
        """Look at the folder.

        Raises:
            ValueError: no folder, no files of vectors, or files of different numbers of layers.
        """
        if not self.folder.is_dir():
            raise ValueError(f"{PREFIX}{self.folder}: no such folder")
        object.__setattr__(self, "pooling", self.pooling or self.poolings[0])
        if self.pooling not in self.poolings:
            has = " and ".join(self.poolings)
            hint = f"name `pooling` {has}" if self.about else "leave out `pooling`"
            raise ValueError(f"{self.name}: vectors are pooled already; {hint}")
        if not self.files:
            raise ValueError(
                f"{self.root}: no .npy files there, a file per language is expected (or .safetensors, "
                ".parquet)"
            )
        layers = {
            str(path.relative_to(self.root)): open_vector_file(path).shape[0] for path in self.files
        }
        if len(set(layers.values())) > 1:
            raise ValueError(f"{self.root}: different numbers of layers in {layers}")
        if self.about and {len(self.available)} != set(layers.values()):
            raise ValueError(
                f"{self.root}: not the {len(self.available)} layers of {MANIFEST}: {layers}"
            )

    @cached_property
    def about(self) -> Row:
        """What `extract` says of its vectors; empty where others made them.

        Raises:
            ValueError: it is damaged.
        """
        path = self.folder / MANIFEST
        try:
            return read_json(path) if path.is_file() else {}
        except Damaged as error:
            raise ValueError(f"{error}; extract once more") from None

    @property
    def poolings(self) -> tuple[str, ...]:
        """The poolings there are; vectors of others are called mean."""
        return tuple(self.about.get("layers", {"mean": ()}))

    @property
    def name(self) -> str:
        """As a command names them."""
        return f"{PREFIX}{self.folder}"

    @cached_property
    def available(self) -> tuple[int, ...]:
        """The numbers of the layers there are."""
        if self.about:
            return tuple(self.about["layers"][self.pooling])
        return tuple(range(open_vector_file(self.files[0]).shape[0]))

    @property
    def last(self) -> int:
        """L, of the model that they are of; of others the last there is."""
        return int(self.about.get("last", self.available[-1]))

    def of(self, pooling: str) -> "GivenVectors":
        """Return the vectors of another pooling.

        Raises:
            ValueError: there is none of that name.
        """
        return self if pooling == self.pooling else replace(self, pooling=pooling)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over names and bytes of the files, of all poolings.

        Raises:
            ValueError: a file is not the one that `extract` wrote.
        """
        digest, written = hashlib.sha256(), self.about.get("files", {})
        files = [path for pooling in self.poolings for path in self.of(pooling).files]
        others = [self.folder / MANIFEST, *(path.with_suffix(".ids") for path in files)]
        listed = [self.folder / name for name in written]
        for path in sorted({*files, *listed, *(one for one in others if one.is_file())}):
            name = path.relative_to(self.folder).as_posix()
            if name in written and (not path.is_file() or file_checksum(path) != written[name]):
                raise ValueError(f"{path} is damaged or missing; extract once more")
            digest.update(name.encode() + b"\0")
            with path.open("rb") as stream:
                for chunk in iter(lambda: stream.read(1 << 24), b""):
                    digest.update(chunk)
        return digest.hexdigest()

    def read(self, side: Side, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of a side at some layers.

        Raises:
            ValueError: a language without file, an id without row, values that are not finite.
        """
        file = self.file(side)
        take = _rows(file, side)
        found = [file.rows(self.available.index(layer), take) for layer in layers]
        result: np.ndarray = np.stack(found).astype(np.float32)
        refuse_unusable(str(file.path), result, side, layers)
        return result

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return tokens, truncated and unknown tokens of each sentence; zeros where nothing is known."""
        if not self.about:
            return np.zeros((len(side.ids), 3), np.int32)
        file = self.file(side)
        path = file.path.with_suffix(".counts")
        counts = np.loadtxt(path, np.int32, ndmin=2)
        found: np.ndarray = counts[_rows(file, side)]
        return found

    def refuse_mixed(self, sides: Iterable[Side]) -> None:
        """Raise unless at most one of some sides' corpora has no folder of its own.

        Raises:
            ValueError: ids of two corpora would be looked up in the same files.
        """
        mixed = sorted({side.corpus for side in sides if self._place(side) == self.root})
        if len(mixed) > 1:
            raise ValueError(
                f"{self.name}: ids of {mixed[0]} and of {mixed[1]} are different sentences; put the "
                f"vectors of {mixed[1]} into {self.root / mixed[1]}"
            )

    def file(self, side: Side) -> VectorFile:
        """Return the file of a side's language.

        Raises:
            ValueError: there is none.
        """
        place = self._place(side)
        for name in (side.code, side.language):
            for ending in ENDINGS:
                if (place / f"{name}.{ending}").is_file():
                    return open_vector_file(place / f"{name}.{ending}")
        raise ValueError(f"{place}: neither {side.code}.npy nor {side.language}.npy there")

    @property
    def root(self) -> Path:
        """The folder of the pooling's files."""
        return self.folder / self.pooling if self.about else self.folder

    def _place(self, side: Side) -> Path:
        own = self.root / side.corpus
        return own if side.corpus and own.is_dir() else self.root

    @cached_property
    def files(self) -> list[Path]:
        """The files of the folder itself, and of those of corpora and splits in it."""
        patterns = [f"{place}*.{ending}" for ending in ENDINGS for place in ("", "*/*/")]
        return sorted(path for pattern in patterns for path in self.root.glob(pattern))


def _rows(file: VectorFile, side: Side) -> np.ndarray:
    """Return the row of each sentence of a side."""
    rows = {name: row for row, name in enumerate(file.ids())}
    lacking = [i for i in side.ids if i not in rows]
    if lacking:
        raise ValueError(
            f"{file.path.with_suffix('.ids')}: {len(lacking)} of {len(side.ids)} sentence ids are not "
            f"there, first {lacking[0]!r}"
        )
    return np.array([rows[i] for i in side.ids])


def refuse_unusable(
    where: str, values: Float32[np.ndarray, "layers n dim"], side: Side, layers: Sequence[int]
) -> None:
    """Raise where vectors are not finite, or so large that float32 cannot hold their products.

    Raises:
        ValueError: says at which layer, and of which sentences.
    """
    with np.errstate(over="ignore"):
        bad = ~np.isfinite(np.square(values).sum(axis=2))
    if bad.any():
        layer = int(np.flatnonzero(bad.any(axis=1))[0])
        which = np.flatnonzero(bad[layer])
        raise ValueError(
            f"{where}: layer {layers[layer]} is not finite, or too large, for {len(which)} "
            "sentences, first " + ", ".join(side.ids[i] for i in which[:3])
        )
