"""`crosslingual curve`: a measure over steps, tokens or scales."""

from pathlib import Path
from typing import Annotated

import typer

from ...analysis.figures.options import CurveOptions
from ..generate import command
from ..messages import say


@command
def curve(
    run: Annotated[Path, typer.Argument(help="A run folder of several checkpoints, or its table.")],
    options: CurveOptions,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File(s), .png .svg .pdf.  [default: RUN/figures/curve-MEASURE-LINES.png]"),
    ] = None,
) -> None:
    """Draw a measure over the checkpoints of a run: by step, tokens or parameters.

    crosslingual score ./steps --revisions 'step*' --out runs/steps

    crosslingual curve runs/steps --lines language --layer 6
    """
    from ...alignment.drawing import save
    from ...alignment.runs.folder import read_scores
    from ...analysis.figures.curves import draw_curves

    table = read_scores(run)
    figure = draw_curves(table, options)
    folder = (run if run.is_dir() else run.parent) / "figures"
    measure = options.measure or str(table["measure"].iloc[0])
    for path in save(figure, out or [folder / f"curve-{measure}-{options.lines}.png"]):
        say(f"figure: {path}")
