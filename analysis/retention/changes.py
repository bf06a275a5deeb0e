"""Changes of a curve over layers, read in three ways: at equal layers, at the best ones, as an area.

A gain at one fixed layer may be a shift of layers, so each checkpoint is also read at its own best
layer, chosen on other sentences, and by the area under its curve over depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int64

from ...alignment.statistics.intervals import LEVEL
from .paired import Estimated, Means, draws, interval, t_quantile, unrounded
from .warping import depth_warp

READINGS = ("equal", "best", "area", "shift")
WARPED = 200  # draws; they take longer than all the rest


@dataclass(frozen=True, eq=False)
class Reading:
    """A change and draws of it from the distribution that an interval is of."""

    value: Float[np.ndarray, "*c"]
    drawn: Float[np.ndarray, "r *c"]
    groups: int

    def times(self, sign: int) -> "Reading":
        """Return the change with its sign turned, or not."""
        return Reading(np.asarray(sign * self.value), sign * self.drawn, self.groups)

    def plus(self, other: "Reading") -> "Reading":
        """Return the sum of two changes; draws are of the same groups."""
        groups = max(self.groups, other.groups)
        return Reading(np.asarray(self.value + other.value), self.drawn + other.drawn, groups)

    def over(self, count: int) -> "Reading":
        """Return the change divided by a number."""
        return Reading(np.asarray(self.value / count), self.drawn / count, self.groups)

    def interval(self, level: float = LEVEL) -> Estimated:
        """Return the interval of a single value: quantiles of the draws, as t of G - 1 is wider."""
        low, high = (self._quantile(share) for share in ((1 - level) / 2, (1 + level) / 2))
        wider, value = _wider(self.groups, level), float(self.value)
        return Estimated(value, value + wider * low, value + wider * high, self.error)

    @cached_property
    def error(self) -> float:
        """The standard error of a single value."""
        return float(self.drawn.std())

    @cached_property
    def _ordered(self) -> Float[np.ndarray, "r"]:
        return np.sort(self.drawn - self.value)

    def _quantile(self, share: float) -> float:
        """Return a quantile of the draws around the value, between two of them: as np.quantile."""
        place = share * (len(self._ordered) - 1)
        first = int(place)
        below, above = self._ordered[first], self._ordered[min(first + 1, len(self._ordered) - 1)]
        return float(below + (place - first) * (above - below))

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
    shift: Reading  # by how many layers the curve moved towards the output, see `warping`
    layers: tuple[int, int]  # the best ones, of the fine-tuned and of the base
    better: int  # 1 where more is better, else -1
    assessable: bool  # the base is above its floors at its best layer

    def plus(self, other: "Change") -> "Change":
        """Return the sum of the changes of two languages, each at its own best layers."""
        return Change(
            self.equal.plus(other.equal),
            self.best.plus(other.best),
            self.area.plus(other.area),
            self.shift.plus(other.shift),
            (-1, -1),
            self.better,
            self.assessable and other.assessable,
        )

    def over(self, count: int) -> "Change":
        """Return the mean of so many changes from their sum."""
        readings = {name: getattr(self, name).over(count) for name in READINGS}
        return replace(self, **readings)


@dataclass(frozen=True, eq=False)
class Curves:
    """Scores of two checkpoints at every layer: the fine-tuned's, then the base's."""

    values: Float[np.ndarray, "2 l"]
    drawn: Float[np.ndarray, "r 2 l"]  # as if other sentences had been taken
    groups: int

    def best(self, better: int) -> tuple[Int64[np.ndarray, "2"], Int64[np.ndarray, "r 2"]]:
        """Return each one's own best layer, and that of every draw."""
        found = (better * each for each in (self.values, self.drawn))
        values, drawn = (np.where(np.isnan(each), -np.inf, each).argmax(axis=-1) for each in found)
        return values, drawn


def curves_of(means: Means, seed: tuple[int, int]) -> Curves:
    """Return the curves of the scores of a fine-tuned checkpoint's layers, then of its base's."""
    values, drawn = means.values, means.values + draws(means, seed)
    return Curves(values.reshape(2, -1), drawn.reshape(len(drawn), 2, -1), means.groups)


