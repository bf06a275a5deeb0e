"""Estimators: what gives each similarity measure its null, its z and p, and its interval.

What is exact is used where it exists: permutation moments for whatever is a product of two n × n
matrices or of neurons; else drawn re-pairings. Intervals are jackknives where a deletion has a closed
form, else half-sampling: never the bootstrap, to which a sentence drawn twice is a perfect match.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float64, Int64

from ..statistics.centring import Gram, double_centre, u_centre
from ..statistics.deletion import jackknife, pair_jackknife, twice_counted
from ..statistics.grouping import are_documents, by_group
from ..statistics.nulls import directed_deviation, directed_invariants, draw
from . import cca, cka, neurons
from . import dissimilarities as rsa
from . import knn as neighbourhood
from . import procrustes as shape
from .inference import (
    FEW,
    MANY,
    NAN,
    UNKNOWN,
    Estimate,
    Estimator,
    Matched,
    Square,
    against_draws,
    against_moments,
    against_pearson,
    against_ranks,
    half_sampled,
    halves,
    of_rows,
)
from .view import Basis, View

WIDER = 2  # the components of a half are sought among this many times as many of the whole's
_STEP = 1e-3  # of the logarithm of a bandwidth, for a derivative


def linear(*, debiased: bool) -> Estimator:
    """Return the estimator of linear CKA: exact null, z and p; exact jackknife."""
    centre = u_centre if debiased else double_centre

    def estimate(matched: Matched) -> Estimate:
        if large := matched.x.too_large:
            value = cka.debiased_linear_cka if debiased else cka.linear_cka
            null = 0.0 if debiased else NAN
            return Estimate(value(matched.x, matched.y), null, note=large, p_kind=UNKNOWN)
        groups = matched.groups

        def deletions(view: View) -> cka.Deletions:
            return cka.Deletions(view.gram, groups, debiased=debiased)

        def square(view: View) -> Square:
            return Square(centre(view.gram))

        sides = matched.x, matched.y
        left_out = cka.leave_groups_out(
            *(view.once(("deletions", debiased, groups.tobytes()), deletions) for view in sides)
        )
        a, b = (view.once(("centred", debiased), square) for view in sides)
        return _spectral(a, b, left_out, matched)

    return estimate


def rbf(*, debiased: bool) -> Estimator:
    """Return the estimator of RBF CKA: as `linear`, and the bandwidth is that of what is left.

    Deleting a group moves the median distance, and with it all entries: to first order, the derivative
    by the logarithm of the bandwidth times its move.
    """
    centre = u_centre if debiased else double_centre

    def estimate(matched: Matched) -> Estimate:
        squared = [cka.squared_distances(view) for view in (matched.x, matched.y)]
        kernels = [cka.rbf_kernel(view) for view in (matched.x, matched.y)]
        a, b = (Square(centre(kernel)) for kernel in kernels)
        left_out = cka.leave_groups_out(
            *(cka.Deletions(kernel, matched.groups, debiased=debiased) for kernel in kernels)
        )
        for side, distances in enumerate(squared):
            middle, without = _medians(distances, matched.groups)
            moved = []
            for step in (-_STEP, _STEP):
                kernel = cka.gaussian(distances, cka.BANDWIDTH**2 * middle * np.exp(step))
                moved.append(cka.cosine(centre(kernel), (b, a)[side].matrix))
            with np.errstate(divide="ignore"):  # a median of 0: no interval
                shift = np.log(without / middle)
            left_out += (moved[1] - moved[0]) / (2 * _STEP) * shift
        return _spectral(a, b, left_out, matched)

    return estimate


def _spectral(a: Square, b: Square, left_out: Float64[np.ndarray, "g"], matched: Matched) -> Estimate:
    """Return the estimate of the cosine of two centred matrices."""
    value, twice = cka.cosine(a.matrix, b.matrix), 0.0
    if not are_documents(matched.groups):
        twice = twice_counted(cka.influence(a.matrix, b.matrix))
    ends = jackknife(value, left_out, twice=twice)
    return against_moments(value, a, b, a.norm * b.norm, ends, "jackknife")


def _medians(squared: Gram, groups: Int64[np.ndarray, "n"]) -> tuple[float, Float64[np.ndarray, "g"]]:
    """Return the median of all entries, and those without each group's rows and columns.

    Without G the median is the entry of rank (what is left) / 2 + (what went and was below).
    """
    ordered = np.sort(squared, axis=None)
    middle = float(np.median(ordered))
    below = (squared < middle).astype(np.float64)
    count = np.bincount(groups).astype(np.float64)
    went = 2 * count * len(squared) - count**2
    went_below = 2 * np.bincount(groups, weights=below.sum(axis=0)) - by_group(below, groups).diagonal()
    rank = (ordered.size - went - 1) / 2 + went_below
    return middle, ordered[np.rint(rank).astype(np.int64)]


def rank_correlation(matched: Matched) -> Estimate:
    """Estimate RSA: the Mantel test by its exact moments; a jackknife to first order."""
    sides = matched.x, matched.y
    a, b = (view.once("ranks", rsa.ranks) for view in sides)
    left, right = (
        view.once("rank matrix", lambda view: Square(view.once("ranks", rsa.ranks).matrix))
        for view in sides
    )
    value = cka.cosine(a.centred, b.centred)
    ends = pair_jackknife(value, rsa.influence(a, b), matched.groups)
    return against_moments(value, left, right, left.norm * right.norm, ends, "jackknife")


def squared_cca(matched: Matched) -> Estimate:
    """Estimate mean squared CCA: the projectors' exact permutation moments; half-sampling."""
    a, b = matched.x.basis, matched.y.basis
    value = cca.mean_squared_cca(a, b)
    ends = halves(matched, cca.mean_squared_cca, value, full_rank=True)
    if large := matched.x.too_large:
        null = max(a.rank, b.rank) / (matched.x.n - 1)
        return Estimate(value, null, ends=ends, interval="half-sampling", note=large, p_kind=UNKNOWN)
    left, right = Square(a.u @ a.u.T), Square(b.u @ b.u.T)
    return against_moments(value, left, right, float(min(a.rank, b.rank)), ends, "half-sampling")


