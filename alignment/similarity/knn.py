"""Neighbourhoods: are the sentences near a sentence the same ones in both languages?

Neighbours are sought WITHIN each language (retrieval seeks them across), by cosine, as everywhere here:
float64, rounded to float32, ties to the lower index. A sentence is never its own neighbour: it is
excluded by its index, for a duplicate of it would push it from the first place.
"""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ..statistics.centring import Matrix
from .view import Undefined, View, views

K = 10

Ids = Int64[np.ndarray, "m k"]


def mutual_knn(x: Matrix | View, y: Matrix | View, k: int = K) -> float:
    """Return the mean over sentences of |N_x(i) ∩ N_y(i)| / k, in [0, 1].

    Unchanged by rotation and scaling of either side, not by translation (cosines; see the map `centre`).
    Null exactly k / (n - 1). Source: Huh et al. 2024, https://arxiv.org/abs/2405.07987, eq. 11.

    Raises:
        ValueError: as `linear_cka`, and k outside 1 … n - 2, where all sentences are neighbours.

    >>> x = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> mutual_knn(x, 2 * x[:, ::-1], k=1)
    1.0
    """
    a, b = views(x, y)
    return float(shared(nearest(a, k), mark(nearest(b, k), a.n)).mean() / k)


def jaccard_knn(x: Matrix | View, y: Matrix | View, k: int = K) -> float:
    """Return the mean over sentences of |N_x(i) ∩ N_y(i)| / |N_x(i) ∪ N_y(i)|, in [0, 1].

    Null E[h / (2k - h)], h hypergeometric; see `jaccard_null`. Otherwise as `mutual_knn`.
    """
    a, b = views(x, y)
    hits = shared(nearest(a, k), mark(nearest(b, k), a.n))
    return float((hits / (2 * k - hits)).mean())


def jaccard_null(n: int, k: int) -> float:
    """Return the mean Jaccard overlap of two random k-subsets of n - 1 sentences."""
    import scipy.stats  # when needed: it takes half a second

    h = np.arange(k + 1)
    weights = scipy.stats.hypergeom(n - 1, k, k).pmf(h)
    return float((weights * h / (2 * k - h)).sum())


def nearest(view: View, k: int) -> Ids:
    """Return for every sentence its k nearest others, nearest first, ties to the lower index.

    Raises:
        Undefined: k outside 1 … n - 2.
    """
    import torch

    if not 1 <= k <= view.n - 2:
        raise Undefined(f"k must lie in 1 … n - 2 = {view.n - 2}, got {k}")
    scores = view.cosines.astype(np.float32)
    np.fill_diagonal(scores, -np.inf)
    best, ids = (part.numpy() for part in torch.from_numpy(scores).topk(k + 1, dim=1))
    # of equal scores topk takes and leaves as it likes: among those taken the index decides …
    order = np.lexsort((ids[:, :k], -best[:, :k]), axis=1)
    ids = np.take_along_axis(ids[:, :k], order, axis=1)
    # … and where the first left out equals the last taken, a stable sort of the whole row
    unsure = np.flatnonzero(best[:, k] == best[:, k - 1])
    ids[unsure] = np.argsort(-scores[unsure], axis=1, kind="stable")[:, :k]
    return ids


def mark(ids: Ids, n: int) -> Bool[np.ndarray, "m n"]:
    """Return, for every row of ids, which of n sentences it lists."""
    found = np.zeros((len(ids), n), bool)
    np.put_along_axis(found, ids, values=True, axis=1)
    return found


def shared(ids: Ids, marked: Bool[np.ndarray, "m n"]) -> Float64[np.ndarray, "m"]:
    """Return how many of each row's ids are marked in the same row."""
    count: np.ndarray = np.take_along_axis(marked, ids, axis=1).sum(axis=1, dtype=np.float64)
    return count


def shared_shuffled(
    ids: Ids, marked: Bool[np.ndarray, "m n"], order: Int64[np.ndarray, "m"]
) -> Float64[np.ndarray, "m"]:
    """Return the same where row i of the one side goes with row order[i] of the other."""
    count: np.ndarray = marked[order[:, None], order[ids]].sum(axis=1, dtype=np.float64)
    return count


def influence(ids: tuple[Ids, Ids]) -> Float64[np.ndarray, "n n"]:
    """Return what each pair of sentences contributes to `mutual_knn`, to first order.

    j among the neighbours of i on both sides is a hit; on either side it has pushed out another, which
    would have been one as often as the last neighbours are: (both - p_x in_x - p_y in_y) / (n k).

    Returns:
        A symmetric matrix whose sum over ordered pairs is 0, zero on the diagonal.
    """
    n, k = ids[0].shape
    pairs = np.zeros((n, n))
    rows = np.arange(n)[:, None]
    last = slice(-max(1, k // 3), None)
    for side, other in (ids, ids[::-1]):
        both = np.take_along_axis(mark(other, n), side, axis=1)
        pairs[rows, side] += both / 2 - both[:, last].mean()
    pairs /= 2 * n * k
    result: np.ndarray = pairs + pairs.T
    result -= result.sum() / (n * (n - 1))
    np.fill_diagonal(result, 0.0)
    return result
