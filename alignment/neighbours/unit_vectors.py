"""The rows of a matrix as unit vectors, and the similarity of two of them: the definition.

A similarity is a float64 dot product of float32 rows normalised in float64, rounded to float32. A zero
row has similarity 0 to everything.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from ..lazy_property import lazy

BLOCK = 512  # rows taken at once: they stay in the cache
PAIRS = 512  # pairs scored at once, likewise
KEPT = 64 << 20  # bytes: unit vectors are kept if they are no larger

Vectors = Float32[np.ndarray, "rows dim"]


class UnitVectors:
    """The rows of a matrix as float64 unit vectors, computed once where they fit into memory."""

    def __init__(self, x: Vectors, name: str) -> None:
        """Take the norms of all rows; 1 for a zero row, whose similarities are 0.

        Raises:
            ValueError: a row is not finite.
        """
        self._x = np.asarray(x)  # a map stays one, without its class's cost
        self.shape = x.shape
        self.norms = np.empty(len(x))
        for rows in self.blocks():
            wide = x[rows].astype(np.float64)
            self.norms[rows] = np.sqrt(np.einsum("nd,nd->n", wide, wide))
        bad = np.flatnonzero(~np.isfinite(self.norms))
        if len(bad):
            raise ValueError(f"{name} is not finite in {len(bad)} rows, first row {bad[0]}")
        self.norms[self.norms == 0] = 1.0
        self._whole = self._normalise(slice(None)) if 8 * x.size <= KEPT else None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._x)

    def __getitem__(self, rows: slice | np.ndarray) -> Float64[np.ndarray, "b d"]:
        """Return some rows."""
        return self._normalise(rows) if self._whole is None else self._whole[rows]

    def given(self, rows: np.ndarray) -> Float32[np.ndarray, "b d"]:
        """Return some rows as they were given."""
        return self._x.take(rows, axis=0)

    def blocks(self) -> list[slice]:
        """Return the parts in which all rows are taken."""
        return [slice(start, min(start + BLOCK, len(self))) for start in range(0, len(self), BLOCK)]

    @lazy
    def mean(self) -> Float64[np.ndarray, "d"]:
        """The mean unit vector."""
        total = np.zeros(self.shape[1])
        for rows in self.blocks():
            total += self[rows].sum(axis=0)
        return total / len(self)

    def _normalise(self, rows: slice | np.ndarray) -> Float64[np.ndarray, "b d"]:
        result: np.ndarray = self._x[rows].astype(np.float64) / self.norms[rows, None]
        return result


def unit_sides(
    x: Float32[np.ndarray, "n _"], y: Float32[np.ndarray, "m _"]
) -> tuple[UnitVectors, UnitVectors]:
    """Return both sides as unit vectors.

    Raises:
        ValueError: not two matrices of one width that have rows, all of them finite.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must be matrices of one width, got {x.shape} and {y.shape}")
    if not len(x) or not len(y):
        raise ValueError(f"x and y must have rows, got {len(x)} and {len(y)}")
    return UnitVectors(x, "x"), UnitVectors(y, "y")


def similarities(
    x: UnitVectors, y: UnitVectors, rows: Int64[np.ndarray, "p"], columns: Int64[np.ndarray, "p"]
) -> Float32[np.ndarray, "p"]:
    """Return the similarities of pairs, by definition."""
    import torch

    starts = range(0, len(rows), PAIRS)
    parts = [(x, y, rows[i : i + PAIRS], columns[i : i + PAIRS]) for i in starts]
    threads = min(torch.get_num_threads(), len(parts))
    if threads < 2:
        scores = [_pairs(*part) for part in parts]
    else:
        with ThreadPoolExecutor(threads) as pool:
            scores = list(pool.map(_pairs, *zip(*parts, strict=True)))
    return np.concatenate(scores) if scores else np.zeros(0, np.float32)


def _pairs(
    x: UnitVectors, y: UnitVectors, i: Int64[np.ndarray, "p"], j: Int64[np.ndarray, "p"]
) -> Float32[np.ndarray, "p"]:
    # to divide a sum is cheaper than to divide all that is summed
    products = np.einsum("pd,pd->p", x.given(i), y.given(j), dtype=np.float64)
    products /= x.norms[i] * y.norms[j]
    scores: np.ndarray = products.astype(np.float32)
    unclear = _unclear(products, x.shape[1])
    scores[unclear] = _defined(x[i[unclear]], y[j[unclear]])
    return scores


def similarity_block(
    x: UnitVectors, y: UnitVectors, rows: slice | np.ndarray, columns: slice | np.ndarray
) -> Float32[np.ndarray, "b c"]:
    """Return the similarities of all rows with all columns, by definition."""
    left, right = x[rows], y[columns]
    products = left @ right.T
    scores: np.ndarray = products.astype(np.float32)
    unclear = _unclear(products, x.shape[1])
    unclear[~left.any(axis=1)] = False  # a zero row has 0 everywhere
    unclear[:, ~right.any(axis=1)] = False
    i, j = np.nonzero(unclear)
    scores[i, j] = _defined(left[i], right[j])
    return scores


def _defined(left: Float64[np.ndarray, "p d"], right: Float64[np.ndarray, "p d"]) -> np.ndarray:
    """Return the dot products of rows; einsum sums each by itself in one fixed order."""
    products: np.ndarray = np.einsum("pd,pd->p", left, right)
    return products


def _unclear(products: Float64[np.ndarray, "..."], d: int) -> Bool[np.ndarray, "..."]:
    """Return where a product that was summed otherwise may round to another float32.

    It and the definition are both within (d + 4) 2⁻⁵³ of the exact value.
    """
    error = 2.1 * (d + 4) * 2.0**-53
    low, high = (products - error).astype(np.float32), (products + error).astype(np.float32)
    unclear: np.ndarray = low != high
    return unclear