def decomposed(function: Callable[[Basis, Basis], float], *, full_rank: bool = True) -> Estimator:
    """Return the estimator of a measure that decomposes a cross matrix: a few drawn re-pairings.

    p is that of the t distribution around their mean: K draws tell mean and spread, not a tail.

    Args:
        function: of two bases.
        full_rank: whether it saturates as CCA does.
    """

    def estimate(matched: Matched) -> Estimate:
        a, b = matched.x.basis, matched.y.basis
        value = function(a, b)
        ends = halves(matched, function, value, full_rank=full_rank)
        drawn = _draw(matched, lambda order: function(a, b.shuffled(order)), FEW)
        return against_draws(value, drawn, ends)

    return estimate


def svcca(keep: float) -> Estimator:
    """Return the estimator of SVCCA; re-pairings and halves keep as many components as the whole."""

    def estimate(matched: Matched) -> Estimate:
        a, b = matched.x.basis, matched.y.basis
        p, q = cca.kept(a, keep), cca.kept(b, keep)

        def function(left: Basis, right: Basis) -> float:
            return cca.mean_cca(left.leading(p), right.leading(q))

        value = function(a, b)
        a, b = a.leading(p), b.leading(q)
        ends = halves(matched, function, value, ranks=(p, q))
        drawn = _draw(matched, lambda order: cca.mean_cca(a, b.shuffled(order)), FEW)
        return against_draws(value, drawn, ends)

    return estimate


def procrustes(distance: Callable[[float], float] | None = None) -> Estimator:
    """Return the estimator of the Procrustes cosine or of a distance made of it.

    Drawn re-pairings; a jackknife to first order. Where n ≤ d every deletion takes a direction away, to
    which no first order holds: subsamples of four fifths there.
    """
    turn = distance or float

    def estimate(matched: Matched) -> Estimate:
        a, b = map(shape.coordinates, (matched.x, matched.y))
        if max(a.shape[1], b.shape[1]) < matched.x.n - 1:
            method = "jackknife"
            value, *left_out = map(turn, shape.leave_groups_out(a, b, matched.groups).tolist())
            ends = jackknife(value, np.array(left_out))
        else:
            method, value = "half-sampling", turn(shape.procrustes_similarity(matched.x, matched.y))
            ends = half_sampled(
                matched,
                value,
                lambda parts: [turn(shape.of_rows(a, b, rows)) for rows in parts],
                shares=(0.8,),
            )
        repaired = shape.repaired(a, b)
        drawn = _draw(matched, lambda order: turn(repaired(order)), FEW)
        return against_draws(value, drawn, ends, method, sign=-1 if distance else 1)

    return estimate


