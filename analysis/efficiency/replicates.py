"""Nested replicates: fresh loads, in each of them blocks, in each of those rounds.

In a round every subject runs the same unit, one after the other; over as many rounds as there are
subjects each is once at every place. What drifts (heat, other processes, caches) meets all, and a
load draws the places of the weights in memory again. Timing one model after the other, as is usual,
fakes differences of 5 to 15 %.
"""

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

import numpy as np
import pandas as pd

from ...alignment.runs.progress import Progress
from ...data.rows import Columns
from .clocks import Running
from .options import EfficiencyOptions
from .subjects import TimedModel
from .workload import Unit

LEAST = 3  # times that every unit is run


def measure(
    subjects: Sequence[TimedModel],
    units: Sequence[Unit],
    options: EfficiencyOptions,
    items: tuple[int, ...] = (),
) -> pd.DataFrame:
    """Time subjects on the same units, and return every sample.

    Args:
        subjects: what is timed; all are in memory at once.
        units: what they run.
        options: how often.
        items: sizes of the indexes that are searched.

    Returns:
        A row a sample: load, block, round, place (of the subject in its round), unit, label, subject,
        texts, and what `Running.time` returns.
    """
    rng = np.random.default_rng(options.seed)
    wanted = cycle(rng.permutation(len(units)).tolist())
    rows: list[Columns] = []
    rounds = 0
    with _uncollected():
        for load in range(options.loads):
            _tell(options.progress, load, options.loads)
            running = _loaded(subjects, rng, items, options.seed)
            warm = _warm_up(running, units if load == 0 else _largest(units))
            rounds = rounds or _rounds(warm, len(units), len(subjects), options)
            for block in range(options.blocks):
                for number, order in enumerate(_orders(len(subjects), rounds, rng)):
                    unit = next(wanted)
                    at: Columns = {"load": load, "block": block, "round": number, "unit": unit}
                    rows += [at | sample for sample in _round(running, order, units[unit])]
            del running
            gc.collect()
    _tell(options.progress, options.loads, options.loads)
    return pd.DataFrame(rows)


def _round(running: Sequence[Running], order: Sequence[int], unit: Unit) -> Iterator[Columns]:
    """Yield the samples of a round: each runs the unit, in this order."""
    for place, which in enumerate(order):
        name = running[which].subject.name
        about = {"place": place, "label": unit.label, "subject": name, "texts": unit.count}
        yield about | running[which].time(unit)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from collecting garbage: in the middle of a sample that is no property of a model."""
    gc.collect()
    gc.freeze()  # what is there already need not be looked through again
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _loaded(
    subjects: Sequence[TimedModel], rng: np.random.Generator, items: tuple[int, ...], seed: int
) -> list[Running]:
    """Load all in shuffled order."""
    found = {
        int(which): Running.of(subjects[which], items, seed) for which in rng.permutation(len(subjects))
    }
    return [found[which] for which in range(len(subjects))]


def _warm_up(running: Sequence[Running], units: Sequence[Unit]) -> float:
    """Run all units by all, each twice the first; return the mean seconds of a round."""
    for one in running:
        one.time(units[0])
    return float(np.mean([sum(one.time(unit)["wall"] for one in running) for unit in units]))


def _largest(units: Sequence[Unit]) -> list[Unit]:
    """Return the unit with the most texts of every label."""
    found: dict[str, Unit] = {}
    for unit in units:
        if unit.label not in found or unit.count > found[unit.label].count:
            found[unit.label] = unit
    return list(found.values())


def _rounds(seconds: float, units: int, subjects: int, options: EfficiencyOptions) -> int:
    """Return the rounds of a block: as many as the time allows, every unit a few times at least."""
    blocks = options.loads * options.blocks
    allowed = int(options.seconds / (blocks * max(seconds, 1e-6)))
    return max(allowed, math.ceil(LEAST * units / blocks), subjects)


def _orders(subjects: int, rounds: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield the order of each round: Latin squares, so that each is as often at every place."""
    left = rounds
    while left:
        names = rng.permutation(subjects)
        shifts = rng.permutation(subjects)[:left]
        for shift in shifts.tolist():
            yield np.roll(names, shift).tolist()
        left -= len(shifts)


def _tell(progress: Progress | None, done: int, count: int) -> None:
    if progress is not None:
        progress("timing", done, count)
