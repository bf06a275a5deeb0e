"""RSA: do two languages find the same pairs of sentences far apart?

Spearman's correlation of the upper triangles of two dissimilarity matrices. Their n (n-1) / 2 entries
are not independent, so the p-value of a correlation means nothing here: the Mantel test re-pairs
sentences. Source: Kriegeskorte et al. 2008.
"""

import numpy as np
import scipy.spatial.distance
import scipy.stats
from jaxtyping import Float64

from .cka import cosine
from .views import Gram, Matrix, Undefined, View, views

METRICS = ("cosine", "correlation", "euclidean")


def rsa(x: Matrix | View, y: Matrix | View, metric: str = "cosine") -> float:
    """Return Spearman's rank correlation of the dissimilarities of all sentence pairs, in [-1, 1].

    Args:
        x: a row per sentence.
        y: row i translates row i of x.
        metric: "cosine" (unchanged by rotation and scaling), "euclidean" (also by translation), or
            "correlation" (1 - Pearson over a sentence's features: not even unchanged by rotation).

    Raises:
        ValueError: as `linear_cka`; another metric; dissimilarities that are all equal.
    """
    a, b = views(x, y)
    return cosine(ranks(a, metric), ranks(b, metric))


def ranks(view: View, metric: str = "cosine") -> Float64[np.ndarray, "n n"]:
    """Return the ranks of all dissimilarities (ties averaged), centred, a zero diagonal.

    Raises:
        Undefined: all dissimilarities are equal.
    """
    upper = _ranked(scipy.spatial.distance.squareform(_distances(view, metric), checks=False))
    upper -= upper.mean()
    if not upper.any():
        raise Undefined(f"{view.name}: all dissimilarities are equal, so they have no ranks")
    result: np.ndarray = scipy.spatial.distance.squareform(upper)
    return result


def _ranked(values: Float64[np.ndarray, "p"]) -> Float64[np.ndarray, "p"]:
    """Return ranks from 1, ties averaged; without ties they are the order itself, at half the cost."""
    order = np.argsort(values)
    if (np.diff(values[order]) == 0).any():
        averaged: np.ndarray = scipy.stats.rankdata(values)
        return averaged
    ranks = np.empty_like(values)
    ranks[order] = np.arange(1.0, len(values) + 1)
    return ranks


def influence(a: Gram, b: Gram) -> Gram:
    """Return what each sentence pair contributes to Spearman's correlation, to first order.

    A pair moves the correlation by the product of its centred ranks and by moving others' ranks: with
    F, G the pairs' rank functions, IF = F G + E[G'; X' ≥ x] + E[F'; Y' ≥ y], centred.
    Source: Croux & Dehon 2010, eq. 6.

    Returns:
        A symmetric matrix, zero diagonal, whose sum over ordered pairs is 0; scaled so that taking away
        some pairs lowers the correlation by their sum.
    """
    f, g = (scipy.spatial.distance.squareform(side, checks=False) for side in (a, b))
    by_pair = f * g + _above(f, g) + _above(g, f)
    by_pair -= by_pair.mean()
    # the spread of ranks is fixed; each unordered pair stands twice in the matrix
    result: np.ndarray = scipy.spatial.distance.squareform(by_pair / (2 * np.sqrt((f @ f) * (g @ g))))
    return result


def _above(x: Float64[np.ndarray, "p"], weight: Float64[np.ndarray, "p"]) -> Float64[np.ndarray, "p"]:
    """Return for each centred rank the sum of `weight` over the greater ones."""
    # averaged ranks are whole or half: twice a rank is a bin
    bins = np.rint(2 * (x - x.min())).astype(np.int64)
    sums = np.bincount(bins, weights=weight)
    greater: np.ndarray = (sums[::-1].cumsum()[::-1] - sums)[bins]
    return greater


def _distances(view: View, metric: str) -> Gram:
    if metric == "cosine":
        distances: np.ndarray = 1 - view.cosines
    elif metric == "euclidean":
        norms = view.gram.diagonal()
        distances = norms[:, None] + norms - 2 * view.gram  # squared: the ranks are the same
    elif metric == "correlation":
        x = view.x.astype(np.float64)
        distances = 1 - np.asarray(np.corrcoef(x))
    else:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
    # rounding must not rank what is equal: identical sentences, an entry and its mirror image
    distances = (distances + distances.T) / (2 * max(np.abs(distances).max(), 1e-300))
    rounded: np.ndarray = np.round(distances, 12)
    return rounded
