"""Measures of many-to-many gold: does a word's vector find one of its translations?

A query is a row with gold; right for it are any of its g rows on the other side. `forward` queries the
target's m rows. Directions are means over queries, so a word counts once however many translations it
has (MUSE's P@1), and `mean` is the mean of the two directions.

The null is the expectation when the candidates are relabelled at random: a query's best translation
is behind r wrong candidates with probability C(m-1-r, g-1) / C(m, g), whatever the vectors, hubs
included.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64
from scipy.special import gammaln

from ..neighbours.nearest import Nearest, Neighbours, Product
from ..neighbours.unit_vectors import unit_sides
from .direction import credited
from .one_to_one import best_by_ratio
from .pairing import K
from .strong import DEPTH, average_precision

Vectors = Float[np.ndarray, "_ _"]
GoldPairs = Int64[np.ndarray, "p 2"]
Credit = Callable[[int], Float[np.ndarray, "n"]]


@dataclass(frozen=True, eq=False)
class GoldSide:
    """One direction: what every query found, and where its gold is."""

    queries: Int64[np.ndarray, "q"]  # rows with gold
    nearest: Nearest  # of all rows; places of the gold pairs
    other: Nearest  # the candidates' neighbours among the rows
    pairs: GoldPairs  # (row, candidate)
    gold_scores: Float[np.ndarray, "p"]
    sums: Float[np.ndarray, "n"]  # of a row's cosines with all candidates
    own: Float[np.ndarray, "n"]  # cosine with the nearest other row of its own side
    candidates: int

    @property
    def golds(self) -> Int64[np.ndarray, "q"]:
        """How many candidates are right for each query."""
        counts: np.ndarray = np.bincount(self.pairs[:, 0])[self.queries]
        return counts

    def right(self, found: Int64[np.ndarray, "q k"]) -> Bool[np.ndarray, "q k"]:
        """Return which of the found are right for their query."""
        codes = self.pairs[:, 0] * self.candidates + self.pairs[:, 1]
        hits: np.ndarray = np.isin(self.queries[:, None] * self.candidates + found, codes)
        return hits & (found >= 0)

    def over_pairs(self, values: Float[np.ndarray, "p"]) -> Float[np.ndarray, "q"]:
        """Sum values of pairs over each query."""
        sums: np.ndarray = np.bincount(self.pairs[:, 0], weights=values)[self.queries]
        return sums


QueryOutcomes = tuple[Float[np.ndarray, "q"], float]  # a value per query, and the null of their mean


def gold_sides(
    x: Vectors, y: Vectors, pairs: GoldPairs, neighbours: int = 0
) -> tuple[GoldSide, GoldSide]:
    """Return both directions of two sides of vectors, with at least this many neighbours."""
    from ..neighbours.product import VectorProduct

    a, b = unit_sides(x, y)
    left, right = a[:], b[:]
    sums = left @ right.sum(axis=0), right @ left.sum(axis=0)
    return _sides(
        VectorProduct(a, b), (VectorProduct(a, a), VectorProduct(b, b)), sums, pairs, neighbours
    )


def gold_surface(
    xy: Vectors, xx: Vectors, yy: Vectors, pairs: GoldPairs, neighbours: int = 0
) -> tuple[GoldSide, GoldSide]:
    """Return both directions of the similarities across the sides and within each."""
    from ..neighbours.product import MatrixProduct

    cross, *own = (MatrixProduct(each.astype(np.float32)) for each in (xy, xx, yy))
    return _sides(cross, (own[0], own[1]), (xy.sum(axis=1), xy.sum(axis=0)), pairs, neighbours)


def _sides(
    cross: Product,
    own: tuple[Product, Product],
    sums: tuple[np.ndarray, np.ndarray],
    pairs: GoldPairs,
    neighbours: int,
) -> tuple[GoldSide, GoldSide]:
    from ..neighbours.exact import search

    found: Neighbours = search([cross], max(K, DEPTH, neighbours), pairs)
    within = [_nearest_other(product) for product in own]
    ways = (found.rows, found.columns), (found.columns, found.rows)
    forward, backward = (
        GoldSide(
            np.unique(pairs[:, side]),
            *ways[side],
            pairs=pairs if side == 0 else pairs[:, ::-1],
            gold_scores=found.gold_scores.astype(np.float64),
            sums=sums[side],
            own=within[side],
            candidates=(cross.m, cross.n)[side],
        )
        for side in (0, 1)
    )
    return forward, backward


def _nearest_other(product: Product) -> Float[np.ndarray, "n"]:
    """Return each row's cosine with the nearest other row of its side; -2 where it is alone."""
    from ..neighbours.exact import search

    nearest = search([product], 2).rows
    if nearest.ids.shape[1] < 2:
        return np.full(product.n, -2.0)
    itself = nearest.ids[:, 0] == np.arange(product.n)
    return np.where(itself, nearest.scores[:, 1], nearest.scores[:, 0]).astype(np.float64)


