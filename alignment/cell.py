"""One cell: a bitext under one pooling and map, scored at every layer."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..data import AnyBitext, GoldBitext
from .entries import (
    Entry,
    entry_moves,
    entry_rows,
    need_pairing,
    need_views,
    pairing_entries,
    view_entries,
)
from .estimates import Matched
from .items import make_items
from .maps import IN_SAMPLE, choose_map, fitted_on
from .measures import Measure
from .pairing import pair_vectors
from .represent import Representations
from .scored import Scored
from .table import Tables, make_table
from .views import KeptViews, View

logger = logging.getLogger(__name__)

Found = tuple[list[Entry], list[pd.DataFrame]]  # of a layer


@dataclass(frozen=True, eq=False)
class Cell:
    """What is to be scored, in pieces that do not depend on each other: a layer each."""

    scored: Scored
    representations: Representations
    layers: Sequence[int]
    map_name: str  # see `maps.choose_map`
    fit: AnyBitext | None  # what the map is fitted on; None for the scored sentences themselves
    measures: Sequence[Measure]
    seed: int  # of the bootstrap; the same for all layers and measures, so that they may be compared
    columns: Mapping[str, Any]  # what else stands in every row (checkpoint, pooling, …)
    kept: KeptViews  # of the targets of bitexts before

    def work(self) -> list[Callable[[], Found]]:
        """Return the pieces: the surface floor, which is kept until it is asked for, and the layers."""
        return [self._surface, *(partial(self.measure, layer) for layer in self.layers)]

    def measure(self, layer: int) -> Found:
        """Return the scores of a layer and what became of every sentence."""
        scored, measures = self.scored, self.measures
        x, y = read_sides(scored.bitext, self.representations, layer)
        held_out = (x, y) if self.fit is None else read_pairs(self.fit, self.representations, layer)
        x, y = choose_map(self.map_name)(*held_out)(x, y)
        entries: list[Entry] = []
        items: list[pd.DataFrame] = []
        if need_pairing(measures):
            strata = scored.strata(self.representations)
            pairing = pair_vectors(x, y, classes=scored.classes, groups=scored.groups, strata=strata)
            entries += pairing_entries(pairing, layer, measures, scored.null)
            parts = {
                (e.measure.name, e.direction): e.outcomes for e in entries if e.outcomes is not None
            }
            items += make_items(scored.bitext, pairing, layer, parts)
        if need_views(measures):
            sides = View(x, "the source"), self.kept.view(y, "the target")
            entries += view_entries(Matched(*sides, scored.groups, self.seed), layer, measures)
        return entries, items

    def table(self, found: Sequence[Found]) -> Tables:
        """Return what the pieces found."""
        scored, bitext = self.scored, self.scored.bitext
        entries = [entry for some, _ in found for entry in some]
        items = [table for _, tables in found for table in tables]
        _say_undefined(bitext.name, entries)
        fixed = cell_columns(bitext, self.representations, self.layers, self.map_name, self.fit)
        shared = dict(self.columns) | fixed | {"duplicates": scored.duplicates}
        rows = entry_rows(
            entries,
            scored.groups,
            resampled=scored.interval,
            last=self.representations.last,
            seed=self.seed,
            surface=scored.surface(self.measures),
        )
        table = make_table(shared | row for row in rows)
        outcomes = pd.concat(items, ignore_index=True) if items else pd.DataFrame()
        return Tables(table, outcomes, entry_moves(entries))

    def _surface(self) -> Found:
        self.scored.surface(self.measures)
        return [], []


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


def cell_columns(
    bitext: AnyBitext,
    representations: Representations,
    layers: Sequence[int],
    map_name: str,
    fit: AnyBitext | None,
) -> dict[str, Any]:
    """Return what stands in every row of a cell about its bitext and map."""
    counts = sum(
        representations.counts(side)[:, 1:].sum(axis=0, dtype=np.int64)
        for side in (bitext.source, bitext.target)
    )
    first = replace(bitext.source, sentences=bitext.source.sentences[:1])
    fitted = f"{fit.corpus}/{fit.split}" if fit else IN_SAMPLE
    return {
        "corpus": bitext.corpus,
        "split": bitext.split,
        "unit": bitext.unit,
        "source": bitext.source.language,
        "target": bitext.target.language,
        "source_code": bitext.source.code,
        "target_code": bitext.target.code,
        "map": map_name,
        "map_fit": fitted_on(map_name, fitted),
        "n": len(bitext),
        "candidates": len(bitext.target.sentences),
        "dim": representations.read(first, layers[:1]).shape[2],
        "truncated": int(counts[0]),
        "unknown": int(counts[1]),
    }


def _say_undefined(bitext: str, entries: Sequence[Entry]) -> None:
    """Say once for a measure at which layers it has no value, and why."""
    undefined: dict[tuple[str, str], list[int]] = {}
    for entry in entries:
        if np.isnan(entry.estimate.value):
            why = entry.estimate.note or "nothing varies"
            undefined.setdefault((entry.measure.name, why), []).append(entry.layer)
    for (name, why), layers in undefined.items():
        listed = ", ".join(map(str, layers))
        logger.warning("%s: %s has no value at layer %s: %s", bitext, name, listed, why)
