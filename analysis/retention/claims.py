"""Claims over several cells: some language, which languages, languages like these, recipes.

One checkpoint and these languages is one claim; each step beyond needs its own variance:

- all cells: an intersection–union test; each at .05, nothing to correct (Berger 1982).
- any cell: the maximum of all |t| at once (max-T; Westfall & Young 1993), `p_any`.
- a list of cells: the false discovery rate (Benjamini & Hochberg 1995), `q`.
- languages like these: languages are drawn, too; their variance and that of sentences that all languages
  share add up, each once.
- this recipe: seeds are drawn, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Float, Int64

from ...alignment.statistics.intervals import LEVEL
from .changes import Reading
from .paired import NAN, Estimated

LANGUAGES = 8  # fewer tell nothing about others
SEEDS = 3  # likewise of trainings
TOO_FEW_LANGUAGES = f"fewer than {LANGUAGES} languages: nothing is said about others"


@dataclass(frozen=True, eq=False)
class Pooled:
    """Estimates with standard errors that are sums of variances, each with its degrees of freedom."""

    value: Float[np.ndarray, "*c"]
    variances: Sequence[Float[np.ndarray, "*c"]]
    freedoms: Sequence[int | float | Int64[np.ndarray, "*c"]]

    @property
    def error(self) -> Float[np.ndarray, "*c"]:
        """The standard errors."""
        return np.asarray(np.sqrt(np.sum(self.variances, axis=0)))

    @property
    def freedom(self) -> Float[np.ndarray, "*c"]:
        """Degrees of freedom of the sum: Welch and Satterthwaite's."""
        parts = [one**2 / free for one, free in zip(self.variances, self.freedoms, strict=True)]
        below = np.sum(parts, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            most = reduce(np.maximum, self.freedoms)
            free = np.where(below > 0, self.error**4 / below, most)
        return np.asarray(free)

    def times(self, sign: int) -> "Pooled":
        """Return the estimates with their sign turned, or not."""
        return Pooled(np.asarray(sign * self.value), self.variances, self.freedoms)

    def interval(self, level: float = LEVEL) -> Estimated:
        """Return the interval of a single estimate, or of each of several."""
        import scipy.stats  # when needed: it takes half a second

        width = scipy.stats.t.ppf((1 + level) / 2, self.freedom) * self.error
        spans = (self.value, self.value - width, self.value + width, self.error)
        return Estimated(*(np.asarray(each)[()] for each in spans))

    def somewhere(self, beyond: float) -> int | None:
        """Return where an estimate is surely beyond ±`beyond`, the clearest, or None (Bonferroni)."""
        import scipy.stats

        wide = scipy.stats.t.ppf(1 - (1 - LEVEL) / 2 / self.value.size, self.freedom)
        clear = np.abs(self.value) - beyond - wide * self.error
        place = int(np.argmax(clear))
        return place if clear[place] > 0 else None


def p_of(reading: Reading) -> float:
    """Return the two-sided p of no change, by t of G - 1."""
    import scipy.stats

    if reading.groups < 2:
        return NAN
    statistic = _statistics([reading])[0]
    return float(2 * scipy.stats.t.sf(abs(statistic), reading.groups - 1))


def p_any(readings: Sequence[Reading]) -> Float[np.ndarray, "c"]:
    """Return for each of several changes the p that takes in that it is one of them (max-T).

    It is the share of draws without any change whose greatest |t| reaches this one's. Draws of languages
    that share sentences are drawn together.
    """
    if min(one.groups for one in readings) < 2:
        return np.full(len(readings), NAN)
    errors = [_error(one) for one in readings]
    drawn = [np.abs(one.drawn - one.value) / error for one, error in zip(readings, errors, strict=True)]
    most = np.max(drawn, axis=0)
    reached = [(most >= abs(statistic)).sum() for statistic in _statistics(readings)]
    return (1.0 + np.asarray(reached)) / (1.0 + len(most))


def languages_like_these(
    values: Float[np.ndarray, "l *k"],
    errors: Float[np.ndarray, "l *k"],
    error: float | Float[np.ndarray, "*k"],
    groups: int,
) -> Estimated:
    """Return the mean over languages with an interval for languages that were drawn like these.

    Where languages share sentences (FLORES) their errors go together; where each has its own (Tatoeba)
    they do not. The error of the mean tells which: e² = S + R for one language and S + R/L for the mean,
    S what all share and R what each has for itself. The variance is s²/L + S, for s² contains R.

    Args:
        values: a change per language, of one score or of several; nan where a language does not have it.
        errors: their standard errors over sentences.
        error: that of their mean.
        groups: of sentences.

    Returns:
        No interval below 8 languages.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.isfinite(values)
        count = known.sum(axis=0)
        mean = np.where(known, values, 0.0).sum(axis=0) / count
        squares = np.where(known, errors, 0.0) ** 2
        own = np.maximum(0.0, (squares.sum(axis=0) / count - error**2) * count / (count - 1))
        shared = np.maximum(0.0, error**2 - own / count)
        between = np.where(known, values - mean, 0.0) ** 2
        between = between.sum(axis=0) / (count - 1) / count
    enough = (count >= LANGUAGES) & (groups > 1)
    found = Pooled(
        np.asarray(mean),
        [np.asarray(between), np.asarray(shared)],
        [np.asarray(count - 1), max(groups - 1, 1)],
    ).interval()
    ends = (np.where(enough, end, NAN)[()] for end in (found.low, found.high, found.error))
    return Estimated(found.value, *ends)


def over_seeds(
    values: Float[np.ndarray, "s *c"], errors: Float[np.ndarray, "s *c"], groups: int
) -> Pooled:
    """Return the mean over trainings of one recipe.

    The variance is that between seeds, s²/S, and that of the sentences, which all seeds share: at most
    the square of the mean error, were they wholly the same (so that the interval is rather too wide).

    Args:
        values: a change per seed.
        errors: their standard errors over sentences.
        groups: of sentences.
    """
    count = len(values)
    variances = np.var(values, axis=0, ddof=1) / count, np.mean(errors, axis=0) ** 2
    mean = np.asarray(np.mean(values, axis=0))
    return Pooled(mean, list(map(np.asarray, variances)), [count - 1, max(groups - 1, 1)])


def _error(reading: Reading) -> float:
    return reading.error or np.finfo(float).tiny


def _statistics(readings: Sequence[Reading]) -> list[float]:
    return [float(one.value) / _error(one) for one in readings]
