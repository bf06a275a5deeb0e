"""Recipes: what is trained on what, read from YAML; every field is checked before anything is loaded."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ..alignment.runs.files import write_text
from ..data.languages import standard_tag
from ..data.settings_file import STRICT, OneOf, as_yaml, read_as, within
from ..data.tasks import find_task
from .mixture import CAP, SAMPLERS
from .tasks.heads import POSITIONS

CONTROLS = ("none", "resave", "english-mlm", "shuffled-labels", "weight-noise")
STAGES = ("intermediate", "target")
LOSSES = ("infonce", "triplet")
_FILES = ("recipe.yaml", "failures.jsonl")  # what `out` has besides the phases
PRECISIONS = ("float32", "bfloat16", "float16")
Count = Annotated[int, within(1, 1e12)]
Share = Annotated[float, within(0, 1)]


@dataclass(frozen=True)
class TaskPart:
    """A task in a phase, and which of its examples are trained on and selected by."""

    __pydantic_config__ = STRICT

    task: str
    train: str = "train"  # a split, or a file of the task's published format
    dev: str = "dev"  # likewise
    hold_out: Share = 0.0  # of the groups of `train`: those are dev, where there is no other
    limit: Count | None = None  # training examples, the first groups by hash
    language: str = "en"  # of the training examples: another where they are translated; dev is English
    official: bool = False  # keep the published dev whole, though it shares groups with `train`

    def __post_init__(self) -> None:
        """Refuse an unknown task or language."""
        find_task(self.task)
        standard_tag(self.language)


@dataclass(frozen=True)
class EvaluationPart:
    """A task that a phase's heads are tested on, in every language asked for."""

    __pydantic_config__ = STRICT

    task: str
    split: str = "test"
    languages: str = "all"

    def __post_init__(self) -> None:
        """Refuse an unknown task."""
        find_task(self.task)


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters instead of all weights; they are merged into what is saved."""

    __pydantic_config__ = STRICT

    rank: Annotated[int, within(1, 1e5)] = 16
    alpha: Annotated[int, within(1, 1e6)] = 32
    dropout: Share = 0.05
    targets: tuple[str, ...] = ()  # names of layers; peft's choice for the architecture by default


@dataclass(frozen=True)
class MaskedPart:
    """Text in any language whose masked words are learnt in addition to the tasks."""

    __pydantic_config__ = STRICT

    corpus: str = ""  # both sides of its bitexts, each sentence once
    languages: str = "all"
    files: tuple[str, ...] = ()  # or files with a text a line
    share: Annotated[float, within(0, 0.99)] = 0.2  # of the steps: some are left for the tasks

    def __post_init__(self) -> None:
        """Refuse two sources of text, or none."""
        if bool(self.corpus) == bool(self.files):
            raise ValueError("mlm: corpus or files, one of the two")


@dataclass(frozen=True)
class Injection:
    """Word pairs that an early layer is taught to bring together; see `injection`."""

    __pydantic_config__ = STRICT

    layer: Annotated[int, within(0, 1e4)]  # hidden state
    corpus: str = "words/train"  # of lexicons
    languages: str = "all"
    file: str = ""  # or a lexicon of its own: a word in `languages`, a tab, an English word
    loss: Annotated[str, OneOf("loss", LOSSES)] = "infonce"
    temperature: Annotated[float, within(1e-6, 1e6)] = 0.05  # of infonce
    margin: Annotated[float, within(0, 2)] = 0.2  # of triplet, in cosines
    hold_out: Share = 0.1  # of the English words

    def __post_init__(self) -> None:
        """Refuse a file of words whose language is not named."""
        if self.file and (self.languages == "all" or "," in self.languages):
            raise ValueError("injection: languages names the one language of the file")


@dataclass(frozen=True)
class Watch:
    """Alignment while a phase is trained, on few sentences; see `live`."""

    __pydantic_config__ = STRICT

    corpus: str = "pocket"
    languages: str = "all"
    every: Count = 500  # steps
    sentences: Annotated[int, within(2, 1e6)] = 200  # of each language pair
    stop_loss: Share | None = None  # the training ends where the best layer's mean fell by more


@dataclass(frozen=True)
class Phase:
    """One training: from the encoder before to the encoder after."""

    __pydantic_config__ = STRICT

    name: str
    tasks: tuple[TaskPart, ...] = ()
    injection: Injection | None = None  # instead of tasks
    mlm: MaskedPart | None = None  # in addition to tasks
    stage: Annotated[str, OneOf("stage", STAGES)] = "intermediate"
    control: Annotated[str, OneOf("control", CONTROLS)] = "none"
    sampler: Annotated[str, OneOf("sampler", SAMPLERS)] = "capped"
    cap: Count = CAP
    temperature: Annotated[float, within(1e-6, 1e6)] = 1.0
    steps: Count | None = None  # else epochs
    epochs: Annotated[float, within(0, 1e6)] | None = None
    batch: Annotated[int, within(1, 1e6)] = 16
    accumulate: Annotated[int, within(1, 1e6)] = 1
    rate: Annotated[float, within(0, 1e3)] = 1e-5
    warmup: Share = 0.1  # of the steps
    weight_decay: Annotated[float, within(0, 1e3)] = 0.01
    clip: Annotated[float, within(0, 1e9)] = 1.0
    max_length: Annotated[int, within(3, 1e6)] = 128
    precision: Annotated[str, OneOf("precision", PRECISIONS)] = "float32"
    evaluate_every: Count | None = None  # steps; the best on English dev is kept
    patience: Count = 30  # evaluations without a gain after which it stops
    keep: tuple[Share, ...] = ()  # shares of the steps whose encoders are saved besides: .03, .1, …
    evaluate: tuple[EvaluationPart, ...] = ()  # zero-shot tests after the training
    watch: Watch | None = None  # alignment while it is trained
    freeze: str = ""  # parts that stay as they are, as 0-3: 0 is before the blocks, i block i
    reinitialise: str = ""  # parts that begin at random, as a first training does (Muller et al. 2021)
    like: str = ""  # of weight-noise: the folder of the phase whose change it has the size of

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if not re.fullmatch(r"\w[\w.-]*", self.name) or self.name in _FILES:
            raise ValueError(
                f"name {self.name!r}: a phase gets a folder of its name, so that it is made of letters, "
                "digits, - and _, as intermediate-1"
            )
        if self.like and self.control != "weight-noise":
            raise ValueError(f"phase {self.name}: like is for control weight-noise")
        if self.control in ("resave", "weight-noise"):
            return
        if (self.steps is None) == (self.epochs is None):
            raise ValueError(f"phase {self.name}: steps or epochs, one of the two")
        if self.evaluate and self.control == "english-mlm":
            raise ValueError(f"phase {self.name}: english-mlm trains no head to evaluate")
        if bool(self.tasks) == (self.injection is not None):
            raise ValueError(f"phase {self.name}: tasks or injection, one of the two")
        if self.injection and (
            self.mlm or self.evaluate or self.evaluate_every or self.control == "english-mlm"
        ):
            raise ValueError(
                f"phase {self.name}: injection has no dev score and no head: leave out mlm, "
                "evaluate, evaluate_every and control english-mlm"
            )

    def count(self, sizes: Sequence[int]) -> int:
        """Return the optimizer steps: as said, or epochs over every task, none counted beyond the cap.

        Args:
            sizes: training features of each task.
        """
        if self.steps is not None:
            return self.steps
        batch = self.batch * self.accumulate
        once = sum(math.ceil(min(size, self.cap) / batch) for size in sizes)
        return max(1, math.ceil((self.epochs or 0) * once))


@dataclass(frozen=True)
class Recipe:
    """Phases after one another, from one base."""

    __pydantic_config__ = STRICT

    name: str
    base: str
    phases: tuple[Phase, ...]
    revision: str | None = None
    seed: Annotated[int, within(0, 2**32 - 1)] = 0
    position: Annotated[str, OneOf("position", POSITIONS)] = "first"  # where classes are read
    lora: Lora | None = None
    allow_pickle: bool = False

    def __post_init__(self) -> None:
        """Refuse no phases, and two that need the same folder."""
        if not self.phases:
            raise ValueError("no phases")
        names = [phase.name.casefold() for phase in self.phases]  # as some file systems see them
        taken = [f"{name}-at-" for name in names]
        for name in names:
            if names.count(name) > 1 or any(name.startswith(prefix) for prefix in taken):
                raise ValueError(f"phase {name}: another phase needs a folder of this name")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ValueError: not YAML, an unknown field, task, sampler, control, a value of the wrong type or
            range: with file and line.
        OSError: the file cannot be read.
    """
    return read_as(Recipe, path)


def write_recipe(recipe: Recipe, out: Path) -> None:
    """Write the recipe with every field as it was understood."""
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "recipe.yaml", as_yaml(recipe))
