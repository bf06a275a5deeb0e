"""Recipes: what is trained on what, read from YAML; every field is checked before anything is loaded."""

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from ..alignment.runs.files import write_text
from ..data.languages import standard_tag
from ..data.nearest import closest
from ..data.rows import Columns
from ..data.tasks import find_task
from ..data.yaml_file import read_yaml
from .mixture import CAP, SAMPLERS
from .tasks.heads import POSITIONS

CONTROLS = ("none", "resave", "english-mlm", "shuffled-labels", "weight-noise")
STAGES = ("intermediate", "target")
LOSSES = ("infonce", "triplet")
_FILES = ("recipe.yaml", "failures.jsonl")  # what `out` has besides the phases
PRECISIONS = ("float32", "bfloat16", "float16")
Made = TypeVar("Made")


@dataclass(frozen=True)
class TaskPart:
    """A task in a phase, and which of its examples are trained on and selected by."""

    task: str
    train: str = "train"  # a split, or a file of the task's published format
    dev: str = "dev"  # likewise
    hold_out: float = 0.0  # of the groups of `train`: those are dev, where there is no other
    limit: int | None = None  # training examples, the first groups by hash
    language: str = "en"  # of the training examples: another where they are translated; dev is English
    official: bool = False  # keep the published dev whole, though it shares groups with `train`


@dataclass(frozen=True)
class EvaluationPart:
    """A task that a phase's heads are tested on, in every language asked for."""

    task: str
    split: str = "test"
    languages: str = "all"


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters instead of all weights; they are merged into what is saved."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    targets: tuple[str, ...] = ()  # names of layers; peft's choice for the architecture by default


@dataclass(frozen=True)
class MaskedPart:
    """Text in any language whose masked words are learnt in addition to the tasks."""

    corpus: str = ""  # both sides of its bitexts, each sentence once
    languages: str = "all"
    files: tuple[str, ...] = ()  # or files with a text a line
    share: float = 0.2  # of the steps


@dataclass(frozen=True)
class Injection:
    """Word pairs that an early layer is taught to bring together; see `injection`."""

    layer: int  # hidden state
    corpus: str = "words/train"  # of lexicons
    languages: str = "all"
    file: str = ""  # or a lexicon of its own: a word in `languages`, a tab, an English word
    loss: str = "infonce"  # or triplet
    temperature: float = 0.05  # of infonce
    margin: float = 0.2  # of triplet, in cosines
    hold_out: float = 0.1  # of the English words


@dataclass(frozen=True)
class Phase:
    """One training: from the encoder before to the encoder after."""

    name: str
    tasks: tuple[TaskPart, ...] = ()
    injection: Injection | None = None  # instead of tasks
    mlm: MaskedPart | None = None  # in addition to tasks
    stage: str = "intermediate"
    control: str = "none"
    sampler: str = "capped"
    cap: int = CAP
    temperature: float = 1.0
    steps: int | None = None  # else epochs
    epochs: float | None = None
    batch: int = 16
    accumulate: int = 1
    rate: float = 1e-5
    warmup: float = 0.1  # of the steps
    weight_decay: float = 0.01
    clip: float = 1.0
    max_length: int = 128
    precision: str = "float32"
    evaluate_every: int | None = None  # steps; the best on English dev is kept
    patience: int = 30  # evaluations without a gain after which it stops
    keep: tuple[float, ...] = ()  # shares of the steps whose encoders are saved besides: .03, .1, …
    evaluate: tuple[EvaluationPart, ...] = ()  # zero-shot tests after the training
    like: str = ""  # of weight-noise: the folder of the phase whose change it has the size of

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

    name: str
    base: str
    phases: tuple[Phase, ...]
    revision: str | None = None
    seed: int = 0
    position: str = "first"  # the token that classes are read from
    lora: Lora | None = None
    allow_pickle: bool = False


