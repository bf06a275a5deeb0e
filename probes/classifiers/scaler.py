"""Standardising: mean 0 and variance 1 of the vectors that probes are fitted on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

WEAKEST = 0.1  # of the median deviation: the least that a feature is divided by


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
            weakest: no feature is divided by less than this share of the median deviation. Some models'
                last layer norms leave features of 1e-8, which brought to variance 1 would outweigh all
                others where another language, or a map, has anything in them.
        """
        deviation = x.std(axis=0, dtype=np.float64)
        constant = deviation <= 1e-6 * np.abs(x).max(axis=0)
        deviation = np.maximum(deviation, weakest * np.median(deviation))
        return Scaler(x.mean(axis=0, dtype=np.float64), np.where(constant, np.inf, deviation))

    def __call__(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Return vectors of mean 0 and variance 1, where they are those it was made of."""
        scaled: np.ndarray = ((x - self.mean) / self.deviation).astype(np.float32)
        return scaled
