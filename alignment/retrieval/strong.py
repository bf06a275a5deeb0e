"""Strong alignment: is a translation nearer than everything else, also in the query's own language?

The candidates are the sentences of ALL languages of a many-parallel corpus, the query itself (and texts
identical to it in its language) left out. A model may find translations among the sentences of one other
language (weak alignment) and still put its own language nearest. Any translation of the query, in
whatever language, is right. Source: Roy et al. 2020 (LAReQA), https://arxiv.org/abs/2004.05484.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from ..lazy_property import lazy

DEPTH = 20  # neighbours that mean average precision looks at
SPARE = 4  # more, for what is left out

Labels = Int64[np.ndarray, "N"]


def nearest_others(
    vectors: Float[np.ndarray, "N d"], language: Labels, text: Labels
) -> Int64[np.ndarray, "N k"]:
    """Return each row's nearest rows, best first, without itself and its own text in its language.

    Args:
        vectors: all sentences of all languages.
        language: of each row.
        text: a number per distinct text.

    Returns:
        `DEPTH` rows, or all there are; what is left out comes last if there are too few others.
    """
    from ..neighbours.exact import neighbours

    found = neighbours(vectors, vectors, DEPTH + SPARE).rows.ids
    order = np.argsort(_own(found, language, text), axis=1, kind="stable")[:, :DEPTH]
    return np.take_along_axis(found, order, axis=1)


@dataclass(frozen=True, eq=False)
class StrongNeighbours:
    """What every sentence of a pool of languages has found."""

    found: Int64[np.ndarray, "N k"]  # see `nearest_others`
    language: Labels  # of each row
    item: Labels  # which sentence of the corpus it is; translations of each other have one number
    text: Labels  # a number per distinct text; a text identical to a translation is right, too
    sentences: int  # of each language

    @lazy
    def right(self) -> Bool[np.ndarray, "N k"]:
        """Which of the found are translations of the query."""
        return _right(self.found, self.language, self.item, self.text)


StrongOutcomes = tuple[Float[np.ndarray, "N"], Float[np.ndarray, "N"] | None]


def strong_accuracy(pool: StrongNeighbours) -> StrongOutcomes:
    """Share of sentences whose nearest is a translation, in whatever language.

    Null: a neighbour in another language is a translation with probability 1 / n when each language's
    sentences are re-paired at random (up to identical texts); languages stay where they are.
    """
    abroad = (pool.language[pool.found[:, 0]] != pool.language).astype(np.float64)
    return pool.right[:, 0].astype(np.float64), abroad / pool.sentences


def same_language_rate(pool: StrongNeighbours) -> StrongOutcomes:
    """Share of sentences whose nearest is a wrong one of their own language. No null."""
    same = (pool.language[pool.found[:, 0]] == pool.language) & ~pool.right[:, 0]
    return same.astype(np.float64), None


def mean_average_precision(pool: StrongNeighbours) -> StrongOutcomes:
    """Mean average precision at 20: Σ over right ranks r ≤ 20 of precision at r, over min(20, right).

    No null is known.
    """
    possible = _translations(pool.language, pool.item, pool.text)
    return average_precision(pool.right, possible), None


def average_precision(
    right: Bool[np.ndarray, "q k"], possible: Int64[np.ndarray, "q"]
) -> Float[np.ndarray, "q"]:
    """Return Σ over right ranks r ≤ k of the precision at r, over min(k, number of right ones)."""
    k = right.shape[1]
    precision = right.cumsum(axis=1) / np.arange(1, k + 1)
    average: np.ndarray = (precision * right).sum(axis=1) / np.maximum(np.minimum(possible, k), 1)
    return average


def _own(found: Int64[np.ndarray, "N k"], language: Labels, text: Labels) -> Bool[np.ndarray, "N k"]:
    """Return which of the found are the query, or its own text in its language."""
    own: np.ndarray = (text[found] == text[:, None]) & (language[found] == language[:, None])
    return own


def _codes(item: Labels, text: Labels) -> Labels:
    codes: np.ndarray = item * (int(text.max()) + 1) + text
    return codes


def _right(
    found: Int64[np.ndarray, "N k"], language: Labels, item: Labels, text: Labels
) -> Bool[np.ndarray, "N k"]:
    """Return which of the found say what the query says."""
    known = np.unique(_codes(item, text))
    wanted = item[:, None] * (int(text.max()) + 1) + text[found]
    right: np.ndarray = np.isin(wanted, known) & ~_own(found, language, text)
    return right


def _translations(language: Labels, item: Labels, text: Labels) -> Int64[np.ndarray, "N"]:
    """Return of how many candidates each query would find right."""
    wide = int(text.max()) + 1
    pairs = np.unique(_codes(item, text))  # the distinct texts of every item
    size = np.bincount(text)
    of_item = np.bincount(pairs // wide, weights=size[pairs % wide])
    _, place, count = np.unique(language * wide + text, return_inverse=True, return_counts=True)
    others: np.ndarray = (of_item[item] - count[place]).astype(np.int64)
    return others
