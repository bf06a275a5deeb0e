"""Lessons: what a phase teaches. A model around the encoder, what it is fed, and what becomes of it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..alignment.checkpoints.checkpoint import Checkpoint
from ..data.rows import Columns
from ..data.splits import first_groups
from .controls import masking, plain_text, shuffled, text_features
from .material import TaskMaterial, all_groups
from .recipe import Phase
from .saved import save_heads
from .tasks.evaluation import evaluate
from .tasks.features import TaskFeatures, make_features
from .tasks.heads import HeadSpec, MultiHead
from .tasks.metrics import MetricResult
from .zero_shot import Test, run_tests

logger = logging.getLogger(__name__)

SELECTED_BY = 500  # dev examples that the best is chosen by, drawn by group
MLM = "mlm"


@runtime_checkable
class Objective(Protocol):
    """What a phase teaches."""

    @property
    def groups(self) -> set[str]:
        """Everything that is trained on, for leak checks."""

    @property
    def facts(self) -> Columns:
        """What crosslingual.json says of it before anything is trained."""

    def model(self, encoder: Any) -> Any:
        """Return the module that is trained: it holds the encoder and returns a loss."""

    def features(self) -> list[TaskFeatures]:
        """Return what it is fed."""

    def judge(self, model: Any) -> Callable[[], float] | None:
        """Return the score that the best is kept by, if there is one."""

    def results(self, model: Any) -> Columns:
        """Return what crosslingual.json says of the trained model."""

    def save(self, model: Any, folder: Path) -> None:
        """Write what belongs to the encoder."""


@dataclass(frozen=True, eq=False)
class TaskObjective:
    """Labelled tasks, a head per head group; under `english-mlm` their text without the labels."""

    phase: Phase
    materials: Sequence[TaskMaterial]
    tests: Sequence[Test]
    text: Sequence[str]  # in any language, for masked words in addition to the tasks
    before: Checkpoint
    position: str  # the token that classes are read from
    seed: int

    @property
    def groups(self) -> set[str]:
        """The groups of the training examples."""
        return all_groups(self.materials)

    @property
    def facts(self) -> Columns:
        """Tasks, where they come from, and how many examples."""
        tasks = [material.train.task for material in self.materials]
        return {
            "tasks": [material.name for material in self.materials],
            "examples": {m.name: [len(m.train.examples), len(m.dev.examples)] for m in self.materials},
            "mlm_texts": len(self.text),
            "sources": {task.name: task.hub.id if task.hub else "" for task in tasks},
            "licences": {task.name: task.licence for task in tasks},
        }

    def model(self, encoder: Any) -> MultiHead:
        """Return the encoder with fresh heads."""
        found: dict[str, HeadSpec] = {}
        if self.phase.control == "english-mlm" or self.text:
            found[MLM] = HeadSpec(MLM)
        for material in self.materials if self.phase.control != "english-mlm" else ():
            task = material.train.task
            spec = HeadSpec(task.kind, len(material.train.labels), self.position)
            if found.setdefault(task.head, spec) != spec:
                raise ValueError(f"{material.name}: head group {task.head} has other labels already")
        return MultiHead(encoder, found, seed=self.seed)

    def features(self) -> list[TaskFeatures]:
        """Return the training examples of every task as token ids, and the text for masked words."""
        made = [self._features(number, material) for number, material in enumerate(self.materials)]
        if self.text:
            made.append(self._masked(MLM, self.text, len(made)))
        return made

    def judge(self, model: MultiHead) -> Callable[[], float] | None:
        """Return the mean of the tasks' scores on some of the English dev examples."""
        if self.phase.evaluate_every is None or self.phase.control == "english-mlm":
            return None
        some = []
        for m in self.materials:
            rows = first_groups([example.group for example in m.dev.examples], SELECTED_BY, self.seed)
            some.append(replace(m, dev=m.dev.having([m.dev.examples[i] for i in rows])))

        def judge() -> float:
            return float(np.mean([self._evaluate(model, m)[0].value for m in some]))

        return judge

    def results(self, model: MultiHead) -> Columns:
        """Return the scores on English dev, and on the tests in every language."""
        scores = [
            {"task": material.name, **result.row}
            for material in (self.materials if self.phase.control != "english-mlm" else ())
            for result in self._evaluate(model, material)
        ]
        zero_shot = run_tests(model, self.before.tokenizer, self.tests, self.phase.max_length)
        return {"scores": scores, "zero_shot": zero_shot}

    def save(self, model: MultiHead, folder: Path) -> None:
        """Write the heads."""
        save_heads(folder, model)

    def _features(self, number: int, material: TaskMaterial) -> TaskFeatures:
        examples, tokenizer = list(material.train.examples), self.before.tokenizer
        if self.phase.control == "english-mlm":
            return self._masked(material.name, [plain_text(example) for example in examples], number)
        if self.phase.control == "shuffled-labels":
            examples = shuffled(examples, self.seed)
        features = make_features(examples, tokenizer, self.phase.max_length)
        features.where.clear()  # nobody goes back from these tokens
        if features.truncated:
            logger.info(
                "%s: %d of %d examples are cut to %d tokens",
                material.name, features.truncated, len(examples), self.phase.max_length,
            )  # fmt: skip
        return TaskFeatures(material.name, material.train.task.head, features)

    def _masked(self, name: str, texts: Sequence[str], number: int) -> TaskFeatures:
        features = text_features(texts, self.before.tokenizer, self.phase.max_length)
        return TaskFeatures(name, MLM, features, masking(self.before.tokenizer, [self.seed, 3, number]))

    def _evaluate(self, model: MultiHead, material: TaskMaterial) -> list[MetricResult]:
        length, tokenizer = self.phase.max_length, self.before.tokenizer
        return evaluate(model, tokenizer, material.dev, material.train, max_length=length)
