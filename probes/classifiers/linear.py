"""Linear probes: many multinomial logistic regressions over the same vectors, solved as one.

min over W, b of  1/n Σ_i -log softmax(x_i W + b)[y_i] + λ/2 ‖W‖², the bias free: scikit-learn's
LogisticRegression with C = 1 / (n λ). Label sets (the task's, its controls', of several seeds) and
penalties are solved side by side: a step of all of them is two matrix products.

The Hessian is nowhere more than ½ XᵀX/n + λ (Böhning 1992), whose eigenvectors are those of the vectors'
covariance. In these coordinates, each divided by the root of that bound, L-BFGS takes a few dozen steps
whatever the vectors' scale. It runs in float32; what rounding keeps from its end goes on in float64.

The penalty makes the objective strongly convex in W, which bounds how far it is from its least value by
‖∇f‖² / (2 λ); the biases, which are not penalised, are taken to curve by the rarest class's share. That,
relative to f, says when a probe is solved.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from .lbfgs import minimise
from .scaler import Scaler

GAP = 1e-6  # at which a probe is solved: the certified distance from the optimum, as a share of it
MEMORY = 1 << 30  # bytes of logits at once: more problems are solved in turns
UNUSED = -1  # the label of a row that a label set does not see


@dataclass(frozen=True, eq=False)
class Probes:
    """Solved probes: an axis of label sets, one of penalties."""

    weights: Float[np.ndarray, "s p d k"]
    biases: Float[np.ndarray, "s p k"]
    loss: Float[np.ndarray, "s p"]  # without the penalty's part, in nats
    gap: Float[np.ndarray, "s p"]  # certified: (f - f*) / f is no more
    steps: Int64[np.ndarray, "s p"]

    @property
    def converged(self) -> np.ndarray:
        """(s, p) whether the certificate came below `GAP`."""
        found: np.ndarray = self.gap <= GAP
        return found

    def logits(self, x: Float[np.ndarray, "m d"], penalty: int) -> Float[np.ndarray, "s m k"]:
        """Return the logits of other vectors by every label set's probe, from one product."""
        sets, _, d, k = self.weights.shape
        flat = self.weights[:, penalty].transpose(1, 0, 2).reshape(d, -1)
        found = (x @ flat).reshape(len(x), sets, k).transpose(1, 0, 2)
        result: np.ndarray = found + self.biases[:, penalty][:, None]
        return result

    def on_raw(self, scaler: "Scaler") -> "Probes":
        """Return the same probes for vectors that are not standardised."""
        weights = self.weights / scaler.deviation[:, None]
        biases = self.biases - np.einsum("d,spdk->spk", scaler.mean, weights)
        return replace(self, weights=weights.astype(np.float32), biases=biases.astype(np.float32))


