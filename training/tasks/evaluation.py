"""Scores of a model on a task, with intervals over groups and what a constant answer reaches."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.tasks import Choice, Pair, Span, Tagged, TaskData
from .heads import MultiHead
from .metrics import (
    ACCURACY,
    CHARACTER_F1,
    ENTITY_F1,
    EXACT,
    SPAN_F1,
    Metric,
    MetricResult,
    entity_counts,
    measure,
    squad_f1,
)
from .prediction import Answer, predict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


NO_SPACES = ("zh", "zh-Hant", "ja", "th")  # their words are characters to character F1


def evaluate(
    model: MultiHead,
    tokenizer: "PreTrainedTokenizerBase",
    data: TaskData,
    train: TaskData,
    *,
    max_length: int,
    seed: int = 0,
) -> list[MetricResult]:
    """Return the metrics of a task in a language; the official one first.

    Args:
        model: with a head for the task.
        tokenizer: the encoder's.
        data: what is tested.
        train: what the head was trained on; gives the constant answer.
        max_length: in tokens.
        seed: of the bootstrap.
    """
    answers = predict(model, tokenizer, data, max_length)
    # what is most frequent in training, and, which no model can know, in the test itself
    constants = [constant_answers(known, data) for known in (train, data)]
    return score_answers(data, answers, constants, seed=seed)


def score_answers(
    data: TaskData, answers: Sequence[Answer], constants: Sequence[Sequence[Answer]], seed: int = 0
) -> list[MetricResult]:
    """Return the metrics of answers, with those of the best of constant answers."""
    groups = [example.group for example in data.examples]
    others = [_counts(data, constant) for constant in constants]
    return [
        measure(metric, counts, [other[i][1] for other in others], groups, seed)
        for i, (metric, counts) in enumerate(_counts(data, answers))
    ]


def constant_answers(train: TaskData, data: TaskData) -> list[Answer]:
    """Return the answers of one that knows only which labels are frequent.

    The most frequent class; the most frequent tag of all words; of spans the most frequent first word
    and length, in words, or no answer where that is more frequent.
    """
    first = train.examples[0]
    if isinstance(first, Pair | Choice):
        labels = [e.label for e in train.examples if isinstance(e, Pair | Choice)]
        return [_commonest(labels)] * len(data.examples)
    if isinstance(first, Tagged):
        common = _commonest([tag for e in train.examples if isinstance(e, Tagged) for tag in e.tags])
        return [[common] * len(e.words) for e in data.examples if isinstance(e, Tagged)]
    asked = [e for e in train.examples if isinstance(e, Span)]
    place = _commonest([_word_place(e) for e in asked if e.answers or train.task.unanswerable])
    if place is None:
        return [""] * len(data.examples)
    start, length = place
    return [
        " ".join(e.context.split()[start : start + length]) for e in data.examples if isinstance(e, Span)
    ]


def _counts(data: TaskData, answers: Sequence[Answer]) -> list[tuple[Metric, np.ndarray]]:
    examples = data.examples
    if data.task.kind in ("pair", "choice"):
        right = [
            [float(e.label == answer), 1.0]
            for e, answer in zip(examples, answers, strict=True)
            if isinstance(e, Pair | Choice)
        ]
        return [(ACCURACY, np.array(right))]
    if data.task.kind == "tagging":
        return _tag_counts(data, answers)
    scored = []
    by_character = data.language in NO_SPACES
    for example, answer in zip(examples, answers, strict=True):
        assert isinstance(example, Span)
        gold = [text for text, _ in example.answers]
        row = squad_f1(str(answer), gold)
        scored.append((*row, squad_f1(str(answer), gold, by_character=True)[0]) if by_character else row)
    metrics = [SPAN_F1, EXACT, CHARACTER_F1][: len(scored[0])]
    columns = [np.column_stack([column, np.ones(len(column))]) for column in np.array(scored).T]
    return list(zip(metrics, columns, strict=True))


def _tag_counts(data: TaskData, answers: Sequence[Answer]) -> list[tuple[Metric, np.ndarray]]:
    words, spans = [], []
    names = (*data.labels, "O")  # -1, a word without a tag, is outside
    prefixed = any("-" in label for label in data.labels)
    for example, answer in zip(data.examples, answers, strict=True):
        assert isinstance(example, Tagged) and isinstance(answer, list)
        words.append([sum(a == b for a, b in zip(answer, example.tags, strict=True)), len(answer)])
        if data.task.metric == "entity_f1":
            ours, gold = ([names[tag] for tag in tags] for tags in (answer, example.tags))
            spans.append(entity_counts(ours, gold, prefixed=prefixed))
    accuracy = ACCURACY, np.array(words, dtype=np.float64)
    return [(ENTITY_F1, np.array(spans, dtype=np.float64)), accuracy] if spans else [accuracy]


def _word_place(example: Span) -> tuple[int, int] | None:
    if not example.answers:
        return None
    text, start = example.answers[0]
    return len(example.context[:start].split()), len(text.split())


def _commonest(values: Sequence[Any]) -> Any:
    """Return the most frequent value, the first of equally frequent ones."""
    return Counter(values).most_common(1)[0][0]
