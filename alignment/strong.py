"""Strong alignment: is a translation nearer than everything else, also in the query's own language?

The candidates are the sentences of ALL languages of a many-parallel corpus, the query itself (and texts
identical to it in its language) left out. A model may find translations among the sentences of one other
language (weak alignment) and still put its own language nearest. Any translation of the query, in
whatever language, is right. Source: Roy et al. 2020 (LAReQA), https://arxiv.org/abs/2004.05484.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int64

from .neighbours import neighbours

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
    found = neighbours(vectors, vectors, DEPTH + SPARE).rows.ids
    order = np.argsort(_own(found, language, text), axis=1, kind="stable")[:, :DEPTH]
    return np.take_along_axis(found, order, axis=1)


def strong_outcomes(
    found: Int64[np.ndarray, "N k"], language: Labels, item: Labels, text: Labels
) -> Mapping[str, Float[np.ndarray, "N"]]:
    """Return what each query contributes to the strong measures.

    Args:
        found: see `nearest_others`.
        language: of each row.
        item: which sentence of the corpus it says; translations of each other have one number.
        text: a number per distinct text; a text identical to a translation is right, too.

    Returns:
        `strong_accuracy`: the nearest is a translation. `same_language_rate`: the nearest is a wrong one
        of the query's language. `map@20`: average precision, Σ over right ranks r ≤ 20 of the precision
        at r, over min(20, number of translations).
    """
    right = _right(found, language, item, text)
    same = (language[found[:, 0]] == language) & ~right[:, 0]
    average = average_precision(right, _translations(language, item, text))
    return {
        "strong_accuracy": right[:, 0].astype(np.float64),
        "same_language_rate": same.astype(np.float64),
        "map@20": average,
    }


def average_precision(
    right: Bool[np.ndarray, "q k"], possible: Int64[np.ndarray, "q"]
) -> Float[np.ndarray, "q"]:
    """Return Σ over right ranks r ≤ k of the precision at r, over min(k, number of right ones)."""
    k = right.shape[1]
    precision = right.cumsum(axis=1) / np.arange(1, k + 1)
    average: np.ndarray = (precision * right).sum(axis=1) / np.maximum(np.minimum(possible, k), 1)
    return average


def strong_nulls(found: Int64[np.ndarray, "N k"], language: Labels, n: int) -> dict[str, np.ndarray]:
    """Return per query the expectations when each language's sentences are re-paired at random.

    A neighbour in another language is then a translation with probability 1/n (up to identical texts).
    Languages stay where they are, and so does the nearest's language; of map@20 no null is known.

    Args:
        found: see `nearest_others`.
        language: of each row.
        n: sentences a language.
    """
    abroad = (language[found[:, 0]] != language).astype(np.float64)
    return {"strong_accuracy": abroad / n}


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
