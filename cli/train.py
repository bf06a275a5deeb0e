"""`crosslingual train`: make a checkpoint from a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from .options import DataDir, Device


def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML file; README shows one.")],
    out: Annotated[Path, typer.Option(help="Gets a folder for every phase.")] = Path("runs/train"),
    data_dir: DataDir = None,
    device: Device = "auto",
    allow_parallel_leak: Annotated[
        bool, typer.Option(help="Test on translations of what was trained on; scores are marked.")
    ] = False,
) -> None:
    """Fine-tune a model on English tasks, phase after phase; an interrupted run goes on."""
    from .progress import configure_notes, progress

    configure_notes()
    from ..training.lines import gain_line, score_line
    from ..training.phases import run_recipe
    from ..training.recipe import read_recipe, write_recipe

    read = read_recipe(recipe)
    write_recipe(read, out)
    with progress("training", "steps") as tick:
        done = run_recipe(
            read,
            out,
            data_dir=data_dir,
            device=device,
            allow_parallel_leak=allow_parallel_leak,
            progress=lambda phase, step, of, loss: tick(step, of),
        )
    for phase in done:
        typer.echo(f"{phase.about['phase']}: {phase.folder}")
        cost = phase.about.get("cost")
        if cost:
            typer.echo(
                f"  {cost['steps']:.0f} steps in {cost['seconds']:.0f} s, "
                f"{cost['tokens_per_second']:,.0f} tokens/s, peak {cost['peak_mb']:,.0f} MB"
            )
        for score in [*phase.about.get("scores", ()), *phase.about.get("zero_shot", ())]:
            typer.echo(f"  {score_line(score)}")
        for row in phase.about.get("words", ()):
            typer.echo(f"  {gain_line(row)}")
