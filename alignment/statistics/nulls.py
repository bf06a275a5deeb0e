"""The permutation null, exactly: moments over all n! re-pairings without drawing one.

Many measures are, up to what no permutation changes, T(π) = Σ_ij A_ij B_π(i)π(j) for symmetric A, B. The
k-th moment of T is a sum over the ways in which 2k indices may coincide; each way is a multigraph with k
edges on the sentences, and contributes (its count in A) × (its count in B) / (n (n-1) …). Counts over
distinct vertices come from counts over all vertices by Möbius inversion, and those are a handful of sums
of A: 4 for the variance, 11 for the skewness. So a grid of M representations costs M times these sums.

Sources: Kazi-Aoual et al. 1995 (the RV coefficient's moments); Mantel 1967; Lovász 2012, ch. 5 (counts).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations
from math import factorial, lgamma, perm, prod

import numpy as np
from jaxtyping import Float, Float64

Edges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class LowRank:
    """What a matrix is but for its diagonal: F W Fᵀ for some W, with this diagonal."""

    factor: Float[np.ndarray, "n f"]
    diagonal: Float[np.ndarray, "n"]


def invariants(
    a: Float[np.ndarray, "n n"], low_rank: LowRank | None = None
) -> Float64[np.ndarray, "15"]:
    """Return the sums of a symmetric matrix that determine its permutation moments.

    The means of diagonal and off-diagonal are taken away first: they add a constant to T. All sums are
    O(n²) but one, Σ a_ij a_jk a_ki: O(n³), or O(n² f) where a low rank is known.
    """
    n = len(a)
    mean = (a.sum() - a.trace()) / (n * (n - 1))
    diagonal = a.diagonal() - a.trace() / n
    a = a - mean
    np.fill_diagonal(a, diagonal)
    rows = a.sum(axis=0)
    squared = a * a
    squares = squared.sum(axis=0)
    if low_rank is None:
        triangle = _triangles(a)
    else:
        factor = np.column_stack([low_rank.factor, np.ones(n)])
        triangle = _cube_trace(a, LowRank(factor, low_rank.diagonal - mean))
    cubes = np.vdot(squared, a)
    d = diagonal
    return np.array(
        [
            *(rows @ rows, squares.sum(), rows @ d, d @ d),
            *(rows @ a @ rows, (rows**3).sum(), triangle, cubes, squares @ rows, rows**2 @ d),
            *(d @ a @ rows, squares @ d, d**2 @ rows, d @ a @ d, (d**3).sum()),
        ]
    )


def _triangles(a: Float[np.ndarray, "n n"]) -> float:
    """Return Σ a_ij a_jk a_ki = tr A³ of a symmetric matrix, by halves: a third of the work."""
    if len(a) <= 256:
        return float(np.vdot(a @ a.T, a))
    half = len(a) // 2
    first, across, last = a[:half, :half], a[:half, half:], a[half:, half:]
    mixed = np.vdot(across @ across.T, first) + np.vdot(across.T @ across, last)
    return _triangles(first) + _triangles(last) + 3 * float(mixed)


def _cube_trace(a: Float[np.ndarray, "n n"], low_rank: LowRank) -> float:
    """Return tr A³ of A = L + diag(e), L of low rank: that of L on its range, and what e adds."""
    inner = low_rank.diagonal
    e = a.diagonal() - inner
    q = np.linalg.qr(low_rank.factor)[0]
    core = q.T @ (a @ q) - (q.T * e) @ q
    squares = np.einsum("ij,ij->i", a, a) - a.diagonal() ** 2 + inner**2  # the diagonal of L²
    return float(np.vdot(core @ core, core.T) + 3 * (squares @ e + inner @ e**2) + (e**3).sum())


# the connected multigraphs with two and three edges, in the order of `invariants`; 0-0 is the diagonal
_TWO: tuple[Edges, ...] = (
    ((0, 1), (0, 2)),
    ((0, 1), (0, 1)),
    ((0, 1), (0, 0)),
    ((0, 0), (0, 0)),
)
_THREE: tuple[Edges, ...] = (
    ((0, 1), (1, 2), (2, 3)),
    ((0, 1), (0, 2), (0, 3)),
    ((0, 1), (1, 2), (0, 2)),
    ((0, 1), (0, 1), (0, 1)),
    ((0, 1), (0, 1), (0, 2)),
    ((0, 1), (0, 2), (0, 0)),
    ((0, 1), (1, 2), (0, 0)),
    ((0, 1), (0, 1), (0, 0)),
    ((0, 1), (0, 0), (0, 0)),
    ((0, 1), (0, 0), (1, 1)),
    ((0, 0), (0, 0), (0, 0)),
)


def permutation_moments(
    left: Float[np.ndarray, "a 15"], right: Float[np.ndarray, "b 15"], n: int
) -> tuple[Float64[np.ndarray, "a b"], Float64[np.ndarray, "a b"]]:
    """Return the standard deviation and the skewness of T over all permutations, for all pairs.

    Args:
        left: a row of `invariants` for each A.
        right: a row for each B.
        n: the number of sentences.

    Returns:
        Standard deviations, and skewnesses (0 where nothing varies).
    """
    two, three = _weights(_TWO, n), _weights(_THREE, n)
    variance = np.maximum(left[:, :4] @ two @ right[:, :4].T, 0)
    third = left[:, 4:] @ three @ right[:, 4:].T
    deviation = np.sqrt(variance)
    skewness = np.divide(third, deviation**3, out=np.zeros_like(third), where=deviation > 0)
    return deviation, skewness


def permutation_mean(a: Float[np.ndarray, "n n"], b: Float[np.ndarray, "n n"]) -> float:
    """Return E[T]: tr A tr B / n + (off-diagonal sum of A) (that of B) / (n (n - 1))."""
    n, (ta, tb) = len(a), (a.trace(), b.trace())
    return float(ta * tb / n + (a.sum() - ta) * (b.sum() - tb) / (n * (n - 1)))


def draw(
    statistic: Callable[[np.ndarray], float], n: int, *, draws: int, rng: np.random.Generator
) -> Float64[np.ndarray, "k"]:
    """Return a statistic of random re-pairings: statistic(π), where row i goes with row π(i)."""
    return np.array([statistic(rng.permutation(n)) for _ in range(draws)])


def rank_p(value: float, drawn: Float[np.ndarray, "k"]) -> float:
    """Return (1 + #{drawn ≥ value}) / (K + 1): valid for any K; at least 1 / (K + 1)."""
    # equal up to rounding is equal: else a constant statistic would always be significant
    close = value - 1e-12 * max(1.0, abs(value))
    return float((1 + (drawn >= close).sum()) / (len(drawn) + 1))


def least_p(n: int) -> float:
    """Return the least p-value that re-pairings of n sentences can give: 1 / n!, the pairing itself.

    Or the least number that a float has, where that is more.

    >>> round(1 / least_p(4))
    24
    """
    return float(np.exp(max(-lgamma(n + 1), np.log(np.finfo(np.float64).tiny))))


def threshold(value: float, drawn: Float[np.ndarray, "k"], alpha: float) -> float:
    """Return the ⌈(1 - α)(K + 1)⌉-th smallest of the null and the value itself.

    Source: Gröger et al. 2026, https://arxiv.org/abs/2602.14486, Algorithm 1.
    """
    everything = np.sort(np.append(drawn, value))
    return float(everything[int(np.ceil((1 - alpha) * len(everything))) - 1])


def benjamini_hochberg(p: Float[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """Return adjusted p-values over all cells: below q, at most a share q of them is false.

    nan stays nan and does not count. Source: Benjamini & Hochberg 1995.

    >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    import scipy.stats  # when needed: it takes half a second

    adjusted = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    adjusted[known] = scipy.stats.false_discovery_control(p[known])
    return adjusted


def holm(p: Float[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """Return adjusted p-values over all cells: below α, none is false but with probability α.

    nan stays nan and does not count. Source: Holm 1979.

    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    order = np.argsort(p[known], kind="stable")
    steps = np.maximum.accumulate(p[known][order] * np.arange(len(order), 0, -1))
    found = np.empty(len(order))
    found[order] = np.minimum(steps, 1)
    adjusted[known] = found
    return adjusted


def directed_invariants(a: Float[np.ndarray, "n n"]) -> Float64[np.ndarray, "7"]:
    """Return the sums that determine the variance of T for a matrix that is not symmetric.

    Its diagonal must be zero. Two entries are the same, mirrored, share a row or a column, are linked
    (either way), or share nothing.
    """
    n = len(a)
    a = a - a.sum() / (n * (n - 1))
    np.fill_diagonal(a, 0.0)
    rows, columns = a.sum(axis=1), a.sum(axis=0)
    same, mirrored = float(np.vdot(a, a)), float(np.vdot(a, a.T))
    linked = float(rows @ columns) - mirrored
    shared = [float(rows @ rows) - same, float(columns @ columns) - same, linked, linked]
    return np.array([same, mirrored, *shared, -(same + mirrored + sum(shared))])


def directed_deviation(
    left: Float[np.ndarray, "a 7"], right: Float[np.ndarray, "b 7"], n: int
) -> Float64[np.ndarray, "a b"]:
    """Return the standard deviation of T over all permutations, for all pairs of matrices."""
    counts = np.array([n * (n - 1)] * 2 + [perm(n, 3)] * 4 + [perm(n, 4)], dtype=np.float64)
    deviation: np.ndarray = np.sqrt(np.maximum((left / counts) @ right.T, 0))
    return deviation


@lru_cache
def _weights(graphs: tuple[Edges, ...], n: int) -> Float64[np.ndarray, "g g"]:
    """Return W with E[T^k] = h(A)ᵀ W h(B): Σ over coincidence patterns v vᵀ / (n)_vertices."""
    total = np.zeros((len(graphs), len(graphs)))
    for vertices, vector in _patterns(graphs):
        if vertices <= n:
            total += np.outer(vector, vector) / perm(n, vertices)
    return total


@lru_cache
def _patterns(graphs: tuple[Edges, ...]) -> list[tuple[int, np.ndarray]]:
    """Return, for each way 2k indices may coincide, its vertices and counts over distinct ones."""
    place = {_canonical(graph): i for i, graph in enumerate(graphs)}
    found = []
    for pattern in _partitions(2 * len(graphs[0])):
        edges = tuple(zip(pattern[::2], pattern[1::2], strict=True))
        vertices = max(pattern) + 1
        vector = np.zeros(len(graphs))
        for merge in _partitions(vertices):
            sizes = np.bincount(merge)
            sign = prod((-1) ** (size - 1) * factorial(size - 1) for size in sizes.tolist())
            merged = tuple((merge[a], merge[b]) for a, b in edges)
            # what falls apart has a single edge somewhere, whose sum was made zero
            if (key := _canonical(merged)) in place:
                vector[place[key]] += sign
        found.append((vertices, vector))
    return found


def _partitions(size: int) -> Iterator[Sequence[int]]:
    """Yield the set partitions of 0 … size - 1, each as the block number of every element."""
    if size == 0:
        yield ()
        return
    for smaller in _partitions(size - 1):
        for block in range(max(smaller, default=-1) + 2):
            yield (*smaller, block)


@cache
def _canonical(edges: Edges) -> Edges:
    """Return the same multigraph under its first relabelling in order."""
    names = sorted({vertex for edge in edges for vertex in edge})
    return min(
        tuple(sorted(tuple(sorted((new[a], new[b]))) for a, b in edges))  # type: ignore[misc]
        for order in permutations(range(len(names)))
        for new in [dict(zip(names, order, strict=True))]
    )
