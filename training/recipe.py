"""Recipes: what is trained on what, read from YAML; every field is checked before anything is loaded."""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from ..alignment.runs.folder import write_text
from ..data.languages import standard_tag
from ..data.nearest import closest
from ..data.rows import Columns
from ..data.tasks import find_task
from .mixture import CAP, SAMPLERS
from .tasks.heads import POSITIONS

CONTROLS = ("none", "resave", "english-mlm", "shuffled-labels", "weight-noise")
STAGES = ("intermediate", "target")
LOSSES = ("infonce", "triplet")
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


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ValueError: not YAML, an unknown field, task, sampler, control, a value of the wrong type or
            range: with file and line.
        OSError: the file cannot be read.
    """
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
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
    plain = yaml.SafeLoader("").construct_object(node, deep=True)
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
        except ValueError:
            plain = str(plain)
    if not isinstance(plain, hint) or (hint is not bool and isinstance(plain, bool)):
        raise ValueError(f"{where}: {name} must be {hint.__name__}, got {plain!r}")
    return plain


def _check(made: object) -> None:
    if isinstance(made, TaskPart | EvaluationPart):
        find_task(made.task)
    if isinstance(made, TaskPart):
        _within("hold_out", made.hold_out, 0, 1)
        _within("limit", made.limit, 1)
        standard_tag(made.language)
    if isinstance(made, MaskedPart):
        _within("share", made.share, 0, 1)
        if bool(made.corpus) == bool(made.files):
            raise ValueError("mlm: corpus or files, one of the two")
    if isinstance(made, Injection):
        _one_of("loss", made.loss, LOSSES)
        for name, greatest in (("layer", None), ("temperature", None), ("margin", 2), ("hold_out", 1)):
            _within(name, getattr(made, name), 0, greatest)
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
        for name, least in (("steps", 1), ("batch", 1), ("accumulate", 1), ("cap", 1), ("patience", 1)):
            _within(name, getattr(made, name), least)
        for name, greatest in (("epochs", None), ("rate", None), ("temperature", None), ("warmup", 1)):
            _within(name, getattr(made, name), 0, greatest)
        for share in made.keep:
            _within("keep", share, 0, 1)
    if isinstance(made, Recipe):
        _one_of("position", made.position, POSITIONS)


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}: {closest(value, known)}")


def _within(name: str, value: int | float | None, least: int, greatest: int | None = None) -> None:
    if value is not None and (value < least or (greatest is not None and value > greatest)):
        span = f"at least {least}" if greatest is None else f"between {least} and {greatest}"
        raise ValueError(f"{name} must be {span}, got {value}")
