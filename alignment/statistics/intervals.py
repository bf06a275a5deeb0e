"""Intervals, and how much each part of the sample moves a value.

Means of outcomes of single sentences are bootstrapped (`bootstrap`); over documents, and for other
statistics, there is the jackknife (`deletion`), or half-sampling, here, where a deletion costs too much.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

LEVEL = 0.95
HALVES = 30

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


def around(value: float, influences: Float[np.ndarray, "k"], level: float, parts: int) -> Interval:
    """Return value ± t · SE, t of one less degrees of freedom than there are parts."""
    import scipy.stats  # when needed: it takes half a second

    error = np.sqrt(len(influences) / (len(influences) - 1) * (influences @ influences))
    width = float(scipy.stats.t.ppf((1 + level) / 2, parts - 1) * error)
    return Interval(value - width, value + width, influences)


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
    return around(value, influences, level, min(count, draws))
