"""Runs a recipe: phase after phase, each from the encoder of the one before, each with fresh heads."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..alignment.checkpoints.about import read_about, verify_files
from ..alignment.checkpoints.checkpoint import Checkpoint
from ..alignment.checkpoints.opening import open_checkpoint
from ..alignment.encoding.model_parts import parts_of, swapped
from ..alignment.representations.source import parse_layers
from ..alignment.runs.files import MARK, own_folder, remove_folder
from ..alignment.runs.folder import locked, versions
from ..alignment.runs.table import canonical_hash
from ..data import load
from ..data.rows import Columns, Row
from .adapters import plain, with_adapters
from .controls import add_noise
from .injection import WordObjective, read_lexicons
from .material import all_groups, load_material, load_text
from .mixture import proportions
from .objective import MLM, Objective, TaskObjective
from .recipe import Phase, Recipe
from .saved import save_encoder, trained_on
from .zero_shot import load_tests

ALIGNMENT = "alignment.jsonl"  # of a phase that is watched
Progress = Callable[[str, int, int, float], None]  # phase, steps done, of how many, loss


@dataclass(frozen=True)
class Trained:
    """A finished phase."""

    folder: Path
    about: Row


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
        progress: called at every step.

    Returns:
        The phases' folders.

    Raises:
        ValueError: data or base that do not fit; `out` holds another recipe's phases; a loss that is
            not finite (it is in failures.jsonl, too).
        OSError: no room, no data, another process at work there.
    """
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
    for phase in recipe.phases:
        replace(base, requested_length=phase.max_length).max_length  # noqa: B018 - raises beyond positions
    done: list[Trained] = []
    before, history = base, [base.fingerprint]
    for number, phase in enumerate(recipe.phases):
        folder = out / phase.name
        asked = asdict(phase)
        if phase.watch is None or phase.watch.stop_loss is None:
            del asked["watch"]  # it decides nothing
        for name in ("freeze", "reinitialise"):
            if not asked[name]:
                del asked[name]
        key = canonical_hash({"before": history, "recipe": {**asdict(recipe), "phases": asked}})
        about = read_about(folder)
        if about and about.get("key") != key:
            raise ValueError(
                f"{folder} holds another recipe's phase {phase.name}; take another `out`, or remove it"
            )
        verify_files(folder, about)
        if not about:
            _Phase(
                recipe, phase, number, before, out, data_dir, key, allow_parallel_leak, progress
            ).run()
            about = read_about(folder)
        remove_folder(_work(out, phase, key))  # of this run, or of one that was stopped at its end
        done.append(Trained(folder, about))
        history.append(key)
        before = open_checkpoint(folder, device=device)
    return done


def _work(out: Path, phase: Phase, key: str) -> Path:
    """Return where an unfinished phase keeps its state."""
    return out / f".work-{phase.name}-{key[:8]}"


@dataclass(frozen=True)
class _Phase:
    """One phase and how far it is."""

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
        groups = trained_on(self.before.folder)
        encoder = self.before.load()
        self._prepare(encoder)
        if phase.control in ("resave", "weight-noise"):
            if phase.control == "weight-noise":
                self._add_noise(encoder)
            save_encoder(folder, encoder, self.before, self._about({"tasks": []}), groups)
            return
        lesson = self._lesson(groups)
        groups |= lesson.groups
        about = self._about(lesson.facts)
        if self.recipe.lora is not None:
            encoder = with_adapters(encoder, self.recipe.lora)
        model = lesson.model(encoder)
        model.to(next(encoder.parameters()).device)
        work = _work(self.out, phase, self.key)
        if not (work / MARK).is_file():
            own_folder(work)

        def keep(step: int) -> None:
            at = self.out / f"{phase.name}-at-{step:06d}"
            save_encoder(at, plain(encoder), self.before, {**about, "step": step}, groups)

        if 0 in phase.keep:
            keep(0)
        cost = self._train(lesson, model, work, keep)
        about |= {"cost": cost, **lesson.results(model)}
        for name in ("steps.jsonl", ALIGNMENT):
            if (work / name).is_file():
                shutil.copyfile(work / name, self.out / f"{phase.name}-{name}")
        save_encoder(folder, plain(encoder), self.before, about, groups, partial(lesson.save, model))

    def _prepare(self, encoder: Any) -> None:
        """Give some parts random weights, and freeze some."""
        fresh, frozen = (
            parse_layers(text, range(self.before.layers + 1)) if text else []
            for text in (self.phase.reinitialise, self.phase.freeze)
        )
        if not fresh and not frozen:
            return
        parts = parts_of(encoder, self.before.layers)
        if fresh:
            random = replace(self.before, random_seed=self.seed).load().state_dict()
            encoder.load_state_dict(swapped(encoder.state_dict(), random, parts, fresh))
        for name, parameter in encoder.named_parameters():
            if parts.get(name) in frozen:
                parameter.requires_grad_(False)

    def _lesson(self, trained: set[str]) -> Objective:
        phase, data_dir = self.phase, self.data_dir
        if phase.injection is not None:
            lexicons = read_lexicons(phase.injection, data_dir, self.seed)
            return WordObjective(phase, phase.injection, lexicons, self.before, self.seed)
        materials = [load_material(part, data_dir, self.seed) for part in phase.tasks]
        groups = trained | all_groups(materials)
        tests = load_tests(phase.evaluate, materials, groups, data_dir, allow_leak=self.allow_leak)
        text = load_text(phase.mlm, data_dir) if phase.mlm else []
        return TaskObjective(phase, materials, tests, text, self.before, self.recipe.position, self.seed)

    def _train(
        self, lesson: Objective, model: Any, work: Path, keep: Callable[[int], None]
    ) -> dict[str, float]:
        from .trainer import Hooks, Steps, train_phase

        phase, tasks = self.phase, lesson.features()
        labelled = {f"{i}:{t.name}": len(t.features) for i, t in enumerate(tasks) if t.name != MLM}
        shares = proportions(labelled, phase.sampler, cap=phase.cap, temperature=phase.temperature)
        if phase.mlm:
            shares = np.append(shares * (1 - phase.mlm.share), phase.mlm.share)
        pad_id = self.before.tokenizer.pad_token_id or 0
        steps = Steps(phase.count(list(labelled.values())), shares, self.seed, pad_id)
        progress = partial(self.progress, phase.name) if self.progress else None
        live = None
        if phase.watch is not None:
            from .live import AlignmentCallback

            watch = phase.watch
            live = AlignmentCallback(
                self.before.tokenizer,
                load(watch.corpus, data_dir=self.data_dir, languages=watch.languages),
                every=watch.every,
                sentences=watch.sentences,
                path=work / ALIGNMENT,
                stop_loss=watch.stop_loss,
            )
        hooks = Hooks(lesson.judge(model), keep, progress, live)
        return train_phase(model, tasks, phase, steps, work, hooks)

    def _add_noise(self, encoder: Any) -> None:
        if not self.phase.like:
            raise ValueError(f"phase {self.phase.name}: weight-noise is like what? like: FOLDER")
        after = open_checkpoint(self.phase.like, device="cpu").load().state_dict()
        add_noise(encoder.state_dict(), after, self.seed)

    def _about(self, facts: Row) -> Columns:
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
            **facts,
            "settings": asdict(self.phase),
            "lora": asdict(self.recipe.lora) if self.recipe.lora else None,
            "versions": versions(),
        }
