"""What a measure gives of a pairing: a value per sentence, or one value and its interval."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from .intervals import Interval


@dataclass(frozen=True, eq=False)
class Outcome:
    """A measure in one direction: a value per sentence, whose mean it is, and its null.

    Where documents are known, `without` returns the means without each, its sentences being no
    candidates either; None where a value does not depend on other sentences, or what it would be is not
    known. It is asked for intervals only: n-gram floors have none.
    """

    direction: str
    sentences: Float[np.ndarray, "n"]
    null: float
    without: Callable[[], Float[np.ndarray, "g"]] | None = None

    @cached_property
    def left_out(self) -> Float[np.ndarray, "g"] | None:
        """The means without each document."""
        return None if self.without is None else self.without()


@dataclass(frozen=True, eq=False)
class Statistic:
    """A measure in one direction that is no mean: its value, interval and null."""

    direction: str
    value: float
    ends: Interval
    null: float = float("nan")


class TooFewSentences(ValueError):
    """A measure is not defined for so few sentences."""


def both_and_mean(
    forward: Float[np.ndarray, "g_plus_1"],
    backward: Float[np.ndarray, "g_plus_1"],
    interval: Callable[[float, Float[np.ndarray, "g"]], Interval],
) -> list[Statistic]:
    """Return the statistics of two directions and their mean.

    Args:
        forward: a value, and those without each group.
        backward: of the other direction.
        interval: of a value and those without each group.
    """
    each = {"forward": forward, "backward": backward, "mean": (forward + backward) / 2}
    return [
        Statistic(direction, float(found[0]), interval(float(found[0]), found[1:]))
        for direction, found in each.items()
    ]
