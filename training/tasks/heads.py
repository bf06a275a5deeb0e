"""One encoder with a head for every head group; a batch belongs to one task, so to one head.

Shapes of heads as in jiant and in transformers' own task models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

IGNORED = -100  # the label of what does not count
POSITIONS = ("first", "last", "mean")


@dataclass(frozen=True)
class HeadSpec:
    """What a head needs to know."""

    kind: str  # pair, choice, span, tagging or mlm
    classes: int = 0  # of pairs and tags
    position: str = "first"  # the token a class is read from, of pairs and choices; or their mean


def mean_state(states: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (b, d) of the attended states (b, t, d)."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


class Classifier(nn.Module):
    """Dropout, dense, tanh, dropout, out: of one vector a text."""

    def __init__(self, width: int, classes: int, dropout: float, position: str) -> None:
        """Make the layers."""
        super().__init__()
        self.position = position
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(width, width)
        self.out = nn.Linear(width, classes)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return logits (b, classes) of states (b, t, d)."""
        if self.position == "first":
            vectors = states[:, 0]
        elif self.position == "last":
            vectors = states[torch.arange(len(states)), mask.sum(dim=1) - 1]
        else:
            vectors = mean_state(states, mask)
        hidden = torch.tanh(self.dense(self.dropout(vectors)))
        return cast("Tensor", self.out(self.dropout(hidden)))


class TokenClassifier(nn.Module):
    """Dropout and a linear map of every token: tags, or where a span begins and ends."""

    def __init__(self, width: int, classes: int, dropout: float) -> None:
        """Make the layers."""
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, classes)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return logits (b, t, classes) of states (b, t, d)."""
        return cast("Tensor", self.out(self.dropout(states)))


class MaskedWords(nn.Module):
    """Dense, gelu, norm, and the product with the input embeddings, which stay the encoder's."""

    def __init__(self, width: int, embedding: nn.Embedding) -> None:
        """Make the layers."""
        super().__init__()
        self.dense = nn.Linear(width, embedding.embedding_dim)
        self.norm = nn.LayerNorm(embedding.embedding_dim)
        self.bias = nn.Parameter(torch.zeros(embedding.num_embeddings))
        self._tied = (embedding,)  # in a tuple: not a parameter of this module

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return logits (b, t, vocabulary) of states (b, t, d)."""
        hidden = self.norm(functional.gelu(self.dense(states)))
        return functional.linear(hidden, self._tied[0].weight, self.bias)


class MultiHead(nn.Module):
    """An encoder and its heads."""

    # else Trainer takes **inputs for a sign that the loss is divided by the accumulated batches already
    accepts_loss_kwargs = False

    def __init__(self, encoder: nn.Module, specs: Mapping[str, HeadSpec], *, seed: int) -> None:
        """Give an encoder fresh heads.

        Args:
            encoder: a transformers model without a head.
            specs: of each head group.
            seed: of the heads' weights.
        """
        super().__init__()
        self.encoder = encoder
        self.specs = dict(specs)
        config = cast("Any", encoder).config.get_text_config()
        width, dropout = int(config.hidden_size), float(getattr(config, "hidden_dropout_prob", 0.1))
        embedding = cast("Any", encoder).get_input_embeddings()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.heads = nn.ModuleDict(
                {name: _head(spec, width, dropout, embedding) for name, spec in specs.items()}
            )

    def forward(self, head: str, labels: Tensor | None = None, **inputs: Tensor) -> dict[str, Tensor]:
        """Return logits, and the loss where labels are given.

        Args:
            head: whose batch it is.
            labels: classes (b,), tags or words (b, t) with `IGNORED`, or begins and ends (b, 2).
            inputs: of the encoder: (b, t), or (b, options, t) of choices.
        """
        spec = self.specs[head]
        shape = inputs["input_ids"].shape
        flat = {name: value.reshape(-1, shape[-1]) for name, value in inputs.items()}
        states = self.encoder(**flat).last_hidden_state
        if spec.kind == "mlm" and labels is not None:  # a vocabulary wide: masked words only
            states, labels = states[labels != IGNORED], labels[labels != IGNORED]
        logits = self.heads[head](states, flat["attention_mask"]).float()
        if spec.kind == "choice":
            logits = logits.reshape(shape[0], shape[1])
        found = {"logits": logits}
        if labels is not None:
            found["loss"] = _loss(spec.kind, logits, labels, flat["attention_mask"])
        return found


def _head(spec: HeadSpec, width: int, dropout: float, embedding: nn.Embedding) -> nn.Module:
    if spec.kind == "pair":
        return Classifier(width, spec.classes, dropout, spec.position)
    if spec.kind == "choice":
        return Classifier(width, 1, dropout, spec.position)
    if spec.kind == "mlm":
        return MaskedWords(width, embedding)
    return TokenClassifier(width, 2 if spec.kind == "span" else spec.classes, dropout)


def _loss(kind: str, logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    if kind == "span":
        outside = ~mask.bool().unsqueeze(-1)
        logits = logits.masked_fill(outside, torch.finfo(logits.dtype).min)
        begin, end = (functional.cross_entropy(logits[..., i], labels[:, i]) for i in (0, 1))
        return (begin + end) / 2
    flat = logits.reshape(-1, logits.shape[-1])
    total = functional.cross_entropy(flat, labels.reshape(-1), ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)  # no masked word at all: 0, not nan
