"""Shape: how far a rotation can bring two point clouds over the same sentences together.

cos θ = ‖XᵀY‖_* / (‖X‖_F ‖Y‖_F) of centred data, ‖·‖_* the nuclear norm. Where CKA weighs a pair of
principal components by the product of their variances, this weighs it by their standard deviations.
Inflated where n is not much larger than d, like biased CKA: read it against its null.
"""

import numpy as np
from jaxtyping import Float, Float64, Int64

from .uncertainty import group_sums
from .views import Basis, Matrix, View, bases

Given = Matrix | View | Basis


def procrustes_similarity(x: Given, y: Given) -> float:
    """Return cos θ, in [0, 1]; 1 iff one side is the other rotated, scaled and moved.

    Also the normalised Bures similarity. Source: Schönemann 1966; Williams et al. 2021.

    Raises:
        ValueError: as `linear_cka`.
    """
    a, b = bases(x, y)
    values = np.linalg.svd(_cross(a, b), compute_uv=False)
    return _cosine(float(values.sum()), a, b)


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


def leave_groups_out(a: Basis, b: Basis, groups: Int64[np.ndarray, "n"]) -> Float64[np.ndarray, "g"]:
    """Return cos θ without each group, to first order in what leaves.

    M = XᵀY becomes M - S_G - s tᵀ/(n-g), S_G, s, t the group's sums of products, of x and of y, and a
    nuclear norm changes by ⟨polar factor, change⟩: no decomposition per group.
    """
    u, values, vt = np.linalg.svd(_cross(a, b), full_matrices=False)
    left, right, polar = a.u * a.s, b.u * b.s, u @ vt
    count = int(groups.max()) + 1
    others = len(groups) - np.bincount(groups, minlength=count).astype(np.float64)
    others[others == 0] = np.nan  # nobody is left

    def total(rows: Float[np.ndarray, "n"]) -> Float64[np.ndarray, "g"]:
        return np.bincount(groups, weights=rows, minlength=count)

    s, t = group_sums(left, groups), group_sums(right, groups)
    rotated = left @ polar
    joint = total((rotated * right).sum(axis=1)) + ((s @ polar) * t).sum(axis=1) / others
    alone_x = total((left**2).sum(axis=1)) + (s**2).sum(axis=1) / others
    alone_y = total((right**2).sum(axis=1)) + (t**2).sum(axis=1) / others
    scale = ((a.s**2).sum() - alone_x) * ((b.s**2).sum() - alone_y)
    result: np.ndarray = (values.sum() - joint) / np.sqrt(scale)
    return result


def of_rows(a: Basis, b: Basis, rows: Int64[np.ndarray, "m"]) -> float:
    """Return cos θ of some rows, centred anew: one product and its singular values."""
    x, y = a.u[rows] * a.s, b.u[rows] * b.s
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    norm = float(np.linalg.svd(x.T @ y, compute_uv=False).sum())
    return min(1.0, norm / float(np.linalg.norm(x) * np.linalg.norm(y)))


def _cross(a: Basis, b: Basis) -> Float64[np.ndarray, "p q"]:
    """Return XᵀY in the coordinates of the principal components."""
    cross: np.ndarray = a.s[:, None] * (a.u.T @ b.u) * b.s
    return cross


def _cosine(norm: float, a: Basis, b: Basis) -> float:
    # rounding may leave 1 + 1e-16, of which there is no arccos
    return min(1.0, norm / float(np.linalg.norm(a.s) * np.linalg.norm(b.s)))
