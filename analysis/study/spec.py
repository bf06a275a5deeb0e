"""What a study is: its checkpoints, sentences and measures, and what counts as a loss."""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, WithJsonSchema

from ...alignment.options import options_of
from ...alignment.runs.files import write_text
from ...alignment.scoring.options import ScoreOptions
from ...data.nearest import closest
from ...data.noise import parse_noise
from ...data.rows import Columns
from ...data.settings_file import STRICT, as_yaml, read_as, within
from ...training.recipe import Lora, Phase, Recipe
from .expected import Expected

MARGINS = Annotated[float, within(1e-6, 1)]
# of ScoreOptions: what the study says elsewhere, or what the command line says
_ELSEWHERE = (
    *(
        "corpus",
        "languages",
        "pivot",
        "pairs",
        "limit",
        "noise",
        "out",
        "store",
        "data_dir",
        "progress",
        "share",
    ),
    *(
        "device",
        "device_map",
        "batch_tokens",
        "family",
        "stage",
        "recipe",
        "train_seed",
        "revision",
        "revisions",
    ),
    *("source", "target", "source_file", "target_file", "source_language", "target_language"),
    *("group_file", "gold_file", "alignment_file", "lexicon", "table", "source_column"),
    *("target_column", "id_column", "group_column", "errors"),
)
SCORING = {each.name: known for each, known in options_of(ScoreOptions) if each.name not in _ELSEWHERE}


def _scoring(given: dict[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in SCORING:
            raise ValueError(f"unknown field {name!r}: {closest(name, SCORING)}")
    ScoreOptions(**given)
    return given


def _seeds(given: tuple[int, ...]) -> tuple[int, ...]:
    if not given or len(set(given)) < len(given):
        raise ValueError("seeds: at least one, none twice")
    return given


def _named(given: dict[str, Any]) -> dict[str, Any]:
    for name in given:
        if not re.fullmatch(r"\w[\w.]*(-[\w.]+)*", name):
            raise ValueError(f"name {name!r}: folders get it, so letters, digits, - and _ only")
    return given


def _noise(given: str) -> str:
    if given:
        parse_noise(given)
    return given


Noise = Annotated[str, AfterValidator(_noise)]


@dataclass(frozen=True)
class Pretrained:
    """One size of a family: its pretrained checkpoint."""

    __pydantic_config__ = STRICT

    checkpoint: str  # built in, a folder, or an id on the hub
    revision: str | None = None
    # what `validate` costs it by where the checkpoint cannot be opened
    parameters: Annotated[float, within(1, 1e15)] | None = None
    parameters_body: Annotated[float, within(1, 1e15)] | None = None


@dataclass(frozen=True)
class Treatment:
    """What is done to every scale: a recipe, or checkpoints that are there."""

    __pydantic_config__ = STRICT

    phases: tuple[Phase, ...] = ()  # a recipe without base and seed
    checkpoints: dict[str, tuple[str, ...]] = field(default_factory=dict)  # FAMILY/SCALE: one a seed
    control: bool = False  # not a task: what is drawn next to the tasks
    lora: Lora | None = None
    position: str = "first"

    def __post_init__(self) -> None:
        """Refuse both, and neither."""
        if bool(self.phases) == bool(self.checkpoints):
            raise ValueError("phases or checkpoints, one of the two")


@dataclass(frozen=True)
class CorpusPart:
    """A corpus and which of its languages."""

    __pydantic_config__ = STRICT

    corpus: str
    languages: str = "all"
    pivot: str = "en"
    pairs: str | None = None
    limit: Annotated[int, within(2, 1e12)] | None = None
    noise: Noise = ""  # in the source, as char@0.1

    @property
    def name(self) -> str:
        """What it is called, with its noise."""
        return f"{self.corpus}+{self.noise}" if self.noise else self.corpus


@dataclass(frozen=True)
class Primary:
    """The cells that the study's claims are of; all others are described."""

    __pydantic_config__ = STRICT

    corpus: str
    measure: str = "accuracy"
    direction: Literal["forward", "backward", "mean", "both"] = "mean"
    pooling: str = "mean"
    map: str = "none"
    noise: Noise = ""


Family = Annotated[dict[str, Pretrained], AfterValidator(_named)]


@dataclass(frozen=True)
class Study:
    """A study: every field of its file."""

    __pydantic_config__ = STRICT

    name: str
    families: Annotated[dict[str, Family], AfterValidator(_named)]
    treatments: Annotated[dict[str, Treatment], AfterValidator(_named)]
    test: tuple[CorpusPart, ...]  # what is reported on
    dev: CorpusPart  # what the best layers are chosen on
    margin: MARGINS  # the greatest loss that counts as retained, in units of the primary measure
    primary: Primary
    question: str = ""
    expected: tuple[Expected, ...] = ()  # published figures that it should find again
    against: str = ""  # the treatment that a task's effect is measured against, as english-mlm
    seeds: Annotated[tuple[Annotated[int, within(0, 2**32 - 1)], ...], AfterValidator(_seeds)] = (0,)
    score: Annotated[
        dict[str, Any],
        AfterValidator(_scoring),
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: {"description": known.help} for name, known in SCORING.items()},
            }
        ),
    ] = field(default_factory=dict)  # flags of `crosslingual score`

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        for name in ("families", "treatments", "test"):
            if not getattr(self, name):
                raise ValueError(f"{name}: at least one")
        corpora = [part.name for part in self.test]
        if len(set(corpora)) < len(corpora):
            raise ValueError("test: a corpus is there twice")
        if self.dev.corpus in corpora:
            raise ValueError(f"dev: layers chosen on {self.dev.corpus} cannot be reported on it, too")
        primary = CorpusPart(self.primary.corpus, noise=self.primary.noise).name
        if primary not in corpora:
            raise ValueError(f"primary: corpus {primary!r}: {closest(primary, corpora)}")
        places = [f"{family}/{scale}" for family, scale, _ in self.scales()]
        for name, treatment in self.treatments.items():
            for place, given in treatment.checkpoints.items():
                if place not in places:
                    raise ValueError(f"treatment {name}: {place!r}: {closest(place, places)}")
                if len(given) > len(self.seeds):
                    raise ValueError(f"treatment {name}: {place} has more checkpoints than seeds")
        for each in self.expected:
            each.refuse_unknown(places, self.treatments, (*corpora, self.dev.name))
        if self.against and self.against not in self.treatments:
            raise ValueError(f"against: {self.against!r}: {closest(self.against, self.treatments)}")

    def scales(self) -> Iterator[tuple[str, str, Pretrained]]:
        """Yield family, name and checkpoint of every scale."""
        for family, scales in self.families.items():
            for name, scale in scales.items():
                yield family, name, scale

    @property
    def registered(self) -> Columns:
        """What has to be named before a fine-tuned checkpoint is scored."""
        primary = dataclasses.asdict(self.primary)
        return {"margin": self.margin, "primary": primary, "dev": self.dev.corpus}


def recipe_of(treatment: Treatment, name: str, scale: Pretrained, seed: int) -> Recipe:
    """Return the recipe of a treatment for one base and seed."""
    return Recipe(
        name,
        scale.checkpoint,
        treatment.phases,
        scale.revision,
        seed,
        treatment.position,
        treatment.lora,
    )


def read_study(path: Path) -> Study:
    """Read a study.

    Raises:
        ValueError: not YAML, an unknown field, a value that does not go: with file and line.
        OSError: the file cannot be read.
    """
    return read_as(Study, path)


def write_study(study: Study, path: Path) -> None:
    """Write a study with every field as it was understood."""
    write_text(path, as_yaml(study))
