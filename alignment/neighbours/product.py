"""Products: the similarities of two sides, approximate by block and exact by pair.

A product says how far its blocks may be off, and that bound is certain: whatever it leaves open is
computed by the definition (see `units`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from .unit_vectors import UnitVectors, similarities, similarity_block

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MULTIPLE = 8  # tensor cores want widths that are multiples of this


@contextmanager
def whole_sums() -> Iterator[None]:
    """Have CUDA sum products in float32, as the bound of `VectorProduct` says; then as before."""
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32, matmul.allow_bf16_reduced_precision_reduction
    matmul.allow_tf32 = matmul.allow_bf16_reduced_precision_reduction = False
    try:
        yield
    finally:
        matmul.allow_tf32, matmul.allow_bf16_reduced_precision_reduction = before


class VectorProduct:
    """Cosines of float32 vectors, by a product of centred vectors in float32 or bfloat16.

    With means μ of the x and ν of the y, ⟨x, y⟩ = ⟨x-μ, y-ν⟩ + ⟨x-μ, ν⟩ + ⟨μ, y-ν⟩ + ⟨μ, ν⟩. The first
    three terms are one product of wider vectors, the last is the offset. Where all vectors lie in a
    narrow cone (raw language models), their deviations are small and so is what rounding does to them.
    """

    def __init__(
        self, x: UnitVectors, y: UnitVectors, *, dtype: str = "float32", device: str = "cpu"
    ) -> None:
        """Round what is to be multiplied.

        Args:
            x: n unit vectors.
            y: m of the same width.
            dtype: a key of DTYPES.
            device: where the product runs.
        """
        self.n, self.m = len(x), len(y)
        self.x, self.y = x, y
        self.device, self.dtype = torch.device(device), DTYPES[dtype]
        self.offset = float(x.mean @ y.mean)
        self._left = _Rounded(x, y.mean, self.dtype, self.device, first=True)
        self._right = _Rounded(y, x.mean, self.dtype, self.device, first=False)
        # a float32 sum of that many products in any order …
        self._sum = 1.01 * (self._left.values.shape[1] + 8) * 2.0**-24
        # … whose result is rounded once more, to bfloat16's 8 bits
        self.rounding = 1.01 * 2.0**-8 if dtype == "bfloat16" else 0.0

    def block(self, rows: slice, columns: slice, out: Tensor) -> Tensor:
        """Fill `out` with cosines less the offset."""
        return torch.mm(self._left.values[rows], self._right.values[columns].t(), out=out)

    def slack(self, rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
        """Return |⟨x, y⟩ - ⟨x̂, ŷ⟩| ≤ |x| |y - ŷ| + |x - x̂| |ŷ|, and what summing adds."""
        left, right = self._left.sizes[:, rows], self._right.sizes[:, columns]
        return self._slack(left, right.amax(1)[:, None]), self._slack(left.amax(1)[:, None], right)

    def _slack(self, left: Tensor, right: Tensor) -> Tensor:
        (norm, residual, rounded, shift), (_, other_residual, other_rounded, other_shift) = left, right
        slack = norm * other_residual + residual * other_rounded
        slack += self._sum * (rounded * other_rounded + shift + other_shift)
        # 2⁻²⁰ for what is left: what the pieces of the shifts lack (2 · 2⁻²⁴), the exact score's own
        # rounding (2⁻²⁴) and float32 arithmetic with these bounds (a few 2⁻²³)
        total: Tensor = 1.001 * slack + 2.0**-20
        return total.float()

    def exact(
        self, rows: Int64[np.ndarray, "p"], columns: Int64[np.ndarray, "p"]
    ) -> Float32[np.ndarray, "p"]:
        """Return cosines by definition."""
        return similarities(self.x, self.y, rows, columns)

    def exact_block(
        self, rows: slice | np.ndarray, columns: slice | np.ndarray
    ) -> Float32[np.ndarray, "b c"]:
        """Return cosines by definition."""
        return similarity_block(self.x, self.y, rows, columns)


class _Rounded:
    """One side of the product, rounded, and the sizes that the bound is made of."""

    def __init__(
        self,
        units: UnitVectors,
        other_mean: Float64[np.ndarray, "d"],
        dtype: torch.dtype,
        device: torch.device,
        *,
        first: bool,
    ) -> None:
        n, d = units.shape
        pieces = 3 if dtype == torch.bfloat16 else 2  # this many hold a float64 to 2⁻²⁴ or better
        width = -(-(d + 2 * pieces) // MULTIPLE) * MULTIPLE
        self.values = torch.empty((n, width), dtype=dtype, device=device)
        # |x|, |x - x̂|, |x̂|, |shift| of every row
        self.sizes = torch.empty((4, n), dtype=torch.float64, device=device)
        shifts, ones = slice(d, d + pieces), slice(d + pieces, d + 2 * pieces)
        if not first:
            shifts, ones = ones, shifts
        self.values[:, d:] = 0
        self.values[:, ones] = 1
        mean, other = (torch.from_numpy(side).to(device) for side in (units.mean, other_mean))
        for rows in units.blocks():
            centred = torch.from_numpy(units[rows]).to(device).sub(mean)
            rounded, shift = centred.to(dtype), centred @ other
            wide = rounded.double()
            sizes = [
                centred.norm(dim=1),
                wide.sub_(centred).norm(dim=1),
                rounded.norm(dim=1, dtype=torch.float64),
                shift.abs(),
            ]
            self.sizes[:, rows] = torch.stack(sizes)
            self.values[rows, :d] = rounded
            self.values[rows, shifts] = _split(shift, pieces, dtype)


def _split(values: Tensor, pieces: int, dtype: torch.dtype) -> Tensor:
    """Return values as sums of rounded pieces, a column a piece."""
    parts = []
    for _ in range(pieces):
        parts.append(values.to(dtype))
        values = values - parts[-1]
    return torch.stack(parts, dim=1)


class MatrixProduct:
    """Similarities that are given as a matrix (n-gram vectors, whose product is sparse)."""

    offset = 0.0
    rounding = 0.0
    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, similarities: Float32[np.ndarray, "n m"]) -> None:
        """Take a float32 matrix; its values are exact by definition."""
        self.similarities = similarities
        self.n, self.m = similarities.shape

    def block(self, rows: slice, columns: slice, out: Tensor) -> Tensor:
        """Fill `out` with a part of the matrix."""
        return out.copy_(torch.from_numpy(self.similarities[rows, columns]))

    def slack(self, rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
        """Return zeros."""
        return torch.zeros(rows.stop - rows.start), torch.zeros(columns.stop - columns.start)

    def exact(self, rows: np.ndarray, columns: np.ndarray) -> Float32[np.ndarray, "p"]:
        """Return values of the matrix."""
        values: np.ndarray = self.similarities[rows, columns]
        return values

    def exact_block(
        self, rows: slice | np.ndarray, columns: slice | np.ndarray
    ) -> Float[np.ndarray, "b c"]:
        """Return a part of the matrix."""
        if isinstance(rows, slice) or isinstance(columns, slice):
            return self.similarities[rows, columns]
        part: np.ndarray = self.similarities[np.ix_(rows, columns)]
        return part
