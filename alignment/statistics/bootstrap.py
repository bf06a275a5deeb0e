"""The bootstrap of means of outcomes: whole groups are drawn with replacement."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int64

from .grouping import group_sums
from .intervals import LEVEL

RESAMPLES = 1000

Seed = int | tuple[int, ...]


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
