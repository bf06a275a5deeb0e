"""transformers' Trainer for batches of one task each: what it takes, what it logs, when it stops.

All that concerns tasks happens outside its loop: which batch comes next (`mixture`), how it is padded
(`features`), which head reads it (`heads`). TrainingArguments, whose names change between majors, are
made here and nowhere else.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from safetensors import SafetensorError
from torch.utils.data import DataLoader, Dataset
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from ..alignment.checkpoints.about import ABOUT, read_about, verify_files
from ..alignment.runs.files import remove_folder
from ..data.rows import Columns
from .callbacks import Keeper, Sealer, StepLog, cost
from .mixture import TaskSchedule
from .recipe import Phase
from .tasks.features import Feature, TaskFeatures, collate

logger = logging.getLogger(__name__)

SCORE = "eval_score"  # by which the best is chosen
SAVE_EVERY = 500  # steps, where nothing else is said
STEPS_LOG = "steps.jsonl"


# of what Trainer writes into a checkpoint
WRITTEN = ("model.safetensors", "pytorch_model.bin", "optimizer.pt", "training_args.bin", "config.json")


class Rows(Dataset[tuple[int, Feature]]):
    """The features of all tasks, by (task, row, number of the draw)."""

    def __init__(self, tasks: Sequence[TaskFeatures]) -> None:
        """Take the tasks in the schedule's order."""
        self.tasks = tasks

    def __getitem__(self, place: tuple[int, int, int]) -> tuple[int, Feature]:
        """Return the task and the feature."""
        number, row, draw = place
        task = self.tasks[number]
        feature = task.features.rows[row]
        return number, feature if task.drawn is None else task.drawn(feature, draw)

    def __len__(self) -> int:
        """Return the number of features."""
        return sum(len(task.features) for task in self.tasks)


