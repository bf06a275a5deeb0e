"""What a phase is trained on and selected by: English examples, cut by group."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data import load
from ..data.languages import standard_tag
from ..data.splits import first_groups, hold_out
from ..data.tasks import TaskData, load_task
from ..data.tasks.load import SPLITS
from ..data.text import read_sentences
from .recipe import MaskedPart, TaskPart

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaskMaterial:
    """A task's training examples and those it is selected by; they share no group unless asked to."""

    name: str
    train: TaskData
    dev: TaskData

    @property
    def groups(self) -> set[str]:
        """The groups that are trained on."""
        return {example.group for example in self.train.examples}


def load_material(part: TaskPart, data_dir: Path | None, seed: int) -> TaskMaterial:
    """Read a part of a recipe.

    Raises:
        ValueError: what `load_task` refuses; examples that are not in the part's language (English,
            where it says nothing); training and dev that share groups.
    """
    if part.train == part.dev and not part.hold_out:
        raise ValueError(
            f"{part.task}: {part.train} cannot be dev too; hold_out: 0.1 keeps a tenth back"
        )
    language = standard_tag(part.language)
    train = dev = _load(part.task, part.train, data_dir, language)
    if not part.hold_out or language != "en":
        dev = _load(part.task, part.dev, data_dir, "en", train.labels)
    if part.hold_out:  # of a translation and of its original the same groups
        stays, held = (hold_out(side.examples, part.hold_out, seed) for side in (train, dev))
        train, dev = train.having(stays[0]), dev.having(held[1])
    if not part.official:  # a premise or context that is on both sides: dev gives way
        trained = {example.group for example in train.examples}
        apart = [example for example in dev.examples if example.group not in trained]
        if len(apart) < len(dev.examples):
            logger.info(
                "%s: %d of %d dev examples share a premise or context with training and are left out; "
                "official: true keeps them",
                *(part.task, len(dev.examples) - len(apart), len(dev.examples)),
            )
        dev = dev.having(apart)
    if not dev.examples:
        raise ValueError(f"{part.task}: every group of {part.dev} is trained on; use hold_out")
    if part.limit is not None:
        chosen = first_groups([example.group for example in train.examples], part.limit, seed)
        train = train.having([train.examples[i] for i in chosen])
    name = part.task if language == "en" else f"{part.task} ({language})"
    return TaskMaterial(name, train, dev)


def load_text(part: MaskedPart, data_dir: Path | None) -> list[str]:
    """Return the texts of a corpus, both sides of its bitexts, or of files; each once."""
    if part.files:
        return list(dict.fromkeys(text for file in part.files for text in read_sentences(Path(file))))
    bitexts = load(part.corpus, data_dir=data_dir, languages=part.languages)
    return list(
        dict.fromkeys(text for b in bitexts for side in (b.target, b.source) for text in side.texts)
    )


def all_groups(materials: Iterable[TaskMaterial]) -> set[str]:
    """Return the groups that any of them trains on."""
    return set().union(*(material.groups for material in materials))


def _load(
    task: str, name: str, data_dir: Path | None, language: str, labels: Sequence[str] | None = None
) -> TaskData:
    if name in SPLITS:
        found = load_task(task, name, languages=language, data_dir=data_dir, labels=labels)
    else:
        path = Path(name)
        if not path.is_file():
            raise OSError(f"{name}: neither a split ({', '.join(SPLITS)}) nor a file")
        found = load_task(task, "train", languages=language, file=path, labels=labels)
    (data,) = found
    if data.language != language:
        raise ValueError(f"{data.name}: training is in English, unless language: says otherwise")
    return data
