"""`crosslingual demo`: the main job on the built-in sentences and a small model."""

from pathlib import Path
from typing import Annotated

import typer

MEASURES = "retrieval,contrast,debiased_linear_cka"  # what is quick


def demo(
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/demo"),
) -> None:
    """Score all-MiniLM-L6-v2 on the built-in sentences: 11 languages, all layers, a heatmap."""
    from ..alignment.builtin import builtin_model

    model = builtin_model()
    typer.echo("all-MiniLM-L6-v2 was trained on English: expect little alignment from it, mostly below")
    typer.echo("the surface floor (what character n-grams find without a model).")
    from ..analysis.figures import heatmap, save, select
    from .score import run_score
    from .summary import summary

    table, folder = run_score(
        str(model),
        "pocket",
        out=out,
        opening={},
        maps="none,centre",
        map_fit="in-sample",
        measures=MEASURES,
    )
    typer.echo(summary(table))
    typer.echo(f"table: {folder / 'scores.parquet'}")
    figure = heatmap(select(table, map_name="none"))
    for path in save(figure, [folder / "figures" / "accuracy-mean.png"]):
        typer.echo(f"figure: {path}")
