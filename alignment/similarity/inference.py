"""An estimate: a number with its null, z, p and interval; and how a value gets them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from ..lazy_property import lazy
from ..statistics.centring import Gram
from ..statistics.intervals import NO_INTERVAL, Interval, OfSubsets, half_sampling
from ..statistics.nulls import (
    invariants,
    least_p,
    permutation_mean,
    permutation_moments,
    rank_p,
    threshold,
)
from .view import Basis, Undefined, View

ALPHA = 0.05  # at which a score is calibrated
FEW = 9  # re-pairings drawn where each costs a decomposition
MANY = 99  # where it does not
NOISE = 1e-6  # a null that varies no more than this share of itself does not vary
NAN = float("nan")
CONSTANT = "none: the null does not vary"
UNKNOWN = "none: see note"


@dataclass(frozen=True)
class Estimate:
    """A measure's value on one bitext at one layer, with what one must know to read it.

    `null` is its expectation under random re-pairing, `z` the distance from there in standard deviations
    of re-paired values, `p` the one-sided probability of a value at least as good, `threshold` the value
    that re-paired data reach with probability `ALPHA`; `ends` are an interval at `intervals.LEVEL`,
    made by the method `interval`.
    """

    value: float
    null: float = NAN
    z: float = NAN
    p: float = NAN
    threshold: float = NAN
    ends: Interval = NO_INTERVAL
    interval: str = ""
    note: str = ""  # why there is no value, or none of the rest
    p_kind: str = "none: of this null only the mean is known"  # how p was found, and its least value


@dataclass(frozen=True, eq=False)
class Matched:
    """Two views of the same sentences, row by row, and the groups the sentences come from."""

    x: View
    y: View
    groups: Int64[np.ndarray, "n"]  # 0 … G - 1
    seed: int = 0
    intervals: bool = True  # those by half-sampling cost many decompositions

    def rng(self) -> np.random.Generator:
        """Return the generator; a new one every time, so that measures do not depend on their order."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True, eq=False)
class Square:
    """A symmetric matrix over the sentences, with what its re-pairings are known by."""

    matrix: Gram

    @lazy
    def norm(self) -> float:
        """The Frobenius norm."""
        return float(np.linalg.norm(self.matrix))

    @lazy
    def invariants(self) -> Float64[np.ndarray, "15"]:
        """See `nulls.invariants`."""
        return invariants(self.matrix)


Estimator = Callable[[Matched], Estimate]


def against_moments(
    value: float, a: Square, b: Square, scale: float, ends: Interval, method: str
) -> Estimate:
    """Return the estimate of ⟨a, b⟩ / scale with the exact moments of its null."""
    deviation, skewness = permutation_moments(a.invariants[None], b.invariants[None], len(a.matrix))
    null = permutation_mean(a.matrix, b.matrix) / scale
    null = 0.0 if abs(null) < 1e-14 else null  # of U-centred matrices it is 0, but for rounding
    law = float(deviation[0, 0]) / scale, float(skewness[0, 0]), len(a.matrix)
    return against_pearson(value, null, law, ends, method)


def against_pearson(
    value: float,
    null: float,
    law: tuple[float, float, int],
    ends: Interval,
    method: str,
    note: str = "",
) -> Estimate:
    """Return the estimate against a null of known mean, standard deviation and skewness: Pearson III.

    Args:
        value: of the pairing itself.
        null: the mean of all re-pairings.
        law: their standard deviation, their skewness, and the number of sentences.
        ends: of the interval.
        method: of the interval.
        note: see `Estimate`.
    """
    import scipy.stats  # when needed: it takes half a second

    deviation, skewness, n = law
    if deviation <= 1e-14:
        return Estimate(value, null, ends=ends, interval=method, note=note, p_kind=CONSTANT)
    z = (value - null) / deviation
    null_law = scipy.stats.pearson3(skewness)
    reached = null + deviation * float(null_law.isf(ALPHA))
    least = least_p(n)
    kind = f"exact moments, Pearson III law (least {least:.3g})"
    p = max(least, float(null_law.sf(z)))
    return Estimate(value, null, z, p, reached, ends, method, note, kind)


