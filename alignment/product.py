"""Products: the similarities of two sides, approximate by block and exact by pair.

The exact similarity is DEFINED (see `neighbours`): a float64 dot product of float32 inputs normalised in
float64, rounded to float32. A product says how far its blocks may be off, and that bound is certain.
"""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

BLOCK = 4096  # rows whose norms are taken at once
PAIRS = 8_192  # pairs re-scored at once
UNIT_BYTES = 256 << 20  # a side's float64 unit vectors are kept if they are no larger

Vectors = Float32[np.ndarray, "rows dim"]


@runtime_checkable
class Product(Protocol):
    """Similarities of n rows with m columns, approximate by block and exact by pair."""

    n: int
    m: int
    bound: float  # |approximate - exact| is never more

    def block(self, rows: slice, columns: slice) -> Tensor:
        """Return approximate similarities, float32."""

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> Float32[np.ndarray, "p"]:
        """Return the similarities of pairs by definition."""


class VectorProduct:
    """Cosines of float32 vectors: a float32 product, re-scored in float64."""

    def __init__(self, x: Float32[np.ndarray, "n _"], y: Float32[np.ndarray, "m _"]) -> None:
        """Check two matrices and take their norms.

        Raises:
            ValueError: see `neighbours`.
        """
        if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
            raise ValueError(f"x and y must be matrices of one width, got {x.shape} and {y.shape}")
        if not len(x) or not len(y):
            raise ValueError(f"x and y must have rows, got {len(x)} and {len(y)}")
        self.n, self.m = len(x), len(y)
        self.x, self.y = Units(x, "x"), Units(y, "y")
        # Rounding both sides to float32 (2u), a float32 sum of d products in any order (d u), the
        # final rounding of the exact score (u), comparisons in float32 (2u): with room to spare.
        self.bound = 1.01 * (x.shape[1] + 8) * 2.0**-24

    def block(self, rows: slice, columns: slice) -> Tensor:
        """Return float32 cosines."""
        left, right = (
            torch.from_numpy(side[part].astype(np.float32))
            for side, part in ((self.x, rows), (self.y, columns))
        )
        return left @ right.t()

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> Float32[np.ndarray, "p"]:
        """Return cosines by definition."""
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), PAIRS):
            part = slice(start, start + PAIRS)
            # einsum sums every row by itself in one fixed order, whatever its neighbours
            scores[part] = np.einsum("pd,pd->p", self.x[rows[part]], self.y[columns[part]])
        return scores


class Units:
    """The rows of a matrix as float64 unit vectors, computed once where they fit into memory."""

    def __init__(self, x: Vectors, name: str) -> None:
        """Take the norms of all rows; 1 for a zero row, whose cosines are 0.

        Raises:
            ValueError: a row is not finite.
        """
        self._x = x
        self._norms = np.empty(len(x))
        for start in range(0, len(x), BLOCK):
            rows = x[start : start + BLOCK].astype(np.float64)
            self._norms[start : start + BLOCK] = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        bad = np.flatnonzero(~np.isfinite(self._norms))
        if len(bad):
            raise ValueError(f"{name} is not finite in {len(bad)} rows, first row {bad[0]}")
        self._norms[self._norms == 0] = 1.0
        small = 8 * x.size <= UNIT_BYTES
        self._whole = self._normalise(slice(None)) if small else None

    def __getitem__(self, rows: slice | np.ndarray) -> Float[np.ndarray, "b d"]:
        """Return some rows."""
        return self._normalise(rows) if self._whole is None else self._whole[rows]

    def _normalise(self, rows: slice | np.ndarray) -> Float[np.ndarray, "b d"]:
        result: np.ndarray = self._x[rows].astype(np.float64) / self._norms[rows, None]
        return result


class MatrixProduct:
    """Similarities that are given as a matrix (n-gram vectors, whose product is sparse)."""

    bound = 0.0

    def __init__(self, similarities: Float32[np.ndarray, "n m"]) -> None:
        """Take a float32 matrix; its values are exact by definition."""
        self.similarities = similarities
        self.n, self.m = similarities.shape

    def block(self, rows: slice, columns: slice) -> Tensor:
        """Return a part of the matrix."""
        return torch.from_numpy(self.similarities[rows, columns])

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> Float32[np.ndarray, "p"]:
        """Return values of the matrix."""
        values: np.ndarray = self.similarities[rows, columns]
        return values
