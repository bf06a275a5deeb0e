"""Standardising: mean 0 and variance 1 of the vectors that probes are fitted on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

WEAKEST = 1e-6  # of the median deviation: below it a feature is rounding


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and spread of the vectors that probes are fitted on; a constant feature becomes 0."""

    mean: Float[np.ndarray, "d"]
    deviation: Float[np.ndarray, "d"]

    @staticmethod
    def of(x: Float[np.ndarray, "n d"], weakest: float = WEAKEST) -> "Scaler":
        """Return the scaler of some vectors.

        Args:
            x: the vectors.
            weakest: a feature whose deviation is no greater share of the median one is constant, too:
                some models' last layer norms leave features of 1e-8, which brought to variance 1 would
                outweigh all others as soon as a map mixes something into them.
        """
        deviation = x.std(axis=0, dtype=np.float64)
        least = np.maximum(1e-6 * np.abs(x).max(axis=0), weakest * np.median(deviation))
        deviation[deviation <= least] = np.inf
        return Scaler(x.mean(axis=0, dtype=np.float64), deviation)

    def __call__(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Return vectors of mean 0 and variance 1, where they are those it was made of."""
        scaled: np.ndarray = ((x - self.mean) / self.deviation).astype(np.float32)
        return scaled