class PhaseTrainer(Trainer):  # type: ignore[misc]
    """Trainer over a schedule; an evaluation is one number, from outside."""

    def __init__(
        self,
        model: torch.nn.Module,
        arguments: TrainingArguments,
        tasks: Sequence[TaskFeatures],
        schedule: TaskSchedule,
        make_batch: Callable[[list[tuple[int, Feature]]], Columns],
        hooks: "Hooks",
    ) -> None:
        """Put the parts together; see `train_phase`."""
        rows = Rows(tasks)
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=rows,
            eval_dataset=rows if hooks.judge is not None else None,  # asked for; `evaluate` is ours
            data_collator=make_batch,
        )
        for callback in (PrinterCallback, ProgressCallback):
            self.remove_callback(callback)
        self._log = StepLog(Path(arguments.output_dir) / STEPS_LOG, hooks.progress)
        self.add_callback(self._log)
        self._schedule, self._make_batch, self._judge = schedule, make_batch, hooks.judge

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the schedule's batches, dealt to the processes."""
        loader: DataLoader[Any] = DataLoader(
            self.train_dataset,
            batch_sampler=self._schedule,
            collate_fn=self._make_batch,
            pin_memory=torch.cuda.is_available(),
        )
        prepared: DataLoader[Any] = self.accelerator.prepare(loader)
        return prepared

    def training_step(self, model: torch.nn.Module, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Do a micro-batch, and tell the log its loss and its tokens."""
        mask = inputs["attention_mask"]
        loss = super().training_step(model, inputs, num_items_in_batch)
        self._log.saw(inputs["head"], loss, mask)
        return loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Judge the model, and tell Trainer, which keeps the best."""
        assert self._judge is not None
        metrics = {SCORE: self._judge()}
        self.log(metrics)
        control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.control: Any = control
        return metrics

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Save as Trainer does; torch and safetensors have errors of their own for a full disk."""
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            where = self.args.output_dir
            raise OSError(
                f"{where}: no checkpoint can be written ({reason}); make room and run again"
            ) from error


@dataclass(frozen=True)
class Steps:
    """How many steps a phase has, and what they are of."""

    count: int  # optimizer steps
    shares: Sequence[float] | Float64[np.ndarray, "t"]  # of the tasks
    seed: int = 0  # of the schedule and of dropout
    pad_id: int = 0  # the tokenizer's padding


class Hooks(NamedTuple):
    """What is called while a phase is trained."""

    judge: Callable[[], float] | None = None  # the score by which the best is kept
    keep: Callable[[int], None] | None = None  # saves the encoder at the steps of `phase.keep`
    progress: Callable[[int, int, float], None] | None = None  # at every step
    live: TrainerCallback | None = None  # looks at alignment


NO_HOOKS = Hooks()


def train_phase(
    model: torch.nn.Module,
    tasks: Sequence[TaskFeatures],
    phase: Phase,
    steps: Steps,
    work: Path,
    hooks: Hooks = NO_HOOKS,
) -> dict[str, float]:
    """Train a model for a phase; if `work` holds a whole checkpoint of it, from there on.

    Args:
        model: changed in place; at the end the best by `judge`, or the last.
        tasks: what is trained on.
        phase: batch, rate and so on.
        steps: how many, of which tasks.
        work: folder of Trainer's checkpoints, and of STEPS_LOG.
        hooks: `judge` is called every `phase.evaluate_every` steps.

    Returns:
        What it cost: seconds, tokens, tokens a second, peak memory.
    """
    on_cpu = next(model.parameters()).device.type == "cpu"
    judge, log = hooks.judge, work / STEPS_LOG
    arguments = _arguments(phase, steps, work, judging=judge is not None, on_cpu=on_cpu)
    schedule = TaskSchedule(
        [task.features.lengths for task in tasks],
        steps.shares,
        steps=steps.count,
        batch=phase.batch,
        micro_batches=phase.accumulate * arguments.world_size,
        seed=steps.seed,
    )
    heads = [task.head for task in tasks]
    make_batch = partial(_make_batch, heads=heads, pad_id=steps.pad_id)
    trainer = PhaseTrainer(model, arguments, tasks, schedule, make_batch, hooks)
    if judge is not None:
        trainer.add_callback(EarlyStoppingCallback(phase.patience))
    if hooks.keep is not None:
        kept = [max(1, round(share * steps.count)) for share in phase.keep if share]
        trainer.add_callback(Keeper(kept, hooks.keep))
    if hooks.live is not None:
        trainer.add_callback(hooks.live)
    trainer.add_callback(Sealer())
    trainer.train(resume_from_checkpoint=last_whole(work))
    return cost(log)


def last_whole(work: Path) -> str | None:
    """Return the latest checkpoint that was written to its end.

    Where one is damaged, all are removed and the phase starts over: the best is loaded at its end.
    """
    found = []
    for path in work.glob("checkpoint-*"):
        if (path / ABOUT).is_file():
            found.append(path)
        elif any(path.iterdir()):  # killed as it was written: Trainer would count it among those to keep
            remove_folder(path, *WRITTEN)
        else:
            path.rmdir()
    try:
        for path in found:
            verify_files(path, read_about(path))
    except ValueError as error:
        logger.warning("%s; the phase is trained from its start", str(error).partition(";")[0])
        for path in found:
            remove_folder(path, ABOUT)
        return None
    return str(max(found, key=lambda path: int(path.name.partition("-")[2]))) if found else None


def _arguments(
    phase: Phase, steps: Steps, work: Path, *, judging: bool, on_cpu: bool
) -> TrainingArguments:
    every = min(phase.evaluate_every or SAVE_EVERY, steps.count)
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=steps.count,
        per_device_train_batch_size=phase.batch,
        gradient_accumulation_steps=phase.accumulate,
        learning_rate=phase.rate,
        warmup_steps=phase.warmup,
        weight_decay=phase.weight_decay,
        max_grad_norm=phase.clip,
        adam_epsilon=1e-8,
        lr_scheduler_type="linear",
        use_cpu=on_cpu,
        bf16=phase.precision == "bfloat16",
        fp16=phase.precision == "float16",
        tf32=False if torch.cuda.is_available() else None,
        eval_strategy="steps" if judging else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=1,
        load_best_model_at_end=judging,
        metric_for_best_model=SCORE if judging else None,
        greater_is_better=True if judging else None,
        restore_callback_states_from_checkpoint=True,  # how long nothing was gained
        remove_unused_columns=False,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        seed=steps.seed,
        data_seed=steps.seed,
        # batches come whole from the schedule, as many as there are processes times steps
        accelerator_config={"even_batches": False, "split_batches": False},
        ddp_find_unused_parameters=True,  # the other heads
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # several GPUs by torchrun only
    return arguments


def _make_batch(rows: list[tuple[int, Feature]], heads: Sequence[str], pad_id: int) -> Columns:
    return collate([row for _, row in rows], heads[rows[0][0]], pad_id)
