"""Pooling: the states of a sentence's tokens into one vector.

Conventions: states (batch, tokens, dim) in the model's dtype; the result is float32. `attended` marks
the tokens that are not padding; `content` those that are, besides, not special ([CLS], </s>, …).
`None` for `attended` says that nothing is padded, the common case when batches hold texts of a length.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """The token ids of a batch, padded on the right."""

    ids: Tensor  # (batch, tokens) int64
    lengths: Tensor  # (batch,) int64, tokens that are not padding
    special: Tensor  # (batch, tokens) bool
    padded: bool  # whether any length is below the width

    @property
    def attended(self) -> Tensor:
        """(batch, tokens) bool: not padding."""
        places = torch.arange(self.ids.shape[1], device=self.ids.device)
        return places[None, :] < self.lengths[:, None]


Pool = Callable[[Tensor, Batch], Tensor]


def mean(states: Tensor, batch: Batch) -> Tensor:
    """Mean over the attended tokens, special ones included."""
    if not batch.padded:
        return states.float().mean(dim=1)
    return _weighted(states, batch.attended.float())


def mean_content(states: Tensor, batch: Batch) -> Tensor:
    """Mean over the attended tokens that are not special; over all of a text that has no other."""
    content = batch.attended & ~batch.special
    content = torch.where(content.any(dim=1, keepdim=True), content, batch.attended)
    return _weighted(states, content.float())


def first(states: Tensor, batch: Batch) -> Tensor:
    """The first token, [CLS] or <s> where there is one."""
    return states[:, 0].float()


def last(states: Tensor, batch: Batch) -> Tensor:
    """The last attended token, what a decoder has read everything by."""
    rows = torch.arange(len(batch.lengths), device=states.device)
    return states[rows, batch.lengths - 1].float()


def maximum(states: Tensor, batch: Batch) -> Tensor:
    """The maximum over the attended tokens, dimension by dimension."""
    if not batch.padded:
        return states.amax(dim=1).float()
    hidden = ~batch.attended[:, :, None]
    return states.float().masked_fill(hidden, -torch.inf).amax(dim=1)


def weighted(states: Tensor, batch: Batch) -> Tensor:
    """Mean with weights 1, 2, …, n by position: later tokens of a decoder have read more (MEXA)."""
    places = torch.arange(1, states.shape[1] + 1, device=states.device, dtype=torch.float32)
    return _weighted(states, places * batch.attended)


def _weighted(states: Tensor, weights: Tensor) -> Tensor:
    weights = weights / weights.sum(dim=1, keepdim=True)
    return torch.bmm(weights[:, None, :], states.float())[:, 0]


POOLINGS: Mapping[str, Pool] = {
    "mean": mean,
    "mean-content": mean_content,
    "first": first,
    "last": last,
    "max": maximum,
    "weighted": weighted,
}
