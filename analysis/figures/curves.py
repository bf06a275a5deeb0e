"""Curves over checkpoints: a measure by step, tokens or parameters; a line a layer or a language.

A line of a layer is the mean over languages, its band as wide as their intervals on average: enough
however they depend on each other (languages of one corpus may share all sentences). Where checkpoints
are not equally deep, a line is a relative depth instead: of each checkpoint the layer nearest to it. A
line of a language is its score at one layer, its band that score's interval.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import Sheet, apart, canvas, hues, ramp, title
from ...alignment.measures import MEASURES
from ...alignment.runs.table import headline, refuse_several
from .chosen import chosen_rows, keep_chosen
from .language_names import named_languages
from .options import AXES, CurveOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
LINES = 12  # at most; of more layers some are drawn, evenly spaced
_LABELS = {
    "step": "step of training",
    "tokens": "tokens of training",
    "parameters": "parameters",
    "parameters_body": "parameters without embeddings",
}


def curve_points(table: pd.DataFrame, options: CurveOptions) -> pd.DataFrame:
    """Return what a figure of curves shows: axis, line, value, low, high, null.

    Args:
        table: scores of several checkpoints.
        options: what of it is shown.

    Raises:
        ValueError: fewer than two places on the axis; several scores for one place of a line.
    """
    if options.map is None:
        measure = options.measure or headline(table)[0]
        refuse_several(table[table["measure"] == measure], "map")
    rows = chosen_rows(table, options)
    refuse_several(rows, "corpus", "split", "protocol")
    by = options.by or next((name for name in AXES if rows[name].nunique() > 1), AXES[0])
    rows = rows[rows[by].notna()]
    if rows[by].nunique() < 2:
        raise ValueError(
            f"the table has {rows[by].nunique()} values of {by}; a curve needs two and more "
            "(`by` chooses another axis)"
        )
    if options.lines == "language":
        rows = rows[_at_layer(rows, options.layer)]
    rows, line = _lines(rows, options.lines)
    _refuse_twice(rows, by, line)
    return mean_points(rows, by, line).assign(by=by, lines=line)


def mean_points(rows: pd.DataFrame, axis: str, line: str) -> pd.DataFrame:
    """Return the mean score at every place of every line: axis, line, value, low, high, null, n.

    Its band is as wide as the intervals of the scores on average, enough however they depend on each
    other; of one score it is its interval.

    Args:
        rows: of scores.
        axis: the column of places.
        line: the column that names lines.
    """
    half = (rows["high"] - rows["low"]) / 2
    means = ("value", "low", "high", "null")
    grouped = rows.assign(half=half).groupby([axis, line], sort=True)
    wanted = {name: (name, "mean") for name in (*means, "half")} | {"n": ("value", "size")}
    points = grouped.agg(**wanted).reset_index()
    several = points["n"] > 1
    low, high = points["value"] - points["half"], points["value"] + points["half"]
    found = points.assign(
        low=low.where(several, points["low"]), high=high.where(several, points["high"])
    )
    return found.rename(columns={axis: "axis", line: "line"}).drop(columns="half")


def draw_curves(table: pd.DataFrame, options: CurveOptions) -> "Figure":
    """Draw curves over checkpoints and return the figure; see `curve_points`."""
    table = keep_chosen(table, options)
    points = curve_points(table, options)
    measure = options.measure or headline(table)[0]
    on = options.sheet()
    by = str(points["by"].iloc[0])
    ordered = options.lines == "layer"
    names = list(dict.fromkeys(points["line"]))
    if ordered:
        names = _spaced(sorted(names, key=lambda name: int(str(name).rstrip("%"))))
    with on.style():
        figure = canvas(on.width, min(0.66 * on.width, 4.2))
        axes = figure.subplots()
        points = points.assign(named=named_languages(points["line"].astype(str), options.names))
        draw_lines(axes, points, names, on, ordered=ordered)
        if by.startswith("parameters"):
            axes.set_xscale("log")
            scales = sorted(points["axis"].unique())
            axes.set_xticks(scales, [f"{scale / 1e6:,.3g} M" for scale in scales])
            axes.minorticks_off()
        axes.set_xlabel(_LABELS[by])
        axes.set_ylabel(MEASURES[measure].name)
        if options.title:
            deep = points["lines"].iloc[0] == "depth_line"
            layers = f"{'relative depth' if deep else 'layers'}, mean over languages"
            what = layers if ordered else "languages"
            corpus = table["corpus"].iloc[0]
            title(figure, f"{measure} on {corpus}: {what}; bands: 95 %; dotted: null", size=on.type + 1)
    return figure


def draw_lines(
    axes: "Axes", points: pd.DataFrame, names: Sequence[object], on: Sheet, *, ordered: bool
) -> None:
    """Draw lines with their bands, a name at the end of each, and the mean null, dotted.

    Args:
        axes: where.
        points: axis, line, named, value, low, high, null.
        names: the lines, in their order.
        on: the sheet.
        ordered: whether the lines have an order, which the colours show.
    """
    import seaborn

    colours = (ramp if ordered else hues)(on, len(names))
    ends = {name: _of_line(points, name)["value"].iloc[-1] for name in names}
    height = axes.figure.get_size_inches()[1] * 0.75  # of the axes, about
    spread = on.line / height * np.ptp(points[["low", "high", "null"]])
    places = dict(zip(ends, apart(list(ends.values()), float(spread)), strict=True))
    for name, colour in zip(names, colours, strict=True):
        own = _of_line(points, name)
        axes.plot(own["axis"], own["value"], color=colour, marker="o", markersize=2.5, linewidth=1)
        axes.fill_between(
            own["axis"].astype(float), own["low"], own["high"], color=colour, alpha=0.15, linewidth=0
        )
        last = own.iloc[-1]
        axes.annotate(
            str(last["named"]), (last["axis"], places[name]), xytext=(5, 0),
            textcoords="offset points", fontsize=on.type, color=colour, va="center",
        )  # fmt: skip
    null = points.groupby("axis")["null"].mean()
    axes.plot(null.index, null, color="0.5", linewidth=0.8, linestyle=":")
    axes.margins(x=0.06)
    axes.update_datalim([(points["axis"].max(), place) for place in places.values()])
    axes.autoscale_view()
    seaborn.despine(axes.figure)


def _lines(rows: pd.DataFrame, lines: str) -> tuple[pd.DataFrame, str]:
    """Return the rows of the lines, and the column that names them."""
    if lines == "language":
        return rows, "source"
    last = rows.groupby(["checkpoint", "revision"])["layer"].transform("max")
    if last.nunique() == 1:
        return rows, "layer"
    parts = [
        rows[rows["layer"] == (last * depth).round()].assign(depth_line=f"{depth:.0%}")
        for depth in DEPTHS
    ]
    return pd.concat(parts), "depth_line"


def _of_line(points: pd.DataFrame, name: object) -> pd.DataFrame:
    return points[points["line"] == name].sort_values("axis")


def _at_layer(rows: pd.DataFrame, layer: int | None) -> pd.Series:
    """Return which rows are of the layer that is shown: the one named, or each checkpoint's last."""
    if layer is None:
        return rows["layer"] == rows.groupby(["checkpoint", "revision"])["layer"].transform("max")
    if not (rows["layer"] == layer).any():
        raise ValueError(f"`layer` {layer} is not in the table")
    return rows["layer"] == layer


def _refuse_twice(rows: pd.DataFrame, by: str, line: str) -> None:
    keys = [by, "source", "target", "layer"]
    twice = rows[rows.duplicated(keys)]
    if len(twice):
        one = twice.iloc[0]
        raise ValueError(
            f"{by} {one[by]} has several scores for {line} {one[line]}, first of {one['checkpoint']}: "
            "a curve shows one checkpoint for each place"
        )


def _spaced(names: list[object]) -> list[object]:
    if len(names) <= LINES:
        return names
    return [names[round(place)] for place in np.linspace(0, len(names) - 1, LINES)]
