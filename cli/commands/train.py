"""`crosslingual train`: make a checkpoint from a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from ...training.options import TrainOptions
from ..generate import command
from ..messages import say


@command
def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML file; docs/training.md shows one.")],
    options: TrainOptions,
) -> None:
    """Fine-tune a model on English tasks, phase after phase; an interrupted run goes on."""
    from ...training.lines import gain_line, score_line
    from ...training.training import train as trained
    from ..progress import reported

    with reported() as progress:
        result = trained(recipe, **{**vars(options), "progress": progress})
    for phase in result.phases:
        say(f"{phase.about['phase']}: {phase.folder}")
        cost = phase.about.get("cost")
        if cost:
            say(
                f"  {cost['steps']:.0f} steps in {cost['seconds']:.0f} s, "
                f"{cost['tokens_per_second']:,.0f} tokens/s, peak {cost['peak_mb']:,.0f} MB"
            )
        for score in [*phase.about.get("scores", ()), *phase.about.get("zero_shot", ())]:
            say(f"  {score_line(score)}")
        for row in phase.about.get("words", ()):
            say(f"  {gain_line(row)}")
