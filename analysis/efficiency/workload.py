"""What is run: batches of sentences that all languages have, single sentences, or random tokens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...alignment.encoding.encode import BATCH_TOKENS, batch_end
from ...alignment.encoding.tokens import Tokens
from ...alignment.options import split_names
from ...data.tasks import Example, load_task
from ...training.tasks.features import make_features
from ...training.tasks.heads import HeadSpec
from .options import EfficiencyOptions
from .subjects import TimedModel


@dataclass(frozen=True, eq=False)
class Unit:
    """What is run at once."""

    label: str  # the language, or the number of tokens
    texts: tuple[str, ...] = ()
    tokens: Tokens | None = None  # instead of texts: nothing is tokenised
    examples: tuple[Example, ...] = ()  # of a task, instead of texts
    head: HeadSpec | None = None  # that answers them
    written: bool = False  # the text is read, then written token by token

    @property
    def count(self) -> int:
        """How many texts it has."""
        texts = len(self.texts or self.examples)
        return texts if self.tokens is None else len(self.tokens.counts)


def units_of(
    options: EfficiencyOptions,
    subjects: Sequence[TimedModel],
    texts: Mapping[str, Sequence[str]],
    tokens: Mapping[str, Tokens],
) -> list[Unit]:
    """Return what is run.

    Args:
        options: the scenario.
        subjects: what runs it; the first one's device and tokens decide how large batches are.
        texts: of every language.
        tokens: of the first one, for them.

    Raises:
        ValueError: no length that all of them take.
    """
    from ...alignment.checkpoints.devices import pick_device

    device = pick_device(subjects[0].checkpoint.device).split(":")[0]
    budget = options.batch_tokens or BATCH_TOKENS.get(device, BATCH_TOKENS["cpu"])
    if options.scenario == "task":
        return list(_task_units(options, subjects[0], budget))
    if options.scenario == "shapes":
        longest = min(one.checkpoint.max_length for one in subjects)
        size = min(len(one.checkpoint.tokenizer) for one in subjects)
        lengths = [int(one) for one in split_names(options.lengths) if int(one) <= longest]
        if not lengths:
            raise ValueError(f"`lengths` {options.lengths}: all are above {longest} tokens")
        return [_random(size, length, max(1, budget // length), options.seed) for length in lengths]
    if options.scenario in ("single-stream", "retrieve", "generate"):
        written = options.scenario == "generate"
        return [Unit(name, (text,), written=written) for name, own in texts.items() for text in own]
    return [
        Unit(name, tuple(own[row] for row in rows))
        for name, own in texts.items()
        for rows in _sentences(tokens[name].counts, budget, bucketing=options.bucketing)
    ]


def _task_units(options: EfficiencyOptions, base: TimedModel, budget: int) -> Iterator[Unit]:
    """Yield batches of a task's examples, language by language, by the padded tokens of the base."""
    name, _, split = options.task.partition("/")
    checkpoint = base.checkpoint
    found = load_task(name, split or "test", languages=str(options.languages), data_dir=options.data_dir)
    for data in found:
        examples = data.examples[: options.limit]
        features = make_features(examples, checkpoint.tokenizer, checkpoint.max_length)
        sizes = np.zeros(len(examples), dtype=np.int64)
        lengths = features.lengths
        for row, example, length in zip(features.rows, features.example, lengths, strict=True):
            ids = row["input_ids"]  # options of choices are as many texts
            sizes[example] += length * (len(ids) if isinstance(ids, list) else 1)
        head = HeadSpec(data.task.kind, len(data.labels))
        order = np.argsort(-sizes, kind="stable") if options.bucketing else np.arange(len(sizes))
        for rows in _batches(sizes, order, budget):
            chosen = tuple(examples[row] for row in rows)
            yield Unit(data.language, examples=chosen, head=head)


def _sentences(counts: np.ndarray, budget: int, *, bucketing: bool) -> Iterator[list[int]]:
    """Yield the rows of batches of at most so many padded tokens: as `score` makes them, or in order."""
    if not bucketing:
        yield from _batches(counts, np.arange(len(counts)), budget)
        return
    rows, start = np.argsort(-counts, kind="stable"), 0
    while start < len(rows):
        stop = batch_end(counts, rows, start, budget)
        yield rows[start:stop].tolist()
        start = stop


def _batches(counts: np.ndarray, rows: np.ndarray, budget: int) -> Iterator[list[int]]:
    """Yield rows in their order, as many together as the longest of them allows."""
    start = 0
    while start < len(rows):
        widest = np.maximum.accumulate(counts[rows[start:]])
        room = int((widest * np.arange(1, len(widest) + 1) <= budget).sum())
        stop = start + max(1, room)
        yield rows[start:stop].tolist()
        start = stop


def _random(size: int, length: int, rows: int, seed: int) -> Unit:
    """Return texts of random tokens out of so many, all of one length."""
    ids = np.random.default_rng([seed, length]).integers(0, size, rows * length).astype(np.int32)
    tokens = Tokens(
        ids,
        np.zeros(len(ids), dtype=bool),
        np.arange(rows + 1, dtype=np.int64) * length,
        np.zeros(rows, dtype=bool),
        np.zeros(rows, dtype=np.int32),
    )
    return Unit(f"{rows} x {length}", tokens=tokens)
