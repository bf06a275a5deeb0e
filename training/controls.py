"""Controls: what a task's training does that is not the task's doing.

`resave` trains nothing; `english-mlm` reads the task's own text without its labels; `shuffled-labels`
has text, labels and steps, and nothing that joins them; `weight-noise` moves the weights as far,
anywhere.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..data.rows import Columns
from ..data.tasks import Choice, Example, Pair, Span, Tagged
from .tasks.features import Feature, Features, inputs_of
from .tasks.heads import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


MASKED = 0.15  # of the tokens: 80 % become the mask, 10 % any token, 10 % stay. Devlin et al. 2019


def shuffled(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return the examples with their shuffled labels: the same labels, at other examples.

    Tags are dealt among all words; an answer becomes a span as long, anywhere in its own context, and
    what has no answer is shuffled too.
    """
    rng = np.random.default_rng([seed, 2])
    order = rng.permutation(len(examples))
    first = examples[0]
    if isinstance(first, Pair | Choice):
        return [
            replace(example, label=other.label)
            for example, other in zip(examples, (examples[i] for i in order), strict=True)
            if isinstance(example, Pair | Choice) and isinstance(other, Pair | Choice)
        ]
    if isinstance(first, Tagged):
        tagged = [example for example in examples if isinstance(example, Tagged)]
        flat = np.concatenate([example.tags for example in tagged])
        rng.shuffle(flat)
        ends = np.cumsum([len(example.tags) for example in tagged])
        dealt = np.split(flat, ends[:-1])
        return [replace(e, tags=tuple(tags.tolist())) for e, tags in zip(tagged, dealt, strict=True)]
    spans = [example for example in examples if isinstance(example, Span)]
    return [
        replace(example, answers=_anywhere(example, spans[i], rng))
        for example, i in zip(spans, order, strict=True)
    ]


def _anywhere(example: Span, other: Span, rng: np.random.Generator) -> tuple[tuple[str, int], ...]:
    """Return an answer with as many words as another's, from any place of the context."""
    if not other.answers:
        return ()
    words = [match.span() for match in re.finditer(r"\S+", example.context)]
    count = min(len(other.answers[0][0].split()), len(words))
    place = int(rng.integers(len(words) - count + 1))
    begin, end = words[place][0], words[place + count - 1][1]
    return ((example.context[begin:end], begin),)


def plain_text(example: Example) -> str:
    """Return the text of an example, without what its label adds."""
    if isinstance(example, Pair):
        return f"{example.first} {example.second}".strip()
    if isinstance(example, Choice):
        return f"{example.prompt} {example.options[0]}"
    if isinstance(example, Span):
        return example.context
    return " ".join(example.words)


def masking(
    tokenizer: "PreTrainedTokenizerBase", seeds: Sequence[int]
) -> Callable[[Feature, int], Feature]:
    """Return what masks words of a feature, others at every draw; the masked ones are its labels.

    Raises:
        ValueError: a tokenizer without a mask.
    """
    if tokenizer.mask_token_id is None:
        raise ValueError("the tokenizer has no mask token; english-mlm needs one")
    special, mask_id, vocabulary = (
        list(tokenizer.all_special_ids),
        tokenizer.mask_token_id,
        len(tokenizer),
    )

    def masked(row: Feature, draw: int) -> Feature:
        rng = np.random.default_rng([*seeds, draw])
        return _masked(row, special, mask_id, vocabulary, rng)

    return masked


def _masked(
    row: Feature, special: Sequence[int], mask_id: int, vocabulary: int, rng: np.random.Generator
) -> Feature:
    ids = np.array(row["input_ids"])
    may = np.flatnonzero(~np.isin(ids, special))
    chosen = may[rng.random(len(may)) < MASKED]
    labels = np.full(len(ids), IGNORED)
    labels[chosen] = ids[chosen]
    kind = rng.random(len(chosen))
    ids[chosen[kind < 0.8]] = mask_id
    anything = chosen[kind >= 0.9]
    ids[anything] = rng.integers(vocabulary, size=len(anything))
    return {**row, "input_ids": ids, "labels": labels}


def text_features(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> Features:
    """Return the token ids of texts; labels are made when a batch is."""
    ids = tokenizer(list(texts), truncation=True, max_length=max_length)
    found = Features()
    for i in range(len(texts)):
        found.add(i, inputs_of(ids, i))
    return found


def add_noise(state: Columns, after: Columns, seed: int) -> None:
    """Move every tensor as far as another training did, in a random direction.

    W + g ‖W_after - W‖ / ‖g‖, g normal: of every tensor for itself.

    Args:
        state: the weights that training began with; changed in place.
        after: those it ended with; tensors it does not have stay as they are.
        seed: of the directions.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    for name in sorted(state):
        if name not in after or not state[name].is_floating_point():
            continue
        moved = torch.linalg.vector_norm(after[name].double() - state[name].double())
        direction = torch.randn(state[name].shape, generator=generator, dtype=torch.float64)
        scale = moved / torch.linalg.vector_norm(direction).clamp(min=1e-300)
        state[name].copy_(state[name].double() + direction * scale)