def change_of(
    test: Means, dev: Means, nulls: Float[np.ndarray, "c"], surface: float, better: int, seed: int = 0
) -> Change:
    """Return how a curve changed; see `change_between`.

    Args:
        test: scores of the fine-tuned checkpoint's layers, then of the base's.
        dev: the same of other sentences, by which the best layers are chosen.
        nulls: of the scores of `test`.
        surface: the floor that needs no model, or nan.
        better: 1 where more is better, else -1.
        seed: of the draws.
    """
    curves = curves_of(test, (seed, 0)), curves_of(dev, (seed, 1))
    lows = interval(test, np.arange(len(nulls) // 2, len(nulls))).low
    return change_between(*curves, nulls.reshape(2, -1), surface, np.asarray(lows), better)


def change_between(
    test: Curves,
    dev: Curves,
    nulls: Float[np.ndarray, "2 l"],
    surface: float,
    lows: Float[np.ndarray, "l"],
    better: int,
) -> Change:
    """Return how a curve changed, in three readings.

    Draws are normal, so that they are there for every score that has influences; the best layer is
    chosen again in every draw of the dev scores, or the interval would not know that it could have been
    another.

    Args:
        test: what is reported.
        dev: by which the best layers are chosen.
        nulls: of the scores of `test`.
        surface: the floor that needs no model, or nan.
        lows: the lower ends of the base's intervals.
        better: 1 where more is better, else -1.
    """
    count = test.values.shape[1]
    nulls = np.nan_to_num(nulls)
    (own, plain), (own_drawn, plain_drawn) = (
        np.moveaxis(each - nulls, -2, 0) for each in (test.values, test.drawn)
    )
    chosen, chosen_drawn = dev.best(better)
    every = np.arange(len(chosen_drawn))
    weight = np.ones(count)
    weight[[0, -1]] = 0.5 if count > 1 else 1.0  # the trapezoidal rule
    weight /= weight.sum()
    best = own_drawn[every, chosen_drawn[:, 0]] - plain_drawn[every, chosen_drawn[:, 1]]
    floor = np.nanmax([nulls[1, chosen[1]], surface, -np.inf])
    return Change(
        equal=_reading(own - plain, own_drawn - plain_drawn, test.groups),
        best=_reading(own[chosen[0]] - plain[chosen[1]], best, test.groups),
        area=_reading((own - plain) @ weight, (own_drawn - plain_drawn) @ weight, test.groups),
        shift=_shift((own, plain), (own_drawn, plain_drawn), test.groups),
        layers=(int(chosen[0]), int(chosen[1])),
        better=better,
        assessable=better < 0 or bool(lows[chosen[1]] > floor),
    )


def _reading(value: Float[np.ndarray, "*c"] | float, drawn: np.ndarray, groups: int) -> Reading:
    """Return a change, without what rounding makes of none."""
    kept = np.asarray(unrounded(value))
    return Reading(kept, drawn + (kept - value), groups)


def _shift(
    curves: tuple[Float[np.ndarray, "l"], Float[np.ndarray, "l"]],
    drawn: tuple[Float[np.ndarray, "r l"], Float[np.ndarray, "r l"]],
    groups: int,
) -> Reading:
    """Return by how many layers a curve moved, in the mean over layers."""
    noise = float(np.sqrt((drawn[0] - drawn[1]).var(axis=0).mean()))
    layers = np.arange(len(curves[0]))
    some = drawn[0][:WARPED], drawn[1][:WARPED]
    value, draws_of = ((layers - depth_warp(*each, noise)).mean(axis=-1) for each in (curves, some))
    return Reading(np.asarray(value), draws_of, groups)


def mean_change(changes: Sequence[Change]) -> Change:
    """Return the mean over languages; draws are of the same groups, best layers each language's own."""
    count = len(changes)
    return reduce(Change.plus, changes).over(count)


def _wider(groups: int, level: float) -> float:
    """Return by how much t of G - 1 degrees of freedom is wider than the normal law."""
    if groups < 2:
        return float("nan")
    return t_quantile(groups - 1, level) / NormalDist().inv_cdf((1 + level) / 2)
