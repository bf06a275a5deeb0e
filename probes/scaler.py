"""Standardising: mean 0 and variance 1 of the vectors that probes are fitted on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and spread of the vectors that probes are fitted on; a constant feature stays 0."""

    mean: Float[np.ndarray, "d"]
    deviation: Float[np.ndarray, "d"]

    @staticmethod
    def of(x: Float[np.ndarray, "n d"]) -> "Scaler":
        """Return the scaler of some vectors."""
        deviation = x.std(axis=0, dtype=np.float64)
        deviation[deviation <= 1e-6 * np.abs(x).max(axis=0)] = np.inf
        return Scaler(x.mean(axis=0, dtype=np.float64), deviation)

    def __call__(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Return vectors of mean 0 and variance 1, where they are those it was made of."""
        scaled: np.ndarray = ((x - self.mean) / self.deviation).astype(np.float32)
        return scaled