def accuracy(side: GoldSide) -> QueryOutcomes:
    """Share of queries whose nearest candidate is right. Null: the mean of g / m."""
    hits = side.right(side.nearest.ids[side.queries, :1])[:, 0]
    return hits.astype(np.float64), _chance(side)


def ratio_accuracy(side: GoldSide, k: int = 4) -> QueryOutcomes:
    """Accuracy of the ratio margin among the k nearest; see `retrieval.ratio_accuracy`."""
    k = min(k, side.nearest.ids.shape[1])
    ids, scores = (each[side.queries, :k] for each in (side.nearest.ids, side.nearest.scores))
    found = best_by_ratio(ids, scores, side.other.scores[:, :k])
    hits = side.right(found[:, None])[:, 0]
    return hits.astype(np.float64), float(((found >= 0) * side.golds / side.candidates).mean())


def ranked(credit: Credit) -> Callable[[GoldSide], QueryOutcomes]:
    """Return a measure that gives credit[r] for r wrong candidates before the best right one.

    Equal scores are broken at random. With g right candidates, m - g + 1 are as if there were one.
    """

    def measure(side: GoldSide) -> QueryOutcomes:
        golds, m = side.golds, side.candidates
        # the best of a query's pairs: no other right candidate is before it
        order = np.lexsort((-side.gold_scores, side.pairs[:, 0]))
        best = order[np.searchsorted(side.pairs[order, 0], side.queries)]
        rank = side.nearest.rank[best]
        # of what is as good, the other right ones are no rivals
        same = (
            side.gold_scores == side.gold_scores[best][np.searchsorted(side.queries, side.pairs[:, 0])]
        )
        ties = side.nearest.ties[best] - (side.over_pairs(same.astype(np.float64)).astype(np.int64) - 1)
        values, nulls = np.empty(len(golds)), np.empty(len(golds))
        for g in np.unique(golds):
            table, mine = credit(m - int(g) + 1), golds == g
            values[mine] = credited(table, rank[mine], ties[mine])
            nulls[mine] = table @ _places(m, int(g))
        return values, float(nulls.mean())

    return measure


def mean_average_precision(side: GoldSide) -> QueryOutcomes:
    """LAReQA's mAP@20: Σ over right ranks r ≤ 20 of the precision at r, over min(20, g). No null."""
    right = side.right(side.nearest.ids[side.queries, :DEPTH])
    return average_precision(right, side.golds), float("nan")


def contrast(side: GoldSide) -> QueryOutcomes:
    """Mean cosine with the right candidates minus that with the others. Null 0."""
    golds, total = side.golds, side.over_pairs(side.gold_scores)
    others = np.maximum(side.candidates - golds, 1)
    return total / golds - (side.sums[side.queries] - total) / others, 0.0


def matched_cosine(side: GoldSide) -> QueryOutcomes:
    """Mean cosine with the right candidates. Null: that with all: far from 0 in a narrow cone."""
    null = float((side.sums[side.queries] / side.candidates).mean())
    return side.over_pairs(side.gold_scores) / side.golds, null


def strong_accuracy(side: GoldSide) -> QueryOutcomes:
    """Share of queries to which a right candidate is nearer than all else, their own side included."""
    ahead = side.nearest.scores[side.queries, 0] > side.own[side.queries]
    hits = side.right(side.nearest.ids[side.queries, :1])[:, 0] & ahead
    return hits.astype(np.float64), float((ahead * side.golds / side.candidates).mean())


def same_language_rate(side: GoldSide) -> QueryOutcomes:
    """Share of queries whose nearest is another row of their own side. No null."""
    behind = side.nearest.scores[side.queries, 0] <= side.own[side.queries]
    return behind.astype(np.float64), float("nan")


def _chance(side: GoldSide) -> float:
    return float((side.golds / side.candidates).mean())


def _places(m: int, g: int) -> Float[np.ndarray, "r"]:
    """Return the probability that the best of g random candidates of m is behind r = 0 … m - g."""
    r = np.arange(m - g + 1)

    def log_choose(n: np.ndarray, k: int) -> np.ndarray:
        chosen: np.ndarray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        return chosen

    probabilities: np.ndarray = np.exp(log_choose(m - 1 - r, g - 1) - log_choose(np.array([m]), g))
    return probabilities
