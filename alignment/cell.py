"""One cell: a bitext under one pooling and map, scored at every layer."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

from ..data import Bitext, surface_vectors
from .entries import Entry, entry_rows
from .estimates import Estimate, Matched
from .items import make_items
from .maps import IN_SAMPLE, choose_map, fitted_on
from .measures import Measure
from .pairing import Pairing, group_numbers, pair_surface, pair_vectors, text_classes
from .represent import Representations
from .retrieval import Outcome, Statistic, TooFewSentences
from .table import make_table
from .uncertainty import jackknife
from .views import LARGEST, Undefined, View

logger = logging.getLogger(__name__)

# which sentences are re-paired: all, those of a decile of length, those of a document
NULLS = ("shuffle", "length", "document")
DECILES = 10
READ_BYTES = 256 << 20  # vectors of a bitext held at once
SURFACE_LIMIT = 20_000  # sentences; the surface floor needs n × n similarities


@dataclass(frozen=True, eq=False)
class Scored:
    """A bitext with what all its cells share: classes, groups, and the surface floor."""

    bitext: Bitext
    duplicates: str  # "class" or "index"
    resample: str  # "group" or "sentence"
    null: str = NULLS[0]

    @cached_property
    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Class numbers of both sides; by index every text is its own class."""
        if self.duplicates == "index":
            return np.arange(len(self.bitext)), np.arange(len(self.bitext))
        return text_classes(self.bitext.source.texts), text_classes(self.bitext.target.texts)

    @cached_property
    def groups(self) -> np.ndarray:
        """Group numbers: the unit of resampling."""
        known = self.bitext.groups if self.resample == "group" else None
        return group_numbers(known, len(self.bitext))

    @property
    def interval(self) -> str:
        """What is resampled: documents where the corpus knows them."""
        return "group" if self.resample == "group" and self.bitext.groups else "sentence"

    def strata(self, representations: Representations) -> np.ndarray | None:
        """Return within what the null re-pairs sentences; None for all of them.

        Raises:
            ValueError: no lengths are known.
        """
        if self.null == "document":
            return group_numbers(self.bitext.groups, len(self.bitext))
        if self.null == "length":
            tokens = representations.counts(self.bitext.source)[:, 0]
            if not tokens.any():
                raise ValueError("--null length needs a model's token counts; vectors have none")
            order = np.argsort(np.argsort(tokens, kind="stable"), kind="stable")
            return order * min(DECILES, len(order)) // len(order)
        return None

    def surface(self, measures: Sequence[Measure]) -> dict[tuple[str, str], float]:
        """Return measures of character n-gram vectors; none for a bitext too large for them."""
        lacking = [measure for measure in measures if measure.name not in self._surface]
        if lacking and len(self.bitext) <= SURFACE_LIMIT:
            x, y = self._grams
            pairing = (
                pair_surface(x, y, classes=self.classes, groups=self.groups)
                if need_pairing(lacking)
                else None
            )
            small = _need_views(lacking) and len(self.bitext) <= LARGEST
            sides = [View.of_similarities(side @ side.T) for side in (x, y)] if small else []
            for measure in lacking:
                self._surface[measure.name] = _surface(measure, pairing, sides)
        return {
            (measure.name, direction): value
            for measure in measures
            for direction, value in self._surface.get(measure.name, {}).items()
        }

    @cached_property
    def _grams(self) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
        return surface_vectors(self.bitext.source.texts, self.bitext.target.texts)

    @cached_property
    def _surface(self) -> dict[str, dict[str, float]]:
        return {}


