"""Grids: one measure between all representations of one list and all of another.

Whatever is a cosine of two n × n matrices (CKA, RSA, mean squared CCA) is computed for M × M pairs by
one product: each matrix is made once, laid out as a row, and the rows are multiplied. Null and z come
from sums of each matrix alone. Where n ≫ d the d × d products of each pair are cheaper, and are taken.
Other measures share the decompositions: once a representation, one cross matrix a pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64

from ..measures import MEASURES
from ..similarity.inference import Estimate, Matched
from ..similarity.matrix_form import MatrixForm
from ..similarity.view import Undefined
from ..statistics.centring import Matrix
from ..statistics.nulls import directed_deviation, least_p, permutation_moments, rank_p
from .stacked import CHUNK, Sums, cut, lay_out, multiply
from .work import DEFAULTS, Computation, Work, refuse_beyond

Table = Float64[np.ndarray, "a b"]


@dataclass(frozen=True, eq=False)
class Grid:
    """A measure of every pair: rows are the left representations, columns the right ones."""

    measure: str
    n: int  # sentences, of every cell
    value: Table
    null: Table
    z: Table
    p: Table
    low: Table
    high: Table
    bound: float = 0.0  # |value - its float64 value| is never more
    notes: tuple[str, ...] = field(default=())  # why some cells have no value


def grid(
    measure: str,
    left: Sequence[Matrix],
    right: Sequence[Matrix] | None = None,
    *,
    null: bool = True,
    intervals: bool = False,
    groups: Int64[np.ndarray, "n"] | None = None,
    seed: int = 0,
    computation: Computation = DEFAULTS,
) -> Grid:
    """Return a similarity measure of all pairs of representations of the same sentences.

    Args:
        measure: a name of `MEASURES` with an estimate (`crosslingual list measures`).
        left: representations, a row per sentence; any sequence, read an item at a time.
        right: likewise; None for the pairs within `left`.
        null: also null, z and p.
        intervals: also intervals, pair by pair: as many times a score's cost.
        groups: the document of each sentence, for the intervals.
        seed: of drawn re-pairings and halves.
        computation: how it is computed.

    Returns:
        The grid; a cell without a value is nan, and `notes` says why.

    Raises:
        ValueError: an unknown measure; different numbers of sentences (both counts); values that are
            not finite; a memory too small for even a part (its size is said).

    Source: the cost of grids is reckoned in Kornblith et al. 2019, appendix; stacking is ours.
    """
    form = MEASURES.with_value(measure).matrix
    work = Work(left, right)
    if form is not None and not intervals:
        exact = computation.precision == "float64"
        if exact and form.product is not None and work.prefers_features(computation.memory, null):
            return _by_features(measure, form, work, computation, null=null)
        return _by_product(measure, form, work, computation, null=null)
    groups = np.arange(work.n) if groups is None else groups
    return _by_pairs(
        measure, work, computation, null=null, intervals=intervals, groups=groups, seed=seed
    )


def family_wise(
    measure: str,
    left: Sequence[Matrix],
    right: Sequence[Matrix],
    *,
    draws: int = 999,
    seed: int = 0,
    computation: Computation = DEFAULTS,
) -> Table:
    """Return p-values that hold for all cells of a grid together (the maximum of z over the cells).

    p = (1 + #{re-pairings whose greatest z ≥ this cell's}) / (K + 1): with probability 1 - α no cell
    without alignment is below α, however the cells hang together. One re-pairing is shared by all.
    Source: Westfall & Young 1993.

    Args:
        measure: one that is a product of matrices: CKA, RSA, mean squared CCA, mutual k-NN.
        left: as for `grid`.
        right: as for `grid`; its sentences are shuffled.
        draws: K.
        seed: of the re-pairings.
        computation: its memory is that of all matrices, which are kept; its progress is of re-pairings.

    Raises:
        ValueError: another measure, or as `grid`.
    """
    form = MEASURES.with_value(measure).matrix
    if form is None:
        names = ", ".join(name for name, known in MEASURES.items() if known.matrix is not None)
        raise ValueError(f"{measure!r} has no family-wise test: choose one of {names}")
    work = Work(left, right)
    size = len(work) * work.n**2 * 8
    refuse_beyond(computation.memory, size, f"{len(work)} matrices of {work.n:,} sentences")
    sums = Sums(form, len(work), null=True)
    matrices = np.zeros((len(work), work.n, work.n))
    for i in range(len(work)):
        try:
            view = work[i]
            matrices[i] = form.matrix(view)
        except Undefined:
            continue  # its cells are nan
        sums.add(i, matrices[i], view)
    flat = matrices.reshape(len(work), -1)

    def z_of(other: np.ndarray) -> Table:
        return _finish(measure, work, flat[: work.a] @ other.T, sums, []).z

    observed = z_of(flat[work.a :])
    rng, greatest = np.random.default_rng(seed), np.empty(draws)
    for k in range(draws):
        order = rng.permutation(work.n)
        shuffled = [matrix[np.ix_(order, order)].ravel() for matrix in matrices[work.a :]]
        greatest[k] = np.nanmax(z_of(np.stack(shuffled)))
        computation.step(k + 1, draws)
    result: Table = np.array([[rank_p(float(z), greatest) for z in row] for row in observed])
    return np.where(np.isnan(observed), np.nan, result)


def _finish(
    measure: str,
    work: Work,
    products: Table,
    sums: Sums,
    notes: list[str],
    bound: float = 0.0,
) -> Grid:
    """Return the grid of the products ⟨A, B⟩ and what is known of each matrix."""
    import scipy.stats  # when needed: it takes half a second

    form = sums.form
    rows, columns = slice(0, work.a), work.columns
    if form.rank:
        left, right = np.rint(sums.trace[rows, None]), np.rint(sums.trace[None, columns])
        scale = np.minimum(left, right)
        saturated = left + right > work.n - 1
        scale = np.where(saturated, np.nan, scale)
        if saturated.any():
            notes.append(f"{measure}: ranks add up to more than n - 1 = {work.n - 1} where it is nan")
    else:
        scale = sums.norm[rows, None] * sums.norm[None, columns]
    value = products / scale
    nan = np.full_like(value, np.nan)
    if not sums.null:
        return Grid(measure, work.n, value, nan, nan, nan, nan, nan, bound, tuple(notes))
    n, off = work.n, sums.total - sums.trace
    mean = np.outer(sums.trace[rows], sums.trace[columns]) / n
    mean = (mean + np.outer(off[rows], off[columns]) / (n * (n - 1))) / scale
    mean[np.abs(mean) < 1e-14] = 0.0  # of U-centred matrices it is 0, but for rounding
    left, right = sums.invariants[rows], sums.invariants[columns]
    if form.symmetric:
        deviation, skewness = permutation_moments(left, right, n)
    else:
        deviation, skewness = directed_deviation(left[:, :7], right[:, :7], n), np.zeros_like(value)
    deviation = deviation / scale
    z = np.divide(value - mean, deviation, out=nan.copy(), where=deviation > 1e-14)
    p = scipy.stats.pearson3.sf(z, np.where(np.isfinite(skewness), skewness, 0.0))
    p = np.maximum(p, least_p(n))  # NaN stays
    return Grid(measure, n, value, mean, z, p, nan, nan, bound, tuple(notes))


def _by_product(
    measure: str,
    form: MatrixForm,
    work: Work,
    computation: Computation,
    *,
    null: bool,
) -> Grid:
    """Lay every matrix out as a row, in parts that fit the memory, and multiply the rows."""
    sums, notes, n = Sums(form, len(work), null=null), [], work.n
    precision = computation.precision
    parts = list(cut(len(work), n, computation.memory, np.dtype(precision).itemsize))
    products = np.zeros((work.a, work.b))
    for number, rows in enumerate(parts):
        width = n - rows.start if form.symmetric else n
        stack = np.zeros((len(work), (rows.stop - rows.start) * width), precision)
        for i in range(len(work)):
            try:
                view = work[i]
                matrix = form.matrix(view)
            except Undefined as error:
                if not number:
                    notes.append(str(error))
                continue
            if not number:
                sums.add(i, matrix, view)
            # at norm 1, so that float32 neither overflows nor underflows
            lay_out(matrix, rows, stack[i], sums.norm[i], symmetric=form.symmetric)
            computation.step(number * len(work) + i + 1, len(parts) * len(work))
        products += multiply(stack[: work.a], stack[work.columns], computation.device)
    scale = sums.norm[: work.a, None] * sums.norm[None, work.columns]
    bound = (CHUNK + 3) * 2.0**-24 if precision == "float32" else 0.0
    return _finish(measure, work, products * scale, sums, notes, bound)


def _by_features(
    measure: str,
    form: MatrixForm,
    work: Work,
    computation: Computation,
    *,
    null: bool,
) -> Grid:
    """Multiply d × n by n × d for every pair: no n × n matrix but one at a time, for the null."""
    assert form.features is not None
    assert form.product is not None
    sums, notes = Sums(form, len(work), null=null), []
    sides: list[Matrix | None] = [None] * len(work)
    for i in range(len(work)):
        try:
            view = work[i]
            x = sides[i] = form.features(view)
        except Undefined as error:
            notes.append(str(error))
            continue
        if null:
            sums.add(i, form.matrix(view), view)
        else:
            sums.norm[i], sums.trace[i] = np.sqrt(max(form.product(x, x), 0.0)), x.shape[1]
    products = np.full((work.a, work.b), np.nan)
    pairs = list(work.pairs())
    for done, (i, j) in enumerate(pairs):
        one, two = sides[i], sides[work.columns.start + j]
        if one is not None and two is not None:
            products[i, j] = form.product(one, two)
            if work.within:
                products[j, i] = products[i, j]
        computation.step(done + 1, len(pairs))
    return _finish(measure, work, products, sums, notes)


def _by_pairs(
    measure: str,
    work: Work,
    computation: Computation,
    *,
    null: bool,
    intervals: bool,
    groups: Int64[np.ndarray, "n"],
    seed: int,
) -> Grid:
    """Ask the measure for every pair; each representation is decomposed once."""
    known = MEASURES.with_value(measure)
    assert known.estimate is not None
    assert known.value is not None
    # what a view keeps for its measures: n × n, or coordinates with their decomposition
    square = known.family in ("spectral", "neighbourhood", "rsa")
    each = 2 * 8 * work.n * max(work.width, work.n if square else 0)
    what = f"{len(work)} representations of {work.n:,} x {work.width}"
    refuse_beyond(computation.memory, len(work) * each, what)
    sides = [work[i] for i in range(len(work))]
    found = np.full((6, work.a, work.b), np.nan)
    notes: dict[str, None] = {}
    pairs = list(work.pairs())
    for done, (i, j) in enumerate(pairs):
        x, y = sides[i], sides[work.columns.start + j]
        try:
            if null or intervals:
                cell = known.estimate(Matched(x, y, groups, seed, intervals=intervals))
            else:
                cell = Estimate(known.value(x, y))
        except Undefined as error:
            notes[str(error)] = None
            continue
        found[:, i, j] = cell.value, cell.null, cell.z, cell.p, *cell.ends
        if work.within:
            found[:, j, i] = found[:, i, j]
        computation.step(done + 1, len(pairs))
    value, null_, z, p, low, high = found
    return Grid(measure, work.n, value, null_, z, p, low, high, 0.0, tuple(notes))
