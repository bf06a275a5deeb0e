"""What the cells of a score table have in common: vectors, layers, map, measures, columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ...data import AnyBitext
from ...data.rows import Row
from ..measure import Measure
from ..representations.stored import Representations
from ..runs.table import make_table


@dataclass(frozen=True, eq=False)
class CellPlan:
    """What cells of one pooling and map have in common."""

    key: str
    name: Mapping[str, str]
    vectors: Callable[[], Representations]
    layers: Sequence[int]
    map_name: str  # see `maps.choose_map`
    fit: AnyBitext | None  # what the map is fitted on; None for the scored sentences themselves
    measures: Sequence[Measure]
    seed: int  # of the bootstrap; the same for all layers and measures, so that they may be compared
    columns: Row  # of every row (checkpoint, pooling, …)
    directions: Sequence[str]  # rows of others are left out; empty for all

    def table(self, rows: Sequence[Row]) -> pd.DataFrame:
        """Return the score table of rows."""
        kept = [row for row in rows if not self.directions or row["direction"] in self.directions]
        return make_table(kept)


@dataclass(frozen=True, eq=False)
class PlannedCell:
    """A cell of a plan; see `runs.cells.Cell`."""

    plan: CellPlan

    @property
    def key(self) -> str:
        """See `runs.cells.Cell`."""
        return self.plan.key

    @property
    def name(self) -> Mapping[str, str]:
        """See `runs.cells.Cell`."""
        return self.plan.name
