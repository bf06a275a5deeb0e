"""CKA: how far two Gram matrices over the same sentences agree (Kornblith et al. 2019).

CKA = ⟨A, B⟩ / sqrt(⟨A, A⟩ ⟨B, B⟩) of the centred Gram matrices. Biased (`linear_cka`), independent data
reach sqrt(PR_x PR_y) / (n - 1), PR the participation ratio: about d / (n + d), more for wider models.
Debiased (`debiased_linear_cka`, U-centring), the numerator's expectation over re-pairings is 0.

Both are measures of the leading principal components: one dimension of large variance, shared, lifts
both to near 1 while the others are independent. Measure under the maps `standardise` and
`without-outliers@3` as well.
"""

import numpy as np
import scipy.spatial.distance
from jaxtyping import Float, Float64, Int64

from ..lazy_property import lazy
from ..statistics.centring import MINIMUM, Gram, Matrix, double_centre, u_centre
from ..statistics.grouping import group_sums
from .view import Undefined, View, views

BANDWIDTH = 0.5  # of the median distance, as in Kornblith et al. 2019


def linear_cka(x: Matrix | View, y: Matrix | View) -> float:
    """Return the biased linear CKA, ‖YᵀX‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F) of centred columns.

    Unchanged by rotation, isotropic scaling and translation of either side; not by general linear maps.
    Source: Kornblith et al. 2019, section 3, https://arxiv.org/abs/1905.00414 (= the RV coefficient of
    Robert & Escoufier 1976).

    Args:
        x: a row per sentence.
        y: row i translates row i of x; any width.

    Returns:
        A value in [0, 1] up to rounding; 1 iff the centred Gram matrices are proportional.

    Raises:
        ValueError: other shapes, n < 4, values that are not finite, a side constant over the sentences.

    >>> x = np.arange(8.0).reshape(4, 2) ** 2
    >>> round(linear_cka(x, 3 * x[:, ::-1] + 1), 12)
    1.0
    """
    a, b = views(x, y)
    if a.n <= max(a.width, b.width):
        return cosine(a.gram, b.gram)
    left, right = a.centred, b.centred
    cross, xx, yy = left.T @ right, left.T @ left, right.T @ right
    return float(np.vdot(cross, cross) / (np.linalg.norm(xx) * np.linalg.norm(yy)))


def debiased_linear_cka(x: Matrix | View, y: Matrix | View) -> float:
    """Return HSIC₁(K, L) / sqrt(HSIC₁(K, K) HSIC₁(L, L)) of the linear kernels.

    HSIC₁ is unbiased (Song et al. 2012, eq. 5); the ratio is so only nearly. Invariances and arguments
    are those of `linear_cka`. Of wide data (n < d) the Gram matrices are U-centred, of long data the
    feature-space form is used: ‖XᵀY‖² - n/(n-2) Σ r s + Σr Σs / ((n-1)(n-2)), with r_i = ‖x_i‖² and
    s_i = ‖y_i‖².

    Returns:
        A value in [-1, 1]: negative where the sides agree less than chance would have it.

    Raises:
        ValueError: as `linear_cka`.

    >>> x = np.arange(12.0).reshape(6, 2) ** 2
    >>> round(debiased_linear_cka(x, 3 * x[:, ::-1] + 1), 12)
    1.0
    """
    a, b = views(x, y)
    if a.n <= max(a.width, b.width):
        return cosine(u_centre(a.gram), u_centre(b.gram))
    left, right = a.centred, b.centred
    products = hsic_features(left, right), hsic_features(left, left), hsic_features(right, right)
    return _divide(*products)


def rbf_cka(
    x: Matrix | View,
    y: Matrix | View,
    *,
    bandwidth: float = BANDWIDTH,
    median: str = "all",
    debiased: bool = False,
) -> float:
    """Return the CKA of Gaussian kernels exp(-‖x_i - x_j‖² / (2 (t m)²)).

    t = `bandwidth`, m² = the median squared distance over all entries, the zero diagonal among them
    (Kornblith et al., and most code), or over the pairs of distinct sentences ("off-diagonal").
    Unchanged by rotation, isotropic scaling, translation of either side. As t grows it becomes linear.

    Returns:
        A value in [0, 1], debiased in [-1, 1].

    Raises:
        ValueError: as `linear_cka`, and where half of all pairs coincide (no bandwidth).
    """
    a, b = views(x, y)
    kernels = [rbf_kernel(view, bandwidth=bandwidth, median=median) for view in (a, b)]
    centre = u_centre if debiased else double_centre
    return cosine(*map(centre, kernels))


def rbf_kernel(view: View, *, bandwidth: float = BANDWIDTH, median: str = "all") -> Gram:
    """Return the Gaussian kernel matrix; see `rbf_cka`."""
    squared = squared_distances(view)
    if median == "off-diagonal":
        middle = np.median(scipy.spatial.distance.squareform(squared, checks=False))
    elif median == "all":
        middle = np.median(squared)
    else:
        raise ValueError(f"median must be 'all' or 'off-diagonal', got {median!r}")
    if middle <= 0:
        raise Undefined(f"{view.name}: half of the sentence pairs coincide, so there is no bandwidth")
    return gaussian(squared, bandwidth**2 * float(middle))


def squared_distances(view: View) -> Gram:
    """Return the squared Euclidean distances of all sentences, zero on the diagonal."""
    norms = view.gram.diagonal()
    squared: np.ndarray = np.maximum(norms[:, None] + norms - 2 * view.gram, 0.0)
    np.fill_diagonal(squared, 0.0)
    return squared


