"""Retrieval measures: is a sentence's translation what its vector finds?

Conventions: row i of the source translates row i of the target; `forward` = the source queries the
target, `backward` = the other way, `mean` = both averaged sentence by sentence. Retrieving a text
identical to the translation counts as right, by the classes of the pairing; `f1_weighted` goes by index.
Accuracies are fractions in [0, 1].

The null of a measure is its expectation when translations are re-paired at random while the vectors
stay: exact, hubs included, from the neighbours alone. Formulas are those of re-pairing all n sentences;
where only sentences of one stratum (a document, a decile of length) are re-paired, each query i sees the
candidates of its stratum S(i), and 1/n² becomes 1/(n |S(i)|): what is left above that null is more than
the document, or the length. Rank measures have no such null: it takes all ranks.

With ties or identical texts, rank measures average over the order of equal scores, so that a model that
maps all sentences to one vector is at its null; identical texts leave that null a little low, by at
most (duplicates / n).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int64

from ..neighbours.nearest import Nearest
from ..statistics.outcomes import Outcome, TooFewSentences
from .pairing import ROWS, GoldRank, Pairing


def accuracy(pairing: Pairing) -> list[Outcome]:
    """Share of sentences whose nearest neighbour is their translation; ties go to the lower index.

    Null: Σ_j c_j m_j / n², with c_j the queries that find j and m_j the texts identical to j.
    """
    return both_ways(pairing, lambda side: _hits(side, side.nearest.ids[:, 0]))


def ratio_accuracy(pairing: Pairing, k: int = 4) -> list[Outcome]:
    """Accuracy of the ratio margin among the k nearest (Artetxe & Schwenk 2019; LASER's rule).

    margin(x, y) = cos(x, y) / ((A(x) + A(y)) / 2), A = mean cosine to the k nearest on the other side.
    A candidate whose denominator is not positive has no ratio and is never retrieved; a query left
    without any candidate counts as wrong. k is at most n - 1.
    """
    k = min(k, len(pairing) - 1)

    def score(side: "_Side") -> tuple[np.ndarray, float]:
        density = side.other.scores[:, :k]
        return _hits(side, best_by_ratio(side.nearest.ids[:, :k], side.nearest.scores[:, :k], density))

    return both_ways(pairing, score)


def csls_accuracy(pairing: Pairing, k: int = 10) -> list[Outcome]:
    """Accuracy by CSLS, 2 cos(x, y) - r(x) - r(y), among all candidates.

    r = mean cosine to the k nearest on the other side: a hub is near to everything and loses by it. Ties
    go to the lower index. k is at most n - 1. Source: Conneau et al. 2018,
    https://arxiv.org/abs/1710.04087, eq. 3.
    """
    k = min(k, len(pairing) - 1)
    everything = np.arange(len(pairing))
    ways = iter((False, True))

    def score(side: "_Side") -> tuple[np.ndarray, float]:
        transposed, density = next(ways), side.other.scores[:, :k].mean(axis=1, dtype=np.float64)
        found = np.empty(len(everything), np.int64)
        for start in range(0, len(found), ROWS):
            queries = everything[start : start + ROWS]
            if transposed:
                cosines = pairing.product.exact_block(everything, queries).T
            else:
                cosines = pairing.product.exact_block(queries, everything)
            # the query's own density is the same for all its candidates
            found[queries] = (2 * cosines.astype(np.float64) - density).argmax(axis=1)
        return _hits(side, found)

    return both_ways(pairing, score)


def mutual_accuracy(pairing: Pairing) -> list[Outcome]:
    """Share of pairs that are each other's nearest neighbours; see `mexa` for its strict form.

    Null: M / n², with M the pairs (i, j) in the matrix that are each other's nearest, up to identical
    texts; not 1/(2n - 1), which hubs make far too high.
    """
    forward, backward = _sides(pairing)
    hit = _hits(forward, forward.nearest.ids[:, 0])[0] * _hits(backward, backward.nearest.ids[:, 0])[0]
    x, y = pairing.source_class, pairing.target_class
    finds = _codes(pairing.strata, x, y[forward.nearest.ids[:, 0]])
    found = _codes(pairing.strata, x[backward.nearest.ids[:, 0]], y)
    return [Outcome("both", hit, float((_count(found, finds) / forward.choices).mean()))]


def mexa(pairing: Pairing) -> list[Outcome]:
    """Share of pairs whose cosine is strictly greater than all others of its row and of its column.

    `mutual_accuracy` by index, where a tie is a miss. Null: M / n², M the pairs of the matrix of which
    that is true. Source: Kargaran et al. 2024, compute_mexa.py.
    """
    sides = pairing.found.rows, pairing.found.columns
    hit = np.logical_and.reduce([(side.rank == 0) & (side.ties == 0) for side in sides])
    found, back = (np.where(side.scores[:, 0] > side.scores[:, 1], side.ids[:, 0], -1) for side in sides)
    mutual = (found >= 0) & (back[found] == np.arange(len(found)))
    mutual &= pairing.strata[found] == pairing.strata
    null = float((mutual / _sides(pairing)[0].choices).mean())
    return [Outcome("both", hit.astype(np.float64), null)]


def precision_weighted(pairing: Pairing) -> list[Outcome]:
    """MTEB's weighted precision, by index: (1/n) Σ over right i of 1 / c_i, c_i = queries that find i.

    Null: the number of targets that are found at all / n². The weighted recall is the accuracy.
    """

    def score(side: "_Side") -> tuple[np.ndarray, float]:
        found = side.nearest.ids[:, 0]
        n = len(found)
        discount = 1 / np.maximum(np.bincount(found, minlength=n), 1)
        return (found == np.arange(n)) * discount[found], _discounted_null(side, found, discount)

    return both_ways(pairing, score)


def within_document_accuracy(pairing: Pairing) -> list[Outcome]:
    """Accuracy among the sentences of the own document (group) alone.

    The topic, the style, the names of a document are those of all its candidates: what finds the right
    one is the meaning of the sentence. A document of one sentence is always right. Null: the mean over
    documents' sentences of (texts identical to what is found) / (sentences of the document).

    Raises:
        TooFewSentences: no documents are known.
    """
    if int(pairing.groups.max()) + 1 == len(pairing):
        raise TooFewSentences("within_document_accuracy needs documents of more than one sentence")
    ways = iter(pairing.within)
    return both_ways(pairing, lambda side: _hits(replace(side, strata=pairing.groups), next(ways)))


def f1_weighted(pairing: Pairing) -> list[Outcome]:
    """MTEB's weighted F1, by index: (1/n) Σ over right i of 2 / (1 + c_i), c_i = queries that find i.

    Accuracy discounted by how much of a hub the hit is. Null: Σ_j 2 c_j / (1 + c_j) / n².
    """

    def score(side: "_Side") -> tuple[np.ndarray, float]:
        found = side.nearest.ids[:, 0]
        n = len(found)
        discount = 2 / (1 + np.bincount(found, minlength=n))
        return (found == np.arange(n)) * discount[found], _discounted_null(side, found, discount)

    return both_ways(pairing, score)


def rank_measure(credit: Callable[[int], Float[np.ndarray, "n"]]) -> Callable[[Pairing], list[Outcome]]:
    """Return a measure that gives credit[r] for r wrong candidates above the translation.

    Equal scores are broken at random: the credit is the mean over the places they share. Null: the
    mean credit, exact for any vectors where no text occurs twice.
    """

    def measure(pairing: Pairing) -> list[Outcome]:
        table = credit(len(pairing))

        def score(side: "_Side") -> tuple[np.ndarray, float]:
            rank, ties = side.place.rank, side.place.ties
            null = float("nan") if pairing.strata.any() else float(table.mean())
            return credited(table, rank, ties), null

        return both_ways(pairing, score)

    return measure


def best_by_ratio(
    ids: Int64[np.ndarray, "q k"], scores: Float[np.ndarray, "q k"], others: Float[np.ndarray, "m k"]
) -> Int64[np.ndarray, "q"]:
    """Return of each query's candidates that of the greatest ratio margin, -1 where none has one.

    Args:
        ids: each query's nearest.
        scores: their cosines.
        others: the cosines of every candidate with its own nearest.
    """
    cosines = scores.astype(np.float64)
    middle = (cosines.mean(axis=1)[:, None] + others.mean(axis=1, dtype=np.float64)[ids]) / 2
    margin = np.divide(cosines, middle, out=np.full_like(middle, -np.inf), where=middle > 0)
    best = np.argmax(margin, axis=1)  # the first: the nearest of equal margins
    found = np.take_along_axis(ids, best[:, None], 1)[:, 0]
    return np.where(np.isfinite(margin).any(axis=1), found, -1)


def credited(
    table: Float[np.ndarray, "n"], rank: Int64[np.ndarray, "q"], ties: Int64[np.ndarray, "q"]
) -> Float[np.ndarray, "q"]:
    """Return each query's mean credit over the places it shares, credits by rank."""
    sums = np.concatenate([[0.0], np.cumsum(table)])
    shared: np.ndarray = (sums[rank + ties + 1] - sums[rank]) / (ties + 1)
    return shared


def accuracy_at(m: int) -> Callable[[int], Float[np.ndarray, "n"]]:
    """Credit for accuracy among m candidates: C(n-1-r, m-1) / C(n-1, m-1), null 1/m at any n."""

    def credit(n: int) -> Float[np.ndarray, "n"]:
        if n < m:
            raise TooFewSentences(f"accuracy@{m} needs at least {m} sentences, got {n}")
        rank = np.arange(n - 1, dtype=np.float64)
        steps = np.maximum(n - rank - m, 0) / (n - 1 - rank)
        return np.concatenate([[1.0], np.cumprod(steps)])

    return credit


def auc_credit(n: int) -> Float[np.ndarray, "n"]:
    """Credit for the area under the ROC curve: 1 - r / (n - 1), null 1/2 at any n."""
    return 1 - np.arange(n) / max(n - 1, 1)


def reciprocal_rank(n: int) -> Float[np.ndarray, "n"]:
    """Credit for the mean reciprocal rank: 1 / (1 + r)."""
    return 1 / np.arange(1.0, n + 1)


def recall_at(k: int) -> Callable[[int], Float[np.ndarray, "n"]]:
    """Credit for recall among the k nearest: 1 if r < k."""
    return lambda n: (np.arange(n) < k).astype(np.float64)


@dataclass(frozen=True, eq=False)
class _Side:
    """One direction of a pairing: what queries found, how the found see the queries."""

    nearest: Nearest
    other: Nearest
    place: GoldRank
    classes: Int64[np.ndarray, "n"]  # of the candidates
    strata: Int64[np.ndarray, "n"]

    @property
    def choices(self) -> Int64[np.ndarray, "n"]:
        """How many sentences each query may be re-paired with."""
        sizes: np.ndarray = np.bincount(self.strata)[self.strata]
        return sizes


def _sides(pairing: Pairing) -> tuple[_Side, _Side]:
    rows, columns = pairing.found.rows, pairing.found.columns
    return (
        _Side(rows, columns, pairing.places[0], pairing.target_class, pairing.strata),
        _Side(columns, rows, pairing.places[1], pairing.source_class, pairing.strata),
    )


def both_ways(pairing: Pairing, score: Callable[[_Side], tuple[np.ndarray, float]]) -> list[Outcome]:
    """Score both directions and their mean."""
    (forward, null_forward), (backward, null_backward) = map(score, _sides(pairing))
    return [
        Outcome("forward", forward, null_forward),
        Outcome("backward", backward, null_backward),
        Outcome("mean", (forward + backward) / 2, (null_forward + null_backward) / 2),
    ]


def _hits(side: _Side, found: Int64[np.ndarray, "n"]) -> tuple[Float[np.ndarray, "n"], float]:
    """Return 1 where the class of what was found is the gold's, and the null of that."""
    some: Bool[np.ndarray, "n"] = found >= 0
    classes = side.classes[found]
    matching = _count(_codes(side.strata, side.classes), _codes(side.strata, classes)) * some
    null = float((matching / side.choices).mean())
    return ((classes == side.classes) & some).astype(np.float64), null


def _discounted_null(
    side: _Side, found: Int64[np.ndarray, "n"], discount: Float[np.ndarray, "n"]
) -> float:
    """Return the null of a credit that the found j gives to the query it belongs to."""
    inside = side.strata[found] == side.strata
    return float((discount[found] * inside / side.choices).mean())


def _codes(*numbers: Int64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    """Return one number for each tuple of numbers."""
    codes = np.zeros(len(numbers[0]), np.int64)
    for each in numbers:
        codes = codes * (len(each) + 1) + each
    return codes


def _count(codes: Int64[np.ndarray, "n"], wanted: Int64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    """Return how often each of the wanted is among the codes."""
    ordered = np.sort(codes)
    ends = (np.searchsorted(ordered, wanted, side=side) for side in ("right", "left"))
    counts: np.ndarray = np.subtract(*ends)
    return counts
