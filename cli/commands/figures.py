"""`crosslingual heatmap`, `curve`, `plot` and `report`: runs for the eye."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...analysis.figures.options import (
    ChosenOptions,
    CurveOptions,
    FigureOptions,
    ForestOptions,
    HeatmapOptions,
    LayersOptions,
    PartsOptions,
    SentencesOptions,
)
from ...analysis.report.options import ReportOptions
from ..generate import command
from ..messages import say
from ..shared import EncoderArgument, run_folder

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

plot = typer.Typer(
    no_args_is_help=True, help="Further figures for papers: along layers, by language, …."
)
Run = Annotated[Path, typer.Argument(help="A run folder, or its table of scores.")]
Out = Annotated[
    list[Path] | None,
    typer.Option(help="File(s), .png .svg .pdf; by default named after what is shown, in RUN/figures."),
]


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
    from ...analysis.figures.chosen import keep_chosen
    from ...analysis.figures.heatmap import draw_heatmap, select

    shown = select(
        keep_chosen(read_scores(run), options),
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
        typer.Option(help="File(s), .png .svg .pdf.  [default: RUN/figures/curve-….png]"),
    ] = None,
) -> None:
    """Draw a measure over the checkpoints of a run: by step, tokens or parameters.

    crosslingual score ./steps --revisions 'step*' --out runs/steps

    crosslingual curve runs/steps --lines language --layer 6
    """
    from ...alignment.runs.folder import read_scores
    from ...analysis.figures.curves import draw_curves

    table = read_scores(run)
    name = f"curve-{options.lines}-{_named(table, options)}.png"
    _write(draw_curves(table, options), run, out, name)


@plot.command()
@command
def layers(run: Run, options: LayersOptions, out: Out = None) -> None:
    """Draw a measure along the layers, a line a language or a checkpoint, with bands.

    crosslingual plot layers runs/model-flores --width column --out layers.pdf
    """
    from ...alignment.runs.folder import read_scores
    from ...analysis.figures.layers import draw_layers

    table = read_scores(run)
    _write(draw_layers(table, options), run, out, f"layers-{_named(table, options)}.png")


@plot.command()
@command
def forest(run: Run, options: ForestOptions, out: Out = None) -> None:
    """Draw a language a line: scores or changes at a layer, with intervals and floors.

    crosslingual plot forest runs/tuned --shown delta --layer last --names english
    """
    from ...alignment.runs.files import read_table
    from ...alignment.runs.folder import read_scores
    from ...analysis.figures.forest import draw_forest

    changes = options.shown == "delta"
    own = run / "retention.parquet"
    place = own if own.is_file() else run / "retention" / "retention.parquet"
    table = read_table(place) if changes else read_scores(run)
    name = f"forest-{options.shown}-{options.layer}-{_named(table, options)}.png"
    _write(draw_forest(table, options), run, out, name)


@plot.command()
@command
def depth(run: Run, options: ChosenOptions, out: Out = None) -> None:
    """Draw the mean over languages by relative depth, a row a checkpoint, the smallest first.

    crosslingual plot depth runs/family --width column --out depth.pdf
    """
    from ...alignment.runs.folder import read_scores
    from ...analysis.figures.depth import draw_depth

    table = read_scores(run)
    _write(draw_depth(table, options), run, out, f"depth-{_named(table, options)}.png")


@plot.command()
@command
def parts(
    run: Annotated[Path, typer.Argument(help="A run folder of `score --map decomposition`.")],
    options: PartsOptions,
    out: Out = None,
) -> None:
    """Draw what scores are made of, a bar a language: the score, what maps add, what none brings.

    crosslingual plot parts runs/model-flores --layer last
    """
    from ...alignment.runs.files import read_table
    from ...analysis.figures.parts import draw_parts

    table = read_table(run / "decomposition.parquet")
    name = f"parts-{options.measure or 'scores'}-{options.layer}.png"
    _write(draw_parts(table, options), run, out, name)


@plot.command()
@command
def verdicts(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of retention or study.")],
    options: FigureOptions,
    out: Out = None,
) -> None:
    """Draw what was retained, lost, moved, gained: a row a checkpoint or recipe, a column a language.

    crosslingual plot verdicts runs/my-study --width page --out verdicts.pdf
    """
    from ...analysis.report.gathered import gather
    from ...analysis.report.matrix import verdict_matrix
    from ...analysis.report.verdict_figure import draw_verdicts

    matrix = verdict_matrix(gather(runs, 0))
    if matrix is None:
        raise ValueError(
            f"{runs[0]}: no verdicts there; `retention` gives them with --dev, --base-dev and --margin"
        )
    _write(draw_verdicts(matrix, options), runs[0], out, "verdicts.png")


@plot.command()
@command
def sentences(checkpoint: EncoderArgument, options: SentencesOptions, out: Out = None) -> None:
    """Draw the same sentences in several languages in two dimensions: a picture, no measure.

    crosslingual plot sentences ./my-model --corpus flores --data-dir data --languages de,sw --layer 6
    """
    from ...analysis.figures.sentences import draw_sentences, vectors_of

    vectors, about, layer = vectors_of(checkpoint, options)
    folder = run_folder(None, checkpoint, Path(options.corpus).name)
    name = f"sentences-{options.method}-layer{layer}.png"
    _write(draw_sentences(vectors, about, options), folder, out, name, made=True)


def _named(table: "pd.DataFrame", options: ChosenOptions) -> str:
    """Return what names a figure besides its kind: measure, direction, pooling and map."""
    from ...analysis.figures.chosen import chosen_rows

    first = chosen_rows(table, options).iloc[0]
    return "-".join(str(first[name]) for name in ("measure", "direction", "corpus", "pooling", "map"))


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


def _write(
    figure: "Figure", run: Path, out: list[Path] | None, name: str, *, made: bool = False
) -> None:
    """Write a figure where it is asked for, else by that name into the run's folder of figures.

    `made`: the folder need not be there.
    """
    from ...alignment.drawing import save

    folder = (run if run.is_dir() or made else run.parent) / "figures"
    for path in save(figure, out or [folder / name]):
        say(f"figure: {path}")