def score_cell(
    scored: Scored,
    representations: Representations,
    *,
    layers: Sequence[int],
    map_name: str,
    fit: Bitext | None,
    measures: Sequence[Measure],
    seed: int,
    columns: Mapping[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the score table of a cell and the outcomes of its sentences.

    Args:
        scored: the bitext.
        representations: where its vectors are.
        layers: which layers to score.
        map_name: see `maps.choose_map`.
        fit: what the map is fitted on; None for the scored sentences themselves.
        measures: what to compute.
        seed: of the bootstrap; the same for all layers and measures, so that they may be compared.
        columns: what else stands in every row (checkpoint, pooling, …).
    """
    entries: list[Entry] = []
    items: list[pd.DataFrame] = []
    dim = 0
    strata = scored.strata(representations)
    fitting = repeat(None) if fit is None else _layers(fit, representations, layers)
    for (layer, x, y), held_out in zip(
        _layers(scored.bitext, representations, layers), fitting, strict=False
    ):
        dim = x.shape[1]
        x, y = choose_map(map_name)(*(held_out or (layer, x, y))[1:])(x, y)
        if need_pairing(measures):
            pairing = pair_vectors(x, y, classes=scored.classes, groups=scored.groups, strata=strata)
            some = [replace(each, null_kind=scored.null) for each in _entries(pairing, layer, measures)]
            entries += some
            parts = {(e.measure.name, e.direction): e.outcomes for e in some if e.outcomes is not None}
            items += make_items(scored.bitext, pairing, layer, parts)
        if _need_views(measures):
            matched = Matched(View(x, "the source"), View(y, "the target"), scored.groups, seed)
            entries += _estimates(matched, layer, measures)
    _say_undefined(scored.bitext.name, entries)
    counts = sum(
        representations.counts(side)[:, 1:].sum(axis=0, dtype=np.int64)
        for side in (scored.bitext.source, scored.bitext.target)
    )
    bitext = scored.bitext
    fixed = dict(columns) | {
        "corpus": bitext.corpus,
        "split": bitext.split,
        "unit": "sentence",
        "source": bitext.source.language,
        "target": bitext.target.language,
        "source_code": bitext.source.code,
        "target_code": bitext.target.code,
        "map": map_name,
        "map_fit": fitted_on(map_name, f"{fit.corpus}/{fit.split}" if fit else IN_SAMPLE),
        "n": len(bitext),
        "candidates": len(bitext),
        "duplicates": scored.duplicates,
        "dim": dim,
        "truncated": int(counts[0]),
        "unknown": int(counts[1]),
    }
    rows = entry_rows(
        entries,
        scored.groups,
        resampled=scored.interval,
        last=representations.last,
        seed=seed,
        surface=scored.surface(measures),
    )
    table = make_table(fixed | row for row in rows)
    return table, pd.concat(items, ignore_index=True) if items else pd.DataFrame()


def _layers(
    bitext: Bitext, representations: Representations, layers: Sequence[int]
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield (layer, source vectors, target vectors), reading as many layers at once as fit."""
    at, step = 0, 1
    while at < len(layers):
        some = layers[at : at + step]
        x = representations.read(bitext.source, some)
        y = representations.read(bitext.target, some)
        yield from zip(some, x, y, strict=True)
        at += step
        step = max(1, READ_BYTES // (x[0].nbytes + y[0].nbytes))


def need_pairing(measures: Sequence[Measure]) -> bool:
    """Return whether any of some measures is made of the pairing, as the items are."""
    return any(measure.compute or measure.statistic for measure in measures)


def _need_views(measures: Sequence[Measure]) -> bool:
    return any(measure.estimate or measure.geometry for measure in measures)


def _entries(pairing: Pairing, layer: int, measures: Sequence[Measure]) -> Iterator[Entry]:
    for measure in measures:
        if measure.statistic is not None:
            for found in measure.statistic(pairing):
                yield Entry(layer, measure, found.direction, _jackknifed(found))
        for outcome in _outcomes(measure, pairing):
            value = float(outcome.sentences.mean())
            estimate = Estimate(value, outcome.null, interval="bootstrap")
            yield Entry(layer, measure, outcome.direction, estimate, outcome.sentences)


def _jackknifed(found: Statistic) -> Estimate:
    low, high = jackknife(found.value, found.left_out)
    return Estimate(found.value, found.null, low=low, high=high, interval="jackknife")


def _estimates(matched: Matched, layer: int, measures: Sequence[Measure]) -> Iterator[Entry]:
    for measure in measures:
        try:
            if measure.geometry is not None:
                for found in measure.geometry(matched):
                    yield Entry(layer, measure, found.direction, _jackknifed(found))
            elif measure.estimate is not None:
                yield Entry(layer, measure, "both", measure.estimate(matched))
        except Undefined as error:
            yield Entry(layer, measure, "both", Estimate(float("nan"), note=str(error)))


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


def _outcomes(measure: Measure, pairing: Pairing) -> list[Outcome]:
    """Return a measure's outcomes; none where the bitext has too few sentences for it."""
    if measure.compute is None:
        return []
    try:
        return measure.compute(pairing)
    except TooFewSentences:
        return []


def _surface(measure: Measure, pairing: Pairing | None, sides: Sequence[View]) -> dict[str, float]:
    """Return a measure of n-gram vectors by direction; nothing where it is not defined of them."""
    if measure.geometry is not None:  # n-gram vectors have no coordinates
        return {}
    if measure.value is not None:
        if measure.inflated or not sides:
            return {}
        try:
            return {"both": measure.value(*sides)}
        except Undefined:
            return {}
    return (
        {}
        if pairing is None
        else {entry.direction: entry.estimate.value for entry in _entries(pairing, 0, [measure])}
    )
