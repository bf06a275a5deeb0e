"""Intervals: over groups where they are known, for sentences of one document are not independent.

Means of per-sentence outcomes are bootstrapped; other statistics take the jackknife around the full
estimate. Never the bootstrap with replacement for statistics of pairs: a sentence drawn twice would be
its own perfect neighbour.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int64

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
    if int(groups.max()) < 1:
        empty = np.full(outcomes.shape[1], np.nan)
        return empty, empty
    means = resampled_means(outcomes, groups, seed=seed, resamples=resamples)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


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


def _around(value: float, influences: Float[np.ndarray, "k"], level: float, parts: int) -> Interval:
    """Return value ± t · SE, t of one less degrees of freedom than there are parts."""
    import scipy.stats  # when needed: it takes half a second

    error = np.sqrt(len(influences) / (len(influences) - 1) * (influences @ influences))
    width = float(scipy.stats.t.ppf((1 + level) / 2, parts - 1) * error)
    return Interval(value - width, value + width, influences)


def twice_counted(influence: Float[np.ndarray, "n n"], groups: Int64[np.ndarray, "n"]) -> float:
    """Return the variance that the jackknife of a statistic of pairs counts twice.

    A statistic Σ_ij w_ij of pairs varies by its row effects (each group's mean pair) and by what is left
    of w without them. The jackknife doubles the latter, 2 Σ_{g≠h} w°_gh², which dominates where n < d.
    Source: Efron & Stein 1981, section 3.

    Args:
        influence: w, symmetric.
        groups: 0 … G - 1, the group of each sentence.
    """
    return _twice_counted(by_group(influence, groups))


def _twice_counted(blocks: Float[np.ndarray, "g g"]) -> float:
    if len(blocks) < MINIMUM:
        return 0.0
    rest = u_centre(blocks)
    return float(2 * np.vdot(rest, rest))


def pair_jackknife(
    value: float,
    influence: Float[np.ndarray, "n n"],
    groups: Int64[np.ndarray, "n"],
    *,
    share: float = 1.0,
) -> Interval:
    """Return the jackknife interval of a statistic of pairs, from its influence function alone.

    Args:
        value: of all sentences.
        influence: what every ordered pair contributes; sums to 0.
        groups: 0 … G - 1, the group of each sentence.
        share: of what is counted twice that is taken off. All of it presumes that pairs are independent
            but for their row effects; in neighbourhoods they hang together.
    """
    blocks = by_group(influence, groups)
    left_out = value - (2 * blocks.sum(axis=0) - blocks.diagonal())
    return jackknife(value, left_out, twice=share * _twice_counted(blocks))


def group_sums(
    rows: Float[np.ndarray, "n c"], groups: Int64[np.ndarray, "n"]
) -> Float[np.ndarray, "g c"]:
    """Sum the rows of each group."""
    n = len(groups)
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
