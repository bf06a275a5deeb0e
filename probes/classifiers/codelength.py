"""Online codelength: the bits in which labels are sent to someone who has the vectors.

The first labels are sent as they are; those of each further block by the probe that was fitted on all
before it. The better and the sooner a layer predicts the labels, the fewer bits. Source: Voita & Titov
2020, https://arxiv.org/abs/2003.12298 (where dev examples choose the probe and are not charged).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import logsumexp

from .families import PENALTIES
from .linear import fit
from .scaler import Scaler

FRACTIONS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.03125, 0.0625, 0.125, 0.25, 0.5, 1.0)
GAP = 1e-4  # of the probes: a share of the bits that is not seen


@dataclass(frozen=True)
class Codelength:
    """Bits for all labels, and what they would take without the vectors."""

    bits: float
    uniform: float  # n log₂ k
    marginal: float  # by the labels' frequencies in all blocks before

    @property
    def compression(self) -> float:
        """Return uniform / bits: from about 1, where the vectors say nothing."""
        return self.uniform / self.bits

    @property
    def compression_of_marginal(self) -> float:
        """Return marginal / bits: below 1 where vectors only mislead."""
        return self.marginal / self.bits


def online_codelength(
    x: Float[np.ndarray, "n d"],
    labels: Int64[np.ndarray, "n"],
    classes: int,
    *,
    groups: Sequence[str] | None = None,
    dev: tuple[Float[np.ndarray, "m d"], Int64[np.ndarray, "m"]] | None = None,
    penalties: Sequence[float] = PENALTIES,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
) -> Codelength:
    """Return the codelength of labels by linear probes.

    A probe fitted on t examples that says p codes by (t p + 1) / (t + k): without information that is
    Laplace's rule, and no label takes endlessly many bits. Which penalty is right is not known to the
    receiver either: the code is the mixture of all of them, at most log₂(penalties) bits longer than the
    best one's; or it is chosen on dev examples, whose labels are then sent first, as they are.

    Args:
        x: vectors as they are; each block's probe standardises by what came before.
        labels: 0 … classes - 1.
        classes: k.
        groups: what stays together in the drawn order (the words of a sentence); by default each
            example for itself.
        dev: examples that choose the penalty and are charged.
        penalties: λ of the probes.
        fractions: where blocks end, ascending, the last one 1.
        seed: of the order.

    Raises:
        ValueError: fewer than two examples.
    """
    n = len(labels)
    if n < 2:
        raise ValueError(f"a codelength of {n} examples: nothing to learn from")
    order = _order(groups if groups is not None else list(map(str, range(n))), seed)
    x, labels = x[order], labels[order]
    ends = sorted({max(1, int(np.ceil(fraction * n))) for fraction in fractions})
    sent = np.zeros((len(penalties),))  # nats so far, by penalty
    chosen = marginal = 0.0
    for start, stop in pairwise(ends):
        block = slice(start, stop)
        counts = np.bincount(labels[:start], minlength=classes)
        marginal -= float(np.log((counts[labels[block]] + 1) / (start + classes)).sum())
        probes = _Prefix(x[:start], labels[:start], classes, penalties)
        own = probes.nats(x[block], labels[block]).sum(axis=1)
        sent += own
        if dev is not None:
            chosen += float(own[probes.nats(*dev).sum(axis=1).argmin()])
    first = ends[0] * np.log(classes)
    if dev is None:
        total = first + np.log(len(penalties)) - float(logsumexp(-sent))
        uniform = n * np.log(classes)
    else:
        more = len(dev[1]) * np.log(classes)
        total, uniform, marginal = first + more + chosen, n * np.log(classes) + more, marginal + more
    bits = np.array([total, uniform, first + marginal]) / np.log(2)
    return Codelength(*map(float, bits))


class _Prefix:
    """The probes of what has been sent, one a penalty; with one class so far, that class."""

    def __init__(
        self, x: np.ndarray, labels: np.ndarray, classes: int, penalties: Sequence[float]
    ) -> None:
        self.count, self.classes, self.present = len(labels), classes, np.unique(labels)
        self.penalties, self.probes = penalties, None
        if len(self.present) > 1:
            scaler, own = Scaler.of(x), np.searchsorted(self.present, labels)
            solved = fit(
                scaler(x), own[None], np.array(penalties),
                classes=len(self.present), gap=GAP,
            )  # fmt: skip
            self.probes = solved.on_raw(scaler)

    def nats(self, x: np.ndarray, labels: np.ndarray) -> Float[np.ndarray, "p n"]:
        """Return what each label takes by each penalty's probe."""
        said = np.zeros((len(self.penalties), len(labels)))
        for i in range(len(self.penalties)):
            if self.probes is None:
                said[i] = labels == self.present[0]
                continue
            logits = self.probes.logits(x, i)[0].astype(np.float64)
            shares = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
            place = np.searchsorted(self.present, labels).clip(max=len(self.present) - 1)
            known = self.present[place] == labels
            said[i] = np.where(known, shares[np.arange(len(labels)), place], 0)
        found: np.ndarray = -np.log((self.count * said + 1) / (self.count + self.classes))
        return found


def _order(groups: Sequence[str], seed: int) -> Int64[np.ndarray, "n"]:
    """Return the rows, group by group, the groups in an order that the seed draws."""
    names, numbers = np.unique(np.array(groups), return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(names))
    order: np.ndarray = np.argsort(drawn[numbers], kind="stable")
    return order
