"""What a model says of examples: answers of each kind, read from its logits."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...data.tasks import Choice, Pair, Span, TaskData
from .features import Features, collate, make_features
from .heads import IGNORED, MultiHead

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


TOKENS = 4096  # padded, of a batch
LONGEST = 30  # tokens of an answer
BEST = 20  # begins and ends that are combined

Answer = int | str | list[int]  # a class, a text, tags (-1 where none could be read)


def predict(
    model: MultiHead, tokenizer: "PreTrainedTokenizerBase", data: TaskData, max_length: int
) -> list[Answer]:
    """Return an answer for every example.

    Args:
        model: in any mode; it is left as it was.
        tokenizer: the encoder's.
        data: of one task and language.
        max_length: in tokens.
    """
    features = make_features(data.examples, tokenizer, max_length)
    found = _in_order(model, tokenizer, features, data.task.head)
    first = data.examples[0]
    if isinstance(first, Pair | Choice):
        classes: list[Answer] = [0] * len(data.examples)
        for place, logits in found:
            classes[features.example[place]] = int(logits.argmax())
        return classes
    if isinstance(first, Span):
        contexts = [e.context for e in data.examples if isinstance(e, Span)]
        return list(_texts(features, found, contexts, may_be_none=data.task.unanswerable))
    tags = [[-1] * len(e.words) for e in data.examples if not isinstance(e, Pair | Choice | Span)]
    for place, logits in found:
        labels = np.array(features.rows[place]["labels"])
        chosen = logits[: len(labels)][labels != IGNORED].argmax(axis=1)
        for word, tag in zip(features.where[place], chosen.tolist(), strict=True):
            tags[features.example[place]][word] = tag
    return list(tags)


def _in_order(
    model: MultiHead, tokenizer: "PreTrainedTokenizerBase", features: Features, head: str
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the place and the logits of every feature, the longest first."""
    import torch

    lengths = features.lengths
    ids = features.rows[0]["input_ids"]
    texts = len(ids) if isinstance(ids, list) else 1
    places = sorted(range(len(features)), key=lengths.__getitem__, reverse=True)
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        at = 0
        while at < len(places):
            batch = places[at : at + max(1, TOKENS // (texts * lengths[places[at]]))]
            at += len(batch)
            rows = [features.rows[place] for place in batch]
            inputs = collate(rows, head, tokenizer.pad_token_id or 0)
            inputs.pop("labels")
            with torch.inference_mode():
                moved = {k: v if k == "head" else v.to(device) for k, v in inputs.items()}
                logits = model(**moved)["logits"].float().cpu().numpy()
            yield from zip(batch, logits, strict=True)
    finally:
        model.train(training)


def _texts(
    features: Features,
    found: Iterator[tuple[int, np.ndarray]],
    contexts: Sequence[str],
    *,
    may_be_none: bool,
) -> list[str]:
    """Return the best span over the windows of each question; empty for no answer, where that may be.

    A window says "no answer" by its first token; a question has none if even the least of its windows'
    scores for that exceeds every span's.
    """
    best: list[tuple[float, str]] = [(-np.inf, "")] * len(contexts)
    nothing = [np.inf] * len(contexts)
    for place, logits in found:
        example, offsets = features.example[place], features.where[place]
        nothing[example] = min(nothing[example], float(logits[0].sum()))
        inside = np.array([i for i, span in enumerate(offsets) if span], dtype=np.int64)
        if not len(inside):
            continue
        begins, ends = (inside[np.argsort(-logits[inside, side])[:BEST]] for side in (0, 1))
        scores = logits[begins, 0][:, None] + logits[ends, 1]
        width = ends - begins[:, None]
        scores[(width < 0) | (width >= LONGEST)] = -np.inf
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        if scores[row, column] > best[example][0]:
            text = contexts[example][offsets[begins[row]][0] : offsets[ends[column]][1]]
            best[example] = float(scores[row, column]), text
    return [
        text if score > empty or not may_be_none else ""
        for (score, text), empty in zip(best, nothing, strict=True)
    ]