def heldout(components: int) -> Estimator:
    """Return the estimator of held-out CCA: drawn p; half-sampling.

    The components of a half are its own, sought among `WIDER` times as many leading ones of the whole.
    """

    def estimate(matched: Matched) -> Estimate:
        x, y, groups = matched.x, matched.y, matched.groups
        wide = [view.leading(WIDER * components) for view in (x, y)]
        left, right = (basis.u[:, :components] for basis in wide)
        rng, p = matched.rng(), left.shape[1]
        plan = cca.deal(groups, cca.FOLDS, cca.REPEATS, np.random.default_rng(matched.seed))
        value = float(cca.heldout([cca.fold_moments(left, right, plan)], p)[0])
        plan = cca.deal(groups, cca.FOLDS, 1, rng)
        orders = [rng.permutation(x.n) for _ in range(FEW)]
        drawn = cca.heldout([cca.fold_moments(left, right[order], plan) for order in orders], p)

        def of_halves(halves: list[Int64[np.ndarray, "_"]]) -> Float64[np.ndarray, "k"]:
            sides = [[of_rows(basis, rows, components).u for rows in halves] for basis in wide]
            p, q = (min(u.shape[1] for u in side) for side in sides)
            moments = []
            for rows, one, two in zip(halves, *sides, strict=True):
                there = np.unique(groups[rows], return_inverse=True)[1]
                plan = cca.deal(there, cca.FOLDS, cca.REPEATS // 2, rng)
                moments.append(cca.fold_moments(one[:, :p], two[:, :q], plan))
            return cca.heldout(moments, p)

        needed = round(2 * components / (1 - 1 / cca.FOLDS))
        ends = half_sampled(matched, value, of_halves, needed=needed)
        return against_draws(value, drawn, ends, mean=0.0)

    return estimate


def neighbours(k: int, *, jaccard: bool) -> Estimator:
    """Return the estimator of a neighbourhood overlap: exact null; jackknife to first order.

    Of the mutual form the null's variance is exact, too, and only its skewness is drawn: its p is not
    bounded by the number of draws, as that of the Jaccard form is. The interval of the Jaccard form is
    the mutual one's, carried over: the two are nearly a function of
    each other.
    """

    def overlap(hits: Float[np.ndarray, "n"]) -> float:
        return float((hits / (2 * k - hits if jaccard else k)).mean())

    def estimate(matched: Matched) -> Estimate:
        x, y = matched.x, matched.y
        left, right = (
            view.once(("nearest", k), lambda view: neighbourhood.nearest(view, k)) for view in (x, y)
        )
        ids = left, right
        marked = neighbourhood.mark(ids[1], x.n)
        hits = neighbourhood.shared(ids[0], marked)
        value = overlap(hits)
        null = neighbourhood.jaccard_null(x.n, k) if jaccard else k / (x.n - 1)
        drawn = _draw(
            matched, lambda order: overlap(neighbourhood.shared_shuffled(ids[0], marked, order)), MANY
        )
        pairs = neighbourhood.influence(ids)
        if jaccard:  # d/dh of h / (2k - h) is 2k / (2k - h)², that of h / k is 1 / k
            pairs *= (2 * k**2 / (2 * k - hits) ** 2).mean()
        ends = pair_jackknife(value, pairs, matched.groups, share=0.5)
        if jaccard:
            return against_ranks(value, drawn, null, ends, "jackknife")
        left, right = (_directed(view, k) for view in (x, y))
        deviation = k / x.n * float(directed_deviation(left[None], right[None], x.n)[0, 0])
        if deviation <= 1e-14:
            return against_pearson(value, null, (deviation, 0.0, x.n), ends, "jackknife")
        skewness = float((((drawn - null) / deviation) ** 3).mean())
        found = against_pearson(value, null, (deviation, skewness, x.n), ends, "jackknife")
        return replace(found, p_kind=f"exact variance, skewness of {MANY} re-pairings, Pearson III law")

    return estimate


def _directed(view: View, k: int) -> Float64[np.ndarray, "7"]:
    """Return the invariants of a view's k-NN graph, each arc 1 / k."""
    ids = view.once(("nearest", k), lambda view: neighbourhood.nearest(view, k))
    return view.once(
        ("nearest invariants", k),
        lambda view: directed_invariants(neighbourhood.mark(ids, view.n) / k),
    )


def neuron_correlation(*, absolute: bool) -> Estimator:
    """Return the estimator of ANC (exact null, z, p) or of its absolute form (drawn); jackknife."""

    def estimate(matched: Matched) -> Estimate:
        left, right = neurons.standardised(matched.x, matched.y)
        left_out = neurons.leave_groups_out(left, right, matched.groups)
        dropped = matched.x.width - left.shape[1]
        note = f"{dropped} constant neurons left out" if dropped else ""
        if absolute:
            value = float(np.abs(neurons.correlate(left, right)).mean())
            ends = jackknife(value, np.abs(left_out).mean(axis=1))
            drawn = _draw(
                matched, lambda order: float(np.abs(neurons.correlate(left, right[order])).mean()), MANY
            )
            return against_ranks(value, drawn, float(drawn.mean()), ends, "jackknife", note)
        value = float(neurons.correlate(left, right).mean())
        ends = jackknife(value, left_out.mean(axis=1))
        if large := matched.x.too_large:
            note = "; ".join(filter(None, (note, large)))
            return Estimate(value, 0.0, ends=ends, interval="jackknife", note=note, p_kind=UNKNOWN)
        deviation, skewness = neurons.shuffle_moments(left, right)
        law = deviation, skewness, len(left)
        return against_pearson(value, 0.0, law, ends, "jackknife", note)

    return estimate


def _draw(
    matched: Matched, statistic: Callable[[np.ndarray], float], draws: int
) -> Float64[np.ndarray, "k"]:
    return draw(statistic, matched.x.n, draws=draws, rng=matched.rng())
