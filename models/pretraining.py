"""Trains an encoder: masked words, masked words of translations, and translations brought together.

A step is of one kind. Masked words of a sentence: the same pass gives the contrast of its middle layer,
masks and all. Masked words of a sentence and its translation at once: no contrast, for each sees the
other. Sources: Devlin et al. 2019 (masks), Conneau & Lample 2019 (translations).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, XLMRobertaForMaskedLM

from ..training.tasks.heads import mean_state
from .encoder import keep_slots
from .recipe import Size, TrainingSettings
from .text import Row
from .vectors import contrast
from .vocabulary import FIRST_PIECE

Pair = tuple[list[int], list[int]]
POOL = 8  # batches that are sorted by length together


@dataclass(frozen=True)
class Losses:
    """The losses of a step; the contrast is nan in steps that have none."""

    step: int
    prediction: float
    contrast: float


def train_encoder(
    model: XLMRobertaForMaskedLM,
    tokenizer: PreTrainedTokenizerFast,
    rows: Sequence[Row],
    size: Size,
    settings: TrainingSettings,
    *,
    seed: int,
    paired: bool = True,
    report: Callable[[Losses], None] | None = None,
) -> None:
    """Train a model in place; the same seed and text give the same weights on a machine.

    Args:
        model: see `encoder.make_encoder`.
        tokenizer: its tokenizer.
        rows: what is trained on.
        size: learning rate and middle layer.
        settings: see `recipe`.
        seed: of batches, pairs and masks.
        paired: False for the negative control: masked words alone, nothing of translations.
        report: called after every step.
    """
    rng = np.random.default_rng(seed)
    draws = torch.Generator().manual_seed(seed)
    keep_slots(model)
    optimizer = _optimizer(model, size, settings)
    batches = pair_batches(rows, tokenizer, settings, rng)
    masks = Masks(len(tokenizer), int(tokenizer.mask_token_id or 0), settings.masked, draws)
    model.train()
    for step in range(1, settings.steps + 1):
        rise = min(step / max(1, settings.warmup * settings.steps), 1)
        share = rise * (1 - step / (settings.steps + 1))
        for group in optimizer.param_groups:
            group["lr"] = group["most"] * share
        pairs = next(batches)
        together = paired and rng.random() < settings.translation
        texts = [a + b for a, b in pairs] if together else [pair[i] for i in (0, 1) for pair in pairs]
        prediction, means = _read(model, texts, masks, size.middle)
        loss, apart = settings.prediction * prediction, None
        if paired and not together:
            apart = contrast(means[: len(pairs)], means[len(pairs) :], settings.temperature)
            loss = loss + settings.contrast * apart
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimizer.step()
        if report is not None:
            second = math.nan if apart is None else apart.item()
            report(Losses(step, prediction.item(), second))
    model.eval()


def pair_batches(
    rows: Sequence[Row],
    tokenizer: PreTrainedTokenizerFast,
    settings: TrainingSettings,
    rng: np.random.Generator,
) -> Iterator[list[Pair]]:
    """Yield batches of pairs without end: every row once an epoch, in two languages of its own.

    Batches hold texts of a length; their order is drawn. Without translations both are the same text.
    """
    encoded = [
        tokenizer(list(row.texts.values()), truncation=True, max_length=settings.longest)["input_ids"]
        for row in rows
    ]
    size = min(settings.batch, len(encoded))
    while True:
        order = rng.permutation(len(encoded))
        pairs: list[Pair] = []
        for row in order:
            texts = encoded[row]
            i, j = rng.choice(len(texts), 2, replace=False) if len(texts) > 1 else (0, 0)
            pairs.append((texts[i], texts[j]))
        batches = []
        for start in range(0, len(pairs), POOL * size):
            some = sorted(pairs[start : start + POOL * size], key=lambda pair: max(map(len, pair)))
            batches += [some[at : at + size] for at in range(0, len(some) - size + 1, size)]
        for number in rng.permutation(len(batches)):
            yield batches[number]


@dataclass(frozen=True)
class Masks:
    """Which tokens are hidden: of those chosen 8 in 10 become the mask, 1 in 10 another token."""

    size: int  # of the vocabulary
    mask: int
    share: float
    draws: torch.Generator

    def hide(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the ids with some hidden, and which were chosen; special tokens never are."""
        chosen = (torch.rand(ids.shape, generator=self.draws) < self.share) & (ids >= FIRST_PIECE)
        how = torch.rand(ids.shape, generator=self.draws)
        other = torch.randint(FIRST_PIECE, self.size, ids.shape, generator=self.draws)
        hidden = torch.where(chosen & (how < 0.8), self.mask, ids)
        return torch.where(chosen & (how >= 0.9), other, hidden), chosen


def _read(
    model: XLMRobertaForMaskedLM, texts: Sequence[Sequence[int]], masks: Masks, middle: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the loss of predicting what is hidden, and the mean states of the middle layer."""
    ids = _padded(texts, int(model.config.pad_token_id))
    hidden, chosen = masks.hide(ids)
    attended = ids != model.config.pad_token_id
    states = model.roberta(hidden, attention_mask=attended.long(), output_hidden_states=True)
    logits = model.lm_head(states.last_hidden_state[chosen])
    means = mean_state(states.hidden_states[middle], attended)
    return functional.cross_entropy(logits, ids[chosen]), means


def _padded(texts: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
    rows = [torch.tensor(text) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad)


def _optimizer(
    model: XLMRobertaForMaskedLM, size: Size, settings: TrainingSettings
) -> torch.optim.Optimizer:
    """Return AdamW; the token vectors, which mean something already, learn by a rate of their own."""
    table = model.roberta.embeddings.word_embeddings.weight
    body = [parameter for parameter in model.parameters() if parameter is not table]
    groups = [
        {"params": body, "most": size.rate, "weight_decay": 0.01},
        {"params": [table], "most": settings.vocabulary_rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=size.rate, betas=(0.9, 0.98), fused=True)
