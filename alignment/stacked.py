"""Measures that are products of n × n matrices: which they are, their sums, their layout."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from . import cka, rsa
from .neighbourhood import K, mark, nearest
from .nulls import LowRank, directed_invariants, invariants
from .views import Gram, Matrix, View, double_centre, u_centre

CHUNK = 4096  # terms that float32 sums by itself


@dataclass(frozen=True)
class Stacked:
    """A measure that is ⟨A, B⟩ / scale of one n × n matrix a side."""

    matrix: Callable[[View], Gram]
    # the same product from coordinates, and what the matrix is but for its diagonal
    features: Callable[[View], Matrix] | None = None
    product: Callable[[Matrix, Matrix], float] | None = None
    low_rank: Callable[[View], LowRank] | None = None
    rank: bool = False  # divided by the lesser trace (a projector's rank), not by the norms
    symmetric: bool = True


def _squared_norm(x: Matrix, y: Matrix) -> float:
    cross = x.T @ y
    return float(np.vdot(cross, cross))


def _of_centred(view: View) -> LowRank:
    return LowRank(view.centred, view.gram.diagonal())


def _of_u_centred(view: View) -> LowRank:
    """Off the diagonal, K_ij + (K_ii + K_jj) / (n-2) - tr K / ((n-1)(n-2))."""
    n, norms = view.n, view.gram.diagonal()
    shift = norms.sum() / ((n - 1) * (n - 2))
    factor = np.column_stack([view.centred, norms, np.ones(n)])
    return LowRank(factor, norms + 2 * norms / (n - 2) - shift)


def _of_projector(view: View) -> LowRank:
    return LowRank(view.basis.u, (view.basis.u**2).sum(axis=1))


STACKED: dict[str, Stacked] = {
    "linear_cka": Stacked(
        lambda view: view.gram,
        features=lambda view: view.centred,
        product=_squared_norm,
        low_rank=_of_centred,
    ),
    "debiased_linear_cka": Stacked(
        lambda view: u_centre(view.gram),
        features=lambda view: view.centred,
        product=cka.hsic_features,
        low_rank=_of_u_centred,
    ),
    "mean_squared_cca": Stacked(
        lambda view: view.basis.u @ view.basis.u.T,
        features=lambda view: view.basis.u,
        product=_squared_norm,
        low_rank=_of_projector,
        rank=True,
    ),
    "rbf_cka": Stacked(lambda view: double_centre(cka.rbf_kernel(view))),
    "debiased_rbf_cka": Stacked(lambda view: u_centre(cka.rbf_kernel(view))),
    "rsa": Stacked(lambda view: rsa.ranks(view).matrix),
    "mutual_knn@10": Stacked(
        lambda view: mark(nearest(view, K), view.n).astype(np.float64), symmetric=False
    ),
}


class Sums:
    """What norms, null and z need of each representation's matrix."""

    def __init__(self, form: Stacked, count: int, *, null: bool) -> None:
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


def cut(count: int, n: int, budget: int, itemsize: int) -> Iterator[slice]:
    """Cut the rows of n × n matrices so that `count` parts of them, upper triangle, fit."""
    start = 0
    while start < n:
        rows = budget // (count * (n - start) * itemsize)
        if rows < 1:
            raise ValueError(
                f"a row of {count} matrices of {n:,} sentences takes "
                f"{count * n * itemsize / 1e9:.2f} GB, more than the memory budget of "
                f"{budget / 1e9:.2f} GB; raise --memory, or compare fewer layers or sentences"
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
