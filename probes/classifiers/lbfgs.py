"""L-BFGS for many problems side by side: a step of all of them is one evaluation."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

HISTORY = 10  # steps that are remembered
STEPS = 2000  # at most; a few dozen unless few rows are separated easily at a small penalty
ARMIJO = 1e-4
SHORTEST = 1e-3  # step: what needs a shorter one is at the end of what its precision can tell


@runtime_checkable
class Problem(Protocol):
    """Several smooth objectives."""

    least: float  # the gap at which one is solved

    def evaluate(self, u: Tensor, which: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return objective, gradient, and what is reported as the loss, of some of the problems."""

    def gap(self, value: Tensor, gradient: Tensor, which: Tensor) -> Tensor:
        """Return a certified distance of theirs from the optimum."""


def minimise(problem: Problem, u: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Minimise all problems, each with steps of its own; what is solved or stuck drops out.

    Args:
        problem: several objectives over parameters of one shape.
        u: where they begin (problems, rows, columns); changed in place.

    Returns:
        The parameters, losses, gaps and numbers of steps.
    """
    count, device = len(u), u.device
    which = torch.arange(count, device=device)
    value, gradient, loss = problem.evaluate(u, which)
    losses, gaps = loss.clone(), problem.gap(value, gradient, which)
    steps = torch.zeros(count, dtype=torch.int64, device=device)
    stuck = torch.zeros(count, dtype=torch.bool, device=device)
    noise = 4 * torch.finfo(u.dtype).eps
    pairs: list[tuple[Tensor, Tensor, Tensor]] = []  # moves, changes of the gradient, 1 / their product
    for _ in range(STEPS):
        active = (gaps[which] > problem.least) & ~stuck[which]
        if not active.all():
            which, value, gradient = which[active], value[active], gradient[active]
            pairs = [(s[active], y[active], r[active]) for s, y, r in pairs]
        if not len(which):
            break
        direction = -_two_loops(gradient, pairs)
        slope = (direction * gradient).sum(dim=(1, 2))
        length = torch.ones_like(slope)
        before = u[which]
        moved = before + direction
        new_value, new_gradient, new_loss = problem.evaluate(moved, which)
        # a step of 1 is nearly always taken; the rest are halved, alone
        short = (new_value > value * (1 + noise) + ARMIJO * slope).nonzero()[:, 0]
        while len(short) and float(length[short].min()) > SHORTEST:
            length[short] /= 2
            moved[short] = before[short] + length[short, None, None] * direction[short]
            part = problem.evaluate(moved[short], which[short])
            new_value[short], new_gradient[short], new_loss[short] = part
            most = value[short] * (1 + noise) + ARMIJO * length[short] * slope[short]
            short = short[new_value[short] > most]
        stuck[which[short]] = True
        s, y = moved - before, new_gradient - gradient
        product = (s * y).sum(dim=(1, 2))
        # without curvature (rounding) a pair says nothing: weight 0
        inverse = torch.where(product > 0, 1 / product, 0.0)
        pairs = [*pairs[1 - HISTORY :], (s, y, inverse)]
        u[which], value, gradient = moved, new_value, new_gradient
        losses[which], gaps[which] = new_loss, problem.gap(value, gradient, which)
        steps[which] += 1
    return u, losses, gaps, steps


def _two_loops(gradient: Tensor, pairs: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """Return the product of L-BFGS's inverse Hessian and the gradient. Nocedal & Wright 2006, 7.4."""
    q, kept = gradient, []
    for s, y, inverse in reversed(pairs):
        alpha = inverse * (s * q).sum(dim=(1, 2))
        q = q - alpha[:, None, None] * y
        kept.append(alpha)
    if pairs:
        s, y, inverse = pairs[-1]
        gamma = torch.where(inverse > 0, 1 / (inverse * y.square().sum(dim=(1, 2))), 1.0)
        q = q * gamma[:, None, None]
    for (s, y, inverse), alpha in zip(pairs, reversed(kept), strict=True):
        beta = inverse * (y * q).sum(dim=(1, 2))
        q = q + (alpha - beta)[:, None, None] * s
    return q
