"""A cell of mining: the pairs of one layer."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float32

from ...data import Side
from ...data.rows import Columns
from ..lazy_property import lazy
from ..maps.table import in_sample
from ..neighbours.exact import neighbours
from ..representations.source import Source
from ..representations.stored import Representations
from ..runs.table import SCHEMA, Tables, canonical_hash
from .options import MineOptions
from .pairs import MinedPairs, mine_pairs


@dataclass(frozen=True, eq=False)
class MinedSides:
    """Distinct sentences of both sides, their vectors, and how they are mined."""

    source: Side
    target: Side
    vectors: Callable[[], Representations]
    options: MineOptions

    def sides(self, layer: int) -> tuple[Float32[np.ndarray, "n d"], Float32[np.ndarray, "m d"]]:
        """Return the vectors of both sides at a layer, mapped."""
        x, y = (self.vectors().read(side, [layer])[0] for side in (self.source, self.target))
        return in_sample(self.options.map, x, y)

    def mine(self, layer: int, keep: np.ndarray | None = None) -> MinedPairs:
        """Mine a layer, or only some target sentences of it; rows are those of the whole sides."""
        options = self.options
        x, y = self.sides(layer)
        found = neighbours(x, y if keep is None else y[keep], options.k)
        pairs = mine_pairs(
            found, margin=options.margin, strategy=options.strategy, extract=options.extract
        )
        return pairs if keep is None else replace(pairs, target=keep[pairs.target])

    def frame(self, pairs: MinedPairs) -> pd.DataFrame:
        """Return pairs with ids and texts."""
        columns: Columns = {"score": pairs.score}
        for name, side, rows in (
            ("source", self.source, pairs.source),
            ("target", self.target, pairs.target),
        ):
            columns[f"{name}_id"] = [side.ids[row] for row in rows]
            columns[name] = [side.texts[row] for row in rows]
        return pd.DataFrame(columns)[["score", "source_id", "target_id", "source", "target"]]

    @lazy
    def digest(self) -> str:
        """A hash of both sides' texts."""
        digest = hashlib.sha256()
        for side in (self.source, self.target):
            for sentence in side.sentences:
                digest.update(f"{sentence.id}\0{sentence.text}\1".encode())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class MiningCell:
    """A layer to be mined; see `runs.cells.Cell`. Its table has a row per pair: rows of both sides."""

    work: MinedSides
    opened: Source
    layer: int

    @property
    def key(self) -> str:
        """See `runs.cells.Cell`."""
        options = self.work.options
        names = ("pooling", "map", "map_fit", "k", "margin", "strategy", "extract", "store_dtype")
        columns = ("dtype", "max_length", "prefix")
        return canonical_hash(
            {
                "mine": self.layer,
                "fingerprint": self.opened.fingerprint,
                "columns": [self.opened.columns[name] for name in columns],
                "read": self.work.digest,
                "settings": [getattr(options, name) for name in names],
                "schema": SCHEMA,
            }
        )

    @property
    def name(self) -> Mapping[str, str]:
        """See `runs.cells.Cell`."""
        return {"mine": f"layer {self.layer}"}

    def pieces(self) -> list[Callable[[], MinedPairs]]:
        """Return the layer, whose product takes all cores."""
        return [partial(self.work.mine, self.layer)]

    def table(self, made: Sequence[MinedPairs]) -> Tables:
        """Return the pairs, best first."""
        (pairs,) = made
        return Tables(
            pd.DataFrame({"source": pairs.source, "target": pairs.target, "score": pairs.score})
        )


def mined_pairs(table: pd.DataFrame) -> MinedPairs:
    """Return the pairs of a cell's table."""
    source, target = (table[name].to_numpy(np.int64) for name in ("source", "target"))
    return MinedPairs(source, target, table["score"].to_numpy(np.float64))
