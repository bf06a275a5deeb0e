"""Intervals: over groups where they are known, for sentences of one document are not independent.

Means of per-sentence outcomes are bootstrapped where every sentence is its own group; where documents
are known, and for other statistics, there is the jackknife around the full estimate, without each
document in turn. Never the bootstrap with replacement for statistics of pairs: a sentence drawn twice
would be its own perfect neighbour.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse
from jaxtyping import Float, Float64, Int64

from .centring import MINIMUM, u_centre

LEVEL = 0.95
RESAMPLES = 1000
HALVES = 30

Seed = int | tuple[int, ...]

# a statistic of each of several sets of rows, which are ascending
OfSubsets = Callable[[list[Int64[np.ndarray, "_"]]], Sequence[float] | Float[np.ndarray, "k"]]


@dataclass(frozen=True, eq=False)
class Interval:
    """The ends of an interval, and how much each part of the sample moves the value.

    SE² = k / (k - 1) Σ u² of k influence values u, so that those of two values on the same parts give
    their covariance, too. The parts are groups (jackknife) or random halves of them (half-sampling).
    """

    low: float = float("nan")
    high: float = float("nan")
    influences: Float[np.ndarray, "k"] | None = None

    def __iter__(self) -> Iterator[float]:
        """Yield both ends."""
        return iter((self.low, self.high))


NO_INTERVAL = Interval()


def are_documents(groups: Int64[np.ndarray, "n"]) -> bool:
    """Return whether groups are more than single sentences."""
    return int(groups.max()) + 1 < len(groups)


def group_bootstrap(
    outcomes: Float[np.ndarray, "n c"],
    groups: Int64[np.ndarray, "n"],
    *,
    seed: Seed,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> tuple[Float[np.ndarray, "c"], Float[np.ndarray, "c"]]:
    """Return percentile intervals of the column means, resampling whole groups.

    The resamples depend on the seed and the number of groups alone: all columns share them, and so do
    calls for other layers or languages, so that they may be compared. Where all outcomes of a column are
    equal the interval has no width: there is nothing in the sample to tell how far off it is.

    Args:
        outcomes: a row per sentence, a column per statistic.
        groups: 0 … G - 1, the group of each sentence.
        seed: of the resamples.
        level: of the interval.
        resamples: how many.

    Returns:
        Lower and upper ends; nan with a single group.
    """
    means = resampled_means(outcomes, groups, seed=seed, resamples=resamples)
    return percentiles(means, int(groups.max()) + 1, level=level)


def percentiles(
    resamples: Float[np.ndarray, "r *c"], groups: int, *, level: float = LEVEL
) -> tuple[Float[np.ndarray, "*c"], Float[np.ndarray, "*c"]]:
    """Return the ends of an interval from resamples of so many groups: expanded percentiles.

    Plain percentiles of G groups are those of a normal law whose variance is (G - 1) / G of the mean's;
    these are further out, by sqrt(G / (G - 1)) and as t of G - 1 degrees of freedom is wider: at 20
    groups .016 and .984 for .025 and .975. Source: Hesterberg 2015, What teachers should know about the
    bootstrap, section 3.4.
    """
    import scipy.stats  # when needed: it takes half a second

    if groups < 2:
        return np.full(resamples.shape[1:], np.nan), np.full(resamples.shape[1:], np.nan)
    t = float(scipy.stats.t.ppf((1 + level) / 2, groups - 1))
    tail = float(scipy.stats.norm.sf(t * np.sqrt(groups / (groups - 1))))
    low, high = np.quantile(resamples, [tail, 1 - tail], axis=0)
    return np.asarray(low), np.asarray(high)


def mean_without(
    outcomes: Float[np.ndarray, "n"],
    groups: Int64[np.ndarray, "n"],
    changes: Iterable[tuple[Int64[np.ndarray, "n"], Float[np.ndarray, "n"]]] = (),
) -> Float64[np.ndarray, "g"]:
    """Return the mean outcome without each group; nan where nothing is left.

    Args:
        outcomes: of each sentence.
        groups: 0 … G - 1.
        changes: pairs of a group and what is added to each sentence's outcome if that group leaves.
    """
    sizes = np.bincount(groups)
    sums = outcomes.sum() - np.bincount(groups, weights=outcomes)
    for group, change in changes:
        others = group != groups  # who leaves has no outcome that could change
        sums += np.bincount(group[others], weights=change[others], minlength=len(sizes))
    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = sums / (len(groups) - sizes)
    return means


def resampled_means(
    outcomes: Float[np.ndarray, "n c"],
    groups: Int64[np.ndarray, "n"],
    *,
    seed: Seed,
    resamples: int = RESAMPLES,
) -> Float[np.ndarray, "r c"]:
    """Return the column means of resamples of whole groups; see `group_bootstrap`."""
    draws = _draws(int(groups.max()) + 1, seed, resamples)
    sizes = np.bincount(groups).astype(np.float64)
    sums = group_sums(outcomes, groups)
    means: np.ndarray = (draws @ sums) / (draws @ sizes)[:, None]
    return means


@lru_cache(maxsize=4)  # languages and layers of the same items follow each other
def _draws(count: int, seed: Seed, resamples: int) -> Float[np.ndarray, "r g"]:
    """Return how often each of `count` groups is drawn in each resample."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)
    drawn.flags.writeable = False
    return drawn


