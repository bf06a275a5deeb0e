"""Sums over all n × n cosines of a pairing, from sums of vectors and d × d products.

sum_j s_ij = x_i · Σ y and sum_j s_ij² = x_iᵀ (Yᵀ Y) x_i for unit rows: no n × n matrix is made.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from ..lazy_property import lazy
from ..neighbours.unit_vectors import KEPT, UnitVectors


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the cosines s of all n × n pairs, in float64."""

    matched: Float[np.ndarray, "n"]  # s_ii
    row_sums: Float[np.ndarray, "n"]  # sum over j of s_ij
    column_sums: Float[np.ndarray, "n"]
    _squares: Callable[[], tuple[np.ndarray, np.ndarray]]

    @lazy
    def squares(self) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
        """The sums of s_ij² of every row, and of every column; few measures ask for them."""
        return self._squares()


def moments_of(x: UnitVectors, y: UnitVectors) -> Moments:
    """Return the moments of two sides; large ones are taken a part at a time, for float64 is twice x."""
    parts = _parts(x)

    def squares() -> tuple[np.ndarray, np.ndarray]:
        return _each(x, parts, _gram(y, parts)), _each(y, parts, _gram(x, parts))

    return Moments(
        matched=np.concatenate([np.einsum("nd,nd->n", x[rows], y[rows]) for rows in parts]),
        row_sums=_dots(x, parts, _sum(y, parts)),
        column_sums=_dots(y, parts, _sum(x, parts)),
        _squares=squares,
    )


def _parts(x: UnitVectors) -> list[slice]:
    step = max(1, KEPT // (8 * x.shape[1]))
    return [slice(start, min(start + step, len(x))) for start in range(0, len(x), step)]


def _sum(x: UnitVectors, parts: list[slice]) -> Float64[np.ndarray, "d"]:
    total: np.ndarray = np.sum([x[rows].sum(axis=0) for rows in parts], axis=0)
    return total


def _gram(x: UnitVectors, parts: list[slice]) -> Float64[np.ndarray, "d d"]:
    total = np.zeros((x.shape[1],) * 2)
    for rows in parts:
        total += x[rows].T @ x[rows]
    return total


def _dots(
    x: UnitVectors, parts: list[slice], vector: Float64[np.ndarray, "d"]
) -> Float64[np.ndarray, "n"]:
    return np.concatenate([x[rows] @ vector for rows in parts])


def _each(
    x: UnitVectors, parts: list[slice], gram: Float64[np.ndarray, "d d"]
) -> Float64[np.ndarray, "n"]:
    """Return x_iᵀ G x_i."""
    return np.concatenate([np.einsum("nd,nd->n", x[rows] @ gram, x[rows]) for rows in parts])
