"""Intervals: over groups where they are known, for sentences of one document are not independent.

Means of per-sentence outcomes are bootstrapped; other statistics take the jackknife around the full
estimate. Never the bootstrap with replacement for statistics of pairs: a sentence drawn twice would be
its own perfect neighbour.
"""

import numpy as np
import scipy.stats
from jaxtyping import Float, Int64

LEVEL = 0.95
RESAMPLES = 1000


def group_bootstrap(
    outcomes: Float[np.ndarray, "n c"],
    groups: Int64[np.ndarray, "n"],
    *,
    rng: np.random.Generator,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> tuple[Float[np.ndarray, "c"], Float[np.ndarray, "c"]]:
    """Return percentile intervals of the column means, resampling whole groups.

    All columns share the resamples, so that they may be compared. Where all outcomes of a column are
    equal the interval has no width: there is nothing in the sample to tell how far off it is.

    Args:
        outcomes: a row per sentence, a column per statistic.
        groups: 0 … G - 1, the group of each sentence.
        rng: source of the resamples.
        level: of the interval.
        resamples: how many.

    Returns:
        Lower and upper ends; nan with a single group.
    """
    count = int(groups.max()) + 1
    if count < 2:
        empty = np.full(outcomes.shape[1], np.nan)
        return empty, empty
    sizes = np.bincount(groups).astype(np.float64)
    sums = np.zeros((count, outcomes.shape[1]))
    np.add.at(sums, groups, outcomes)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)
    means = (weights @ sums) / (weights @ sizes)[:, None]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def jackknife(
    value: float, left_out: Float[np.ndarray, "g"], *, level: float = LEVEL
) -> tuple[float, float]:
    """Return value ± t · SE with SE² = (G-1)/G Σ (θ_g - θ̄)², t of G - 1 degrees of freedom.

    Source: Efron & Stein 1981, The jackknife estimate of variance.
    """
    count = len(left_out)
    if count < 2 or not np.isfinite(left_out).all():
        return float("nan"), float("nan")
    error = np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum())
    width = scipy.stats.t.ppf((1 + level) / 2, count - 1) * error
    return value - float(width), value + float(width)
