"""Verdicts: is alignment retained, lost, moved or gained, to within a margin that was named before?

A score at one fixed layer may fall because alignment moved to another layer. So a change is read in
three ways: at equal layers, at each checkpoint's own best layer (chosen on other sentences), and as the
area under the curve over depth. What the last two agree on is a loss or a gain; what only equal layers
show has moved. “Retained” is a claim of its own, that the loss is smaller than the margin: a difference
that is not significant says nothing (Schuirmann 1987; non-inferiority at a level of .05).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from statistics import NormalDist
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from ..alignment.statistics.bootstrap import RESAMPLES
from ..alignment.statistics.intervals import LEVEL
from .paired import Estimated, Means, interval, t_quantile

ONE_SIDED = 0.90  # level of the two-sided interval whose lower end is a bound at .05


class Verdict(StrEnum):
    """What is said of a change."""

    RETAINED = "retained"
    LOST = "lost"
    MOVED = "moved"
    GAINED = "gained"
    INCONCLUSIVE = "inconclusive"
    NOT_ASSESSABLE = "not assessable"


@dataclass(frozen=True, eq=False)
class Reading:
    """A change and draws of it from the distribution that an interval is of."""

    value: Float[np.ndarray, "*c"]
    drawn: Float[np.ndarray, "r *c"]
    groups: int

    def times(self, sign: int) -> "Reading":
        """Return the change with its sign turned, or not."""
        return Reading(np.asarray(sign * self.value), sign * self.drawn, self.groups)

    def interval(self, level: float = LEVEL) -> Estimated:
        """Return the interval of a single value: quantiles of the draws, as t of G - 1 is wider."""
        low, high = np.quantile(self.drawn - self.value, [(1 - level) / 2, (1 + level) / 2])
        wider = _wider(self.groups, level)
        value = float(self.value)
        error = float(self.drawn.std())
        return Estimated(value, value + wider * float(low), value + wider * float(high), error)

    def somewhere(self, beyond: float) -> int | None:
        """Return where a change is surely beyond ±`beyond`, the clearest of several, or None.

        Intervals hold for all places at once (max-T): with no change beyond, 5 % at most find one.
        """
        errors = self.drawn.std(axis=0)
        errors[errors == 0] = np.finfo(float).tiny
        most = np.quantile(np.abs((self.drawn - self.value) / errors).max(axis=1), LEVEL)
        clear = (np.abs(self.value) - beyond) / errors
        place = int(clear.argmax())
        return place if clear[place] > most * _wider(self.groups, LEVEL) else None


@dataclass(frozen=True, eq=False)
class Change:
    """How a curve over layers changed, in three readings."""

    equal: Reading  # of every layer
    best: Reading  # each at its own best layer
    area: Reading  # the mean over depth
    layers: tuple[int, int]  # the best ones, of the fine-tuned and of the base
    better: int  # 1 where more is better, else -1
    assessable: bool  # the base is above its floors at its best layer


def change_of(
    test: Means, dev: Means, nulls: Float[np.ndarray, "c"], surface: float, better: int, seed: int = 0
) -> Change:
    """Return how a curve changed.

    Draws are normal with the covariance of the scores (Σ_g z_g u_g √(G / (G - 1)), z standard normal),
    so that they are there for every score that has influences; the best layer is chosen again in every
    draw of the dev scores, or the interval would not know that it could have been another.

    Args:
        test: scores of the fine-tuned checkpoint's layers, then of the base's.
        dev: the same of other sentences, by which the best layers are chosen.
        nulls: of the scores of `test`.
        surface: the floor that needs no model, or nan.
        better: 1 where more is better, else -1.
        seed: of the draws.
    """
    count = len(test.values) // 2
    nulls = np.nan_to_num(nulls)
    above, above_drawn = (
        (scores - nulls).reshape(-1, 2, count) for scores in (test.values[None], _draws(test, (seed, 0)))
    )
    chosen, chosen_drawn = (
        np.nan_to_num(better * scores, nan=-np.inf).reshape(-1, 2, count).argmax(axis=2)
        for scores in (dev.values[None], _draws(dev, (seed, 1)))
    )
    weight = np.ones(count)
    weight[[0, -1]] = 0.5 if count > 1 else 1.0  # the trapezoidal rule

    def reading(of_curves: np.ndarray, of_drawn: np.ndarray) -> Reading:
        return Reading(np.asarray(of_curves[0]), of_drawn, test.groups)

    def at(curves: np.ndarray, layers: np.ndarray) -> np.ndarray:
        own = np.take_along_axis(curves, layers[:, :, None], axis=2)[:, :, 0]
        difference: np.ndarray = own[:, 0] - own[:, 1]
        return difference

    base = count + int(chosen[0, 1])
    floor = np.nanmax([nulls[base], surface, -np.inf])
    return Change(
        equal=reading(above[:, 0] - above[:, 1], above_drawn[:, 0] - above_drawn[:, 1]),
        best=reading(at(above, chosen), at(above_drawn, chosen_drawn)),
        area=reading(
            (above[:, 0] - above[:, 1]) @ weight / weight.sum(),
            (above_drawn[:, 0] - above_drawn[:, 1]) @ weight / weight.sum(),
        ),
        layers=(int(chosen[0, 0]), int(chosen[0, 1])),
        better=better,
        assessable=better < 0 or bool(interval(test, base).low > floor),
    )


def mean_change(changes: Sequence[Change]) -> Change:
    """Return the mean over languages; draws are of the same groups, best layers each language's own."""

    def mean(readings: Sequence[Reading]) -> Reading:
        return Reading(
            np.asarray(np.mean([one.value for one in readings], axis=0)),
            np.mean([one.drawn for one in readings], axis=0),
            max(one.groups for one in readings),
        )

    return Change(
        mean([one.equal for one in changes]),
        mean([one.best for one in changes]),
        mean([one.area for one in changes]),
        (-1, -1),
        changes[0].better,
        all(one.assessable for one in changes),
    )


