"""What a phase is trained on and selected by: English examples, cut by group."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.splits import hold_out, position
from ..data.tasks import Example, TaskData, load_task
from ..data.tasks.load import SPLITS
from .recipe import TaskPart


@dataclass(frozen=True)
class Material:
    """A task's training examples and those it is selected by, which share no group."""

    name: str
    train: TaskData
    dev: TaskData

    @property
    def groups(self) -> set[str]:
        """The groups that are trained on."""
        return {example.group for example in self.train.examples}


def load_material(part: TaskPart, data_dir: Path | None, seed: int) -> Material:
    """Read a part of a recipe.

    Raises:
        ValueError: what `load_task` refuses; examples that are not English; training and dev that share
            groups.
    """
    if part.train == part.dev and not part.hold_out:
        raise ValueError(
            f"{part.task}: {part.train} cannot be dev too; hold_out: 0.1 keeps a tenth back"
        )
    train = _load(part.task, part.train, data_dir)
    if part.hold_out:
        stays, held = hold_out(train.examples, part.hold_out, seed)
        train, dev = train.having(stays), train.having(held)
    else:
        dev = _load(part.task, part.dev, data_dir, train.labels)
        # a premise or context that stands on both sides: dev gives way
        trained = {example.group for example in train.examples}
        dev = dev.having([example for example in dev.examples if example.group not in trained])
        if not dev.examples:
            raise ValueError(f"{part.task}: every group of {part.dev} is trained on; use hold_out")
    if part.limit is not None:
        train = train.having(first_groups(train.examples, part.limit, seed))
    return Material(part.task, train, dev)


def first_groups(examples: Sequence[Example], limit: int, seed: int) -> list[Example]:
    """Return so many examples, of as few groups as that needs; which ones is drawn by the seed."""
    order = sorted(range(len(examples)), key=lambda i: (position(examples[i].group, seed), i))
    return [examples[i] for i in sorted(order[:limit])]


def all_groups(materials: Iterable[Material]) -> set[str]:
    """Return the groups that any of them trains on."""
    return set().union(*(material.groups for material in materials))


def _load(task: str, name: str, data_dir: Path | None, labels: Sequence[str] | None = None) -> TaskData:
    if name in SPLITS:
        found = load_task(task, name, languages="en", data_dir=data_dir, labels=labels)
    else:
        path = Path(name)
        if not path.is_file():
            raise OSError(f"{name}: neither a split ({', '.join(SPLITS)}) nor a file")
        found = load_task(task, "train", file=path, labels=labels)
    (data,) = found
    if data.language != "en":
        raise ValueError(f"{data.name}: intermediate training is in English only")
    return data
