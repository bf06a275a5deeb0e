"""Zero-shot transfer: what a head that was trained in English says in every language there is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.rows import Columns
from ..data.splits import refuse_leak
from ..data.tasks import TaskData, find_task, load_task
from .material import TaskMaterial
from .recipe import EvaluationPart
from .tasks.evaluation import evaluate
from .tasks.heads import MultiHead

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Test:
    """A task in a language, what its head is trained on, and whether they share groups."""

    data: TaskData
    train: TaskData
    leaks: bool


def load_tests(
    parts: Sequence[EvaluationPart],
    materials: Sequence[TaskMaterial],
    groups: Iterable[str],
    data_dir: Path | None,
    *,
    allow_leak: bool,
) -> list[Test]:
    """Read what a phase is tested on, before it is trained.

    Args:
        parts: of the recipe.
        materials: what is trained on; says which heads and labels there will be.
        groups: everything trained on, in this phase and before.
        data_dir: see `data.tasks.load_task`.
        allow_leak: test all the same what shares groups with the training; it is marked.

    Raises:
        Leak: a test shares groups with the training.
        ValueError: no task of the phase trains a head for it; what `load_task` refuses.
    """
    heads = {material.train.task.head: material.train for material in materials}
    trained = set(groups)
    found = []
    for part in parts:
        for data in _load(part, heads, data_dir):
            tested = {example.group for example in data.examples}
            if not allow_leak:
                refuse_leak(trained, tested, data.name)
            found.append(Test(data, heads[data.task.head], leaks=not trained.isdisjoint(tested)))
    return found


def run_tests(
    model: MultiHead, tokenizer: "PreTrainedTokenizerBase", tests: Sequence[Test], length: int
) -> list[Columns]:
    """Return a row for every task, language and metric: its value, interval, and constant answer.

    Args:
        model: with the heads.
        tokenizer: the encoder's.
        tests: see `load_tests`.
        length: of inputs, in tokens.
    """
    return [
        {"task": test.data.task.name, "split": test.data.split, "language": test.data.language}
        | result.row
        | {"leaks": test.leaks}
        for test in tests
        for result in evaluate(model, tokenizer, test.data, test.train, max_length=length)
    ]


def _load(part: EvaluationPart, heads: dict[str, TaskData], data_dir: Path | None) -> list[TaskData]:
    head = find_task(part.task).head
    if head not in heads:
        raise ValueError(
            f"{part.task} needs a {head!r} head, and this phase trains {', '.join(map(repr, heads))}"
        )
    labels = heads[head].labels
    return load_task(
        part.task, part.split, languages=part.languages, data_dir=data_dir, labels=labels or None
    )
