"""Matrices laid out as rows, in parts that fit into memory, and the sums that their nulls need."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from ..similarity.matrix_form import MatrixForm
from ..similarity.view import View
from ..statistics.centring import Gram
from ..statistics.nulls import directed_invariants, invariants

CHUNK = 4096  # terms that float32 sums by itself


class Sums:
    """What norms, null and z need of each representation's matrix."""

    def __init__(self, form: MatrixForm, count: int, *, null: bool) -> None:
        self.form, self.null = form, null
        self.trace, self.total, self.norm = np.zeros(count), np.zeros(count), np.full(count, np.nan)
        self.invariants = np.zeros((count, 15))

    def add(self, i: int, matrix: Gram, view: View) -> None:
        """Take the sums of the i-th matrix."""
        self.norm[i] = np.linalg.norm(matrix)
        self.trace[i], self.total[i] = matrix.trace(), matrix.sum()
        if not self.null:
            return
        if not self.form.symmetric:
            self.invariants[i, :7] = directed_invariants(matrix)
            return
        # the factor costs a decomposition, which only a long narrow matrix saves
        narrow = self.form.low_rank is not None and 4 * view.width < view.n
        self.invariants[i] = invariants(
            matrix, self.form.low_rank(view) if narrow and self.form.low_rank else None
        )


def cut(count: int, n: int, memory: int, itemsize: int) -> Iterator[slice]:
    """Cut the rows of n × n matrices so that `count` parts of them, upper triangle, fit."""
    start = 0
    while start < n:
        rows = memory // (count * (n - start) * itemsize)
        if rows < 1:
            raise ValueError(
                f"a row of {count} matrices of {n:,} sentences takes "
                f"{count * n * itemsize / 1e9:.2f} GB, more than the memory of "
                f"{memory / 1e9:.2f} GB; raise `memory`, or compare fewer layers or sentences"
            )
        stop = min(n, start + rows)
        yield slice(start, stop)
        start = stop


def lay_out(matrix: Gram, rows: slice, out: np.ndarray, norm: float, *, symmetric: bool) -> None:
    """Write rows of a matrix; of a symmetric one the diagonal block and what is right of it × √2."""
    height = rows.stop - rows.start
    flat = out.reshape(height, -1)
    start = rows.start if symmetric else 0
    np.divide(matrix[rows, start:], norm or 1.0, out=flat, casting="same_kind")
    if symmetric:
        flat[:, height:] *= np.sqrt(2)


def multiply(left: np.ndarray, right: np.ndarray, device: str) -> Float64[np.ndarray, "a b"]:
    """Return left rightᵀ; float32 in chunks that are summed in float64."""
    step = CHUNK if left.dtype == np.float32 else left.shape[1]
    total = np.zeros((len(left), len(right)))
    for start in range(0, left.shape[1], step):
        a, b = left[:, start : start + step], right[:, start : start + step]
        if device == "cpu":
            total += a @ b.T
        else:
            import torch

            x, y = (torch.from_numpy(side).to(device) for side in (a, b))
            total += (x @ y.T).cpu().numpy()
    return total
