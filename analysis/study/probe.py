"""What a study takes, measured: a few steps of every training, some sentences of every corpus."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from ...alignment.checkpoints.opening import open_checkpoint
from ...alignment.runs.progress import Tick
from ...data import AnyBitext
from ...training.material import load_material
from ...training.recipe import Phase, Recipe
from ...training.training import train
from .corpora import Bitexts
from .plan import BASE, Plan, Subject
from .spec import CorpusPart
from .work import Worker

SOME = 150  # sentences that a checkpoint is scored in, and three times as many
STEPS = 9  # of a training that tells what a step takes, and all around it
NUMBER_SIZE = 4.0  # bytes of a parameter that is saved


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes of a checkpoint."""

    training: float
    scoring: float
    disk: float


def measure(plan: Plan, worker: Worker, bitexts: Bitexts, tick: Tick | None = None) -> dict[str, Cost]:
    """Return what each checkpoint of a study takes, by its name.

    One seed of every recipe and scale is trained for a few steps, and the base of every scale is scored
    in some sentences of one language of every corpus, in a temporary folder.

    Args:
        plan: of the study.
        worker: does the work.
        bitexts: of every corpus.
        tick: called with how many measurements are done, and of how many.

    Raises:
        ValueError: what a checkpoint, a corpus or a recipe is refused for.
        OSError: what cannot be read.
    """
    trained: dict[tuple[str, str, str], float] = {}
    scored: dict[tuple[str, str], float] = {}
    sizes: dict[tuple[str, str], float] = {}
    seed = plan.study.seeds[0]
    wanted = [one for one in plan.subjects if one.treatment == BASE or (one.recipe and one.seed == seed)]
    for done, subject in enumerate(wanted):
        if tick is not None:
            tick(done, len(wanted))
        scale = (subject.family, subject.scale)
        if subject.treatment == BASE:
            sizes[scale] = (
                NUMBER_SIZE * open_checkpoint(subject.checkpoint, revision=subject.revision).parameters
            )
            scored[scale] = _score(plan, worker, subject, bitexts)
        elif subject.recipe is not None:
            trained[(*scale, subject.treatment)] = _train(worker, subject.recipe)
    return {
        subject.name: Cost(
            trained.get((subject.family, subject.scale, subject.treatment), 0.0),
            scored[subject.family, subject.scale],
            _phases(subject) * sizes[subject.family, subject.scale],
        )
        for subject in plan.subjects
    }


def _train(worker: Worker, recipe: Recipe) -> float:
    """Return the seconds that a recipe takes."""
    steps = sum(_steps(phase, worker.data_dir, recipe.seed) for phase in recipe.phases)
    if steps:
        recipe = _shorter(recipe)
    ticks: list[tuple[int, float]] = []  # a step, and when it was done
    with tempfile.TemporaryDirectory(prefix="crosslingual-") as folder:
        start = time.perf_counter()
        train(
            recipe,
            folder,
            data_dir=worker.data_dir,
            device=worker.device,
            progress=lambda _, step, of: ticks.append((step, time.perf_counter())),
        )
        whole = time.perf_counter() - start
    gaps = [then - now for (a, now), (b, then) in pairwise(ticks) if b == a + 1]
    each = statistics.median(gaps) if gaps else 0.0
    return max(0.0, whole - len(ticks) * each) + steps * each


def _shorter(recipe: Recipe) -> Recipe:
    """Return a recipe whose trainings have a few steps, and nothing saved on the way."""
    phases = (
        replace(phase, steps=STEPS, epochs=None, keep=(), evaluate_every=None)
        if _trains(phase)
        else phase
        for phase in recipe.phases
    )
    return replace(recipe, phases=tuple(phases))


def _phases(subject: Subject) -> int:
    return 0 if subject.recipe is None else len(subject.recipe.phases)


def _trains(phase: Phase) -> bool:
    return phase.steps is not None or phase.epochs is not None


def _steps(phase: Phase, data_dir: Path | None, seed: int) -> int:
    """Return the steps of a phase; an example counts as one feature."""
    if not _trains(phase):
        return 0
    if phase.steps is not None:
        return phase.steps
    return phase.count([len(load_material(part, data_dir, seed).train.examples) for part in phase.tasks])


def _score(plan: Plan, worker: Worker, base: Subject, bitexts: Bitexts) -> float:
    """Return the seconds that scoring a checkpoint of a scale takes.

    One language is scored in a few sentences and in more; the difference tells what a text takes, for
    most of it is encoding, and a text is encoded once.
    """
    total = 0.0
    for part in plan.parts:
        first = bitexts[part.name][0]
        one = replace(part, languages=first.source.code) if part.pairs is None else part
        sizes = [min(SOME, len(first)), min(3 * SOME, len(first))]
        few, more = (_scored_in(plan, worker, base, replace(one, limit=size)) for size in sizes)
        texts = [_texts([bitext.head(size) for bitext in bitexts[part.name][:1]]) for size in sizes]
        each = max(0.0, more - few) / max(1, texts[1] - texts[0])
        total += few + each * (_texts(bitexts[part.name]) - texts[0])
    return total


def _scored_in(plan: Plan, worker: Worker, base: Subject, part: CorpusPart) -> float:
    """Return the seconds that scoring a checkpoint takes, with a store of its own."""
    with tempfile.TemporaryDirectory(prefix="crosslingual-") as folder:
        start = time.perf_counter()
        worker.score(Plan(plan.study, Path(folder), plan.subjects), base, part, Path(folder) / "vectors")
        return time.perf_counter() - start


def _texts(bitexts: Sequence[AnyBitext]) -> int:
    """Return how many different texts there are."""
    return len(
        {text for bitext in bitexts for side in (bitext.source, bitext.target) for text in side.texts}
    )
