"""Ridge regressions of one-hot labels: one eigendecomposition serves every penalty and label set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int64


@dataclass(frozen=True, eq=False)
class Ridge:
    """Solved regressions at the penalty that is best on dev for the first label set."""

    weights: Float[np.ndarray, "s d k"]
    biases: Float[np.ndarray, "s k"]
    penalty: float
    loss: float  # squared error on dev


def fit_ridge(
    z: Float[np.ndarray, "n d"],
    sets: Int64[np.ndarray, "s n"],
    z_dev: Float[np.ndarray, "m d"],
    dev: Int64[np.ndarray, "m"],
    penalties: Sequence[float],
    classes: int,
) -> Ridge:
    """Return argmin over W of ‖Y - z W - b‖²/n + λ ‖W‖² for every label set, in closed form.

    Args:
        z: vectors of mean 0, as `Scaler` makes them.
        sets: label sets.
        z_dev: dev's vectors.
        dev: dev's labels in the first set.
        penalties: λ > 0.
        classes: k.
    """
    n, d = z.shape
    values, vectors = scipy.linalg.eigh(z.T @ z / n)
    hot = np.eye(classes, dtype=np.float32)[sets]  # (s, n, k)
    biases = hot.mean(axis=1)
    cross = vectors.T @ (z.T @ (hot - biases[:, None]).transpose(1, 0, 2).reshape(n, -1) / n)
    cross = cross.reshape(d, len(sets), classes)
    turned, target = z_dev @ vectors, np.eye(classes)[dev]
    errors = [
        float(np.square(turned @ (cross[:, 0] / (values + rate)[:, None]) + biases[0] - target).mean())
        for rate in penalties
    ]
    best = int(np.argmin(errors))
    shrunk = cross / (values + penalties[best])[:, None, None]
    weights = np.einsum("de,esk->sdk", vectors, shrunk, optimize=True)
    return Ridge(weights, biases, penalties[best], errors[best])
