"""Two checkpoints on the same sentences: differences, ratios and log-odds with paired intervals.

All of them rest on one linearisation: the mean of outcomes o over sentences moves by
u_g = Σ_{i in g} (o_i - ō) / n with group g, so covariances of means are G/(G-1) Σ_g u_g u_gᵀ, whatever
the groups' sizes, and what two checkpoints (or languages) share cancels. Intervals take the t
distribution of G - 1 degrees of freedom.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Float64, Int64

from ..alignment.statistics.grouping import group_sums
from ..alignment.statistics.intervals import LEVEL

NAN = float("nan")


@dataclass(frozen=True)
class Estimated:
    """An estimate with its interval; the interval is nan where there is none."""

    value: float
    low: float = NAN
    high: float = NAN
    error: float = NAN  # standard error, where the interval is symmetric in it


@dataclass(frozen=True, eq=False)
class Means:
    """Means of some outcomes of the same sentences, and how each group moves them."""

    values: Float64[np.ndarray, "c"]
    influences: Float64[np.ndarray, "g c"]  # u_g

    @property
    def groups(self) -> int:
        """The number of groups."""
        return len(self.influences)

    @property
    def covariance(self) -> Float64[np.ndarray, "c c"]:
        """The covariance of the means."""
        if self.groups < 2:
            return np.full((len(self.values),) * 2, np.nan)
        result: np.ndarray = self.groups / (self.groups - 1) * (self.influences.T @ self.influences)
        return result

    def quantile(self, level: float = LEVEL) -> float:
        """The t quantile of a two-sided interval."""
        return t_quantile(self.groups - 1, level) if self.groups > 1 else NAN

    def below(self, constants: Float[np.ndarray, "c"]) -> "Means":
        """Return the means less what is known: nulls."""
        return Means(self.values - constants, self.influences)


@cache
def t_quantile(freedom: int, level: float) -> float:
    """Return the t quantile of a two-sided interval."""
    import scipy.stats  # when needed: it takes half a second

    return float(scipy.stats.t.ppf((1 + level) / 2, freedom))


def means_of(outcomes: Float[np.ndarray, "n c"], groups: Int64[np.ndarray, "n"]) -> Means:
    """Return the means of the columns and how each group moves them.

    Args:
        outcomes: a row per sentence.
        groups: 0 … G - 1.
    """
    values = outcomes.mean(axis=0)
    return Means(values, group_sums(outcomes - values, groups) / len(outcomes))


def average(parts: list[Means]) -> Means:
    """Return the mean over languages; group g of one language is group g of the others.

    Of parallel corpora that is true; of others it ties together what is independent, at no cost.
    """
    most = max(part.groups for part in parts)
    influences = np.zeros((most, len(parts[0].values)))
    for part in parts:
        influences[: part.groups] += part.influences
    return Means(np.mean([part.values for part in parts], axis=0), influences / len(parts))


def difference(means: Means, first: int = 0, second: int = 1) -> Estimated:
    """Return first - second with its interval."""
    value = float(means.values[first] - means.values[second])
    influences = means.influences[:, first] - means.influences[:, second]
    error = (
        np.sqrt(means.groups / (means.groups - 1) * (influences @ influences))
        if means.groups > 1
        else NAN
    )
    width = means.quantile() * float(error)
    return Estimated(value, value - width, value + width, float(error))


def interval(means: Means, which: int) -> Estimated:
    """Return one of the means with its interval."""
    value = float(means.values[which])
    width = means.quantile() * float(np.sqrt(means.covariance[which, which]))
    return Estimated(value, value - width, value + width)


def ratio(means: Means, first: int = 0, second: int = 1) -> Estimated:
    """Return first / second with Fieller's interval; none where it would not be bounded.

    The values ρ for which a - ρ b does not differ from 0: (a - ρb)² ≤ t² (V_a - 2ρ C + ρ² V_b).
    Source: Fieller 1954, Some problems in interval estimation.
    """
    a, b = float(means.values[first]), float(means.values[second])
    cov, t = means.covariance, means.quantile()
    value = a / b if b else NAN
    square = b**2 - t**2 * cov[second, second]
    if not square > 0:
        return Estimated(value)
    half = a * b - t**2 * cov[first, second]
    rest = a**2 - t**2 * cov[first, first]
    root = float(np.sqrt(max(half**2 - square * rest, 0.0)))
    return Estimated(value, (half - root) / square, (half + root) / square)


def log_odds(means: Means, first: int = 0, second: int = 1) -> Estimated:
    """Return the difference of two accuracies' log-odds, to first order; none at 0 and 1.

    A difference of .02 is much at .97 and little at .5; log-odds say so, a ratio of accuracies does not.
    """
    p = means.values[[first, second]]
    if not ((p > 0) & (p < 1)).all():
        return Estimated(NAN)
    slope = 1 / (p * (1 - p))
    moved = Means(np.log(p / (1 - p)), means.influences[:, [first, second]] * slope)
    return difference(moved)
