"""Erasure: vectors from which no linear probe can tell a concept, changed as little as possible.

LEACE: r(x) = x - W⁺ P W (x - μ) with W the inverse root of the vectors' covariance and P the projection
onto the columns of W Σ_xz, z the one-hot labels. Then cov(r(x), z) = 0: on its own sample a linear probe
does no better than a constant; and, where the covariance is not shrunk, no other affine map of which
that is true moves the vectors less on average. Integer labels would be taken for one real number:
categories are always one-hot here. Source: Belrose et al. 2023, https://arxiv.org/abs/2306.03819.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from .classifiers.scaler import Scaler

ENOUGH = 5  # rows a dimension; with fewer the covariance is shrunk
TOLERANCE = 1e-10  # of the greatest: what is less is rounding


@dataclass(frozen=True, eq=False)
class Eraser:
    """x - (x - mean) @ down @ up: a concept's directions are found by `down`, taken away by `up`."""

    mean: Float[np.ndarray, "d"]
    down: Float[np.ndarray, "d r"]
    up: Float[np.ndarray, "r d"]

    @property
    def rank(self) -> int:
        """How many directions are taken away."""
        return len(self.up)

    def __call__(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Return the vectors without the concept, in float64."""
        wide = x.astype(np.float64)
        erased: np.ndarray = wide - ((wide - self.mean) @ self.down) @ self.up
        return erased


def leace(
    x: Float[np.ndarray, "n d"],
    labels: Int64[np.ndarray, "n"],
    classes: int,
    *,
    shrink: bool | None = None,
) -> Eraser:
    """Return the eraser of labels.

    Args:
        x: vectors.
        labels: 0 … classes - 1.
        classes: k; at most k - 1 directions go.
        shrink: the covariance by Ledoit and Wolf's rule, so that what few rows do not tell of it is not
            erased at random; on its own sample the concept is gone in either case. By default where
            n < 5 d.

    Raises:
        ValueError: values that are not finite, fewer than two classes.
    """
    white = _White.of(x, labels, classes, shrink)
    return white.eraser(white.concept)


def random_eraser(
    x: Float[np.ndarray, "n d"],
    labels: Int64[np.ndarray, "n"],
    classes: int,
    *,
    seed: int = 0,
    shrink: bool | None = None,
) -> Eraser:
    """Return an eraser of as many random directions: what losing just any does. See `leace`."""
    white = _White.of(x, labels, classes, shrink)
    drawn = np.random.default_rng(seed).standard_normal(white.concept.shape)
    return white.eraser(np.linalg.qr(white.inverse @ white.root @ drawn)[0])


@dataclass(frozen=True, eq=False)
class _White:
    """The covariance's root and inverse root, and an orthonormal basis of the whitened concept.

    Of standardised vectors: features may differ by many orders of magnitude, and a probe standardises.
    """

    scaler: Scaler
    root: Float[np.ndarray, "d d"]
    inverse: Float[np.ndarray, "d d"]
    concept: Float[np.ndarray, "d r"]

    @staticmethod
    def of(x: np.ndarray, labels: np.ndarray, classes: int, shrink: bool | None) -> "_White":
        from sklearn.covariance import ledoit_wolf

        if not np.isfinite(x).all():
            raise ValueError("the vectors to erase from are not finite")
        if len(np.unique(labels)) < 2:
            raise ValueError("fewer than two classes: nothing to erase")
        scaler, (n, d) = Scaler.of(x, weakest=0.0), x.shape  # nothing is left, however small
        z = (x - scaler.mean) / scaler.deviation
        shrink = n < ENOUGH * d if shrink is None else shrink
        covariance = ledoit_wolf(z, assume_centered=True)[0] if shrink else z.T @ z / n
        values, vectors = np.linalg.eigh(covariance)
        kept = values > TOLERANCE * values[-1]
        values, vectors = values[kept], vectors[:, kept]
        root, inverse = ((vectors * values**power) @ vectors.T for power in (0.5, -0.5))
        hot = np.eye(classes)[labels]
        basis, strengths, _ = np.linalg.svd(inverse @ (z.T @ (hot - hot.mean(axis=0)) / n), False)
        return _White(scaler, root, inverse, basis[:, strengths > TOLERANCE * strengths[0]])

    def eraser(self, basis: Float[np.ndarray, "d r"]) -> Eraser:
        """Return what takes away the directions of a basis, of vectors as they are."""
        deviation = self.scaler.deviation
        varies = np.isfinite(deviation)
        return Eraser(
            self.scaler.mean,
            (self.inverse @ basis) / deviation[:, None],
            (basis.T @ self.root) * np.where(varies, deviation, 0),
        )
