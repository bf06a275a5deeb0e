"""The work of a study: its checkpoints, what each is made from, and where its scores will be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...alignment.runs.shares import parse_share
from ...training.recipe import Recipe
from .options import StudyOptions
from .spec import CorpusPart, Pretrained, Study, read_study, recipe_of

BASE = "pretrained"


@dataclass(frozen=True)
class Subject:
    """A checkpoint of a study: made by a recipe, or there already."""

    family: str
    scale: str
    base: Pretrained
    treatment: str  # BASE of a base
    seed: int | None
    checkpoint: str = ""  # where it is, if it is not made here
    revision: str | None = None
    recipe: Recipe | None = None
    control: bool = False

    @property
    def name(self) -> str:
        """The name of its folders."""
        start = f"{self.family}-{self.scale}"
        return start if self.treatment == BASE else f"{start}-{self.treatment}-seed{self.seed}"

    @property
    def stage(self) -> str:
        """The stage of its scores."""
        return "pretrained" if self.treatment == BASE else "intermediate"


@dataclass(frozen=True)
class Plan:
    """All checkpoints of a study in the order of work: bases first, then seed by seed."""

    study: Study
    folder: Path
    subjects: Sequence[Subject]

    @property
    def parts(self) -> Sequence[CorpusPart]:
        """The corpora that every checkpoint is scored on."""
        return (*self.study.test, self.study.dev)

    def part(self, corpus: str) -> CorpusPart:
        """Return the corpus of a name."""
        return next(part for part in self.parts if part.name == corpus)

    def run(self, subject: Subject, part: CorpusPart) -> Path:
        """Return the run folder of a checkpoint's scores."""
        return self.folder / "scores" / subject.name / part.name.replace("/", "-")

    def scored(self, subject: Subject) -> list[CorpusPart]:
        """Return the corpora that a checkpoint is scored on already."""
        runs = ((part, self.run(subject, part)) for part in self.parts)
        return [part for part, run in runs if (run / "scores.parquet").is_file()]

    def trained(self, subject: Subject) -> Path:
        """Return the folder of its training."""
        return self.folder / "checkpoints" / subject.name

    def encoder(self, subject: Subject) -> str:
        """Return the folder or id of a checkpoint."""
        if subject.recipe is None:
            return subject.checkpoint
        return str(self.trained(subject) / subject.recipe.phases[-1].name)

    def base_of(self, subject: Subject) -> Subject:
        """Return the base that a checkpoint is compared with."""
        return next(
            one
            for one in self.subjects
            if one.treatment == BASE and (one.family, one.scale) == (subject.family, subject.scale)
        )

    def treated(self) -> list[Subject]:
        """Return all checkpoints but the bases."""
        return [one for one in self.subjects if one.treatment != BASE]

    def share(self, which: str) -> Sequence[Subject]:
        """Return the checkpoints of one share of an array job.

        Args:
            which: "2/8", the second of eight; "" for all.

        Raises:
            ValueError: no such share.
        """
        share = parse_share(which)
        if share is None:
            return self.subjects
        scales = [(family, name) for family, name, _ in self.study.scales()]
        # scale by scale, so that every share has as many of each size
        ordered = sorted(self.subjects, key=lambda one: scales.index((one.family, one.scale)))
        return ordered[share.number - 1 :: share.of]


def open_plan(file: Study | str | Path, options: StudyOptions) -> Plan:
    """Return the work of a study from its file, in the folder that the options name.

    Raises:
        ValueError: a study that does not go, with the place.
        OSError: the file cannot be read.
    """
    study = file if isinstance(file, Study) else read_study(Path(file))
    return make_plan(study, Path("runs") / study.name if options.out is None else Path(options.out))


def make_plan(study: Study, folder: Path) -> Plan:
    """Return the work of a study.

    Args:
        study: what is asked.
        folder: gets everything that is made.
    """
    subjects = [
        Subject(family, name, scale, BASE, None, scale.checkpoint, scale.revision)
        for family, name, scale in study.scales()
    ]
    for place, seed in enumerate(study.seeds):
        for name, treatment in study.treatments.items():
            for family, size, scale in study.scales():
                made = Subject(family, size, scale, name, seed, control=treatment.control)
                given = treatment.checkpoints.get(f"{family}/{size}", ())
                if treatment.phases:
                    recipe = recipe_of(treatment, f"{study.name}: {name}", scale, seed)
                    subjects.append(replace(made, recipe=recipe))
                elif place < len(given):
                    subjects.append(replace(made, checkpoint=given[place]))
    return Plan(study, folder, subjects)
