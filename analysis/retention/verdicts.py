"""Verdicts: is alignment retained, lost, moved or gained, to within a margin that was named before?

A score at one fixed layer may fall because alignment moved to another layer. So a change is read in
three ways: at equal layers, at each checkpoint's own best layer (chosen on other sentences), and as the
area under the curve over depth. What the last two agree on is a loss or a gain; what only equal layers
show has moved. “Retained” is a claim of its own, that the loss is smaller than the margin: a difference
that is not significant says nothing (Schuirmann 1987; non-inferiority at a level of .05).
"""

from enum import StrEnum
from typing import Protocol, runtime_checkable

from ...alignment.statistics.intervals import LEVEL
from .paired import Estimated

ONE_SIDED = 0.90  # level of the two-sided interval whose lower end is a bound at .05


class Verdict(StrEnum):
    """What is said of a change."""

    RETAINED = "retained"
    LOST = "lost"
    MOVED = "moved"
    GAINED = "gained"
    INCONCLUSIVE = "inconclusive"
    NOT_ASSESSABLE = "not assessable"


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
    - gained, lost: the 95 % intervals at the best layers AND of the area are on one side of 0, and the
      best layers do not retain a loss: the area alone falls where a curve moves out of the model.
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
    if all(span.high < 0 for span in spans) and not within[0]:
        return Verdict.LOST
    if within[0] and change.equal.somewhere(margin) is not None:
        return Verdict.MOVED
    return Verdict.RETAINED if all(within) else Verdict.INCONCLUSIVE
