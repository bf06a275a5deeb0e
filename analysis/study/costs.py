"""What a study takes and what it cannot show, said before it is run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ...alignment.checkpoints.opening import open_checkpoint
from ...alignment.measures import MEASURES
from ...alignment.runs.progress import stage_of
from ...data import AnyBitext
from ...data.bitext import Bitext
from ..retention.claims import LANGUAGES, SEEDS
from .corpora import Bitexts, check_tasks, read_bitexts
from .engines import divide_cores, processes_for
from .options import StudyOptions
from .plan import Plan, open_plan
from .probe import Cost, measure
from .scaling import SCALES
from .spec import Study
from .work import Worker, quiet

CHANGED = 0.2  # the share of sentences whose outcome changes, for what a corpus can show
WITHIN = 0.1  # the correlation of outcomes within a document, likewise
POWER = 0.8
FLOPS = 100e12  # a second of a GPU that works well, for checkpoints that cannot be opened here
TOKENS = 32  # of a sentence, likewise


def validated(file: Study | str | Path, options: StudyOptions) -> Iterator[str]:
    """Yield what a study is, what it takes, and what it cannot show.

    Args:
        file: a YAML file, or a study that was read.
        options: with what it would be run.

    Raises:
        ValueError: a study that does not go, with the place.
        OSError: data that are not there.
    """
    plan = open_plan(file, options)
    study = plan.study
    data_dir = None if options.data_dir is None else Path(options.data_dir)
    bitexts = read_bitexts(plan, data_dir)
    yield from _counts(plan, bitexts)
    scales = [scale for _, _, scale in study.scales()]
    unknown = [one.checkpoint for one in scales if not _opens(one.checkpoint, one.revision)]
    if unknown:
        yield f"not measured: {', '.join(unknown)} cannot be opened here"
        yield from _by_hand(plan, bitexts)
    else:
        processes = options.processes or processes_for(plan, options.device)
        divide_cores(processes)
        worker = Worker(data_dir, options.device)
        with quiet():
            check_tasks(plan, data_dir)
            found = measure(plan, worker, bitexts, stage_of(options.progress, "measuring"))
        yield from _time(found, processes, options.device)
    yield from power(study, bitexts)
    yield from _limits(study, bitexts)


def power(study: Study, bitexts: Bitexts) -> Iterator[str]:
    """Yield what each corpus can show: n sentences a language, 20 % of whose outcomes change.

    The standard error of a difference of shares is √(d / n), d the share of outcomes that change; of
    documents with m sentences, n / (1 + (m - 1) ICC) count.
    """
    import scipy.stats

    normal = scipy.stats.norm
    for part in study.test:
        sizes = [_effective(bitext) for bitext in bitexts[part.name]]
        lengths = np.array([len(bitext) for bitext in bitexts[part.name]])
        error = np.sqrt(CHANGED / np.array(sizes))
        least = (normal.ppf(0.975) + normal.ppf(POWER)) * error
        kept = normal.cdf(study.margin / error - normal.ppf(0.95))
        yield (
            f"{part.name}: a loss of {_range(least)} is found with power {POWER:g} in a language of "
            f"{_range(lengths, 0)} sentences, if {CHANGED:.0%} of their outcomes change; no loss is "
            f"called retained within {study.margin:g} with power {_range(kept, 2)}"
        )


def _counts(plan: Plan, bitexts: Bitexts) -> Iterator[str]:
    study, treated = plan.study, plan.treated()
    controls = [name for name, treatment in study.treatments.items() if treatment.control]
    trained = sum(subject.recipe is not None for subject in treated)
    scales = list(study.scales())
    yield (
        f"{study.name}: {len(scales)} scales, {len(study.treatments)} treatments (of them "
        f"{len(controls)} controls), {len(study.seeds)} seeds: {len(plan.subjects)} checkpoints, "
        f"{trained} to be trained"
    )
    cells = sum(len(bitexts[part.name]) for part in plan.parts)
    yield (
        f"{len(plan.subjects) * len(plan.parts)} runs of {len(plan.parts)} corpora, "
        f"{len(plan.subjects) * cells} bitexts to score"
    )


def _time(found: Mapping[str, Cost], processes: int, device: str) -> Iterator[str]:
    training, scoring, disk = (
        sum(getattr(cost, name) for cost in found.values()) for name in ("training", "scoring", "disk")
    )
    slowest = max(cost.training + cost.scoring for cost in found.values())
    hours = max((training + scoring) / processes, slowest) / 3600
    where = "of one GPU" if device.startswith("cuda") else f"with {processes} processes"
    yield (
        f"about {_duration(hours)} {where} on this machine: {training / 3600:.2f} h of training and "
        f"{scoring / 3600:.2f} h of scoring, measured on a few steps and some sentences"
    )
    yield f"about {disk / 1e9:.2f} GB of checkpoints; vectors are deleted once they are scored"


def _by_hand(plan: Plan, bitexts: Bitexts) -> Iterator[str]:
    """Yield the cost by arithmetic: 6 operations a parameter and token of training, 2 of encoding."""
    if any(scale.parameters_body is None for _, _, scale in plan.study.scales()):
        yield "give every scale `parameters` and `parameters_body` to have its cost by arithmetic"
        return
    sentences = sum(2 * len(bitext) for part in plan.parts for bitext in bitexts[part.name])
    total = disk = 0.0
    for subject in plan.subjects:
        body, size = subject.base.parameters_body or 0, subject.base.parameters or 0
        total += 2 * body * sentences * TOKENS
        if subject.recipe is not None:
            for phase in subject.recipe.phases:
                batch = phase.batch * phase.accumulate * phase.max_length
                total += 6 * body * (phase.steps or 0) * batch
                disk += 4 * size
    yield (
        f"by arithmetic at most {total / FLOPS / 3600:,.1f} GPU hours at {FLOPS / 1e12:.0f} TFLOP/s (6 "
        f"operations a parameter of the body and token of training, 2 of encoding), {disk / 1e9:,.0f} GB"
    )
    if any(phase.steps is None for s in plan.subjects if s.recipe for phase in s.recipe.phases):
        yield "phases in epochs are not in it: name their steps"


def _limits(study: Study, bitexts: Bitexts) -> Iterator[str]:
    """Yield what cannot be concluded."""
    if len(study.seeds) < SEEDS:
        yield (
            f"cannot be concluded: anything about a recipe ({len(study.seeds)} seeds, {SEEDS} are "
            "needed); what is found is said of these checkpoints"
        )
    for family, scales in study.families.items():
        if len(scales) < SCALES or len(study.seeds) < SEEDS:
            yield (
                f"cannot be concluded: a trend over the scales of {family} ({len(scales)} scales, "
                f"{len(study.seeds)} seeds; {SCALES} and {SEEDS} are needed)"
            )
    for part in study.test:
        if len(bitexts[part.name]) < LANGUAGES:
            yield (
                f"cannot be concluded: anything about other languages from {part.name} "
                f"({len(bitexts[part.name])}, {LANGUAGES} are needed)"
            )
    if not any(treatment.control for treatment in study.treatments.values()):
        yield "cannot be concluded: that a task, and not just more training, did it (no control)"
    if not MEASURES[study.primary.measure].proportion:
        yield f"{study.primary.measure} is no share of sentences: there are no log-odds of it"


def _opens(checkpoint: str, revision: str | None) -> bool:
    try:
        open_checkpoint(checkpoint, revision=revision)
    except (OSError, ValueError):
        return False
    return True


def _effective(bitext: AnyBitext) -> float:
    """Return how many independent sentences a bitext is worth."""
    groups = bitext.groups if isinstance(bitext, Bitext) else None
    size = len(bitext) / len(set(groups)) if groups else 1.0
    return len(bitext) / (1 + (size - 1) * WITHIN)


def _range(values: np.ndarray, digits: int = 3) -> str:
    low, high = (f"{value:,.{digits}f}" for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def _duration(hours: float) -> str:
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.1f} h"
