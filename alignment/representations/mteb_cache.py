"""`vectors:DIR` where DIR is a cache that mteb's CachedEmbeddingWrapper wrote: vectors by text."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32

from ...data import Side
from ...data.text import read_text
from ..checkpoints.errors import refusing
from .given import GivenVectors, refuse_unusable

PARTS = ("vectors.npy", "index.json", "dimension")


@dataclass(frozen=True, eq=False)
class CachedVectors(GivenVectors):
    """The cache of one task: a raw float32 array, though called .npy, an index, a dimension."""

    def __post_init__(self) -> None:
        """Look at the folder.

        Raises:
            ValueError: something else than mteb writes is there.
        """
        if self.pooling not in ("", "mean"):
            raise ValueError(f"{self.name}: vectors are pooled already; leave out `pooling`")
        object.__setattr__(self, "pooling", "mean")
        if max(self._index.values(), default=-1) >= len(self._vectors):
            raise ValueError(f"{self.folder}: index.json names rows that vectors.npy does not have")

    @cached_property
    def available(self) -> tuple[int, ...]:
        """One layer, the model's output."""
        return (0,)

    @cached_property
    def _index(self) -> dict[str, int]:
        path = self.folder / "index.json"
        with refusing(path, "no index of mteb's cache"):
            found = {str(text): int(row) for text, row in json.loads(read_text(path, 1 << 32)).items()}
            if not found or min(found.values()) < 0:
                raise ValueError("it has no rows")
            return found

    @cached_property
    def _vectors(self) -> np.ndarray:
        path = self.folder / "vectors.npy"
        with refusing(path, "no vectors of mteb's cache"):
            dim = int(read_text(self.folder / "dimension", 64))
            rows = path.stat().st_size // (4 * dim)
            return np.memmap(path, np.float32, "r", shape=(rows, dim))

    @cached_property
    def _files(self) -> list[Path]:
        return [self.folder / name for name in PARTS]

    def read(self, side: Side, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of a side's texts.

        Raises:
            ValueError: a text that is not in the cache, values that are not finite.
        """
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in side.texts]
        lacking = [name for name, key in zip(side.ids, keys, strict=True) if key not in self._index]
        if lacking:
            raise ValueError(
                f"{self.folder}: {len(lacking)} of {len(keys)} {side.language} texts are not in the "
                f"cache, first that of {lacking[0]}; it is of another task, or of texts with a prompt"
            )
        found = self._vectors[[self._index[key] for key in keys]]
        values = np.stack([found] * len(layers))
        refuse_unusable(str(self.folder), values, side, layers)
        return values

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return zeros: nothing is known of the tokens."""
        return np.zeros((len(side.ids), 3), np.int32)

    def refuse_mixed(self, sides: Iterable[Side]) -> None:
        """Refuse nothing: texts are found by what they say."""
