"""The CCA family: how far two sets of directions over the sentences agree, whatever their variances.

Canonical correlations are the singular values of UxᵀUy, U the left singular vectors of the centred data:
from an SVD of the data, never of a covariance (which gives "correlations" above 1 at condition 1e7).

In sample they mislead: independent data of d dimensions reach a mean squared correlation of d / (n - 1),
and with rank_x + rank_y > n - 1 some are 1 whatever the data, so that is refused. `heldout_cca` fits the
directions on some documents and correlates on others; its null is 0.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64, Int64

from ..statistics.centring import Matrix
from .view import Basis, Undefined, View, bases, views

Given = Matrix | View | Basis

KEEP = 0.99  # of the variance, for SVCCA
COMPONENTS = 20  # leading principal components a side, for held-out CCA
FOLDS, REPEATS = 5, 4
RIDGE = 0.1


def canonical_correlations(x: Given, y: Given) -> Float64[np.ndarray, "r"]:
    """Return the min(rank_x, rank_y) canonical correlations, in [0, 1], descending.

    Unchanged by any invertible affine map of either side. Source: Hotelling 1936; Björck & Golub 1973.

    Args:
        x: a row per sentence, or its `Basis`.
        y: row i translates row i of x.

    Raises:
        ValueError: as `linear_cka`, and rank_x + rank_y > n - 1, where that many minus (n - 1) of the
            correlations are 1 on any data.
    """
    a, b = bases(x, y)
    refuse_saturation(a.rank, b.rank, len(a))
    return np.minimum(np.linalg.svd(a.u.T @ b.u, compute_uv=False), 1.0)


def mean_cca(x: Given, y: Given) -> float:
    """Return the mean canonical correlation, in [0, 1]; raises as `canonical_correlations`."""
    return float(canonical_correlations(x, y).mean())


def mean_squared_cca(x: Given, y: Given) -> float:
    """Return the mean squared canonical correlation ‖UxᵀUy‖²_F / min(rank), in [0, 1].

    Its mean over re-pairings is exactly max(rank) / (n - 1). Source: Yanai 1974; Kornblith et al. 2019
    (R²_CCA). Raises as `canonical_correlations`.
    """
    a, b = bases(x, y)
    refuse_saturation(a.rank, b.rank, len(a))
    cross = a.u.T @ b.u
    return float(np.vdot(cross, cross) / min(a.rank, b.rank))


def svcca(x: Given, y: Given, keep: float | int = KEEP) -> float:
    """Return the mean canonical correlation of the leading principal components.

    Args:
        x: a row per sentence, or its `Basis`.
        y: row i translates row i of x.
        keep: a share of the variance in (0, 1]: the fewest components (at least 2, where there are as
            many) whose SQUARED singular values of the CENTRED data reach it; or a number of components.

    Returns:
        A value in [0, 1]. Unchanged by rotation, isotropic scaling, translation.

    Raises:
        ValueError: as `canonical_correlations`, for the components kept.

    Source: Raghu et al. 2017, https://arxiv.org/abs/1706.05806.
    """
    return mean_cca(*(basis.leading(kept(basis, keep)) for basis in bases(x, y)))


def kept(basis: Basis, keep: float | int) -> int:
    """Return how many principal components SVCCA keeps of a side; see `svcca`."""
    if isinstance(keep, int) and keep >= 1:
        return min(keep, basis.rank)
    if isinstance(keep, float) and 0 < keep <= 1:
        shares = np.cumsum(basis.s**2)
        # rounding must not ask for one component more than reaches the share
        reached = int(np.searchsorted(shares, keep * shares[-1] * (1 - 1e-12))) + 1
        return min(max(2, reached), basis.rank)
    raise ValueError(f"keep must be a share in (0, 1] or a whole number of components, got {keep}")


def pwcca(x: Given, y: Given, weights: str = "mean") -> float:
    """Return projection-weighted CCA, Σ α_i ρ_i / Σ α_i with α_i = Σ_j |⟨h_i, x_j⟩|.

    h_i is the i-th canonical variate of the weighted side, x_j its j-th centred neuron. Unchanged by any
    affine map of the other side; of the weighted side only by scaling, translation and permuting its
    neurons: even a rotation changes it. Source: Morcos et al. 2018, https://arxiv.org/abs/1806.05759.

    Args:
        x: a row per sentence, or its `Basis`.
        y: row i translates row i of x.
        weights: "x", "y", or the "mean" of the two, which is symmetric.

    Raises:
        ValueError: as `canonical_correlations`, and another `weights`.
    """
    if weights not in ("x", "y", "mean"):
        raise ValueError(f"weights must be 'x', 'y' or 'mean', got {weights!r}")
    a, b = bases(x, y)
    refuse_saturation(a.rank, b.rank, len(a))
    p, rho, qt = np.linalg.svd(a.u.T @ b.u, full_matrices=False)
    found = []
    for side, basis, turn in (("x", a, p.T), ("y", b, qt)):
        if weights in (side, "mean"):
            # h_i = U turn_i and X = U S Vᵀ, so the sums over sentences are over directions
            alpha = np.abs((turn * basis.s) @ basis.vt).sum(axis=1)
            found.append(float(alpha @ np.minimum(rho, 1.0) / alpha.sum()))
    return float(np.mean(found))


def ridge_cca(x: Given, y: Given, ridge: float = RIDGE) -> float:
    """Return the mean singular value of Dx UxᵀUy Dy, D = S / sqrt(S² + κ), κ = `ridge` · mean S².

    In [0, 1], below 1 even for x = y; never saturates. Unchanged by rotation, isotropic scaling,
    translation. 0 is CCA, without the refusal. Source: Vinod 1976.

    Raises:
        ValueError: as `linear_cka`, and a negative ridge.
    """
    if ridge < 0:
        raise ValueError(f"ridge must not be negative, got {ridge}")
    left, right = (
        basis.u * (basis.s / np.sqrt(basis.s**2 + ridge * (basis.s**2).mean())) for basis in bases(x, y)
    )
    return float(np.linalg.svd(left.T @ right, compute_uv=False).mean())


def heldout_cca(
    x: Matrix | View,
    y: Matrix | View,
    *,
    components: int | None = COMPONENTS,
    folds: int = FOLDS,
    repeats: int = REPEATS,
    groups: Int64[np.ndarray, "n"] | None = None,
    seed: int = 0,
) -> float:
    """Return the mean correlation of canonical variates on sentences they were not fitted on.

    Each side is reduced to its leading principal components (which do not know the pairing), the groups
    are dealt into folds; directions are fitted on all folds but one and correlated on that one; the mean
    runs over directions, folds and repetitions.

    Args:
        x: a row per sentence.
        y: row i translates row i of x.
        components: principal components a side; None for all.
        folds: at least 2; fewer where there are fewer groups.
        repeats: how often the folds are drawn again.
        groups: the document of each sentence, 0 … G - 1: a document is never on both sides of a split.
        seed: of the folds.

    Returns:
        A value in [-1, 1], about 0 where the pairing means nothing. Unchanged by rotation, isotropic
        scaling, translation; with all components by any invertible affine map.

    Raises:
        ValueError: as `linear_cka`; a fit that saturates; fewer than 2 groups.
    """
    a, b = views(x, y)
    groups = np.arange(a.n) if groups is None else groups
    plan = deal(groups, folds, repeats, np.random.default_rng(seed))
    left, right = (view.leading(components or view.n).u for view in (a, b))
    return float(heldout([fold_moments(left, right, plan)], left.shape[1])[0])


def deal(
    groups: Int64[np.ndarray, "n"], folds: int, repeats: int, rng: np.random.Generator
) -> Int64[np.ndarray, "k n"]:
    """Deal groups into folds of about equal numbers of sentences: the fold of each, a row a repetition.

    Raises:
        ValueError: fewer than 2 groups.
    """
    sizes = np.bincount(groups)
    count = int((sizes > 0).sum())
    if count < 2:
        raise Undefined("held-out CCA needs at least 2 groups (documents); resample by sentence")
    folds = min(folds, count)
    plan = np.empty((repeats, len(groups)), np.int64)
    for row in plan:
        order = rng.permutation(len(sizes))
        before = np.cumsum(sizes[order]) - sizes[order] / 2
        fold_of = np.empty(len(sizes), np.int64)
        fold_of[order] = np.minimum((before * folds / len(groups)).astype(np.int64), folds - 1)
        row[:] = np.unique(fold_of[groups], return_inverse=True)[1]
    return plan


def fold_moments(
    left: Float[np.ndarray, "n p"], right: Float[np.ndarray, "n q"], plan: Int64[np.ndarray, "k n"]
) -> list[Float64[np.ndarray, "f _ _"]]:
    """Return Σ z zᵀ over the sentences of every fold, z = (left, right, 1): an array a repetition.

    Raises:
        Undefined: the training part of a fold saturates.
    """
    n, p, q = len(left), left.shape[1], right.shape[1]
    # columns of U, scaled to unit variance
    z = np.concatenate([left * np.sqrt(n), right * np.sqrt(n), np.ones((n, 1))], axis=1)
    found = []
    for row in plan:
        parts = [z[row == fold] for fold in range(int(row.max()) + 1)]
        fewest = n - max(map(len, parts))
        refuse_saturation(p, q, fewest, "the training part of held-out CCA")
        found.append(np.stack([part.T @ part for part in parts]))
    return found


def heldout(
    moments: Sequence[Sequence[Float64[np.ndarray, "_ m m"]]], p: int
) -> Float64[np.ndarray, "s"]:
    """Return the held-out CCA of several sets of variables, by moments of their folds alone.

    The variables are columns of U, so the covariance of most rows is well conditioned. All folds of all
    repetitions of all sets are fitted at once: one small decomposition each.

    Args:
        moments: of each set, see `fold_moments`.
        p: how many of the variables are the left side's.
    """
    inside = np.concatenate([one for each in moments for one in each])
    whole = np.concatenate([np.broadcast_to(one.sum(0), one.shape) for each in moments for one in each])
    train, test = _covariance(whole - inside), _covariance(inside)
    x, y, cross = np.s_[:, :p, :p], np.s_[:, p:, p:], np.s_[:, :p, p:]
    try:
        inverse_x, inverse_y = (np.linalg.inv(np.linalg.cholesky(train[block])) for block in (x, y))
    except np.linalg.LinAlgError:
        raise Undefined("without a fold a component is constant: too few sentences differ") from None
    u, _, vt = np.linalg.svd(
        inverse_x @ train[cross] @ inverse_y.transpose(0, 2, 1), full_matrices=False
    )
    a, b = u.transpose(0, 2, 1) @ inverse_x, vt @ inverse_y  # a row per direction
    joint = ((a @ test[cross]) * b).sum(axis=2)
    alone_x, alone_y = ((a @ test[x]) * a).sum(axis=2), ((b @ test[y]) * b).sum(axis=2)
    scale = np.sqrt(alone_x * alone_y)
    # a fold over which a variate is constant says nothing: 0, its expectation
    by_fold = np.divide(joint, scale, out=np.zeros_like(joint), where=scale > 1e-12).mean(axis=1)
    folds = [sum(map(len, each)) for each in moments]
    means: np.ndarray = np.add.reduceat(by_fold, np.cumsum([0, *folds[:-1]])) / folds
    return means


def _covariance(moments: Float[np.ndarray, "k m m"]) -> Float64[np.ndarray, "k _ _"]:
    """Return covariances from sums of z zᵀ whose last variable is 1."""
    count = moments[:, -1:, -1:]
    mean = moments[:, :-1, -1:] / count
    result: np.ndarray = moments[:, :-1, :-1] / count - mean * mean.transpose(0, 2, 1)
    return result


def refuse_saturation(p: int, q: int, n: int, what: str = "CCA") -> None:
    """Raise where p + q variables over n sentences have correlations of 1 whatever the data."""
    if p + q > n - 1:
        raise Undefined(
            f"{what} saturates: {p} + {q} dimensions exceed n - 1 = {n - 1}, so {p + q - n + 1} "
            "correlations are 1 on any data; take heldout_cca, svcca with fewer components, or more "
            "sentences"
        )
