"""Features: examples as token ids, and what is needed to get from a model's output back to them.

Span contexts that are too long become windows that overlap by `STRIDE` tokens; sentences of tagged words
become pieces of whole words, so that every word is tagged once. Pairs and choices are truncated, the
longer text first; how many were is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...data.rows import Columns
from ...data.tasks import Choice, Example, Pair, Span, Tagged
from .heads import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


STRIDE = 128  # tokens by which windows overlap, at most a third of their length
CHUNK = 1000  # examples tokenised at once

Feature = Columns  # ids of the encoder, `labels`


@dataclass
class Features:
    """The features of a task, in order of its examples; one example may have several."""

    rows: list[Feature] = field(default_factory=list)
    example: list[int] = field(default_factory=list)  # whose it is
    # of spans: character offsets of the context's tokens, None of others; of tags: whose the labels are
    where: list[Any] = field(default_factory=list)
    truncated: int = 0  # examples
    unreadable: int = 0  # words without a token: no tag can be read for them

    def add(self, example: int, row: Feature, where: Any = None) -> None:
        """Append a feature."""
        self.rows.append(row)
        self.example.append(example)
        self.where.append(where)

    @property
    def lengths(self) -> list[int]:
        """The tokens of each; of choices those of the longest option."""
        ids = [row["input_ids"] for row in self.rows]
        return [max(map(len, row)) if isinstance(row, list) else len(row) for row in ids]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.rows)


@dataclass(frozen=True)
class TaskFeatures:
    """A task ready to be trained on."""

    name: str
    head: str
    features: Features
    drawn: Callable[[Feature, int], Feature] | None = None  # what is random in a feature, by the draw


def make_features(
    examples: Sequence[Example], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> Features:
    """Return the features of examples of one kind.

    Args:
        examples: at least one.
        tokenizer: a fast one.
        max_length: in tokens, special ones included.

    Raises:
        ValueError: a tokenizer without offsets, a length that leaves no room for a text.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError(
            f"{type(tokenizer).__name__} has no character offsets; a fast tokenizer is required"
        )
    pair = tokenizer.num_special_tokens_to_add(pair=True)
    if max_length < pair + 8:
        raise ValueError(f"max_length {max_length} leaves no room for text with {pair} special tokens")
    make = _MAKERS[type(examples[0])]
    found = Features()
    for start in range(0, len(examples), CHUNK):
        make(examples[start : start + CHUNK], start, tokenizer, max_length, found)
    return found


def _pairs(
    examples: Sequence[Pair],
    start: int,
    tokenizer: "PreTrainedTokenizerBase",
    length: int,
    found: Features,
) -> None:
    second = [example.second for example in examples]
    texts = [example.first for example in examples], second if any(second) else None
    ids = tokenizer(*texts, truncation="longest_first", max_length=length)
    found.truncated += sum(_truncated(ids))
    for i, example in enumerate(examples):
        found.add(start + i, inputs_of(ids, i) | {"labels": example.label})


def _choices(
    examples: Sequence[Choice],
    start: int,
    tokenizer: "PreTrainedTokenizerBase",
    length: int,
    found: Features,
) -> None:
    if len({len(example.options) for example in examples}) > 1:
        raise ValueError("examples of one task have different numbers of options")
    flat = [(example.prompt, option) for example in examples for option in example.options]
    ids = tokenizer(*map(list, zip(*flat, strict=True)), truncation="longest_first", max_length=length)
    truncated = _truncated(ids)
    at = 0
    for i, example in enumerate(examples):
        options = range(at, at + len(example.options))
        at = options.stop
        found.truncated += any(truncated[j] for j in options)
        inputs = [inputs_of(ids, j) for j in options]
        row = {name: [one[name] for one in inputs] for name in inputs[0]}
        found.add(start + i, row | {"labels": example.label})


