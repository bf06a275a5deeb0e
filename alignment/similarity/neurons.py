"""Neuron-wise correlation: does neuron j say the same of a sentence in both languages?

ANC, the average neuron-wise correlation of Del & Fishel 2022. It presupposes that neuron j of one side
IS neuron j of the other: layers of one model, or of models fine-tuned from it; between families it means
nothing, and a rotation of one side destroys it.
"""

import numpy as np
from jaxtyping import Float, Float64, Int64

from ..statistics.centring import Matrix
from ..statistics.grouping import group_sums
from .view import Undefined, View, views


def anc(x: Matrix | View, y: Matrix | View) -> float:
    """Return the mean over neurons of the Pearson correlation of x_:j and y_:j over the sentences.

    Unchanged by translating any neuron, or scaling it by the same sign on both sides; not by rotation.
    Neurons that are constant on a side are left out. Null 0, exactly.

    Returns:
        A value in [-1, 1].

    Raises:
        ValueError: as `linear_cka`; different widths; no neuron that varies on both sides.

    Source: Del & Fishel 2022, https://aclanthology.org/2022.aacl-main.15 (signed, as their analysis).
    """
    return float(neuron_correlations(x, y).mean())


def anc_abs(x: Matrix | View, y: Matrix | View) -> float:
    """Return the mean absolute correlation of the neurons, in [0, 1]; see `anc`.

    Of independent normal neurons it is Γ((n-1)/2) / (√π Γ(n/2)): .036 at n = 500.
    """
    return float(np.abs(neuron_correlations(x, y)).mean())


def neuron_correlations(x: Matrix | View, y: Matrix | View) -> Float64[np.ndarray, "k"]:
    """Return the correlation of every neuron that varies on both sides, in [-1, 1]."""
    return correlate(*standardised(*views(x, y)))


def correlate(
    left: Float[np.ndarray, "n k"], right: Float[np.ndarray, "n k"]
) -> Float64[np.ndarray, "k"]:
    """Return the correlations of standardised columns, pair by pair."""
    correlations: np.ndarray = np.clip(np.einsum("nk,nk->k", left, right), -1, 1)
    return correlations


def standardised(a: View, b: View) -> tuple[Float64[np.ndarray, "n k"], Float64[np.ndarray, "n k"]]:
    """Return the columns that vary on both sides, centred, at norm 1.

    Raises:
        Undefined: different widths, or no such column.
    """
    if a.width != b.width:
        raise Undefined(
            f"ANC pairs neuron j with neuron j, but the widths differ: {a.width} and {b.width}"
        )
    sides = [a.centred, b.centred]
    norms = [np.linalg.norm(side, axis=0) for side in sides]
    # a column is constant if only the rounding of its values is left
    noise = [
        np.abs(view.x).max(axis=0) * 4 * np.finfo(view.x.dtype).eps * np.sqrt(view.n) for view in (a, b)
    ]
    vary = (norms[0] > noise[0]) & (norms[1] > noise[1])
    if not vary.any():
        raise Undefined("no neuron varies on both sides")
    left, right = (side[:, vary] / norm[vary] for side, norm in zip(sides, norms, strict=True))
    return left, right


def leave_groups_out(
    left: Float[np.ndarray, "n k"], right: Float[np.ndarray, "n k"], groups: Int64[np.ndarray, "n"]
) -> Float64[np.ndarray, "g k"]:
    """Return the correlations of standardised columns without each group, exactly.

    Without G, re-centred: Σxy - Σ_G xy - s t/(n-g), s and t the group's sums.
    """
    count = int(groups.max()) + 1
    others = len(groups) - np.bincount(groups, minlength=count).astype(np.float64)[:, None]
    others[others == 0] = np.nan  # nobody is left

    s, t = group_sums(left, groups), group_sums(right, groups)
    xy = (left * right).sum(axis=0) - group_sums(left * right, groups) - s * t / others
    xx = 1 - group_sums(left**2, groups) - s**2 / others
    yy = 1 - group_sums(right**2, groups) - t**2 / others
    scale = np.sqrt(np.maximum(xx * yy, 0))
    result: np.ndarray = np.divide(xy, scale, out=np.zeros_like(xy), where=scale > 1e-12)
    return result


def shuffle_moments(
    left: Float[np.ndarray, "n k"], right: Float[np.ndarray, "n k"]
) -> tuple[float, float]:
    """Return standard deviation and skewness of ANC over all re-pairings (its mean is 0).

    ANC(π) = Σ_i M_iπ(i) with M = left rightᵀ / k, whose rows and columns sum to 0: variance ΣM²/(n-1),
    third moment n ΣM³ / ((n-1)(n-2)). Source: Hoeffding 1951.
    """
    n, k = left.shape
    matrix = left @ right.T
    deviation = np.sqrt(np.vdot(matrix, matrix) / (n - 1))
    if deviation == 0:
        return 0.0, 0.0
    third = n * np.vdot(matrix * matrix, matrix) / ((n - 1) * (n - 2))
    return float(deviation / k), float(third / deviation**3)