def jackknife(
    value: float, left_out: Float[np.ndarray, "g"], *, twice: float = 0.0, level: float = LEVEL
) -> Interval:
    """Return value ± t · SE with SE² = (G-1)/G Σ (θ_g - θ̄)² - `twice`, t of G - 1 degrees of freedom.

    Source: Efron & Stein 1981, The jackknife estimate of variance.

    Args:
        value: of all groups.
        left_out: the values without each group.
        twice: variance that the jackknife counts twice; see `twice_counted`.
        level: of the interval.

    Returns:
        The interval; nan with fewer than 2 groups, or where a left-out value is none.
    """
    count = len(left_out)
    if count < 2 or not np.isfinite(left_out).all():
        return NO_INTERVAL
    influences = (left_out.mean() - left_out) * ((count - 1) / count)
    variance = count / (count - 1) * float(influences @ influences)
    if twice and variance:  # the part counted twice is at most half
        influences *= np.sqrt(max(1 - twice / variance, 0.5))
    return _around(value, influences, level, count)


def jackknives(
    value: float, left_out: Float[np.ndarray, "s g"], shares: Sequence[float], *, level: float = LEVEL
) -> Interval:
    """Return value ± t · SE where SE² is a weighted sum of several jackknives' variances.

    Args:
        value: of all groups.
        left_out: a row per jackknife: the values without each group.
        shares: how much of each counts.
        level: of the interval.
    """
    parts = [jackknife(value, row).influences for row in left_out]
    known = [
        part * np.sqrt(share) for part, share in zip(parts, shares, strict=True) if part is not None
    ]
    if len(known) < len(parts):
        return NO_INTERVAL
    count = left_out.shape[1]
    # so that k / (k - 1) Σ u² of all of them is the sum of the variances
    moves = np.concatenate(known)
    moves *= np.sqrt((len(moves) - 1) / len(moves) * count / (count - 1))
    return _around(value, moves, level, count)


def of_equal_size(
    value: float, left_out: Float[np.ndarray, "g"], groups: Int64[np.ndarray, "n"]
) -> Float64[np.ndarray, "g"]:
    """Return the values without each group, less what comes of how many sentences are left.

    A statistic that depends on the number of sentences, θ + b / n in expectation, differs without a
    large group and without a small one for that alone, which is no error. b is n times the jackknife's
    estimate of bias for groups of unequal sizes m, θ - (G θ - Σ (1 - m/n) θ_g).
    Source: Busing, Meijer & van der Leeden 1999, Delete-m jackknife for unequal m, eq. 6.
    """
    n, sizes = len(groups), np.bincount(groups)
    bias = value - (len(sizes) * value - ((1 - sizes / n) * left_out).sum())
    with np.errstate(invalid="ignore", divide="ignore"):  # a single group leaves nothing
        result: np.ndarray = left_out - bias * sizes / (n - sizes)
    return result


def _around(value: float, influences: Float[np.ndarray, "k"], level: float, parts: int) -> Interval:
    """Return value ± t · SE, t of one less degrees of freedom than there are parts."""
    import scipy.stats  # when needed: it takes half a second

    error = np.sqrt(len(influences) / (len(influences) - 1) * (influences @ influences))
    width = float(scipy.stats.t.ppf((1 + level) / 2, parts - 1) * error)
    return Interval(value - width, value + width, influences)