# of every number of a recipe: the least and the greatest value
RANGES: dict[type, dict[str, tuple[float, float]]] = {
    TaskPart: {"hold_out": (0, 1), "limit": (1, 1e12)},
    Lora: {"rank": (1, 1e5), "alpha": (1, 1e6), "dropout": (0, 1)},
    MaskedPart: {"share": (0, 0.99)},  # some steps are left for the tasks
    Injection: {
        "layer": (0, 1e4),
        "temperature": (1e-6, 1e6),
        "margin": (0, 2),
        "hold_out": (0, 1),
    },
    Phase: {
        "cap": (1, 1e12),
        "temperature": (1e-6, 1e6),
        "steps": (1, 1e12),
        "epochs": (0, 1e6),
        "batch": (1, 1e6),
        "accumulate": (1, 1e6),
        "rate": (0, 1e3),
        "warmup": (0, 1),
        "weight_decay": (0, 1e3),
        "clip": (0, 1e9),
        "max_length": (3, 1e6),
        "evaluate_every": (1, 1e12),
        "patience": (1, 1e12),
        "keep": (0, 1),
    },
    Recipe: {"seed": (0, 2**32 - 1)},
}


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ValueError: not YAML, an unknown field, task, sampler, control, a value of the wrong type or
            range: with file and line.
        OSError: the file cannot be read.
    """
    node = read_yaml(path)
    if node is None:
        raise ValueError(f"{path}: empty; README shows a recipe")
    recipe = _made(Recipe, node, path)
    if not recipe.phases:
        raise ValueError(f"{path}: no phases")
    return recipe


def write_recipe(recipe: Recipe, out: Path) -> None:
    """Write the recipe with every field as it was understood."""
    out.mkdir(parents=True, exist_ok=True)
    plain = json.loads(json.dumps(dataclasses.asdict(recipe)))
    write_text(out / "recipe.yaml", yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))


def _made(kind: type[Made], node: yaml.Node, path: Path) -> Made:
    """Return a dataclass of a mapping node."""
    where = f"{path}:{node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{where}: expected the fields of a {kind.__name__.lower()}")
    known = {each.name: each for each in dataclasses.fields(cast("Any", kind))}
    hints = typing.get_type_hints(kind)
    given: Columns = {}
    for key, value in node.value:
        place = f"{path}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError(f"{place}: the name of a field must be a word")
        if key.value in given:
            raise ValueError(f"{place}: {key.value} is given twice")
        if key.value not in known:
            raise ValueError(f"{place}: unknown field {key.value!r}: {closest(key.value, known)}")
        given[key.value] = _value(hints[key.value], value, path, key.value)
    for name, each in known.items():
        bare = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        if name not in given and bare:
            raise ValueError(f"{where}: no {name}")
    made = kind(**given)
    try:
        _check(made)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return made


def _value(hint: Any, node: yaml.Node, path: Path, name: str) -> Any:
    """Return a node's value as the type of a field."""
    where = f"{path}:{node.start_mark.line + 1}"
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    try:
        plain = yaml.SafeLoader("").construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{where}: {name}: {' '.join(str(error).split())}") from None
    if plain is None and type(None) in options:
        return None
    hint = next(option for option in options if option is not type(None))
    if dataclasses.is_dataclass(hint):
        return _made(cast("type[Any]", hint), node, path)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        if not isinstance(node, yaml.SequenceNode):
            raise ValueError(f"{where}: {name} must be a list")
        return tuple(_value(inner, each, path, name) for each in node.value)
    if hint is float and isinstance(plain, int | str) and not isinstance(plain, bool):
        try:
            return float(plain)  # YAML 1.1 takes 1e-5 for text
        except (ValueError, OverflowError):
            plain = str(plain)
    if not isinstance(plain, hint) or (hint is not bool and isinstance(plain, bool)):
        raise ValueError(f"{where}: {name} must be {hint.__name__}, got {plain!r}")
    return plain


def _check(made: object) -> None:
    for name, (least, greatest) in RANGES.get(type(made), {}).items():
        value = getattr(made, name)
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None and not least <= one <= greatest:  # NaN is in no range
                span = f"at least {least}" if greatest >= 1e4 else f"between {least} and {greatest}"
                raise ValueError(f"{name} must be {span}, got {one}")
    if isinstance(made, TaskPart | EvaluationPart):
        find_task(made.task)
    if isinstance(made, TaskPart):
        standard_tag(made.language)
    if isinstance(made, MaskedPart) and bool(made.corpus) == bool(made.files):
        raise ValueError("mlm: corpus or files, one of the two")
    if isinstance(made, Injection):
        _one_of("loss", made.loss, LOSSES)
        if made.file and (made.languages == "all" or "," in made.languages):
            raise ValueError("injection: languages names the one language of the file")
    if isinstance(made, Phase):
        for name, known in (
            ("control", CONTROLS), ("stage", STAGES), ("sampler", SAMPLERS), ("precision", PRECISIONS)
        ):  # fmt: skip
            _one_of(name, getattr(made, name), known)
        if made.control not in ("resave", "weight-noise"):
            if (made.steps is None) == (made.epochs is None):
                raise ValueError(f"phase {made.name}: steps or epochs, one of the two")
            if made.evaluate and made.control == "english-mlm":
                raise ValueError(f"phase {made.name}: english-mlm trains no head to evaluate")
            if bool(made.tasks) == (made.injection is not None):
                raise ValueError(f"phase {made.name}: tasks or injection, one of the two")
            if made.injection and (
                made.mlm or made.evaluate or made.evaluate_every or made.control == "english-mlm"
            ):
                raise ValueError(
                    f"phase {made.name}: injection has no dev score and no head: leave out mlm, "
                    "evaluate, evaluate_every and control english-mlm"
                )
        if not re.fullmatch(r"\w[\w.-]*", made.name) or made.name in _FILES:
            raise ValueError(
                f"name {made.name!r}: a phase gets a folder of its name, so that it is made of letters, "
                "digits, - and _, as intermediate-1"
            )
    if isinstance(made, Recipe):
        names = [phase.name.casefold() for phase in made.phases]  # as some file systems see them
        taken = [f"{name}-at-" for name in names]
        for phase in made.phases:
            if phase.like and phase.control != "weight-noise":
                raise ValueError(f"phase {phase.name}: like is for control weight-noise")
        for name in names:
            if names.count(name) > 1 or any(name.startswith(prefix) for prefix in taken):
                raise ValueError(f"phase {name}: another phase needs a folder of this name")
        _one_of("position", made.position, POSITIONS)


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}: {closest(value, known)}")
