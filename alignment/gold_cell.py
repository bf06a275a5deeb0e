"""One cell of many-to-many gold: a lexicon under one pooling and map, scored at every layer."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..data import AnyBitext, GoldBitext, surface_vectors
from ..data.surface import similarities
from .cell import Found, cell_columns, read_pairs, read_sides
from .entries import Entry, entry_rows
from .estimates import NAN, Estimate
from .gold import GOLD_MEASURES, GoldSide, gold_sides, gold_surface, measured
from .maps import choose_map
from .measures import Measure
from .represent import Representations
from .scored import SURFACE_LIMIT
from .table import Tables, make_table
from .uncertainty import LEVEL, Interval, resampled_means

logger = logging.getLogger(__name__)

DIRECTIONS = ("forward", "backward", "mean")


@dataclass(frozen=True, eq=False)
class GoldCell:
    """What is to be scored, in pieces that do not depend on each other; see `Cell`."""

    bitext: GoldBitext
    representations: Representations
    layers: Sequence[int]
    map_name: str
    fit: AnyBitext | None
    measures: Sequence[Measure]
    seed: int
    columns: Mapping[str, Any]

    def work(self) -> list[Callable[[], Found]]:
        """Return the pieces, a layer each."""
        return [partial(self.measure, layer) for layer in self.layers]

    def measure(self, layer: int) -> Found:
        """Return the scores of a layer."""
        x, y = read_sides(self.bitext, self.representations, layer)
        known = read_pairs(self.fit or self.bitext, self.representations, layer)
        x, y = choose_map(self.map_name)(*known)(x, y)
        return list(self._entries(gold_sides(x, y, self.bitext.pairs), layer)), []

    def table(self, found: Sequence[Found]) -> Tables:
        """Return the score table; no sentence has a row of its own."""
        sizes = {"forward": len(self.bitext.target.sentences), "mean": len(self.bitext.target.sentences)}
        sizes |= {"backward": len(self.bitext.source.sentences)}
        fixed = cell_columns(self.bitext, self.representations, self.layers, self.map_name, self.fit)
        rows = entry_rows(
            [entry for some, _ in found for entry in some],
            self.bitext.components[0][self.bitext.pairs[:, 0]],
            resampled="group",
            last=self.representations.last,
            seed=self.seed,
            surface=self._surface(),
        )
        shared = dict(self.columns) | fixed | {"duplicates": "gold"}
        table = make_table(shared | row | {"candidates": sizes[row["direction"]]} for row in rows)
        return Tables(table)

    def _entries(self, sides: tuple[GoldSide, GoldSide], layer: int) -> Iterator[Entry]:
        """Yield the scores of a layer, with intervals over connected components of the gold."""
        scored = {m: [measured(m.name, side) for side in sides] for m in self.measures}
        known = {
            m: (first, second)
            for m, (first, second) in scored.items()
            if first is not None and second is not None
        }
        if not known:
            names = ", ".join(measure.name for measure in self.measures)
            fewest = min(side.candidates for side in sides)
            raise ValueError(f"{self.bitext.name}: {fewest} candidates are too few for {names}")
        resampled = []
        for number, side in enumerate(sides):
            outcomes = np.stack([ways[number][0] for ways in known.values()], axis=1)
            groups = self.bitext.components[number][side.queries]
            # the same seed and as many components: both directions see the same resamples
            resampled.append(resampled_means(outcomes, groups, seed=self.seed))
        resampled.append((resampled[0] + resampled[1]) / 2)
        ends = (1 - LEVEL) / 2, (1 + LEVEL) / 2
        several = int(self.bitext.components[0].max()) > 0  # of one component nothing can be resampled
        for column, (measure, ways) in enumerate(known.items()):
            values = [float(outcomes.mean()) for outcomes, _ in ways]
            nulls = [null for _, null in ways]
            for number, direction in enumerate(DIRECTIONS):
                low, high = np.quantile(resampled[number][:, column], ends) if several else (NAN, NAN)
                value = (*values, sum(values) / 2)[number]
                null = (*nulls, sum(nulls) / 2)[number]
                estimate = Estimate(value, null, ends=Interval(low, high), interval="bootstrap")
                yield Entry(layer, measure, direction, estimate)

    def _surface(self) -> dict[tuple[str, str], float]:
        """Return the measures of character n-gram vectors."""
        texts = self.bitext.source.texts, self.bitext.target.texts
        if max(map(len, texts)) > SURFACE_LIMIT:
            return {}
        x, y = surface_vectors(*texts)
        across = similarities(x, y), similarities(x, x), similarities(y, y)
        entries = self._entries(gold_surface(*across, self.bitext.pairs), 0)
        return {(entry.measure.name, entry.direction): entry.estimate.value for entry in entries}


def gold_measures(measures: Sequence[Measure]) -> list[Measure]:
    """Return those of some measures that many-to-many gold has.

    Raises:
        ValueError: none; those there are.
    """
    found = [measure for measure in measures if measure.name in GOLD_MEASURES]
    left = [measure.name for measure in measures if measure.name not in GOLD_MEASURES]
    if left:
        logger.info("many-to-many gold has no %s", ", ".join(left))
    if not found:
        raise ValueError(f"many-to-many gold has other measures: {', '.join(GOLD_MEASURES)}")
    return found
