"""`crosslingual heatmap`, `curve` and `report`: runs for the eye."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...analysis.figures.options import CurveOptions, HeatmapOptions
from ...analysis.report.options import ReportOptions
from ..generate import command
from ..messages import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@command
def heatmap(
    run: Annotated[Path, typer.Argument(help="A run folder written by `score`, or its table.")],
    options: HeatmapOptions,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File(s), .png .svg .pdf.  [default: RUN/figures/MEASURE.png]"),
    ] = None,
) -> None:
    """Draw the layer × language heatmap of a run.

    crosslingual heatmap runs/model-flores --measure mrr --sort value --out mrr.png --out mrr.pdf
    """
    from dataclasses import replace

    from ...alignment.runs.folder import read_scores
    from ...analysis.figures.heatmap import draw_heatmap, select

    shown = select(
        read_scores(run),
        measure=options.measure,
        direction=options.direction,
        pooling=options.pooling,
        map=options.map,
    )
    figure = draw_heatmap(shown, replace(options, measure=None, direction=None))
    _write(figure, run, out, f"{shown['measure'].iloc[0]}-{shown['direction'].iloc[0]}.png")


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
    from ...alignment.runs.folder import read_scores
    from ...analysis.figures.curves import draw_curves

    table = read_scores(run)
    figure = draw_curves(table, options)
    measure = options.measure or str(table["measure"].iloc[0])
    _write(figure, run, out, f"curve-{measure}-{options.lines}.png")


@command
def report(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders of score, study, retention, efficiency.")
    ],
    options: ReportOptions,
    serve: Annotated[bool, typer.Option("--serve", help="Open it in a browser, until Ctrl-C.")] = False,
) -> None:
    """Write runs as one HTML file: the answer, figures to look into, tables, how it was made.

    crosslingual report runs/my-study --serve

    crosslingual report runs/base runs/tuned --out report.html
    """
    import webbrowser

    from ...analysis.report.making import report as made
    from ...analysis.report.serving import served

    path = made(runs, **vars(options))
    say(f"report: {path}")
    if serve:
        with served(path) as server:
            address = f"http://127.0.0.1:{server.server_port}/"
            say(f"served at {address}; Ctrl-C ends that")
            webbrowser.open(address)
            server.serve_forever()


def _write(figure: "Figure", run: Path, out: list[Path] | None, name: str) -> None:
    """Write a figure where it is asked for, else by that name into the run's folder of figures."""
    from ...alignment.drawing import save

    folder = (run if run.is_dir() else run.parent) / "figures"
    for path in save(figure, out or [folder / name]):
        say(f"figure: {path}")
