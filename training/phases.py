"""Runs a recipe: phase after phase, each from the encoder of the one before, each with fresh heads."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..alignment.checkpoint import Checkpoint, open_checkpoint, read_about
from ..alignment.run import locked, versions
from ..alignment.table import canonical_hash
from ..data.tasks import TaskData
from .adapters import plain, with_adapters
from .controls import add_noise, masking, shuffled, text_features
from .evaluate import evaluate
from .features import make_features
from .heads import HeadSpec, MultiHead
from .material import Material, all_groups, first_groups, load_material
from .metrics import Result
from .mixture import proportions
from .recipe import Phase, Recipe
from .saved import save_encoder, trained_on
from .zero_shot import load_tests, run_tests

logger = logging.getLogger(__name__)

SELECTED_BY = 500  # dev examples that the best is chosen by, drawn by group
Progress = Callable[[str, int, int, float], None]  # phase, steps done, of how many, loss


@dataclass(frozen=True)
class Trained:
    """A finished phase."""

    folder: Path
    about: Mapping[str, Any]


def run_recipe(
    recipe: Recipe,
    out: Path,
    *,
    data_dir: Path | None = None,
    device: str = "auto",
    allow_parallel_leak: bool = False,
    progress: Progress | None = None,
) -> list[Trained]:
    """Train what a recipe says; phases that are finished are kept, an interrupted one goes on.

    Args:
        recipe: see `read_recipe`.
        out: gets a folder for every phase.
        data_dir: see `data.tasks.load_task`.
        device: see `open_checkpoint`.
        allow_parallel_leak: test all the same on what was trained on in another language; it is marked.
        progress: told of every step.

    Returns:
        The phases' folders.

    Raises:
        ValueError: data or base that do not fit; `out` holds another recipe's phases; a loss that is
            not finite (it stands in failures.jsonl too).
        OSError: no room, no data, another process at work there.
    """
    if find_spec("accelerate") is None:
        raise ValueError("training needs accelerate; pip install 'crosslingual[train]'")
    with locked(out):
        return _run_phases(recipe, out, data_dir, device, allow_parallel_leak, progress)


def _run_phases(
    recipe: Recipe,
    out: Path,
    data_dir: Path | None,
    device: str,
    allow_parallel_leak: bool,
    progress: Progress | None,
) -> list[Trained]:
    base = open_checkpoint(
        recipe.base, revision=recipe.revision, device=device, allow_pickle=recipe.allow_pickle
    )
    done: list[Trained] = []
    before, history = base, [base.fingerprint]
    for number, phase in enumerate(recipe.phases):
        folder = out / phase.name
        key = canonical_hash({"before": history, "recipe": {**asdict(recipe), "phases": asdict(phase)}})
        about = read_about(folder)
        if about and about.get("key") != key:
            raise ValueError(
                f"{folder} holds another recipe's phase {phase.name}; take another --out, or remove it"
            )
        if not about:
            _Phase(
                recipe, phase, number, before, out, data_dir, key, allow_parallel_leak, progress
            ).run()
            about = read_about(folder)
        done.append(Trained(folder, about))
        history.append(key)
        before = open_checkpoint(folder, device=device)
    return done


@dataclass(frozen=True)
class _Phase:
    """One phase and where it stands."""

    recipe: Recipe
    phase: Phase
    number: int
    before: Checkpoint
    out: Path
    data_dir: Path | None
    key: str
    allow_leak: bool
    progress: Progress | None

    @property
    def seed(self) -> int:
        """The seed of this phase, of everything in it."""
        text = f"{self.recipe.seed}\0{self.number}\0{self.phase.name}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    def run(self) -> None:
        """Train and save; a failure is written down before it is raised."""
        try:
            self._run()
        except (ValueError, OSError) as error:
            line = {"phase": self.phase.name, "recipe": self.recipe.name, "error": str(error)}
            with (self.out / "failures.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            raise

    def _run(self) -> None:
        phase, folder = self.phase, self.out / self.phase.name
        materials = [load_material(part, self.data_dir, self.seed) for part in phase.tasks]
        groups = trained_on(self.before.folder)
        encoder = self.before.load()
        about = self._about(materials)
        if phase.control in ("resave", "weight-noise"):
            if phase.control == "weight-noise":
                self._add_noise(encoder)
            save_encoder(folder, encoder, self.before, about, groups)
            return
        groups |= all_groups(materials)
        tests = load_tests(phase.evaluate, materials, groups, self.data_dir, allow_leak=self.allow_leak)
        if self.recipe.lora is not None:
            encoder = with_adapters(encoder, self.recipe.lora)
        model = MultiHead(encoder, self._heads(materials), seed=self.seed)
        model.to(next(encoder.parameters()).device)
        work = self.out / f".work-{phase.name}-{self.key[:8]}"
        work.mkdir(exist_ok=True)

        def keep(step: int) -> None:
            at = self.out / f"{phase.name}-at-{step:06d}"
            save_encoder(at, plain(encoder), self.before, {**about, "step": step}, groups)

        if 0 in phase.keep:
            keep(0)
        cost = self._train(model, materials, work, keep)
        scores = [] if phase.control == "english-mlm" else self._scores(model, materials)
        zero_shot = run_tests(model, self.before.tokenizer, tests, phase.max_length)
        about |= {"cost": cost, "scores": scores, "zero_shot": zero_shot}
        shutil.copyfile(work / "steps.jsonl", self.out / f"{phase.name}-steps.jsonl")
        save_encoder(folder, plain(encoder), self.before, about, groups, heads=model)
        shutil.rmtree(work)

    def _train(
        self, model: MultiHead, materials: Sequence[Material], work: Path, keep: Callable[[int], None]
    ) -> dict[str, float]:
        from .trainer import TaskFeatures, train_phase

        phase, tokenizer = self.phase, self.before.tokenizer
        tasks = []
        for number, material in enumerate(materials):
            examples = list(material.train.examples)
            if phase.control == "english-mlm":
                features = text_features(examples, tokenizer, phase.max_length)
                drawn = masking(tokenizer, [self.seed, 3, number])
                tasks.append(TaskFeatures(material.name, "mlm", features, drawn))
                continue
            if phase.control == "shuffled-labels":
                examples = shuffled(examples, self.seed)
            features = make_features(examples, tokenizer, phase.max_length)
            features.where.clear()  # nobody goes back from these tokens
            if features.truncated:
                logger.info(
                    "%s: %d of %d examples are cut to %d tokens",
                    material.name, features.truncated, len(examples), phase.max_length,
                )  # fmt: skip
            tasks.append(TaskFeatures(material.name, material.train.task.head, features))
        sizes = {f"{i}:{task.name}": len(task.features) for i, task in enumerate(tasks)}
        shares = proportions(sizes, phase.sampler, cap=phase.cap, temperature=phase.temperature)
        steps = phase.count(list(sizes.values()))
        judge = None
        if phase.evaluate_every is not None and phase.control != "english-mlm":
            judge = self._judge(model, materials)
        return train_phase(
            model,
            tasks,
            phase,
            steps=steps,
            shares=shares,
            seed=self.seed,
            pad_id=tokenizer.pad_token_id or 0,
            work=work,
            log=work / "steps.jsonl",
            judge=judge,
            keep=keep,
            progress=partial(self.progress, phase.name) if self.progress else None,
        )

    def _heads(self, materials: Sequence[Material]) -> dict[str, HeadSpec]:
        if self.phase.control == "english-mlm":
            return {"mlm": HeadSpec("mlm")}
        found: dict[str, HeadSpec] = {}
        for material in materials:
            task = material.train.task
            spec = HeadSpec(task.kind, len(material.train.labels), self.recipe.position)
            if found.setdefault(task.head, spec) != spec:
                raise ValueError(f"{material.name}: head group {task.head} has other labels already")
        return found

    def _judge(self, model: MultiHead, materials: Sequence[Material]) -> Callable[[], float]:
        some = [
            replace(m, dev=m.dev.having(first_groups(m.dev.examples, SELECTED_BY, self.seed)))
            for m in materials
        ]

        def judge() -> float:
            return float(np.mean([self._evaluate(model, m)[0].value for m in some]))

        return judge

    def _evaluate(self, model: MultiHead, material: Material) -> list[Result]:
        length, tokenizer = self.phase.max_length, self.before.tokenizer
        return evaluate(model, tokenizer, material.dev, material.train, max_length=length)

    def _scores(self, model: MultiHead, materials: Sequence[Material]) -> list[dict[str, Any]]:
        return [{"task": m.name, **result.row} for m in materials for result in self._evaluate(model, m)]

    def _add_noise(self, encoder: Any) -> None:
        if not self.phase.like:
            raise ValueError(f"phase {self.phase.name}: weight-noise is like what? like: FOLDER")
        after = open_checkpoint(self.phase.like, device="cpu").load().state_dict()
        add_noise(encoder.state_dict(), after, self.seed)

    def _about(self, materials: Sequence[Material]) -> dict[str, Any]:
        tasks: list[TaskData] = [material.train for material in materials]
        return {
            "stage": self.phase.stage,
            "recipe": self.recipe.name,
            "phase": self.phase.name,
            "control": self.phase.control,
            "seed": self.recipe.seed,
            "phase_seed": self.seed,
            "base": self.recipe.base,
            "before": self.before.fingerprint,
            "key": self.key,
            "tasks": [data.task.name for data in tasks],
            "examples": {m.name: [len(m.train.examples), len(m.dev.examples)] for m in materials},
            "sources": {d.task.name: d.task.hub.id if d.task.hub else "" for d in tasks},
            "licences": {data.task.name: data.task.licence for data in tasks},
            "settings": asdict(self.phase),
            "lora": asdict(self.recipe.lora) if self.recipe.lora else None,
            "versions": versions(),
        }
