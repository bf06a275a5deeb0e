"""RSA: do two languages find the same pairs of sentences far apart?

Spearman's correlation of the upper triangles of two dissimilarity matrices. Their n (n-1) / 2 entries
are not independent, so the p-value of a correlation means nothing here: the Mantel test re-pairs
sentences. Source: Kriegeskorte et al. 2008.
"""

from dataclasses import dataclass

import numpy as np
import scipy.spatial.distance
from jaxtyping import Float64, Int64

from ..lazy_property import lazy
from ..statistics.centring import Gram, Matrix
from .cka import cosine
from .view import Undefined, View, views

UNIT = 1e-12  # of the greatest dissimilarity; what differs by less is equal
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
    return cosine(ranks(a, metric).centred, ranks(b, metric).centred)


@dataclass(frozen=True, eq=False)
class Ranks:
    """The ranks of the dissimilarities of all sentence pairs i < j, ties averaged."""

    twice: Int64[np.ndarray, "p"]  # whole numbers
    order: Int64[np.ndarray, "p"]  # of the pairs, ascending
    last: Int64[np.ndarray, "p"] | None  # where in the order the equals of each place end; None: no ties

    @lazy
    def centred(self) -> Float64[np.ndarray, "p"]:
        """The ranks minus their mean."""
        return self.twice / 2 - (len(self.twice) + 1) / 2

    @property
    def matrix(self) -> Float64[np.ndarray, "n n"]:
        """The centred ranks as a symmetric matrix with a zero diagonal."""
        result: np.ndarray = scipy.spatial.distance.squareform(self.centred)
        return result


def ranks(view: View, metric: str = "cosine") -> Ranks:
    """Return the ranks of a view's dissimilarities.

    Raises:
        Undefined: all dissimilarities are equal.
    """
    found = _ranked(scipy.spatial.distance.squareform(_distances(view, metric), checks=False))
    if found.twice.min() == found.twice.max():
        raise Undefined(f"{view.name}: all dissimilarities are equal, so they have no ranks")
    return found


def _ranked(values: Int64[np.ndarray, "p"]) -> Ranks:
    """Return ranks from 1, ties averaged."""
    import torch

    # of integers torch has a radix sort, three times as fast as numpy's
    ascending, order = (part.numpy() for part in torch.sort(torch.from_numpy(values)))
    twice = np.empty(len(values), np.int64)
    new = ascending[1:] != ascending[:-1]
    if new.all():
        twice[order] = np.arange(2, 2 * len(values) + 2, 2)
        return Ranks(twice, order, None)
    first = np.r_[0, 1 + np.flatnonzero(new)]
    size = np.diff(first, append=len(values))
    twice[order] = np.repeat(2 * first + size + 1, size)
    return Ranks(twice, order, np.repeat(first + size - 1, size))


def influence(a: Ranks, b: Ranks) -> Gram:
    """Return what each sentence pair contributes to Spearman's correlation, to first order.

    A pair moves the correlation by the product of its centred ranks and by moving others' ranks: with
    F, G the pairs' rank functions, IF = F G + E[G'; X' ≥ x] + E[F'; Y' ≥ y], centred.
    Source: Croux & Dehon 2010, eq. 6.

    Returns:
        A symmetric matrix, zero diagonal, whose sum over ordered pairs is 0; scaled so that taking away
        some pairs lowers the correlation by their sum.
    """
    f, g = a.centred, b.centred
    by_pair = f * g + _above(a, g) + _above(b, f)
    by_pair -= by_pair.mean()
    # the spread of ranks is fixed; each unordered pair is twice in the matrix
    by_pair /= 2 * np.sqrt((f @ f) * (g @ g))
    result: np.ndarray = scipy.spatial.distance.squareform(by_pair)
    return result


def _above(ranks: Ranks, weight: Float64[np.ndarray, "p"]) -> Float64[np.ndarray, "p"]:
    """Return for each rank the sum of `weight` over the greater ones."""
    sums = weight[ranks.order].cumsum()
    greater: np.ndarray = np.empty_like(sums)
    greater[ranks.order] = sums[-1] - (sums if ranks.last is None else sums[ranks.last])
    return greater


def _distances(view: View, metric: str) -> Int64[np.ndarray, "n n"]:
    """Return the dissimilarities in units of 1e-12 of the greatest."""
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
    distances = distances + distances.T
    distances *= 1 / (UNIT * max(distances.max(), 1e-200))
    whole: np.ndarray = np.rint(np.maximum(distances, 0, out=distances), out=distances).astype(np.int64)
    return whole