def fit(
    x: Float[np.ndarray, "n d"],
    labels: Int64[np.ndarray, "s n"],
    penalties: Float[np.ndarray, "p"],
    *,
    classes: int,
    gap: float = GAP,
    memory: int = MEMORY,
    device: str = "cpu",
) -> Probes:
    """Return the probes of every label set at every penalty.

    Args:
        x: vectors, standardised (see `Scaler`).
        labels: label sets, 0 … classes - 1, or `UNUSED`.
        penalties: λ > 0.
        classes: k.
        gap: at which a probe is solved; see the module.
        memory: bytes that logits may take; n is never cut.
        device: where the products run.

    Raises:
        ValueError: values that are not finite, a label set of fewer than two classes, a λ that is not
            positive, labels outside.
    """
    _refuse(x, labels, penalties, classes)
    problems = [(s, p) for s in range(len(labels)) for p in range(len(penalties))]
    chunk = max(1, memory // (4 * 3 * len(x) * classes))
    features = torch.from_numpy(np.asarray(x, np.float32)).to(device)
    space = _Space.of(features)
    shape = len(labels), len(penalties)
    found = Probes(
        np.empty((*shape, x.shape[1], classes), np.float32),
        np.empty((*shape, classes), np.float32),
        np.empty(shape),
        np.empty(shape),
        np.empty(shape, np.int64),
    )
    for start in range(0, len(problems), chunk):
        some = problems[start : start + chunk]
        sets = torch.from_numpy(labels[[s for s, _ in some]]).to(device)
        rates = torch.tensor([float(penalties[p]) for _, p in some], device=device)
        solved = _in_two_precisions(_Problem(space, sets, rates, classes, gap))
        for i, place in enumerate(some):
            for whole, part in zip(
                (found.weights, found.biases, found.loss, found.gap, found.steps),
                solved,
                strict=True,
            ):
                whole[place] = part[i]
    return found


def _refuse(x: np.ndarray, labels: np.ndarray, penalties: np.ndarray, classes: int) -> None:
    if not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise ValueError(f"the vectors have non-finite values, first in row {row}")
    if labels.min() < UNUSED or labels.max() >= classes:
        raise ValueError(f"labels must lie in 0 … {classes - 1}, got {labels.min()} … {labels.max()}")
    for number, one in enumerate(labels):
        if len(np.unique(one[one != UNUSED])) < 2:
            raise ValueError(f"label set {number} has fewer than two classes: nothing to tell apart")
    if not (np.asarray(penalties) > 0).all():
        raise ValueError("penalties must be positive")


@dataclass(frozen=True, eq=False)
class _Space:
    """The vectors in the coordinates of their covariance, and its eigenvalues."""

    rotated: Tensor  # (n, d)
    values: Tensor  # (d,) of XᵀX / n
    vectors: Tensor  # (d, d)

    @staticmethod
    def of(x: Tensor) -> "_Space":
        values, vectors = torch.linalg.eigh(x.T @ x / len(x))
        return _Space(x @ vectors, values.clamp(min=0), vectors)

    def double(self) -> "_Space":
        """Return it in float64: any rotation near an eigenbasis serves."""
        return _Space(*(part.double() for part in (self.rotated, self.values, self.vectors)))


class _Problem:
    """B problems over one space; parameters u (B, d + 1, k), the last row the bias."""

    def __init__(
        self, space: _Space, labels: Tensor, penalties: Tensor, classes: int, least: float
    ) -> None:
        self.space, self.classes, self.least = space, classes, least
        self.penalties = penalties.to(space.rotated.dtype)
        self.used = labels != UNUSED
        self.labels = labels.clamp(min=0)
        self.count = self.used.sum(dim=1)
        counts = functional.one_hot(self.labels, classes).mul(self.used[:, :, None]).sum(dim=1)
        rarest = torch.where(counts > 0, counts, labels.shape[1]).amin(dim=1)
        self.rarest = rarest.double() / self.count
        share = self.count / labels.shape[1]
        # W = V scale u; of rows that are used the covariance is about that of all
        bound = space.values / (2 * share[:, None].clamp(min=1e-3)) + self.penalties[:, None]
        ones = torch.full_like(bound[:, :1], 2**0.5)
        self.scale = torch.cat([bound**-0.5, ones], dim=1)[:, :, None].to(space.rotated.dtype)

    def evaluate(self, u: Tensor, which: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return objective, gradient by u, and the loss alone, of some of the problems."""
        z, labels, used = self.space.rotated, self.labels[which], self.used[which]
        weights = u * self.scale[which]
        b, d = len(which), z.shape[1]
        flat = weights[:, :d].permute(1, 0, 2).reshape(d, -1)
        logits = (z @ flat).view(len(z), b, self.classes).transpose(0, 1) + weights[:, d:]
        top = logits.logsumexp(dim=2, keepdim=True)
        own = logits.gather(2, labels[:, :, None])
        count = self.count[which]
        loss = ((top - own)[:, :, 0] * used).sum(dim=1, dtype=torch.float64) / count
        slope = (logits - top).exp_()
        slope.scatter_add_(2, labels[:, :, None], -torch.ones_like(own))
        slope *= (used / count[:, None])[:, :, None]
        inner = z.T @ slope.transpose(0, 1).reshape(len(z), -1)
        gradient = torch.cat(
            [inner.view(d, b, self.classes).transpose(0, 1), slope.sum(dim=1, keepdim=True)], dim=1
        )
        rate = self.penalties[which, None, None]
        gradient[:, :d] += rate * weights[:, :d]
        squares = weights[:, :d].square().sum(dim=(1, 2), dtype=torch.float64)
        return loss + 0.5 * rate[:, 0, 0] * squares, gradient * self.scale[which], loss

    def double(self, which: Tensor) -> "_Problem":
        """Return some of the problems in float64."""
        labels = torch.where(self.used, self.labels, UNUSED)[which]
        return _Problem(
            self.space.double(), labels, self.penalties[which].double(), self.classes, self.least
        )

    def gap(self, value: Tensor, gradient: Tensor, which: Tensor) -> Tensor:
        """Return the certified distance from the optimum, as a share of the objective.

        Biases are not penalised: they curve by about the share of the rarest class.
        """
        plain = (gradient / self.scale[which]).double().square().sum(dim=2)
        rate = self.penalties[which].double()
        free = torch.minimum(rate, self.rarest[which])
        return (plain[:, :-1].sum(dim=1) / rate + plain[:, -1] / free) / (2 * value)


def _in_two_precisions(problem: _Problem) -> tuple[np.ndarray, ...]:
    """Return weights, biases, loss, gap and steps; the few problems that need it end in float64."""
    space, labels = problem.space, problem.labels
    shape = len(labels), space.rotated.shape[1] + 1, problem.classes
    u, loss, gap, steps = minimise(problem, torch.zeros(shape, device=labels.device))
    weights = u * problem.scale
    rest = (gap > problem.least).nonzero()[:, 0]
    if len(rest):
        finer = problem.double(rest)
        u, loss[rest], gap[rest], more = minimise(finer, (weights[rest].double() / finer.scale))
        weights[rest] = (u * finer.scale).float()
        steps[rest] += more
    turned = space.vectors @ weights[:, :-1]
    return tuple(part.cpu().numpy() for part in (turned, weights[:, -1], loss, gap, steps))
