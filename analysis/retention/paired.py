"""Two checkpoints on the same sentences: differences, ratios and log-odds with paired intervals.

All of them rest on one linearisation: the mean of outcomes o over sentences moves by
u_g = Σ_{i in g} (o_i - ō) / n with group g, so covariances of means are G/(G-1) Σ_g u_g u_gᵀ, whatever
the groups' sizes, and what two checkpoints (or languages) share cancels. Intervals take the t
distribution of G - 1 degrees of freedom.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from ...alignment.statistics.bootstrap import RESAMPLES
from ...alignment.statistics.grouping import group_sums
from ...alignment.statistics.intervals import LEVEL

NAN = float("nan")
ROUNDING = 1e-6  # a difference below this is of vectors in float32, not of models

Numbers = float | Float[np.ndarray, "k"]
Places = int | slice | Int64[np.ndarray, "k"]  # one column of `Means`, or several


@dataclass(frozen=True)
class Estimated:
    """An estimate with its interval, or several; the interval is nan where there is none."""

    value: Numbers
    low: Numbers = NAN
    high: Numbers = NAN
    error: Numbers = NAN  # standard error, where the interval is symmetric in it


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
        found: np.ndarray = _unbiased(self.groups) * (self.influences.T @ self.influences)
        return found

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


def difference(means: Means, first: Places = 0, second: Places = 1) -> Estimated:
    """Return first - second with its interval; places are single columns or several."""
    value = unrounded(means.values[first] - means.values[second])
    return _estimated(value, means.influences[:, first] - means.influences[:, second])


def unrounded(difference: Numbers) -> Numbers:
    """Return differences, those that rounding makes as 0.

    A measure that a change leaves as it is (CKA, where all vectors are turned) differs in its last
    digits, with an interval as small as they are, which need not reach 0.
    """
    found: Numbers = np.where(np.abs(difference) < ROUNDING, 0.0, difference)[()]
    return found


def interval(means: Means, which: Places) -> Estimated:
    """Return one of the means with its interval, or several."""
    return _estimated(means.values[which], means.influences[:, which])


def ratio(means: Means, first: Places = 0, second: Places = 1) -> Estimated:
    """Return first / second with Fieller's interval; none where it would not be bounded.

    The values ρ for which a - ρ b does not differ from 0: (a - ρb)² ≤ t² (V_a - 2ρ C + ρ² V_b).
    Source: Fieller 1954, Some problems in interval estimation.
    """
    a, b = means.values[first], means.values[second]
    move_a, move_b = means.influences[:, first], means.influences[:, second]
    t_squared = _quantile(means.groups) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(b != 0, a / b, NAN)
        square = b**2 - t_squared * _products(move_b, move_b)
        square = np.where(square > 0, square, NAN)
        half = a * b - t_squared * _products(move_a, move_b)
        rest = a**2 - t_squared * _products(move_a, move_a)
        root = np.sqrt(np.maximum(half**2 - square * rest, 0.0))
    return Estimated(value[()], ((half - root) / square)[()], ((half + root) / square)[()])


def log_odds(means: Means, first: Places = 0, second: Places = 1) -> Estimated:
    """Return the difference of two accuracies' log-odds, to first order; none at 0 and 1.

    A difference of .02 is much at .97 and little at .5; log-odds say so, a ratio of accuracies does not.
    """
    p = np.where((means.values > 0) & (means.values < 1), means.values, NAN)
    odds = Means(np.log(p / (1 - p)), means.influences / (p * (1 - p)))
    return difference(odds, first, second)


def draws(means: Means, seed: tuple[int, int]) -> Float32[np.ndarray, "r c"]:
    """Return normal draws around 0 with the means' covariance: Σ_g z_g u_g √(G / (G - 1)), z normal.

    Draws of one seed go together, whatever they are of; the first groups of a longer sample are drawn
    like a shorter one.
    """
    if means.groups < 2:
        return np.full((RESAMPLES, len(means.values)), np.nan, np.float32)
    scaled = np.sqrt(_unbiased(means.groups)) * means.influences
    drawn: np.ndarray = _normal(means.groups, seed).T @ scaled.astype(np.float32)
    return drawn


@lru_cache(maxsize=4)  # measures and languages of the same sentences follow each other
def _normal(groups: int, seed: tuple[int, int]) -> Float32[np.ndarray, "g r"]:
    return np.random.default_rng(seed).standard_normal((groups, RESAMPLES)).astype(np.float32)


def _estimated(value: Numbers, influences: Float[np.ndarray, "g *k"]) -> Estimated:
    """Return a value, or several, with an interval of t."""
    error = np.sqrt(_products(influences, influences))
    width = _quantile(len(influences)) * error
    return Estimated(value, value - width, value + width, error)


def _products(first: Float[np.ndarray, "g *k"], second: Float[np.ndarray, "g *k"]) -> Numbers:
    """Return covariances: G / (G - 1) Σ_g u_g v_g."""
    found: Numbers = _unbiased(len(first)) * np.einsum("g...,g...->...", first, second)
    return found


def _unbiased(groups: int) -> float:
    return groups / (groups - 1) if groups > 1 else NAN


def _quantile(groups: int) -> float:
    return t_quantile(groups - 1, LEVEL) if groups > 1 else NAN
