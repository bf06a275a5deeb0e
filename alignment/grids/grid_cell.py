"""A cell of `compare`: one grid under some maps."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ...data import Bitext
from ...data.rows import Columns, Row
from ..maps.table import fitted_on
from ..measures import MEASURES
from ..representations.source import Source
from ..runs.table import SCHEMA, Tables, canonical_hash, concatenate, make_table
from ..statistics.intervals import LEVEL
from ..statistics.nulls import benjamini_hochberg
from .all_pairs import Grid, family_wise, grid
from .grid_sides import GridEntry, GridPlan, GridSide
from .options import CompareOptions
from .work import MEMORY, Computation

# settings that decide a grid's numbers
DECIDING = (
    "measure", "between", "sides", "layers", "pooling", "maps", "map_fit", "intervals", "permutations",
    "precision", "seed",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class GridCell:
    """A grid to be computed under some maps; see `runs.cells.Cell`."""

    grid: GridPlan
    sources: Sequence[Source]
    bitext: Bitext  # the first: the corpus of all
    options: CompareOptions
    maps: Sequence[str]

    @property
    def key(self) -> str:
        """See `runs.cells.Cell`."""
        return canonical_hash(
            {
                "grid": self.grid.name,
                "fingerprints": [source.fingerprint for source in self.sources],
                "sentences": _digest(self.grid),
                "options": {name: getattr(self.options, name) for name in DECIDING},
                "columns": [dict(source.columns) for source in self.sources],
                "schema": SCHEMA,
            }
        )

    @property
    def name(self) -> Mapping[str, str]:
        """See `runs.cells.Cell`."""
        return {"grid": self.grid.name}

    def pieces(self) -> list[Callable[[], pd.DataFrame]]:
        """Return the maps; each takes all cores."""
        return [partial(self._rows, name) for name in self.maps]

    def table(self, made: Sequence[pd.DataFrame]) -> Tables:
        """Return the cells of the grid, all maps together."""
        return Tables(concatenate(made))

    def _rows(self, map_name: str) -> pd.DataFrame:
        """Return the cells of the grid under a map."""
        options, plan = self.options, self.grid
        computation = Computation(
            options.precision,
            MEMORY if options.memory_bytes is None else options.memory_bytes,
            "cuda" if options.device.startswith("cuda") else "cpu",
        )
        left = GridSide(plan.left, map_name)
        right = None if plan.right is None else GridSide(plan.right, map_name)
        values = grid(
            options.measure,
            left,
            right,
            intervals=options.intervals,
            groups=plan.groups,
            seed=options.seed,
            computation=computation,
        )
        family = np.full_like(values.value, np.nan)
        if options.permutations:
            family = family_wise(
                options.measure,
                left,
                left if right is None else right,
                draws=options.permutations,
                seed=options.seed,
                computation=computation,
            )
        columns = plan.left if plan.right is None else plan.right
        q = benjamini_hochberg(values.p)
        fixed = {
            "corpus": self.bitext.corpus,
            "split": self.bitext.split,
            "unit": "sentence",
            "pooling": options.pooling,
            "map": map_name,
            "map_fit": fitted_on(map_name, options.map_fit),
            "measure": options.measure,
            "direction": "both",
            "level": LEVEL,
            "null_kind": "shuffle",
            "n": values.n,
            "candidates": values.n,
            "groups": int(plan.groups.max()) + 1,
            "resample_seed": options.seed,
            "duplicates": "index",
        }
        return make_table(
            (
                _row(values, i, j, a, b) | fixed | {"q": q[i, j], "p_family": family[i, j]}
                for i, a in enumerate(plan.left)
                for j, b in enumerate(columns)
            ),
            grid=True,
        )


def _row(values: Grid, i: int, j: int, a: GridEntry, b: GridEntry) -> Columns:
    value, null = float(values.value[i, j]), float(values.null[i, j])
    columns: Row = a.source.columns
    return {
        **columns,
        **{"family": "", "stage": "", "recipe": "", "train_seed": None},
        "source": a.side.language,
        "target": b.side.language,
        "source_code": a.side.code,
        "target_code": b.side.code,
        "layer": a.layer,
        "depth": a.layer / a.representations.last if a.representations.last else 1.0,
        "other_checkpoint": b.source.columns["checkpoint"],
        "other_revision": b.source.columns["revision"],
        "other_layer": b.layer,
        "value": value,
        "null": null,
        "z": values.z[i, j],
        "p": values.p[i, j],
        "low": values.low[i, j],
        "high": values.high[i, j],
        "interval": "group" if np.isfinite(values.low[i, j]) else "",
        "effect": MEASURES[values.measure].towards_best(null, value),
        "calibrated": float("nan"),
        "note": "; ".join(values.notes) if np.isnan(value) else "",
        "surface": float("nan"),
        "dim": None,
        "truncated": None,
        "unknown": None,
    }


def _digest(plan: GridPlan) -> str:
    """Return a hash of a grid's sentences, side by side, and their groups."""
    digest = hashlib.sha256(plan.groups.tobytes())
    seen: set[str] = set()
    for entry in (*plan.left, *(plan.right or ())):
        if entry.side.code not in seen:
            seen.add(entry.side.code)
            for row in entry.rows:
                digest.update("\0".join((entry.side.ids[row], entry.side.texts[row], "\1")).encode())
    return digest.hexdigest()
