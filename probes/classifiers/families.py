"""Families of probes, fitted to several label sets at once, each chosen by the first set's dev loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import logsumexp

from ...data.rows import Columns
from .linear import fit
from .mlp import fit_mlp
from .ridge import fit_ridge
from .scaler import Scaler

PENALTIES = (1e-3, 1e-2, 0.1, 1.0, 10.0)  # λ, of standardised vectors
CHOOSING = 1e-3  # the gap at which penalties are compared; dev's loss does not see the rest
WIDTHS = (64,)  # hidden units of the perceptron


@runtime_checkable
class Fitted(Protocol):
    """A probe for each of several label sets."""

    @property
    def setting(self) -> float:
        """λ, or the number of hidden units."""

    @property
    def loss(self) -> float:
        """Of the first set on dev: nats; of ridge the squared error."""

    @property
    def converged(self) -> bool:
        """Whether all sets' probes were."""

    def logits(self, x: Float[np.ndarray, "m d"], sets: int | None = None) -> Float[np.ndarray, "s m k"]:
        """Return the logits of vectors by the probes of the first `sets` label sets; by default all."""


@dataclass(frozen=True, eq=False)
class Affine:
    """Linear probes of vectors as they are."""

    weights: Float[np.ndarray, "s d k"]
    biases: Float[np.ndarray, "s k"]
    setting: float
    loss: float
    converged: bool

    @cached_property
    def _flat(self) -> tuple[np.ndarray, np.ndarray]:
        """All sets side by side: (d, s k) and (s k,)."""
        flat = self.weights.transpose(1, 0, 2).reshape(self.weights.shape[1], -1)
        return np.ascontiguousarray(flat), self.biases.reshape(-1)

    def logits(self, x: Float[np.ndarray, "m d"], sets: int | None = None) -> Float[np.ndarray, "s m k"]:
        """Return the logits by the probes of the first `sets` label sets, from one product."""
        every, _, k = self.weights.shape
        sets = every if sets is None else sets
        weights, biases = self._flat
        found = x @ weights[:, : sets * k]
        found += biases[: sets * k]
        result: np.ndarray = found.reshape(len(x), sets, k).transpose(1, 0, 2)
        return result


@dataclass(frozen=True, eq=False)
class Sample:
    """What probes are fitted on: vectors, and the labels of every set."""

    x: Float[np.ndarray, "n d"]
    sets: Int64[np.ndarray, "s n"]
    x_dev: Float[np.ndarray, "m d"]
    dev: Int64[np.ndarray, "s m"]
    classes: int
    seed: int = 0
    device: str = "cpu"


def linear(sample: Sample) -> Affine:
    """Multinomial logistic regressions; all sets take the λ that is best for the first."""
    scaler = Scaler.of(sample.x)
    z, rates = scaler(sample.x), np.array(PENALTIES)
    options: Columns = {"classes": sample.classes, "device": sample.device}
    tried = fit(z, sample.sets[:1], rates, gap=CHOOSING, **options).on_raw(scaler)
    losses = [nats(tried.logits(sample.x_dev, i)[0], sample.dev[0]) for i in range(len(rates))]
    best = int(np.argmin(losses))
    solved = fit(z, sample.sets, rates[best : best + 1], **options)
    raw = solved.on_raw(scaler)
    loss = nats(raw.logits(sample.x_dev, 0)[0], sample.dev[0])
    return Affine(
        raw.weights[:, 0], raw.biases[:, 0], PENALTIES[best], loss, bool(solved.converged.all())
    )


def ridge(sample: Sample) -> Affine:
    """Ridge regressions of the classes: a first look, in a tenth of the time."""
    scaler = Scaler.of(sample.x)
    found = fit_ridge(
        scaler(sample.x), sample.sets, scaler(sample.x_dev), sample.dev[0], PENALTIES, sample.classes
    )
    weights = found.weights / scaler.deviation[:, None]
    biases = found.biases - np.einsum("d,sdk->sk", scaler.mean, weights)
    return Affine(weights.astype(np.float32), biases.astype(np.float32), found.penalty, found.loss, True)


def mlp(sample: Sample, width: int = WIDTHS[0]) -> Fitted:
    """One hidden layer: what is there, but not for a linear reader."""
    return fit_mlp(
        Scaler.of(sample.x), (sample.x, sample.sets), (sample.x_dev, sample.dev),
        width=width, classes=sample.classes, seed=sample.seed, device=sample.device,
    )  # fmt: skip


FAMILIES: Mapping[str, Callable[[Sample], Fitted]] = {"linear": linear, "ridge": ridge, "mlp": mlp}


def nats(logits: Float[np.ndarray, "n k"], labels: Int64[np.ndarray, "n"]) -> float:
    """Return the mean of -log p(label)."""
    wide = logits.astype(np.float64)
    return float((logsumexp(wide, axis=1) - wide[np.arange(len(labels)), labels]).mean())