def _spans(
    examples: Sequence[Span],
    start: int,
    tokenizer: "PreTrainedTokenizerBase",
    length: int,
    found: Features,
) -> None:
    """Windows of the context after the question; labels are the answer's tokens, else the first."""
    questions = [example.question for example in examples]
    asked = tokenizer(questions, add_special_tokens=False)["input_ids"]
    room = length - max(map(len, asked)) - tokenizer.num_special_tokens_to_add(pair=True)
    if room < 8:  # a question longer than a window: it is cut, never the context
        keep = length // 2
        questions = [tokenizer.decode(ids[:keep]) if len(ids) > keep else text
                     for ids, text in zip(asked, questions, strict=True)]  # fmt: skip
        room = length - keep - tokenizer.num_special_tokens_to_add(pair=True)
    ids = tokenizer(
        questions,
        [example.context for example in examples],
        truncation="only_second",
        max_length=length,
        stride=min(STRIDE, max(room, 3) // 3),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    for i, owner in enumerate(ids["overflow_to_sample_mapping"]):
        sequence = ids.encodings[i].sequence_ids
        offsets = [
            tuple(span) if side == 1 else None
            for span, side in zip(ids["offset_mapping"][i], sequence, strict=True)
        ]
        labels = _answer_tokens(examples[owner], offsets)
        found.add(start + owner, inputs_of(ids, i) | {"labels": labels}, offsets)


def _answer_tokens(example: Span, offsets: Sequence[tuple[int, int] | None]) -> list[int]:
    """Return the tokens that the first answer begins and ends with; (0, 0) where it is not whole."""
    if not example.answers:
        return [0, 0]
    text, begin = example.answers[0]
    end = begin + len(text)
    inside = [i for i, span in enumerate(offsets) if span and span[0] < end and span[1] > begin]
    if not inside:
        return [0, 0]
    first, last = offsets[inside[0]], offsets[inside[-1]]
    whole = first is not None and last is not None and first[0] <= begin and last[1] >= end
    return [inside[0], inside[-1]] if whole else [0, 0]


def _tags(
    examples: Sequence[Tagged],
    start: int,
    tokenizer: "PreTrainedTokenizerBase",
    length: int,
    found: Features,
) -> None:
    """Pieces of whole words that fit; a word's label is at its first token."""
    room = length - tokenizer.num_special_tokens_to_add(pair=False)
    counts = tokenizer(
        [list(example.words) for example in examples], is_split_into_words=True, add_special_tokens=False
    )
    pieces: list[tuple[int, int, int]] = []  # example, first word, one after the last
    for i, example in enumerate(examples):
        size = [0] * len(example.words)
        for word in counts.encodings[i].word_ids:
            size[word] += 1
        found.unreadable += size.count(0)
        first, used = 0, 0
        for word, tokens in enumerate(size):
            if used and used + tokens > room:
                pieces.append((i, first, word))
                first, used = word, 0
            used += tokens
        pieces.append((i, first, len(size)))
    ids = tokenizer(
        [list(examples[i].words[a:b]) for i, a, b in pieces],
        is_split_into_words=True,
        truncation=True,  # of a single word longer than everything
        max_length=length,
    )
    for j, (i, first, _) in enumerate(pieces):
        labels, words, before = [], [], None
        for word in ids.encodings[j].word_ids:
            if word is None or word == before:
                labels.append(IGNORED)
            else:
                labels.append(examples[i].tags[first + word])
                words.append(first + word)
            before = word
        found.add(start + i, inputs_of(ids, j) | {"labels": labels}, words)


def inputs_of(ids: Any, row: int) -> Feature:
    """Return what the encoder is given of a tokenised text, without the mask: all of it counts."""
    return {
        name: np.array(ids[name][row], dtype=np.int32)
        for name in ("input_ids", "token_type_ids")
        if name in ids
    }


def _truncated(ids: Any) -> list[bool]:
    return [bool(encoding.overflowing) for encoding in ids.encodings]


_MAKERS: Mapping[type, Callable[..., None]] = {
    Pair: _pairs,
    Choice: _choices,
    Span: _spans,
    Tagged: _tags,
}


def collate(rows: Sequence[Feature], head: str, pad_id: int) -> Columns:
    """Return a batch padded to its longest row, or longest option of choices.

    Args:
        rows: features of one task.
        head: the task's head group.
        pad_id: the tokenizer's padding.
    """
    nested = isinstance(rows[0]["input_ids"], list)
    batch: Columns = {"head": head}
    for name in rows[0].keys() - {"labels"}:
        texts = [text for row in rows for text in (row[name] if nested else [row[name]])]
        shape = (len(rows), -1, max(map(len, texts))) if nested else (len(rows), -1)
        batch[name] = _padded(texts, pad_id if name == "input_ids" else 0).reshape(shape)
        if name == "input_ids":
            mask = _padded([np.ones(len(text), np.int64) for text in texts], 0)
            batch["attention_mask"] = mask.reshape(shape)
    labels = [row["labels"] for row in rows if "labels" in row]
    if labels:
        batch["labels"] = torch.tensor(labels) if np.ndim(labels[0]) == 0 else _padded(labels, IGNORED)
    return batch


def _padded(rows: Sequence[Any], value: int) -> torch.Tensor:
    padded = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for place, row in zip(padded, rows, strict=True):
        place[: len(row)] = row
    return torch.from_numpy(padded)
