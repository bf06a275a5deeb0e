"""Measures that are products of two n × n matrices: the matrix of each, and cheaper ways to it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..statistics.centring import Gram, Matrix, double_centre, u_centre
from ..statistics.nulls import LowRank
from . import cka, dissimilarities
from .knn import mark, nearest
from .view import View


@dataclass(frozen=True)
class MatrixForm:
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


LINEAR = MatrixForm(
    lambda view: view.gram,
    features=lambda view: view.centred,
    product=_squared_norm,
    low_rank=_of_centred,
)
DEBIASED_LINEAR = MatrixForm(
    lambda view: u_centre(view.gram),
    features=lambda view: view.centred,
    product=cka.hsic_features,
    low_rank=_of_u_centred,
)
PROJECTOR = MatrixForm(
    lambda view: view.basis.u @ view.basis.u.T,
    features=lambda view: view.basis.u,
    product=_squared_norm,
    low_rank=_of_projector,
    rank=True,
)
RBF = MatrixForm(lambda view: double_centre(cka.rbf_kernel(view)))
DEBIASED_RBF = MatrixForm(lambda view: u_centre(cka.rbf_kernel(view)))
RANKS = MatrixForm(lambda view: dissimilarities.ranks(view).matrix)


def neighbour_matrix(k: int) -> MatrixForm:
    """Return the form of mutual k-NN: a one where column j is among row i's k nearest."""
    return MatrixForm(lambda view: mark(nearest(view, k), view.n).astype(np.float64), symmetric=False)
