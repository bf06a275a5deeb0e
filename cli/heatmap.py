"""`crosslingual heatmap`: draw a run."""

from pathlib import Path
from typing import Annotated

import typer


def heatmap(
    run: Annotated[Path, typer.Argument(help="A run folder written by `score`, or its table.")],
    measure: Annotated[
        str | None,
        typer.Option(help="By default accuracy; accuracy@100 where sizes differ."),
    ] = None,
    direction: Annotated[str | None, typer.Option(help="forward, backward, mean, both.")] = None,
    pooling: Annotated[str | None, typer.Option(help="Which, if the run has several.")] = None,
    map_name: Annotated[str | None, typer.Option("--map", help="Which, if the run has several.")] = None,
    sort: Annotated[str, typer.Option(help="Rows by: table, name, value.")] = "table",
    group: Annotated[str, typer.Option(help="Rows together by: none, script.")] = "none",
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File(s), .png .svg .pdf.  [default: RUN/figures/MEASURE.png]"),
    ] = None,
) -> None:
    """Draw the layer × language heatmap of a run.

    crosslingual heatmap runs/model-flores --measure mrr --sort value --out mrr.png --out mrr.pdf
    """
    from ..alignment.run import read_scores
    from ..analysis.figures import heatmap as draw
    from ..analysis.figures import save, select

    table = read_scores(run)
    chosen = select(table, measure=measure, direction=direction, pooling=pooling, map_name=map_name)
    figure = draw(chosen, sort=sort, group=group)
    folder = (run if run.is_dir() else run.parent) / "figures"
    name = f"{chosen['measure'].iloc[0]}-{chosen['direction'].iloc[0]}.png"
    for path in save(figure, out or [folder / name]):
        typer.echo(f"figure: {path}")