def against_draws(
    value: float,
    drawn: Float64[np.ndarray, "k"],
    ends: Interval,
    method: str = "half-sampling",
    *,
    sign: int = 1,
    mean: float | None = None,
) -> Estimate:
    """Return the estimate against a few drawn re-pairings: a t law around their mean.

    So few tell mean and spread, not a tail.

    Args:
        value: of the pairing itself.
        drawn: K values of re-pairings.
        ends: of the interval.
        method: of the interval.
        sign: -1 where lower is better.
        mean: of all re-pairings, where that is known.
    """
    import scipy.stats  # when needed: it takes half a second

    k = len(drawn)
    if mean is None:
        null, deviation, known = float(drawn.mean()), float(drawn.std(ddof=1)), 1 + 1 / k
    else:
        null, deviation, known = mean, float(np.sqrt(np.square(drawn - mean).mean())), 1.0
    if deviation <= NOISE * abs(null):
        return Estimate(value, null, ends=ends, interval=method, p_kind=CONSTANT)
    law = scipy.stats.t(k - (mean is None), scale=deviation * np.sqrt(known))
    p = max(float(np.finfo(np.float64).tiny), float(law.sf(sign * (value - null))))
    reached = null + sign * float(law.isf(ALPHA))
    kind = f"t law around {k} re-pairings"
    return Estimate(value, null, (value - null) / deviation, p, reached, ends, method, p_kind=kind)


def against_ranks(
    value: float,
    drawn: Float64[np.ndarray, "k"],
    null: float,
    ends: Interval,
    method: str = "half-sampling",
    note: str = "",
) -> Estimate:
    """Return the estimate against many drawn re-pairings: p from the rank of the value among them."""
    deviation = float(drawn.std(ddof=1))
    z = (value - null) / deviation if deviation > 1e-14 else NAN
    p, reached = rank_p(value, drawn), threshold(value, drawn, ALPHA)
    kind = f"rank among {len(drawn)} re-pairings (least {1 / (len(drawn) + 1):g})"
    return Estimate(value, null, z, p, reached, ends, method, note, kind)


def halves(
    matched: Matched,
    function: Callable[[Basis, Basis], float],
    value: float,
    *,
    full_rank: bool = False,
    ranks: tuple[int, int] = (0, 0),
) -> Interval:
    """Return the half-sampling interval of a function of two bases, decomposed again in every half."""
    x, y = matched.x, matched.y
    return half_sampled(
        matched,
        value,
        lambda halves: [function(of_rows(x.basis, rows), of_rows(y.basis, rows)) for rows in halves],
        needed=sum((x.basis.rank, y.basis.rank) if full_rank else ranks),
    )


def half_sampled(
    matched: Matched,
    value: float,
    statistic: OfSubsets,
    *,
    needed: int = 0,
    shares: tuple[float, ...] = (0.5, 0.8, 0.9),
) -> Interval:
    """Return the half-sampling interval, if wanted.

    Where half of the sentences are not many more than `needed`, the least at which the statistic is
    defined, subsamples are larger; where even nine tenths are not, there is no interval.
    """
    if not matched.intervals:
        return NO_INTERVAL
    for share in shares:
        if needed <= 0.9 * (share * matched.x.n - 1):
            break
    else:
        return NO_INTERVAL
    try:
        return half_sampling(value, statistic, matched.groups, rng=matched.rng(), share=share)
    except Undefined:  # groups are of very different sizes
        return NO_INTERVAL


def of_rows(basis: Basis, rows: Int64[np.ndarray, "m"], count: int | None = None) -> Basis:
    """Return the basis of some rows, re-centred; only the leading `count` directions if asked.

    By the covariance, in the coordinates of the whole's principal components: directions below 1e-7 of
    the first are lost, and it costs a fraction of an SVD of the rows.
    """
    part = basis.u[rows] * basis.s
    part -= part.mean(axis=0)
    long = len(part) >= part.shape[1]
    values, vectors = np.linalg.eigh(part.T @ part if long else part @ part.T)
    keep = np.flatnonzero(values > 1e-14 * values[-1])[::-1][:count]
    s, vectors = np.sqrt(values[keep]), vectors[:, keep]
    if long:
        return Basis(part @ vectors / s, s, vectors.T @ basis.vt)
    return Basis(vectors, s, (part.T @ vectors / s).T @ basis.vt)
