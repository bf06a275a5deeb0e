"""A cell of one-to-one gold: a bitext under one pooling and map, scored at every layer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from ...data import AnyBitext, GoldBitext
from ...data.rows import Columns
from ..maps.table import IN_SAMPLE, choose_map, fitted_on
from ..representations.stored import Representations
from ..retrieval.pairing import pair_vectors
from ..runs.table import Tables
from ..similarity.inference import Matched
from ..similarity.view import KeptViews, View
from .plan import CellPlan, PlannedCell
from .prepared import PreparedBitext
from .rows import (
    Entry,
    entry_influences,
    entry_rows,
    need_pairing,
    need_views,
    neighbours_for,
    pairing_entries,
    view_entries,
)
from .sentences import make_items

LayerScores = tuple[list[Entry], list[pd.DataFrame]]  # the scores of a layer, and its sentences


@dataclass(frozen=True, eq=False)
class BitextCell(PlannedCell):
    """A bitext to be scored; see `runs.cells.Cell`."""

    prepared: PreparedBitext
    kept: KeptViews  # of the targets of bitexts before

    def pieces(self) -> list[Callable[[], LayerScores]]:
        """Return the surface floor, which is kept until it is asked for, and the layers."""
        return [self._surface, *(partial(self._layer, layer) for layer in self.plan.layers)]

    def table(self, made: Sequence[LayerScores]) -> Tables:
        """Return the scores, what became of every sentence, and the influence of each group."""
        plan, prepared, bitext = self.plan, self.prepared, self.prepared.bitext
        entries = [entry for some, _ in made for entry in some]
        items = [table for _, tables in made for table in tables]
        vectors = plan.vectors()
        fixed = bitext_columns(bitext, vectors, plan)
        shared = dict(plan.columns) | fixed | {"duplicates": prepared.duplicates}
        rows = entry_rows(
            entries,
            prepared.groups,
            resampled=prepared.interval,
            last=vectors.last,
            seed=plan.seed,
            surface=prepared.surface(plan.measures),
        )
        table = plan.table([shared | row for row in rows])
        outcomes = pd.concat(items, ignore_index=True) if items else pd.DataFrame()
        return Tables(table, outcomes, entry_influences(entries))

    def _surface(self) -> LayerScores:
        self.prepared.surface(self.plan.measures)
        return [], []

    def _layer(self, layer: int) -> LayerScores:
        """Return the scores of a layer and what became of every sentence."""
        plan, prepared, vectors = self.plan, self.prepared, self.plan.vectors()
        measures = plan.measures
        x, y = read_sides(prepared.bitext, vectors, layer)
        held_out = (x, y) if plan.fit is None else read_pairs(plan.fit, vectors, layer)
        x, y = choose_map(plan.map_name)(*held_out)(x, y)
        entries: list[Entry] = []
        items: list[pd.DataFrame] = []
        if need_pairing(measures):
            pairing = pair_vectors(
                x, y, classes=prepared.classes, groups=prepared.groups,
                strata=prepared.strata(vectors), neighbours=neighbours_for(measures),
            )  # fmt: skip
            entries += pairing_entries(pairing, layer, measures, prepared.null)
            parts = {
                (e.measure.name, e.direction): e.outcomes for e in entries if e.outcomes is not None
            }
            items += make_items(prepared.bitext, pairing, layer, parts)
        if need_views(measures):
            sides = View(x, "the source", prepared.largest), self.kept.view(y, "the target")
            matched = Matched(*sides, prepared.groups, plan.seed)
            entries += view_entries(matched, layer, measures, self.kept)
        return entries, items


def read_sides(
    bitext: AnyBitext, representations: Representations, layer: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of both sides of a bitext at a layer."""
    source, target = (representations.read(side, [layer])[0] for side in (bitext.source, bitext.target))
    return source, target


def read_pairs(
    bitext: AnyBitext, representations: Representations, layer: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of both sides of a bitext at a layer, row by row what belongs together."""
    x, y = read_sides(bitext, representations, layer)
    if isinstance(bitext, GoldBitext):
        i, j = bitext.pairs.T
        return x[i], y[j]
    return x, y


def bitext_columns(bitext: AnyBitext, representations: Representations, plan: CellPlan) -> Columns:
    """Return the columns of every row of a cell that are about its bitext and map."""
    counts = sum(
        representations.counts(side)[:, 1:].sum(axis=0, dtype=np.int64)
        for side in (bitext.source, bitext.target)
    )
    first = replace(bitext.source, sentences=bitext.source.sentences[:1])
    fitted = f"{plan.fit.corpus}/{plan.fit.split}" if plan.fit else IN_SAMPLE
    return {
        "corpus": bitext.corpus,
        "split": bitext.split,
        "unit": bitext.unit,
        "source": bitext.source.language,
        "target": bitext.target.language,
        "source_code": bitext.source.code,
        "target_code": bitext.target.code,
        "map": plan.map_name,
        "map_fit": fitted_on(plan.map_name, fitted),
        "n": len(bitext),
        "candidates": len(bitext.target.sentences),
        "dim": representations.read(first, plan.layers[:1]).shape[2],
        "truncated": int(counts[0]),
        "unknown": int(counts[1]),
    }