def gaussian(squared: Gram, variance: float) -> Gram:
    """Return exp(-d² / (2 variance))."""
    kernel: np.ndarray = np.exp(squared / (-2 * variance))
    return kernel


class MinibatchCKA:
    """Debiased linear CKA of data too long for memory: HSIC₁ summed over batches, divided once.

    Averaging the ratios of batches instead would be biased however many there are. A batch counts by its
    size, so a ragged last one does not weigh as much as a whole one. The estimate differs from that of
    all rows at once by its noise, not its expectation. Source: Nguyen et al. 2021, eq. 2.
    """

    def __init__(self) -> None:
        """Begin with no sentences."""
        self.n = 0
        self._sums = np.zeros(3)

    def update(self, x: Matrix, y: Matrix) -> "MinibatchCKA":
        """Add a batch of at least 4 row-aligned sentences.

        Raises:
            ValueError: as `linear_cka`.
        """
        a, b = views(x, y)
        left, right = u_centre(a.gram), u_centre(b.gram)
        products = [np.vdot(left, right), np.vdot(left, left), np.vdot(right, right)]
        self._sums += a.n * np.array(products) / (a.n * (a.n - 3))
        self.n += a.n
        return self

    @property
    def value(self) -> float:
        """The estimate from all batches so far.

        Raises:
            ValueError: there was none.
        """
        if not self.n:
            raise ValueError("no batch was given")
        return _divide(*self._sums)


class Deletions:
    """A kernel matrix and what each group of sentences takes away from its sums.

    With K (zero diagonal if debiased), k = K1, L, l likewise, m sentences left:
    HSIC = ΣK∘L - c₁ kᵀl + c₂ Σk Σl, c₁ = 2/(m-2), c₂ = 1/((m-1)(m-2)) if debiased, else 2/m, 1/m².
    """

    def __init__(self, gram: Gram, groups: Int64[np.ndarray, "n"], *, debiased: bool) -> None:
        """Sum the matrix over each group, in O(n²)."""
        self.groups, self.debiased = groups, debiased
        self.kernel = double_centre(gram)
        if debiased:
            np.fill_diagonal(self.kernel, 0.0)
        self.parts = group_sums(self.kernel, groups)  # row G: its contribution to every row's sum
        self.rows = self.kernel.sum(axis=1)
        self.totals = self.rows.sum() - 2 * self._total(self.rows) + self._within(self.parts)

    def hsic(self, other: "Deletions") -> Float64[np.ndarray, "g"]:
        """Return HSIC without each group, up to a factor; nan where too few are left."""
        m = len(self.groups) - np.bincount(self.groups).astype(np.float64)
        m[m < MINIMUM] = np.nan
        if self.debiased:
            first, second = 2 / (m - 2), 1 / ((m - 1) * (m - 2))
        else:
            first, second = 2 / m, 1 / m**2
        product = self.kernel * other.kernel
        row = product.sum(axis=1)
        entries = row.sum() - 2 * self._total(row) + self._within(group_sums(product, self.groups))
        products = (self.rows - self.parts) * (other.rows - other.parts)
        sums = products.sum(axis=1) - self._within(products)
        result: np.ndarray = entries - first * sums + second * self.totals * other.totals
        return result

    @lazy
    def own(self) -> Float64[np.ndarray, "g"]:
        """HSIC with itself."""
        return self.hsic(self)

    def _total(self, rows: Float[np.ndarray, "n"]) -> Float64[np.ndarray, "g"]:
        return np.bincount(self.groups, weights=rows)

    def _within(self, rows: Float[np.ndarray, "g n"]) -> Float64[np.ndarray, "g"]:
        """Sum row G over the columns of group G."""
        return self._total(rows[self.groups, np.arange(len(self.groups))])


def leave_groups_out(a: Deletions, b: Deletions) -> Float64[np.ndarray, "g"]:
    """Return the CKA without each group of sentences."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: np.ndarray = a.hsic(b) / np.sqrt(a.own * b.own)
    return ratio


def influence(a: Gram, b: Gram) -> Gram:
    """Return what each pair of sentences contributes to the CKA of two centred matrices, to first order.

    a_ij b_ij / (‖a‖ ‖b‖) - CKA / 2 · (a_ij² / ‖a‖² + b_ij² / ‖b‖²): the differential of the ratio. Sums
    to 0.
    """
    norms = np.linalg.norm(a), np.linalg.norm(b)
    half = np.vdot(a, b) / (2 * norms[0] * norms[1])
    result: np.ndarray = a * b
    result /= norms[0] * norms[1]
    for side, norm in zip((a, b), norms, strict=True):
        squares = side * side
        squares *= half / norm**2
        result -= squares
    return result


def hsic_features(x: Matrix, y: Matrix) -> float:
    """Return n (n - 3) HSIC₁ of centred features."""
    n = len(x)
    cross = x.T @ y
    r, s = np.einsum("nd,nd->n", x, x), np.einsum("nd,nd->n", y, y)
    return float(np.vdot(cross, cross) - n / (n - 2) * (r @ s) + r.sum() * s.sum() / ((n - 1) * (n - 2)))


def cosine(a: Float[np.ndarray, "..."], b: Float[np.ndarray, "..."]) -> float:
    """Return the cosine of two matrices; raises where one is zero."""
    return _divide(float(np.vdot(a, b)), float(np.vdot(a, a)), float(np.vdot(b, b)))


def _divide(cross: float, left: float, right: float) -> float:
    if left <= 0 or right <= 0:
        side = "x" if left <= 0 else "y"
        raise Undefined(f"HSIC of {side} with itself is not positive ({min(left, right):.3g})")
    return float(cross / np.sqrt(left) / np.sqrt(right))
