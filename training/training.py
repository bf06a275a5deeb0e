"""`train`: checkpoints from a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..alignment.options import takes
from ..alignment.runs.results import Result
from ..data.rows import Row
from .options import TrainOptions
from .phases import Trained, run_recipe
from .recipe import Recipe, read_recipe, write_recipe


@dataclass(frozen=True, eq=False, repr=False)
class TrainResult(Result):
    """The phases of a recipe; the table has a row per score on English dev and per zero-shot test."""

    phases: Sequence[Trained] = ()

    def checkpoint(self, phase: str | None = None) -> Path:
        """Return the folder of a phase's encoder; by default the last one's.

        Raises:
            ValueError: no phase of that name.
        """
        folders = {one.about["phase"]: one.folder for one in self.phases}
        if phase is None:
            return self.phases[-1].folder
        if phase not in folders:
            raise ValueError(f"no phase {phase!r}: {', '.join(folders)}")
        return folders[phase]

    def __repr__(self) -> str:
        """Return one short line."""
        names = ", ".join(str(one.about["phase"]) for one in self.phases)
        return f"<TrainResult: {names}, in {self.folder}>"


@takes(TrainOptions)
def train(recipe: Recipe | str | Path, options: TrainOptions) -> TrainResult:
    """Fine-tune a model on tasks, phase after phase; an interrupted run goes on.

    Args:
        recipe: a YAML file (docs/training.md), or one that was read.

    Raises:
        ValueError: data or base that do not fit; `out` holds another recipe's phases; a loss that is
            not finite.
        OSError: no room, no data, another process at work there.
    """
    read = recipe if isinstance(recipe, Recipe) else read_recipe(Path(recipe))
    folder = Path(options.out)
    write_recipe(read, folder)
    report = options.progress
    phases = run_recipe(
        read,
        folder,
        data_dir=None if options.data_dir is None else Path(options.data_dir),
        device=options.device,
        allow_parallel_leak=options.allow_parallel_leak,
        progress=None if report is None else lambda phase, step, of, loss: report("training", step, of),
    )
    return TrainResult(_scores(phases), folder, phases)


def _scores(phases: Sequence[Trained]) -> pd.DataFrame:
    rows: list[Row] = [
        {"phase": phase.about["phase"], "test": test, **score}
        for phase in phases
        for test in ("scores", "zero_shot")
        for score in phase.about.get(test, ())
    ]
    return pd.DataFrame(rows)
