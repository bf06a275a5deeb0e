"""Linear maps of one language's space into another's, fitted on translations.

From the offset between two languages to their content these are the upper rungs: `centre` moves a
language, `procrustes` also turns it, `ridge` also stretches it. What no linear map brings together is
not there linearly. The source is mapped into the target's space; the target is only centred.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Float64

Vectors = Float32[np.ndarray, "_ _"]  # rows of one language; a haystack has sides of unequal length
Map = Callable[[Vectors, Vectors], tuple[Vectors, Vectors]]

PENALTIES = np.logspace(-5, 4, 10)  # times the mean eigenvalue


def procrustes(x: Vectors, y: Vectors) -> Map:
    """Fit the rotation (or reflection) W that minimises ‖(x - μ) W - (y - ν)‖.

    W = U Vᵀ from the SVD of the cross products. Directions in which the fitted sentences do not vary
    together (fewer sentences than dimensions) leave W open: there it is the turn nearest to none, so
    that what the fit has not seen is treated as by `centre`. Sides of unequal width: a partial isometry.
    Source: Schönemann 1966, https://doi.org/10.1007/BF02289451.

    Args:
        x: the source, row by row a translation of y.
        y: the target.
    """
    a, b, means = _centred(x, y)
    u, s, vt = np.linalg.svd(a.T @ b)
    rank = int((s > s[0] * max(a.shape) * np.finfo(np.float64).eps).sum())
    rotation = u[:, :rank] @ vt[:rank]
    if a.shape[1] == b.shape[1] and rank < a.shape[1]:
        free, other = u[:, rank:], vt[rank:].T
        p, _, qt = np.linalg.svd(free.T @ other)
        rotation += free @ (p @ qt) @ other.T
    return _linear(rotation, means)


def ridge(x: Vectors, y: Vectors) -> Map:
    """Fit the linear map B that minimises ‖(x - μ) B - (y - ν)‖² + λ ‖B‖².

    λ is chosen among ten powers of ten by the squared error of leaving out one sentence, in closed form.
    Penalised maps shrink what they cannot predict, which makes hubs (Lazaridou et al. 2015): a ridge
    that is worse than `procrustes` was fitted on too few sentences. Source: Hoerl & Kennard 1970.

    Args:
        x: the source, row by row a translation of y.
        y: the target.
    """
    a, b, means = _centred(x, y)
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    keep = s > s[0] * max(a.shape) * np.finfo(np.float64).eps
    if not keep.any():
        return _linear(np.zeros((a.shape[1], b.shape[1])), means)
    u, s, vt = u[:, keep], s[keep], vt[keep]
    projected = u.T @ b

    def left_out(penalty: float) -> float:
        """Return the squared error of each sentence under the map fitted without it."""
        shrink = s**2 / (s**2 + penalty)
        leverage = (u**2) @ shrink + 1 / len(a)  # the mean takes part of it
        residual = b - (u * shrink) @ projected
        return float(np.square(residual / (1 - leverage)[:, None]).sum())

    penalty = min(PENALTIES * float((s**2).mean()), key=left_out)
    return _linear(vt.T @ ((s / (s**2 + penalty))[:, None] * projected), means)


def _centred(
    x: Vectors, y: Vectors
) -> tuple[Float64[np.ndarray, "_ _"], Float64[np.ndarray, "_ _"], tuple[np.ndarray, np.ndarray]]:
    if len(x) != len(y):
        raise ValueError(f"the map needs translations row by row, got {len(x)} and {len(y)} rows")
    means = x.mean(axis=0, dtype=np.float64), y.mean(axis=0, dtype=np.float64)
    return x - means[0], y - means[1], means


def _linear(matrix: Float64[np.ndarray, "_ _"], means: tuple[np.ndarray, np.ndarray]) -> Map:
    return lambda a, b: (
        ((a - means[0]) @ matrix).astype(np.float32),
        (b - means[1]).astype(np.float32),
    )
