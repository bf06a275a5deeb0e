"""Centred kernel matrices: rows and columns that sum to zero, biased or not."""

import numpy as np
from jaxtyping import Float

MINIMUM = 4  # sentences; HSIC₁ divides by n - 3

Matrix = Float[np.ndarray, "_ _"]  # a row per sentence; the widths of two sides may differ
Gram = Float[np.ndarray, "n n"]


def double_centre(kernel: Gram) -> Gram:
    """Return H K H: rows and columns of a symmetric matrix sum to zero."""
    means = kernel.mean(axis=0)
    result: np.ndarray = kernel - means - means[:, None] + means.mean()
    return result


def u_centre(kernel: Gram) -> Gram:
    """Return the U-centred matrix: zero diagonal, zero row sums (Székely & Rizzo 2014, eq. 2.3).

    ⟨Ũ(K), Ũ(L)⟩ / (n (n - 3)) is HSIC₁ of Song et al. 2012, unbiased.
    """
    n = len(kernel)
    result = kernel.copy()
    np.fill_diagonal(result, 0.0)
    sums = result.sum(axis=0)
    means = sums / (n - 2) - sums.sum() / (2 * (n - 1) * (n - 2))
    result -= means
    result -= means[:, None]
    np.fill_diagonal(result, 0.0)
    return result
