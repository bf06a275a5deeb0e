"""A view: one representation of n sentences, with what many measures need of it computed once.

Rows are sentences. Everything is computed in float64 from columns centred in float64: the Gram matrix of
float32 data with an offset of 1000 has no correct digit left. The SVD is that of the data: that of a
covariance matrix squares its condition, and serves for leading components only.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
import xxhash
from jaxtyping import Float, Int64

from ..lazy_property import lazy
from ..statistics.centring import MINIMUM, Gram, Matrix, double_centre
from .room import KEPT, LARGEST, bytes_for

Made = TypeVar("Made")


class Undefined(ValueError):
    """A measure has no value on these data; the message says why and what to use instead."""


@dataclass(frozen=True, eq=False)
class Basis:
    """The thin SVD U S Vᵀ of centred data, without the directions that are rounding noise."""

    u: Float[np.ndarray, "n r"]
    s: Float[np.ndarray, "r"]
    vt: Float[np.ndarray, "r d"]

    @property
    def rank(self) -> int:
        """The number of directions."""
        return len(self.s)

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.u)

    def leading(self, count: int) -> "Basis":
        """Return the leading principal components."""
        return Basis(self.u[:, :count], self.s[:count], self.vt[:count])

    def shuffled(self, order: Int64[np.ndarray, "n"]) -> "Basis":
        """Return the basis of the same sentences in another order."""
        return Basis(self.u[order], self.s, self.vt)


class View:
    """One representation of n sentences; products and decompositions are made when first asked for."""

    def __init__(self, x: Matrix, name: str = "x", largest: int = LARGEST) -> None:
        """Take a matrix with a row per sentence.

        Args:
            x: the vectors, n × d.
            name: in messages.
            largest: n with n × n matrices, see `room.largest_for`.

        Raises:
            ValueError: not a matrix of floats, too few rows, or values that are not finite.
        """
        if x.ndim != 2 or x.dtype.kind != "f" or not x.shape[1]:
            raise ValueError(
                f"{name} must be a matrix of floats with a row per sentence, got {x.dtype} {x.shape}"
            )
        if len(x) < MINIMUM:
            raise ValueError(f"{name} has {len(x)} sentences; at least {MINIMUM} are needed")
        bad = ~np.isfinite(x)
        if bad.any():
            row = int(np.flatnonzero(bad.any(axis=1))[0])
            raise ValueError(f"{name} has {int(bad.sum())} non-finite values, first in row {row}")
        self.name, self.largest = name, largest
        self.n, self.width = len(x), x.shape[1]
        self._eps = float(np.finfo(x.dtype).eps)
        self._largest = float(np.abs(x).max())
        self._x: Matrix | None = x
        self._kernel: Gram | None = None
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[["View"], Made]) -> Made:
        """Return what `make` makes of this view; it is made only once for a key."""
        if key not in self._made:
            self._made[key] = make(self)
        made: Made = self._made[key]
        return made

    def release(self) -> None:
        """Forget what was made, but the vectors and their SVD: n × n matrices are large."""
        self._made.clear()
        for name in ("gram", "cosines"):
            self.__dict__.pop(name, None)

    @staticmethod
    def of_similarities(kernel: Gram | scipy.sparse.sparray | scipy.sparse.spmatrix) -> "View":
        """Return the view of vectors that are known by their inner products alone (n-gram vectors)."""
        dense: np.ndarray = kernel if isinstance(kernel, np.ndarray) else kernel.toarray()
        view = View(np.sqrt(dense.diagonal())[:, None].astype(np.float64), "surface", len(dense))
        view.width, view._x = len(dense), None
        view._kernel = dense.astype(np.float64)
        return view

    @property
    def x(self) -> Matrix:
        """The vectors.

        Raises:
            Undefined: only their inner products are known.
        """
        if self._x is None:
            raise Undefined(f"{self.name} has no coordinates, only inner products")
        return self._x

    @lazy
    def centred(self) -> Float[np.ndarray, "n d"]:
        """The vectors minus their mean, in float64.

        Raises:
            Undefined: nothing but rounding noise is left.
        """
        x = self.x.astype(np.float64)
        x -= x.mean(axis=0)
        if np.abs(x).max() <= 8 * self._eps * self._largest:
            raise Undefined(f"{self.name} is constant over the sentences")
        return x

    @lazy
    def gram(self) -> Gram:
        """H K H: the inner products of the centred vectors.

        Raises:
            Undefined: an n × n matrix of this many sentences would not fit.
        """
        self._refuse_large()
        if self._kernel is not None:
            return double_centre(self._kernel)
        products: np.ndarray = self.centred @ self.centred.T
        return products

    @lazy
    def basis(self) -> Basis:
        """The SVD of the centred vectors; directions with s < s₁ max(n, d) ε are dropped.

        ε is that of the dtype the vectors came in. Of inner products alone, the eigenvectors.
        """
        if self._kernel is None:
            u, s, vt = np.linalg.svd(self.centred, full_matrices=False)
            keep = s > s[0] * max(self.n, self.width) * self._eps
            return Basis(np.ascontiguousarray(u[:, keep]), s[keep], vt[keep])
        return self._eigenvectors(self.n)

    def leading(self, count: int) -> Basis:
        """Return the leading principal components, without computing the others where that is cheaper.

        The eigenvectors of a covariance are as good as an SVD's as long as their variances are not
        rounding noise of the greatest.
        """
        if self._kernel is not None:
            return self._eigenvectors(min(count, self.n))
        if "basis" not in self.__dict__ and 4 * count <= self.width < self.n:
            found = self.once(("leading", count), lambda view: view._by_covariance(count))
            if found is not None:
                return found
        return self.basis.leading(count)

    def _by_covariance(self, count: int) -> Basis | None:
        """Return the leading components, or None where some of them might be noise."""
        x, last = self.centred, self.width - 1
        values, vectors = scipy.linalg.eigh(x.T @ x, subset_by_index=[self.width - count, last])
        if values[0] < 1e-10 * values[-1]:
            return None
        s, vectors = np.sqrt(values[::-1]), vectors[:, ::-1]
        return Basis(x @ vectors / s, s, vectors.T)

    def _eigenvectors(self, count: int) -> Basis:
        if 10 * count < self.n:  # a few: by Lanczos, from one start for all
            start = np.random.default_rng(0).standard_normal(self.n)
            values, vectors = scipy.sparse.linalg.eigsh(self.gram, k=count, v0=start)
        else:
            ends = [self.n - count, self.n - 1]
            values, vectors = scipy.linalg.eigh(self.gram, subset_by_index=ends)
        # the data's coordinates are any with these inner products: U S itself
        s, u = np.sqrt(np.maximum(values[::-1], 0)), vectors[:, ::-1]
        # an eigenvalue is known to ε of the largest, its root only to √ε
        keep = s > s[0] * np.sqrt(self.n * self._eps)
        return Basis(np.ascontiguousarray(u[:, keep]), s[keep], np.eye(self.n)[:count][keep])

    @lazy
    def cosines(self) -> Gram:
        """The cosines of the vectors as they are, not centred; 0 for a zero row; raises as `gram`."""
        self._refuse_large()
        if self._kernel is None:
            x = self.x.astype(np.float64)
            norms = np.linalg.norm(x, axis=1)
            x /= np.where(norms > 0, norms, 1.0)[:, None]
            return x @ x.T
        kernel = self._kernel
        norms = np.sqrt(kernel.diagonal())
        norms[norms == 0] = 1.0
        result: np.ndarray = kernel / norms[:, None] / norms
        return result

    @property
    def too_large(self) -> str:
        """Why this view has no n × n matrices; empty where it has."""
        if self.n <= self.largest:
            return ""
        return (
            f"n × n matrices of {self.n:,} sentences take {bytes_for(self.n) / 1e9:.1f} GB: raise "
            "`memory`, or take `limit`"
        )

    def _refuse_large(self) -> None:
        if self.too_large:
            raise Undefined(self.too_large)


class KeptViews:
    """Views that several bitexts have in common: those of the target's vectors, as far as they fit."""

    def __init__(self, room: int, largest: int = LARGEST) -> None:
        """Begin with none; `room` is in bytes, `largest` as of `View`."""
        self._views: dict[Hashable, View] = {}
        self._room, self._largest = room, largest

    def __contains__(self, view: object) -> bool:
        """Whether a view is kept for the next bitexts."""
        return any(view is kept for kept in self._views.values())

    def view(self, x: Matrix, name: str) -> View:
        """Return the view of a matrix: one for all calls with equal values, while there is room."""
        x = np.ascontiguousarray(x)
        key = x.shape, x.dtype, xxhash.xxh3_128_digest(x)
        if key in self._views:
            return self._views[key]
        view = View(x, name, self._largest)
        size = 8 * (KEPT * len(x) ** 2 + 3 * x.size)
        if size <= self._room:
            self._room -= size
            self._views[key] = view
        return view


def views(x: Matrix | View, y: Matrix | View) -> tuple[View, View]:
    """Return two row-aligned representations as views.

    Raises:
        ValueError: see `View`, or different numbers of sentences.
    """
    left = x if isinstance(x, View) else View(x, "x")
    right = y if isinstance(y, View) else View(y, "y")
    if left.n != right.n:
        raise ValueError(
            f"x and y must hold the same sentences row by row, got {left.n} and {right.n} rows"
        )
    return left, right


def bases(x: Matrix | View | Basis, y: Matrix | View | Basis) -> tuple[Basis, Basis]:
    """Return the SVDs of two row-aligned representations."""
    if isinstance(x, Basis) and isinstance(y, Basis):
        return x, y
    a, b = views(x, y)  # type: ignore[arg-type]
    return a.basis, b.basis
