"""What a measure gives of a pairing: a value per sentence, or one value and those without each group."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Outcome:
    """A measure in one direction: a value per sentence, whose mean it is, and its null."""

    direction: str
    sentences: Float[np.ndarray, "n"]
    null: float


@dataclass(frozen=True, eq=False)
class Statistic:
    """A measure in one direction that is no mean: its value, and those without each group."""

    direction: str
    value: float
    left_out: Float[np.ndarray, "g"]
    null: float = float("nan")


class TooFewSentences(ValueError):
    """A measure is not defined for so few sentences."""


def both_and_mean(
    forward: Float[np.ndarray, "g_plus_1"], backward: Float[np.ndarray, "g_plus_1"]
) -> list[Statistic]:
    """Return the statistics of two directions and their mean, each a value before those left out."""
    each = {"forward": forward, "backward": backward, "mean": (forward + backward) / 2}
    return [Statistic(direction, float(found[0]), found[1:]) for direction, found in each.items()]
