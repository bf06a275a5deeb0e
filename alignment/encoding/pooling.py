"""Pooling: the states of a sentence's tokens into one vector.

Conventions: states (batch, tokens, dim) in the model's dtype; the result is float32. `attended` marks
the tokens that are not padding; `content` those that are, besides, not special ([CLS], </s>, …).
`None` for `attended` says that nothing is padded, the common case when batches hold texts of a length.
"""

from collections.abc import Callable
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
    starts: Tensor | None = None  # (batch,) places of the first tokens, of words in their sentences

    @property
    def attended(self) -> Tensor:
        """(batch, tokens) bool: not padding."""
        places = torch.arange(self.ids.shape[1], device=self.ids.device)
        return places[None, :] < self.lengths[:, None]

    @property
    def places(self) -> Tensor:
        """(1 or batch, tokens) int64: places in the text, from 0."""
        places = torch.arange(self.ids.shape[1], device=self.ids.device)[None, :]
        return places if self.starts is None else places + self.starts[:, None]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device: a layer's, where models are spread over several."""
        if self.ids.device == device:
            return self
        starts = None if self.starts is None else self.starts.to(device)
        ids, lengths, special = (one.to(device) for one in (self.ids, self.lengths, self.special))
        return Batch(ids, lengths, special, self.padded, starts)


Pool = Callable[[Tensor, Batch], Tensor]


def mean(states: Tensor, batch: Batch) -> Tensor:
    """Mean over the attended tokens, special ones included."""
    if not batch.padded:
        return states.float().mean(dim=1)
    return _weighted(states, batch.attended.float())


def mean_content(states: Tensor, batch: Batch) -> Tensor:
    """Mean over the attended tokens that are not special; over all of a text that has no other."""
    return _mean_but(states, batch, batch.special)


def mean_but_first(states: Tensor, batch: Batch) -> Tensor:
    """Mean over the attended tokens but the text's first; that alone of a text that has no other.

    The first token of many decoders is enormous: with it any two short texts are nearly parallel.
    """
    return _mean_but(states, batch, batch.places == 0)


def first(states: Tensor, batch: Batch) -> Tensor:
    """The first token, [CLS] or <s> where there is one."""
    return states[:, 0].float()


def last(states: Tensor, batch: Batch) -> Tensor:
    """The last attended token, what a decoder has read everything by."""
    rows = torch.arange(len(batch.lengths), device=batch.lengths.device)
    return states[rows, batch.lengths - 1].float()


def maximum(states: Tensor, batch: Batch) -> Tensor:
    """The maximum over the attended tokens, dimension by dimension."""
    if not batch.padded:
        return states.amax(dim=1).float()
    return states.float().masked_fill(~batch.attended[:, :, None], -torch.inf).amax(dim=1)


def weighted(states: Tensor, batch: Batch) -> Tensor:
    """Mean with weights 1, 2, …, n by position: later tokens of a decoder have read more (MEXA)."""
    return _weighted(states, (batch.places + 1.0) * batch.attended)


def _mean_but(states: Tensor, batch: Batch, left_out: Tensor) -> Tensor:
    """Mean over the attended tokens that are not left out; over all where none would be left."""
    rest = batch.attended & ~left_out
    rest = torch.where(rest.any(dim=1, keepdim=True), rest, batch.attended)
    return _weighted(states, rest.float())


def _weighted(states: Tensor, weights: Tensor) -> Tensor:
    weights = weights / weights.sum(dim=1, keepdim=True)
    return torch.bmm(weights[:, None, :], states.float())[:, 0]


POOLINGS: dict[str, Pool] = {
    "mean": mean,
    "mean-content": mean_content,
    "mean-but-first": mean_but_first,
    "first": first,
    "last": last,
    "max": maximum,
    "weighted": weighted,
}
