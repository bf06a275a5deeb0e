"""A cell of many-to-many gold: a lexicon under one pooling and map, scored at every layer."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ...data import GoldBitext, surface_vectors
from ...data.surface import similarities
from ..maps.table import choose_map
from ..measure import Measure
from ..measures import MEASURES
from ..retrieval.many_to_many import GoldSide, QueryOutcomes, gold_sides, gold_surface
from ..runs.table import Tables
from ..similarity.inference import Estimate
from ..statistics.bootstrap import percentiles, resampled_means
from ..statistics.intervals import Interval
from ..statistics.outcomes import TooFewSentences
from .bitext_cell import LayerScores, bitext_columns, read_pairs, read_sides
from .plan import PlannedCell
from .prepared import SURFACE_LIMIT
from .rows import Entry, entry_rows, neighbours_for

logger = logging.getLogger(__name__)

DIRECTIONS = ("forward", "backward", "mean")


@dataclass(frozen=True, eq=False)
class LexiconCell(PlannedCell):
    """A lexicon, or other many-to-many gold, to be scored; see `runs.cells.Cell`."""

    bitext: GoldBitext

    def pieces(self) -> list[Callable[[], LayerScores]]:
        """Return the layers."""
        return [partial(self._layer, layer) for layer in self.plan.layers]

    def table(self, made: Sequence[LayerScores]) -> Tables:
        """Return the score table; no sentence has a row of its own."""
        plan, vectors = self.plan, self.plan.vectors()
        sizes = {"forward": len(self.bitext.target.sentences), "mean": len(self.bitext.target.sentences)}
        sizes |= {"backward": len(self.bitext.source.sentences)}
        rows = entry_rows(
            [entry for some, _ in made for entry in some],
            self.bitext.components[0][self.bitext.pairs[:, 0]],
            resampled="group",
            last=vectors.last,
            seed=plan.seed,
            surface=self._surface(),
        )
        shared = dict(plan.columns) | bitext_columns(self.bitext, vectors, plan) | {"duplicates": "gold"}
        return Tables(
            plan.table([shared | row | {"candidates": sizes[row["direction"]]} for row in rows])
        )

    def _layer(self, layer: int) -> LayerScores:
        """Return the scores of a layer."""
        vectors = self.plan.vectors()
        x, y = read_sides(self.bitext, vectors, layer)
        known = read_pairs(self.plan.fit or self.bitext, vectors, layer)
        x, y = choose_map(self.plan.map_name)(*known)(x, y)
        depth = neighbours_for(self.plan.measures)
        return list(self._entries(gold_sides(x, y, self.bitext.pairs, depth), layer)), []

    def _entries(self, sides: tuple[GoldSide, GoldSide], layer: int) -> Iterator[Entry]:
        """Yield the scores of a layer, with intervals over connected components of the gold."""
        scored = {m: [_measured(m, side) for side in sides] for m in self.plan.measures}
        known = {
            m: (first, second)
            for m, (first, second) in scored.items()
            if first is not None and second is not None
        }
        if not known:
            names = ", ".join(measure.name for measure in self.plan.measures)
            fewest = min(side.candidates for side in sides)
            raise ValueError(f"{self.bitext.name}: {fewest} candidates are too few for {names}")
        resampled = []
        for number, side in enumerate(sides):
            outcomes = np.stack([ways[number][0] for ways in known.values()], axis=1)
            groups = self.bitext.components[number][side.queries]
            # the same seed and as many components: both directions see the same resamples
            resampled.append(resampled_means(outcomes, groups, seed=self.plan.seed))
        resampled.append((resampled[0] + resampled[1]) / 2)
        components = int(self.bitext.components[0].max()) + 1
        for column, (measure, ways) in enumerate(known.items()):
            values = [float(outcomes.mean()) for outcomes, _ in ways]
            nulls = [null for _, null in ways]
            for number, direction in enumerate(DIRECTIONS):
                low, high = map(float, percentiles(resampled[number][:, column], components))
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
        entries = self._entries(
            gold_surface(*across, self.bitext.pairs, neighbours_for(self.plan.measures)), 0
        )
        return {(entry.measure.name, entry.direction): entry.estimate.value for entry in entries}


def _measured(measure: Measure, side: GoldSide) -> QueryOutcomes | None:
    """Return a measure of a direction; None where there are too few candidates for it."""
    assert measure.gold is not None
    try:
        return measure.gold(side)
    except TooFewSentences:
        return None


def gold_measures(measures: Sequence[Measure]) -> list[Measure]:
    """Return those of some measures that many-to-many gold has.

    Raises:
        ValueError: none; those there are.
    """
    known = [measure for measure in measures if measure.gold is not None]
    left = [measure.name for measure in measures if measure.gold is None]
    if left:
        logger.info("many-to-many gold has no %s", ", ".join(left))
    if not known:
        names = ", ".join(name for name, measure in MEASURES.items() if measure.gold is not None)
        raise ValueError(f"many-to-many gold has other measures: {names}")
    return known
