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
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int64

from ..statistics.grouping import are_documents
from ..statistics.outcomes import Outcome, TooFewSentences
from .direction import (
    Credit,
    Direction,
    Scored,
    both_ways,
    credited,
    mutually_without,
    over_documents,
    sides,
)
from .pairing import Pairing, in_parts


def accuracy(pairing: Pairing) -> list[Outcome]:
    """Share of sentences whose nearest neighbour is their translation; ties go to the lower index.

    Null: Σ_j c_j m_j / n², with c_j the queries that find j and m_j the texts identical to j.
    """

    def score(side: Direction) -> Scored:
        hits = side.hits(side.found)
        return hits, _null(side, side.found), lambda: side.without(hits, side.hits(side.second))

    return both_ways(pairing, score)


def ratio_accuracy(pairing: Pairing, k: int = 4) -> list[Outcome]:
    """Accuracy of the ratio margin among the k nearest (Artetxe & Schwenk 2019; LASER's rule).

    margin(x, y) = cos(x, y) / ((A(x) + A(y)) / 2), A = mean cosine to the k nearest on the other side.
    A candidate whose denominator is not positive has no ratio and is never retrieved; a query left
    without any candidate counts as wrong. k is at most n - 1.
    """
    k = min(k, len(pairing) - 1)

    def score(side: Direction) -> Scored:
        density = side.other.scores[:, :k]
        found = best_by_ratio(side.nearest.ids[:, :k], side.nearest.scores[:, :k], density)
        return side.hits(found), _null(side, found), None

    return both_ways(pairing, score)


def csls_accuracy(pairing: Pairing, k: int = 10) -> list[Outcome]:
    """Accuracy by CSLS, 2 cos(x, y) - r(x) - r(y), among all candidates.

    r = mean cosine to the k nearest on the other side: a hub is near to everything and loses by it. Ties
    go to the lower index. k is at most n - 1. Source: Conneau et al. 2018,
    https://arxiv.org/abs/1710.04087, eq. 3.
    """
    k = min(k, len(pairing) - 1)
    everything = np.arange(len(pairing))

    def score(side: Direction) -> Scored:
        density = side.other.scores[:, :k].mean(axis=1, dtype=np.float64)
        found = np.empty(len(everything), np.int64)
        for queries in in_parts(everything, len(everything)):
            # the query's own density is the same for all its candidates
            found[queries] = (2 * side.scores(queries).astype(np.float64) - density).argmax(axis=1)
        return side.hits(found), _null(side, found), None

    return both_ways(pairing, score)


def mutual_accuracy(pairing: Pairing) -> list[Outcome]:
    """Share of pairs that are each other's nearest neighbours; see `mexa` for its strict form.

    Null: M / n², with M the pairs (i, j) in the matrix that are each other's nearest, up to identical
    texts; not 1/(2n - 1), which hubs make far too high.
    """
    both = forward, backward = sides(pairing)
    hits = forward.hits(forward.found), backward.hits(backward.found)
    x, y = pairing.source_class, pairing.target_class
    finds = _codes(pairing.strata, x, y[forward.found])
    found = _codes(pairing.strata, x[backward.found], y)
    null = float((_count(found, finds) / forward.choices).mean())

    def without() -> Float[np.ndarray, "g"]:
        then = forward.hits(forward.second), backward.hits(backward.second)
        return mutually_without(both, hits, then)

    return [Outcome("both", hits[0] * hits[1], null, over_documents(pairing, without))]


