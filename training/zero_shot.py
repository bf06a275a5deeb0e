"""Zero-shot transfer: what a head that was trained in English says in every language there is."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..data.splits import Leak, refuse_leak
from ..data.tasks import TaskData, load_task
from .evaluate import evaluate
from .heads import MultiHead
from .material import Material
from .recipe import EvaluationPart


@dataclass(frozen=True)
class Test:
    """A task in a language, and whether its groups were trained on."""

    data: TaskData
    leaks: bool


def load_tests(
    parts: Sequence[EvaluationPart],
    materials: Sequence[Material],
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
            leaks = False
            try:
                refuse_leak(trained, (example.group for example in data.examples), data.name)
            except Leak:
                if not allow_leak:
                    raise
                leaks = True
            found.append(Test(data, leaks))
    return found


def run_tests(
    model: MultiHead, tokenizer: Any, tests: Sequence[Test], materials: Sequence[Material], length: int
) -> list[dict[str, Any]]:
    """Return a row for every task, language and metric: its value, interval, and constant answer.

    Args:
        model: with the heads.
        tokenizer: the encoder's.
        tests: see `load_tests`.
        materials: what was trained on; tells the constant answers.
        length: of inputs, in tokens.
    """
    trained = {material.train.task.head: material.train for material in materials}
    rows = []
    for test in tests:
        data = test.data
        for result in evaluate(model, tokenizer, data, trained[data.task.head], max_length=length):
            rows.append(
                {"task": data.task.name, "split": data.split, "language": data.language}
                | asdict(result)
                | {"at_baseline": result.at_baseline, "leaks": test.leaks}
            )
    return rows


def _load(part: EvaluationPart, heads: dict[str, TaskData], data_dir: Path | None) -> list[TaskData]:
    from ..data.tasks import find_task

    head = find_task(part.task).head
    if head not in heads:
        raise ValueError(
            f"{part.task} needs a {head!r} head, and this phase trains {', '.join(map(repr, heads))}"
        )
    labels = heads[head].labels
    return load_task(
        part.task, part.split, languages=part.languages, data_dir=data_dir, labels=labels or None
    )
