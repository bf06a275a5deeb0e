"""`efficiency`: what inference costs, and whether a checkpoint takes as long as another one."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ...alignment.checkpoints.opening import open_checkpoint
from ...alignment.encoding.tokens import Tokens
from ...alignment.options import split_names, takes
from ...alignment.runs.files import write_json, write_table
from ...alignment.runs.results import Result, in_folder
from ...data import Bitext
from ...data.corpora import load
from ...data.corpora.same_sentences import parallel_texts
from ...data.rows import Columns
from .clocks import CLOCKS, SHAPE_CLOCKS, TASK_CLOCKS, WRITING_CLOCKS
from .languages import latencies, time_rows, token_rows
from .machine import describe_machine
from .memory import disk_of, memory_of
from .options import EfficiencyOptions
from .ratios import INCONCLUSIVE, SAME, ratio_rows
from .replicates import measure
from .retrieving import retrieval_accuracy
from .structure import HEAD, SHAPES, TOKENS, Difference, differences
from .subjects import AGAIN, TimedModel, reduced
from .workload import Unit, units_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

MEMORY_UNITS = 4  # that the process whose memory is measured runs: the largest


@dataclass(frozen=True, eq=False, repr=False)
class EfficiencyResult(Result):
    """Ratios of times, a row a subject, label and clock; and what else was found."""

    checkpoints: pd.DataFrame = field(default_factory=pd.DataFrame)  # a row a subject
    languages: pd.DataFrame = field(default_factory=pd.DataFrame)
    latency: pd.DataFrame = field(default_factory=pd.DataFrame)
    samples: pd.DataFrame = field(default_factory=pd.DataFrame)
    unlike: Mapping[str, Sequence[Difference]] = field(default_factory=dict)  # by subject

    def forest(self) -> "Figure":
        """Draw ratios of times with their intervals, and the band of the base against itself."""
        from .figures import forest

        return forest(self.table)

    def premiums(self) -> "Figure":
        """Draw the time that languages take against their token premium."""
        from .figures import premiums

        return premiums(self.languages)

    def distributions(self) -> "Figure":
        """Draw how the times of queries, or batches, are distributed."""
        from .figures import distributions

        return distributions(self.samples)

    def pareto(self) -> "Figure":
        """Draw accuracy against sentences a second; needs `align`."""
        from .figures import pareto

        return pareto(self.checkpoints)


@takes(EfficiencyOptions)
def efficiency(
    checkpoints: str | Path | Sequence[str | Path], options: EfficiencyOptions
) -> EfficiencyResult:
    """Time checkpoints side by side, on the same sentences of every language.

    The first is the base: it is timed twice, as itself and loaded again, and the others against it. Only
    where that pair is the same within the margin is anything said of the others.

    Args:
        checkpoints: one or several, by folder, name or hub id.

    Returns:
        Its `table` has a row for every subject but the base, label (all, or a language) and clock
        (wall, tokenise, transfer, forward, pooling, cpu): ratio (its time / the base's) with 95 and
        90 % intervals, detectable (the smallest difference found with power .8), verdict (same, slower,
        faster, inconclusive) and note. Also `checkpoints`, `languages`, `latency`, `samples`, `unlike`.

    Raises:
        ValueError: two that differ in nothing but their tokenizer; see the messages.
        OSError: a checkpoint or corpus that is not there.
    """
    names = [checkpoints] if isinstance(checkpoints, str | Path) else list(checkpoints)
    subjects = _subjects(names, options)
    base = subjects[0]
    texts = parallel_texts(
        options.corpus, data_dir=options.data_dir, languages=str(options.languages), limit=options.limit
    )
    tokens = {name: base.tokens(own) for name, own in texts.items()}
    every = [text for own in texts.values() for text in own]
    unlike = {one.name: differences(base, one, every) for one in subjects[1:]}
    for name, found in unlike.items():
        _refuse_tokenizers(base.name, name, found)
        if name != subjects[1].name:
            for line in _in_words(base.name, name, found):
                logger.info(line)
    aligned = _bitexts(options)
    return in_folder(
        options.out,
        lambda folder: _measured(subjects, texts, tokens, unlike, aligned, options, folder),
    )


def _subjects(names: Sequence[str | Path], options: EfficiencyOptions) -> list[TimedModel]:
    """Return the base, the base again, its reduced forms, the others."""
    if not names:
        raise ValueError("name a checkpoint, or several")
    if len(set(map(str, names))) < len(names):
        raise ValueError("a checkpoint is named twice; the first is timed against itself in any case")
    opened = [open_checkpoint(name, **options.opening()) for name in names]
    base = opened[0]
    return [
        TimedModel(base),
        TimedModel(base, AGAIN),
        *reduced(base, str(options.forms)),
        *(TimedModel(one) for one in opened[1:]),
    ]


def _refuse_tokenizers(base: str, other: str, found: Sequence[Difference]) -> None:
    """Refuse two models of one make with different tokenizers: their ratio would be of those."""
    of_tokens = [one for one in found if one.what.startswith(TOKENS)]
    if of_tokens and not any(one.what.startswith(SHAPES) for one in found):
        raise ValueError(
            f"{other} has another tokenizer than {base}: {of_tokens[0]}; a ratio of their times would "
            "be one of tokens, not of models; time each by itself"
        )


def _in_words(base: str, name: str, found: Sequence[Difference]) -> Iterator[str]:
    """Yield what is known before a clock runs."""
    if all(one.what == HEAD for one in found):  # the only thing that is not run
        yield (
            f"{name}: made as {base} is, so that the ratio of their times is 1 by construction; timing "
            "is a check of the clock"
        )
    for one in found:
        yield f"{name}: another {one}"


def _bitexts(options: EfficiencyOptions) -> list[Bitext]:
    """Return what the accuracy is of, if it is wanted."""
    if not options.align:
        return []
    found = load(options.align, data_dir=options.data_dir, languages=str(options.languages))
    bitexts = [one for one in found if isinstance(one, Bitext)]
    if not bitexts:
        raise ValueError(f"`align` {options.align} has no bitexts; take tatoeba or flores")
    return bitexts


def _measured(
    subjects: Sequence[TimedModel],
    texts: Mapping[str, Sequence[str]],
    tokens: Mapping[str, Tokens],
    unlike: Mapping[str, Sequence[Difference]],
    aligned: Sequence[Bitext],
    options: EfficiencyOptions,
    folder: Path,
) -> EfficiencyResult:
    folder.mkdir(parents=True, exist_ok=True)
    items = tuple(map(int, split_names(options.items))) if options.scenario == "retrieve" else ()
    units = units_of(options, subjects, texts, tokens)
    before = describe_machine()
    samples = measure(subjects, units, options, items).assign(scenario=options.scenario)
    timed = [f"query@{size}" for size in items]
    for size, column in zip(items, timed, strict=True):
        samples[column] = samples["wall"] + samples[f"search@{size}"]
    if options.scenario == "generate":
        timed = ["first token", "per token"]
        samples[timed[0]] = samples["wall"] - samples["decode"]
        samples[timed[1]] = samples["decode"] / samples["tokens"]
    base, others = subjects[0].name, [one.name for one in subjects[1:]]
    known = {"shapes": SHAPE_CLOCKS, "task": TASK_CLOCKS, "generate": WRITING_CLOCKS}
    clocks = known.get(options.scenario, CLOCKS)
    settings = {"margin": options.margin, "seed": options.seed}
    table = pd.DataFrame(ratio_rows(samples, base, others, ("wall", *clocks, "cpu"), settings))
    table = _judged(table.assign(scenario=options.scenario), others[0], unlike)
    latency = pd.DataFrame(row for column in ("wall", *timed) for row in latencies(samples, column))
    found = EfficiencyResult(
        table,
        folder,
        pd.DataFrame([_row(one, samples, units, aligned) for one in subjects if one.form != AGAIN]),
        _languages(subjects, texts, samples, options),
        latency,
        samples,
        unlike,
    )
    for name in ("checkpoints", "languages", "latency", "samples"):
        write_table(folder, name, getattr(found, name))
    write_table(folder, "ratios", table)
    structure = {name: [one._asdict() for one in each] for name, each in unlike.items()}
    write_json(
        folder / "machine.json", {"before": before, "after": describe_machine(), "structure": structure}
    )
    return found


def _judged(table: pd.DataFrame, again: str, unlike: Mapping[str, Sequence[Difference]]) -> pd.DataFrame:
    """Take back verdicts where the base is not the same as itself, and say what differs in structure."""
    notes = {name: "; ".join(map(str, found)) or "of the same make" for name, found in unlike.items()}
    table = table.assign(note=[notes[name] for name in table["subject"]])
    own = table[(table["subject"] == again) & (table["label"] == "all") & (table["clock"] == "wall")]
    if own["verdict"].iloc[0] != SAME:
        table.loc[table["subject"] != again, "verdict"] = INCONCLUSIVE
        table["note"] += "; the base does not take as long as itself: this machine is too noisy now"
    return table


def _row(
    subject: TimedModel, samples: pd.DataFrame, units: Sequence[Unit], aligned: Sequence[Bitext]
) -> Columns:
    """Return what is known of a subject as a whole."""
    checkpoint = subject.opened
    own = samples[samples["subject"] == subject.name]
    typical = own.groupby("unit").agg(texts=("texts", "first"), wall=("wall", "median")).sum()
    largest = sorted(units, key=lambda unit: unit.count, reverse=True)[:MEMORY_UNITS]
    return {
        "subject": subject.name,
        "checkpoint": checkpoint.name,
        "form": subject.form,
        "parameters": checkpoint.parameters,
        "parameters_body": checkpoint.parameters_body,
        "sentences_per_second": typical["texts"] / typical["wall"],
        **memory_of(subject, largest),
        "disk_mb": disk_of(checkpoint.folder),
        **(retrieval_accuracy(subject, aligned) if aligned else {}),
    }


def _languages(
    subjects: Sequence[TimedModel],
    texts: Mapping[str, Sequence[str]],
    samples: pd.DataFrame,
    options: EfficiencyOptions,
) -> pd.DataFrame:
    """Return a row per subject and language: tokens, and (but for random tokens) times."""
    first, tables = next(iter(texts)), []
    for one in subjects:
        if one.form == AGAIN:
            continue
        tokens = {name: one.tokens(own) for name, own in texts.items()}
        table = pd.DataFrame(token_rows(one.checkpoint, texts, tokens)).assign(subject=one.name)
        if options.scenario != "shapes":
            timed = set(samples["label"])  # of a task, maybe not English
            pivot = first if first in timed else str(samples["label"].iloc[0])
            times = pd.DataFrame(time_rows(samples, one.name, pivot))
            table = table.merge(times, on=["subject", "language"], how="outer", sort=False)
            table = table[table["time_ratio"].notna()]
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