def mexa(pairing: Pairing) -> list[Outcome]:
    """Share of pairs whose cosine is strictly greater than all others of its row and of its column.

    `mutual_accuracy` by index, where a tie is a miss. Null: M / n², M the pairs of the matrix of which
    that is true. Source: Kargaran et al. 2024, compute_mexa.py. Without a document, a tie with one of
    its sentences stays a miss.
    """
    both, everything = sides(pairing), np.arange(len(pairing))
    nearest = [side.nearest for side in both]
    found, back = (
        np.where(each.scores[:, 0] > each.scores[:, 1], each.ids[:, 0], -1) for each in nearest
    )
    mutual = (found >= 0) & (back[found] == everything)
    mutual &= pairing.strata[found] == pairing.strata
    null = float((mutual / both[0].choices).mean())
    first, second = (((each.rank == 0) & (each.ties == 0)).astype(np.float64) for each in nearest)

    def without() -> Float[np.ndarray, "g"]:
        there, back = ((side.second == everything).astype(np.float64) for side in both)
        return mutually_without(both, (first, second), (there, back))

    return [Outcome("both", first * second, null, over_documents(pairing, without))]


def precision_weighted(pairing: Pairing) -> list[Outcome]:
    """MTEB's weighted precision, by index: (1/n) Σ over right i of 1 / c_i, c_i = queries that find i.

    Null: the number of targets that are found at all / n². The weighted recall is the accuracy.
    """
    return both_ways(pairing, _discounted(lambda count: 1 / np.maximum(count, 1)))


def within_document_accuracy(pairing: Pairing) -> list[Outcome]:
    """Accuracy among the sentences of the own document (group) alone.

    The topic, the style, the names of a document are those of all its candidates: what finds the right
    one is the meaning of the sentence. A document of one sentence is always right. Null: the mean over
    documents' sentences of (texts identical to what is found) / (sentences of the document).

    Raises:
        TooFewSentences: no documents are known.
    """
    if not are_documents(pairing.groups):
        raise TooFewSentences("within_document_accuracy needs documents of more than one sentence")

    def score(side: Direction) -> Scored:
        found = pairing.within[side.backward]
        return side.hits(found), _null(replace(side, strata=pairing.groups), found), None

    return both_ways(pairing, score)


def f1_weighted(pairing: Pairing) -> list[Outcome]:
    """MTEB's weighted F1, by index: (1/n) Σ over right i of 2 / (1 + c_i), c_i = queries that find i.

    Accuracy discounted by how much of a hub the hit is. Null: Σ_j 2 c_j / (1 + c_j) / n².
    """
    return both_ways(pairing, _discounted(lambda count: 2 / (1 + count)))


def rank_measure(credit: Credit) -> Callable[[Pairing], list[Outcome]]:
    """Return a measure that gives credit[r] for r wrong candidates above the translation.

    Equal scores are broken at random: the credit is the mean over the places they share. Null: the
    mean credit, exact for any vectors where no text occurs twice.
    """

    def measure(pairing: Pairing) -> list[Outcome]:
        table = credit(len(pairing))

        def score(side: Direction) -> Scored:
            null = float("nan") if pairing.strata.any() else float(table.mean())
            values = credited(table, side.place.rank, side.place.ties)
            return values, null, lambda: side.credited_without(credit)

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


def accuracy_at(m: int) -> Credit:
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


def recall_at(k: int) -> Credit:
    """Credit for recall among the k nearest: 1 if r < k."""
    return lambda n: (np.arange(n) < k).astype(np.float64)


def _null(side: Direction, found: Int64[np.ndarray, "n"]) -> float:
    """Return how often what was found is right when translations are re-paired."""
    matching = _count(_codes(side.strata, side.classes), _codes(side.strata, side.classes[found]))
    return float((matching * (found >= 0) / side.choices).mean())


def _discounted(
    discount: Callable[[Int64[np.ndarray, "n"]], Float[np.ndarray, "n"]],
) -> Callable[[Direction], Scored]:
    """Return the score by index that is discounted by how many queries find a candidate."""

    def score(side: Direction) -> Scored:
        found, n = side.found, len(side.found)
        credit = discount(np.bincount(found, minlength=n))
        values, null = (found == np.arange(n)) * credit[found], _discounted_null(side, found, credit)
        return values, null, lambda: side.discounted_without(discount)

    return score


def _discounted_null(
    side: Direction, found: Int64[np.ndarray, "n"], discount: Float[np.ndarray, "n"]
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
