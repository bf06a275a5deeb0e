"""Shape: how far a rotation can bring two point clouds over the same sentences together.

cos θ = ‖XᵀY‖_* / (‖X‖_F ‖Y‖_F) of centred data, ‖·‖_* the nuclear norm. Where CKA weighs a pair of
principal components by the product of their variances, this weighs it by their standard deviations.
Inflated where n is not much larger than d, like biased CKA: read it against its null.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float64, Int64

from ..statistics.centring import Matrix
from ..statistics.grouping import group_sums
from .view import View, views

Given = Matrix | View
CentredRows = Float[np.ndarray, "n _"]  # centred


def procrustes_similarity(x: Given, y: Given) -> float:
    """Return cos θ, in [0, 1]; 1 iff one side is the other rotated, scaled and moved.

    Also the normalised Bures similarity. Source: Schönemann 1966; Williams et al. 2021.

    Raises:
        ValueError: as `linear_cka`.
    """
    left, right = map(coordinates, views(x, y))
    return _cosine(np.linalg.svd(left.T @ right, compute_uv=False), left, right)


def procrustes_distance(x: Given, y: Given) -> float:
    """Return sqrt(2 - 2 cos θ), in [0, √2]: the distance of the unit-norm clouds after rotation.

    A metric on shapes. Ding et al. 2021 report its square. Raises as `linear_cka`.
    """
    return float(np.sqrt(2 - 2 * procrustes_similarity(x, y)))


def angular_distance(x: Given, y: Given) -> float:
    """Return θ = arccos(cos θ) in radians, in [0, π/2]: the Riemannian shape metric.

    Near 0 half of the digits are lost (arccos). Source: Williams et al. 2021, eq. 8,
    https://arxiv.org/abs/2110.14739. Raises as `linear_cka`.
    """
    return float(np.arccos(procrustes_similarity(x, y)))


def coordinates(view: View) -> CentredRows:
    """Return centred rows with the view's inner products, in no more than n - 1 dimensions."""
    if view.width < view.n:
        return view.centred
    rows: np.ndarray = view.basis.u * view.basis.s
    return rows


def leave_groups_out(
    left: CentredRows, right: CentredRows, groups: Int64[np.ndarray, "n"]
) -> Float64[np.ndarray, "g_plus_1"]:
    """Return cos θ, and that without each group, to first order in what leaves.

    M = XᵀY becomes M - S_G - s tᵀ/(n-g), S_G, s, t the group's sums of products, of x and of y, and a
    nuclear norm changes by ⟨polar factor, change⟩: no decomposition per group.
    """
    values, polar = _polar(left.T @ right)
    count = int(groups.max()) + 1
    others = len(groups) - np.bincount(groups, minlength=count).astype(np.float64)
    others[others == 0] = np.nan  # nobody is left

    def total(rows: Float[np.ndarray, "n"]) -> Float64[np.ndarray, "g"]:
        return np.bincount(groups, weights=rows, minlength=count)

    s, t = group_sums(left, groups), group_sums(right, groups)
    joint = total(((left @ polar) * right).sum(axis=1)) + ((s @ polar) * t).sum(axis=1) / others
    alone_x = total((left**2).sum(axis=1)) + (s**2).sum(axis=1) / others
    alone_y = total((right**2).sum(axis=1)) + (t**2).sum(axis=1) / others
    scale = ((left**2).sum() - alone_x) * ((right**2).sum() - alone_y)
    without = (values.sum() - joint) / np.sqrt(scale)
    both: np.ndarray = np.minimum(np.r_[_cosine(values, left, right), without], 1.0)
    return both


def _polar(
    cross: Float[np.ndarray, "p q"],
) -> tuple[Float64[np.ndarray, "r"], Float64[np.ndarray, "p q"]]:
    """Return singular values and the polar factor U Vᵀ.

    From the eigenvectors of the smaller of MᵀM and M Mᵀ, in half the time, where no singular value is so
    small that its square would be rounding: then within 1e-10 of the first.
    """
    wide = cross.shape[0] < cross.shape[1]
    m = cross.T if wide else cross
    squares, vectors = np.linalg.eigh(m.T @ m)
    if squares[0] > 1e-12 * squares[-1]:
        values = np.sqrt(squares)
        polar = (m @ vectors / values) @ vectors.T
        return values, polar.T if wide else polar
    u, values, vt = np.linalg.svd(cross, full_matrices=False)
    return values, u @ vt


def repaired(left: CentredRows, right: CentredRows) -> Callable[[Int64[np.ndarray, "n"]], float]:
    """Return cos θ of re-paired sentences, to five digits: enough for a null, at half the cost.

    In float32, singular values from the eigenvalues of MᵀM: on real sentences within 5e-6 of the
    exact value, where re-pairings differ by 3e-3 to 8e-3.
    """
    x, y = left.astype(np.float32), right.astype(np.float32)

    def similarity(order: Int64[np.ndarray, "n"]) -> float:
        cross = x.T @ y[order]
        squares = cross.T @ cross if cross.shape[0] > cross.shape[1] else cross @ cross.T
        values = np.maximum(np.linalg.eigvalsh(squares), 0).astype(np.float64)
        return _cosine(np.sqrt(values), left, right)

    return similarity


def of_rows(left: CentredRows, right: CentredRows, rows: Int64[np.ndarray, "m"]) -> float:
    """Return cos θ of some rows, re-centred: one product and its singular values."""
    x, y = (side[rows] - side[rows].mean(axis=0) for side in (left, right))
    return _cosine(np.linalg.svd(x.T @ y, compute_uv=False), x, y)


def _cosine(values: Float64[np.ndarray, "r"], left: CentredRows, right: CentredRows) -> float:
    # rounding may leave 1 + 1e-16, of which there is no arccos
    scale = float(np.linalg.norm(left) * np.linalg.norm(right))
    return min(1.0, float(values.sum()) / scale)
