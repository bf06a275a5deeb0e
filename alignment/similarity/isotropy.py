"""Geometry of one representation: over how many directions its variance is spread; how narrow its cone.

The participation ratio is also what biased CKA's null is made of: √(PR PR) / (n - 1). As measures of a
bitext these are about one language: `forward` the target, whose sentences the source's queries find,
`backward` the source, `mean` both averaged. No null: re-pairing changes nothing.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

from ..statistics.centring import Matrix
from ..statistics.deletion import jackknife, of_equal_size
from ..statistics.grouping import group_sums, members_of
from ..statistics.intervals import Interval
from ..statistics.outcomes import Statistic, both_and_mean
from .inference import Matched
from .view import View

Groups = Int64[np.ndarray, "n"]
LeftOut = Float64[np.ndarray, "g_plus_1"]  # a value, then those without each group


def participation_ratio(x: Matrix | View) -> float:
    """Return (tr Σ)² / ‖Σ‖²_F of the covariance Σ: the number of directions, if all were equal.

    Unchanged by rotation, isotropic scaling and translation. No decomposition: two norms.

    Returns:
        A value in [1, min(n - 1, d)], so that few sentences make it small.

    Raises:
        ValueError: as `linear_cka`, of one side.
    """
    view = x if isinstance(x, View) else View(x, "x")
    return float(participation_ratios(view, np.zeros(view.n, np.int64))[0])


def isoscore(x: Matrix | View) -> float:
    """Return IsoScore, (PR - 1) / (d - 1), in [0, 1]: 1 where all directions vary equally.

    The definition of Rudman et al. 2022 (https://aclanthology.org/2022.findings-acl.262) is this, by
    algebra; it needs neither PCA nor n ≥ d.

    Raises:
        ValueError: as `participation_ratio`, and a single dimension.
    """
    view = x if isinstance(x, View) else View(x, "x")
    if view.width < 2:
        raise ValueError("IsoScore needs at least 2 dimensions, got 1")
    return float((participation_ratio(view) - 1) / (view.width - 1))


def mean_cosine(x: Matrix | View) -> float:
    """Return the mean cosine of distinct sentences, in [-1, 1]; 0 for vectors spread evenly around 0.

    Of all n (n - 1) ordered pairs, by (‖Σ u‖² - Σ ‖u‖²) / (n (n - 1)) of the unit vectors u. A zero
    vector has cosine 0 with everything. Source: Ethayarajh 2019, https://aclanthology.org/D19-1006,
    who samples.
    """
    view = x if isinstance(x, View) else View(x, "x")
    return float(mean_cosines(view, np.zeros(view.n, np.int64))[0])


def mean_cosines(view: View, groups: Groups) -> LeftOut:
    """Return the mean cosine of distinct sentences, and those without each group."""
    x = view.x.astype(np.float64)
    norms = np.linalg.norm(x, axis=1)
    units = x / np.where(norms > 0, norms, 1.0)[:, None]
    sums, own = group_sums(units, groups), np.bincount(groups, weights=(norms > 0).astype(float))
    whole = sums.sum(axis=0)
    # the whole, then without each group
    total = np.vstack([whole, whole - sums])
    squares = np.r_[own.sum(), own.sum() - own]
    n = view.n - np.r_[0, np.bincount(groups)]
    with np.errstate(invalid="ignore", divide="ignore"):  # one sentence alone has no pair
        means: np.ndarray = (np.square(total).sum(axis=1) - squares) / (n * (n - 1))
    return means


def participation_ratios(view: View, groups: Groups) -> LeftOut:
    """Return the participation ratio, and those without each group.

    Without the rows X_g of centred X the scatter is XᵀX - AᵀA, A = X_g and, for the moved mean, the row
    Σ X_g / √(n - n_g); its norm is made of those of XᵀX, A Aᵀ and X Aᵀ.
    """
    x = view.centred
    if view.n > view.width:
        square = x.T @ x
        through = x @ square
    else:
        square = x @ x.T
        through = square @ x
    members = members_of(groups)
    left = np.maximum(view.n - np.array([len(rows) for rows in members]), 1)
    # of each row, and of each group's sum t: ‖a‖² and ‖X a‖²
    t = group_sums(x, groups)
    norms, lengths = np.einsum("nd,nd->n", x, x), np.einsum("gd,gd->g", t, t) / left
    cross = np.bincount(groups, weights=np.einsum("nd,nd->n", x, through))
    cross += np.einsum("gd,gd->g", t, group_sums(through, groups)) / left
    own = np.array([np.square(x[rows] @ x[rows].T).sum() for rows in members])
    own += 2 * np.bincount(groups, weights=np.einsum("nd,nd->n", x, t[groups]) ** 2) / left + lengths**2
    size, trace = np.vdot(square, square), np.trace(square)
    traces = np.r_[trace, trace - np.bincount(groups, weights=norms) - lengths]
    with np.errstate(invalid="ignore", divide="ignore"):  # a single group leaves nothing
        ratios: np.ndarray = np.square(traces) / np.r_[size, size + own - 2 * cross]
    return ratios


def isoscores(view: View, groups: Groups) -> LeftOut:
    """Return IsoScore, and those without each group; nan for a single dimension."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scores: np.ndarray = (participation_ratios(view, groups) - 1) / np.float64(view.width - 1)
    return scores


def of_sides(
    function: Callable[[View, Groups], LeftOut],
) -> Callable[[Matched], list[Statistic]]:
    """Return the measure of a bitext that a geometry of one side is."""

    def measure(matched: Matched) -> list[Statistic]:
        key, groups = (function, matched.groups.tobytes()), matched.groups
        first, second = (
            view.once(key, lambda view: function(view, groups)) for view in (matched.y, matched.x)
        )

        def interval(value: float, left_out: Float64[np.ndarray, "g"]) -> Interval:
            # vectors of few sentences lie in few directions, whatever the sentences
            return jackknife(value, of_equal_size(value, left_out, groups))

        return both_and_mean(first, second, interval)

    return measure
