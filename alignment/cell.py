"""One cell: a bitext under one pooling and map, scored at every layer."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..data import Bitext
from .entries import Entry, entry_rows, need_pairing, need_views, pairing_entries, view_entries
from .estimates import Matched
from .items import make_items
from .maps import IN_SAMPLE, choose_map, fitted_on
from .measures import Measure
from .pairing import pair_vectors
from .represent import Representations
from .scored import Scored
from .table import make_table
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
    fit: Bitext | None  # what the map is fitted on; None for the scored sentences themselves
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
        x, y = self._read(scored.bitext, layer)
        held_out = (x, y) if self.fit is None else self._read(self.fit, layer)
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

    def table(self, found: Sequence[Found]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the score table and the outcomes of the sentences, from what the pieces found."""
        scored, bitext = self.scored, self.scored.bitext
        entries = [entry for some, _ in found for entry in some]
        items = [table for _, tables in found for table in tables]
        _say_undefined(bitext.name, entries)
        sides = bitext.source, bitext.target
        counts = sum(
            self.representations.counts(side)[:, 1:].sum(axis=0, dtype=np.int64) for side in sides
        )
        fit = f"{self.fit.corpus}/{self.fit.split}" if self.fit else IN_SAMPLE
        fixed = dict(self.columns) | {
            "corpus": bitext.corpus,
            "split": bitext.split,
            "unit": "sentence",
            "source": bitext.source.language,
            "target": bitext.target.language,
            "source_code": bitext.source.code,
            "target_code": bitext.target.code,
            "map": self.map_name,
            "map_fit": fitted_on(self.map_name, fit),
            "n": len(bitext),
            "candidates": len(bitext),
            "duplicates": scored.duplicates,
            "dim": self._read(bitext, self.layers[0])[0].shape[1],
            "truncated": int(counts[0]),
            "unknown": int(counts[1]),
        }
        rows = entry_rows(
            entries,
            scored.groups,
            resampled=scored.interval,
            last=self.representations.last,
            seed=self.seed,
            surface=scored.surface(self.measures),
        )
        table = make_table(fixed | row for row in rows)
        return table, pd.concat(items, ignore_index=True) if items else pd.DataFrame()

    def _surface(self) -> Found:
        self.scored.surface(self.measures)
        return [], []

    def _read(self, bitext: Bitext, layer: int) -> tuple[np.ndarray, np.ndarray]:
        source, target = (
            self.representations.read(side, [layer])[0] for side in (bitext.source, bitext.target)
        )
        return source, target


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