@runtime_checkable
class Evidence(Protocol):
    """What is known of a change, or of several."""

    def times(self, sign: int, /) -> "Evidence":
        """Return it with its sign turned, or not."""

    def interval(self, level: float = LEVEL, /) -> Estimated:
        """Return the interval of a single change."""

    def somewhere(self, beyond: float, /) -> int | None:
        """Return where one is surely beyond ±`beyond`, or None."""


@runtime_checkable
class Judged(Protocol):
    """A change in three readings."""

    @property
    def equal(self) -> Evidence:
        """Of every layer."""

    @property
    def best(self) -> Evidence:
        """Each at its own best layer."""

    @property
    def area(self) -> Evidence:
        """The mean over depth."""

    @property
    def better(self) -> int:
        """1 where more is better, else -1."""

    @property
    def assessable(self) -> bool:
        """Whether the base is above its floors."""


def judge(change: Judged, margin: float) -> Verdict:
    """Return the verdict on a change.

    - not assessable: the base is not above its floors at its best layer.
    - gained, lost: the 95 % intervals at the best layers AND of the area are on one side of 0, and a
      loss is not retained.
    - moved: the best layers retain it, and some equal layer surely changed by more than the margin.
    - retained: at the best layers AND of the area the loss is smaller than the margin (one-sided, .05).
    - inconclusive: none of these; more sentences would tell.

    Args:
        change: see `change_of`.
        margin: the greatest loss that still counts as retained, in units of the score.
    """
    if not change.assessable:
        return Verdict.NOT_ASSESSABLE
    both = [one.times(change.better) for one in (change.best, change.area)]
    within = [one.interval(ONE_SIDED).low > -margin for one in both]
    spans = [one.interval() for one in both]
    if all(span.low > 0 for span in spans):
        return Verdict.GAINED
    if all(span.high < 0 for span in spans) and not all(within):
        return Verdict.LOST
    if within[0] and change.equal.somewhere(margin) is not None:
        return Verdict.MOVED
    return Verdict.RETAINED if all(within) else Verdict.INCONCLUSIVE


def _draws(means: Means, seed: tuple[int, int]) -> Float[np.ndarray, "r c"]:
    """Return draws of the means; the first groups of a longer sample are drawn like a shorter one."""
    if means.groups < 2:
        return np.full((RESAMPLES, len(means.values)), np.nan)
    scale = np.sqrt(means.groups / (means.groups - 1))
    drawn: np.ndarray = means.values + scale * (_normal(means.groups, seed).T @ means.influences)
    return drawn


@lru_cache(maxsize=4)  # measures and languages of the same sentences follow each other
def _normal(groups: int, seed: tuple[int, int]) -> Float[np.ndarray, "g r"]:
    return np.random.default_rng(seed).standard_normal((groups, RESAMPLES))


def _wider(groups: int, level: float) -> float:
    """Return by how much t of G - 1 degrees of freedom is wider than the normal law."""
    if groups < 2:
        return float("nan")
    return t_quantile(groups - 1, level) / NormalDist().inv_cdf((1 + level) / 2)
