"""Perceptrons with one hidden layer, to compare with: all label sets side by side, by Adam."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from .scaler import Scaler

BATCH = 256
RATE = 1e-3
LOOK = 20  # batches at least between two looks at dev
EPOCHS = 60  # looks at most
PATIENCE = 4  # looks without a better dev loss, set by set


@dataclass(frozen=True, eq=False)
class Perceptrons:
    """A perceptron for each label set: softmax(ReLU(z V + a) W + b)."""

    scaler: Scaler
    parameters: tuple[Tensor, Tensor, Tensor, Tensor]
    setting: float
    loss: float
    converged: bool

    def logits(self, x: Float[np.ndarray, "m d"], sets: int | None = None) -> Float[np.ndarray, "s m k"]:
        """Return the logits of vectors as they are by the probes of the first `sets` label sets."""
        device = self.parameters[0].device
        with torch.inference_mode():
            z = torch.from_numpy(self.scaler(x)).to(device)
            found: np.ndarray = _logits(z, [part[:sets] for part in self.parameters]).cpu().numpy()
        return found


def fit_mlp(
    scaler: Scaler,
    train: tuple[Float[np.ndarray, "n d"], Int64[np.ndarray, "s n"]],
    dev: tuple[Float[np.ndarray, "m d"], Int64[np.ndarray, "s m"]],
    *,
    width: int,
    classes: int,
    seed: int = 0,
    device: str = "cpu",
) -> Perceptrons:
    """Return perceptrons of `width` hidden units, each as it was when its own dev loss was least.

    Not convex: another seed finds another one, but no set's depends on which others are fitted with it.
    `converged` says that none was still getting better.
    """
    generator, count = torch.Generator().manual_seed(seed), len(train[1])
    drawn = [_drawn(train[0].shape[1], width, classes, [seed, number]) for number in range(count)]
    parameters = tuple(
        torch.stack(parts).to(device).requires_grad_() for parts in zip(*drawn, strict=True)
    )
    z, z_dev = (torch.from_numpy(scaler(x)).to(device) for x, _ in (train, dev))
    y, y_dev = (torch.from_numpy(sets).to(device) for _, sets in (train, dev))
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    best = tuple(part.detach().clone() for part in parameters)
    least = torch.full((count,), torch.inf, device=device)
    waited = torch.zeros(count, device=device)
    passes = math.ceil(LOOK * BATCH / len(z))  # of few examples several
    for _ in range(EPOCHS):
        order = torch.cat([torch.randperm(len(z), generator=generator) for _ in range(passes)])
        for rows in torch.split(order, BATCH):
            optimizer.zero_grad(set_to_none=True)
            _losses(z[rows], y[:, rows], parameters).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            losses = _losses(z_dev, y_dev, parameters)
            better = (losses < least) & (waited < PATIENCE)
            for kept, part in zip(best, parameters, strict=True):
                kept[better] = part[better]
            least, waited = torch.where(better, losses, least), torch.where(better, 0, waited + 1)
        if bool((waited >= PATIENCE).all()):
            break
    return Perceptrons(
        scaler,
        (best[0], best[1], best[2], best[3]),
        float(width),
        float(least[0]),
        bool((waited > 0).all()),
    )


def _drawn(d: int, width: int, classes: int, seed: Sequence[int]) -> list[Tensor]:
    """Return a set's parameters before the first step (He et al. 2015); biases are 0."""
    rng = np.random.default_rng(seed)
    shapes = ((d, width), (1, width), (width, classes), (1, classes))
    spreads = (2 / d) ** 0.5, 0.0, (2 / width) ** 0.5, 0.0
    return [
        torch.from_numpy((rng.standard_normal(shape) * spread).astype(np.float32))
        for shape, spread in zip(shapes, spreads, strict=True)
    ]


def _logits(z: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    first, inner, second, outer = parameters
    return functional.relu(z @ first + inner) @ second + outer


def _losses(z: Tensor, labels: Tensor, parameters: tuple[Tensor, ...]) -> Tensor:
    logits = _logits(z, parameters)
    return functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none").mean(dim=1)
