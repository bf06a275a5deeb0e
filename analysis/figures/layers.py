"""Curves along the layers: a measure by layer, a line a language or a checkpoint, with bands."""

from typing import TYPE_CHECKING

import pandas as pd

from ...alignment.drawing import canvas, short_name, title
from ...alignment.measures import MEASURES
from ...alignment.runs.table import refuse_several
from .chosen import chosen_rows, keep_chosen
from .curves import draw_lines, mean_points
from .language_names import named_languages
from .options import LayersOptions

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def layer_points(table: pd.DataFrame, options: LayersOptions) -> pd.DataFrame:
    """Return what the figure shows: axis, line, value, low, high, null, n (scores in a point).

    The axis is the layer; of checkpoints that are not equally deep, the relative depth. A line of a
    checkpoint is the mean over languages; its band see `mean_points`.

    Args:
        table: of scores.
        options: what of it is shown.

    Raises:
        ValueError: what is asked for is not there, or has to be chosen.
    """
    rows = chosen_rows(table, options)
    refuse_several(rows, "corpus", "split", "protocol")
    names = rows["checkpoint"].map(short_name) + rows["revision"].map(
        lambda one: f"@{one}" if one else ""
    )
    pairs = rows["source"] + "-" + rows["target"]
    lines = options.lines or ("checkpoint" if names.nunique() > 1 else "language")
    if lines == "language" and names.nunique() > 1:
        raise ValueError("`lines` language is of one checkpoint; the run has several")
    last = rows.groupby(["checkpoint", "revision"])["layer"].max()
    axis = rows["layer"] if last.nunique() == 1 else rows["depth"]
    rows = rows.assign(axis=axis.astype(float), named=names if lines == "checkpoint" else pairs)
    return mean_points(rows, "axis", "named").assign(
        measure=rows["measure"].iloc[0],
        deep=last.nunique() > 1,
        lines=lines,
        direction=rows["direction"].iloc[0],
    )


def draw_layers(table: pd.DataFrame, options: LayersOptions) -> "Figure":
    """Draw a measure along the layers and return the figure; see `layer_points`."""
    table = keep_chosen(table, options)
    points = layer_points(table, options)
    first, on = points.iloc[0], options.sheet()
    labels = [
        name.removesuffix("-en") if first["lines"] == "language" else name for name in points["line"]
    ]
    points = points.assign(named=named_languages(labels, options.names))
    with on.style():
        figure = canvas(on.width, min(0.7 * on.width, 4.6))
        axes = figure.subplots()
        draw_lines(axes, points, list(dict.fromkeys(points["line"])), on, ordered=False)
        axes.set_xlabel("depth (layer / last layer)" if first["deep"] else "layer")
        axes.xaxis.get_major_locator().set_params(integer=not first["deep"])
        axes.set_ylabel(MEASURES[str(first["measure"])].name)
        if options.title:
            row = table.iloc[0]
            of = short_name(row["checkpoint"]) if first["lines"] == "language" else "mean over languages"
            title(
                figure,
                f"{first['measure']} ({first['direction']}) on {row['corpus']}: {of}; bands: 95 %; "
                "dotted: null",
                size=on.type + 1,
            )
    return figure