def twice_counted(influence: Float[np.ndarray, "n n"]) -> float:
    """Return the variance that the jackknife of a statistic of pairs of sentences counts twice.

    A statistic Σ_ij w_ij of pairs varies by its row effects (each sentence's mean pair) and by what is
    left of w without them. The jackknife doubles the latter, 2 Σ_{i≠j} w°_ij², which dominates where
    n < d. Source: Efron & Stein 1981, section 3.

    Args:
        influence: w, symmetric.
    """
    if len(influence) < MINIMUM:
        return 0.0
    rest = u_centre(influence)
    return float(2 * np.vdot(rest, rest))


def pair_jackknife(
    value: float,
    influence: Float[np.ndarray, "n n"],
    groups: Int64[np.ndarray, "n"],
    *,
    share: float = 1.0,
) -> Interval:
    """Return the jackknife interval of a statistic of pairs, from its influence function alone.

    Without a group the value moves by what its pairs contribute, as a share of the pairs that are left.
    Over documents nothing is taken off: their sizes and contents differ, and what differs so between
    pairs of documents looks like what is counted twice.

    Args:
        value: of all sentences.
        influence: what every ordered pair contributes; sums to 0.
        groups: 0 … G - 1, the group of each sentence.
        share: of what is counted twice that is taken off, of single sentences. All of it presumes that
            pairs are independent but for their row effects; in neighbourhoods they hang together.
    """
    blocks, n = by_group(influence, groups), len(groups)
    gone = 2 * blocks.sum(axis=0) - blocks.diagonal()
    if not are_documents(groups):
        return jackknife(value, value - gone, twice=share * twice_counted(influence))
    left = n - np.bincount(groups).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # a single document leaves nothing
        return jackknife(value, value - gone * (n * (n - 1)) / (left * (left - 1)))


def group_sums(
    rows: Float[np.ndarray, "n c"], groups: Int64[np.ndarray, "n"]
) -> Float[np.ndarray, "g c"]:
    """Sum the rows of each group; where each is one row, they are the rows themselves."""
    n = len(groups)
    if np.array_equal(groups, np.arange(n)):
        return rows
    shape = int(groups.max()) + 1, n
    chosen = scipy.sparse.csr_array((np.ones(n), (groups, np.arange(n))), shape=shape)
    sums: np.ndarray = chosen @ rows
    return sums


def by_group(
    matrix: Float[np.ndarray, "n n"], groups: Int64[np.ndarray, "n"]
) -> Float[np.ndarray, "g g"]:
    """Sum a matrix over the rows and columns of each group."""
    by_row = group_sums(matrix, groups)
    return group_sums(by_row.T, groups).T


def half_sampling(
    value: float,
    statistic: OfSubsets,
    groups: Int64[np.ndarray, "n"],
    *,
    rng: np.random.Generator,
    level: float = LEVEL,
    draws: int = HALVES,
    share: float = 0.5,
) -> Interval:
    """Return value ± t · SE, SE from the statistic of random halves of the groups without replacement.

    With h of G groups in a subsample, SE² = h / (G - h) · variance over subsamples: for halves the
    variance itself. The interval is around the full estimate; the mean of the halves, which is that
    of a smaller sample, is never used. Source: Politis, Romano & Wolf 1999, ch. 2; Shao & Wu 1989.

    Args:
        value: of all sentences.
        statistic: of each of several sets of rows, ascending.
        groups: 0 … G - 1, the group of each sentence.
        rng: source of the halves.
        level: of the interval.
        draws: how many halves.
        share: of the groups in a subsample; more than a half where the statistic needs many sentences.

    Returns:
        The interval; nan with fewer than 4 groups or where a half has no value.
    """
    count = int(groups.max()) + 1
    some = round(share * count)
    if count < 4 or not 0 < some < count:
        return NO_INTERVAL
    halves = []
    for _ in range(draws):
        chosen = np.zeros(count, bool)
        chosen[rng.permutation(count)[:some]] = True
        halves.append(np.flatnonzero(chosen[groups]))
    values = np.asarray(statistic(halves), dtype=np.float64)
    # so that k / (k - 1) Σ u² is h / (G - h) times their variance
    influences = (values - values.mean()) * np.sqrt(some / (count - some) / draws)
    return _around(value, influences, level, min(count, draws))


def members_of(groups: Int64[np.ndarray, "n"]) -> list[Int64[np.ndarray, "_"]]:
    """Return the rows of each group, ascending."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.cumsum(np.bincount(groups))[:-1])
