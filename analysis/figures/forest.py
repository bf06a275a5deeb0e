"""Forest plots: a language a line, its value with the 95 % interval, and what it has to exceed."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import canvas, every, hues, short_name, title
from ...alignment.measures import MEASURES
from ...alignment.runs.table import MACRO, layer_of, reaches_floor, refuse_several
from .chosen import chosen_rows
from .language_names import named_languages
from .options import ForestOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8  # checkpoints in one figure
MEAN = "mean over languages"


def forest_points(table: pd.DataFrame, options: ForestOptions) -> pd.DataFrame:
    """Return what the figure shows: checkpoint, label, value, low, high, null, surface, open.

    `open`: the interval reaches the floor; of changes, 0.

    Args:
        table: of scores, or of retention where changes are shown.
        options: what of it is shown.

    Raises:
        ValueError: what is asked for is not there, or has to be chosen; more than 8 checkpoints.
    """
    rows = chosen_rows(table, options)
    measure = str(rows["measure"].iloc[0])
    refuse_several(rows, "corpus", "split")
    better = MEASURES[measure].higher_is_better
    if rows["checkpoint"].nunique() > MOST:
        raise ValueError(f"{rows['checkpoint'].nunique()} checkpoints; a forest plot has {MOST} at most")
    if options.shown == "delta":
        rows = _changes(rows, options.layer)
        low, high = rows["delta_low"], rows["delta_high"]
        found = rows.assign(value=rows["delta"], low=low, high=high, null=0.0, surface=np.nan)
        found["open"] = (low <= 0) & (high >= 0)
    else:
        parts = [
            part[part["layer"] == layer_of(part, options.layer, higher_is_better=better)]
            for _, part in rows.groupby(["checkpoint", "revision"], sort=False)
        ]
        found = pd.concat(parts)
        if found.empty:
            raise ValueError(f"`layer` {options.layer} is not there")
        found["open"] = reaches_floor(found, higher_is_better=better)
    several = found.loc[found["source"] != MACRO, "target"].nunique() > 1
    labels = found["source"] + ("-" + found["target"] if several else "")
    return found.assign(label=labels.where(found["source"] != MACRO, MEAN), measure=measure)


def _changes(rows: pd.DataFrame, layer: str) -> pd.DataFrame:
    if layer == "best":
        found = rows[rows["chosen"] == "best"]
        if found.empty:
            raise ValueError("no layers were chosen on other sentences; take `layer` last or a number")
        return found
    equal = rows[rows["chosen"] == "equal"]
    found = equal[equal["layer"] == (equal["layer"].max() if layer == "last" else int(layer))]
    if found.empty:
        raise ValueError(f"`layer` {layer} is not there")
    return found


def draw_forest(table: pd.DataFrame, options: ForestOptions) -> "Figure":
    """Draw a language a line, checkpoints in colours, and return the figure; see `forest_points`.

    A filled point is clear of its floor; where n-grams were scored, a tick shows them.
    """
    points = forest_points(table, options)
    on = options.sheet()
    labels = list(dict.fromkeys(points["label"]))
    checkpoints = list(dict.fromkeys(points["checkpoint"]))
    rows = max(1.0, 0.45 * len(checkpoints))  # lines of type a language takes
    titled = (4 * on.line if options.title else 0.0) + (len(checkpoints) > 1) * on.line
    high = min(1.15 * on.line * rows, (on.tallest - 0.7 - titled) / len(labels))
    step = every(len(labels), high * len(labels), on.line)
    with on.style():
        figure = canvas(on.width, 0.7 + titled + high * len(labels))
        axes = figure.subplots()
        for at, (name, colour) in enumerate(zip(checkpoints, hues(on, len(checkpoints)), strict=True)):
            own = points[points["checkpoint"] == name].set_index("label").reindex(labels)
            shift = (at - (len(checkpoints) - 1) / 2) * 0.7 / len(checkpoints)
            _draw(axes, own, np.arange(len(labels)) + shift, colour, short_name(name))
        axes.axvline(float(points["null"].mean()), color="0.5", linestyle=":", linewidth=0.8)
        names = named_languages(labels, options.names)
        axes.set_yticks(np.arange(0, len(labels), step), names[::step])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        first = points.iloc[0]
        what = "Δ " if options.shown == "delta" else ""
        axes.set_xlabel(f"{what}{first['measure']} ({first['direction']})")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if len(checkpoints) > 1:
            figure.legend(loc="outside lower center", ncols=2, frameon=False)
        if options.title:
            title(figure, _title(points, options, len(checkpoints)), size=on.type + 1)
    return figure


def _draw(
    axes: "Axes", own: pd.DataFrame, places: np.ndarray, colour: tuple[float, ...], name: str
) -> None:
    """Draw a checkpoint: intervals, points (empty where the floor is reached), ticks of n-grams."""
    value = own["value"].to_numpy(float)
    axes.hlines(places, own["low"].astype(float), own["high"].astype(float), color=colour, linewidth=1)
    reached = own["open"].to_numpy() == True  # noqa: E712 - missing ones are not
    faces = [axes.get_facecolor() if one else colour for one in reached]
    axes.scatter(value, places, s=12, c=faces, edgecolors=[colour], linewidths=0.8, zorder=3, label=name)
    surface = own["surface"].to_numpy(float)
    axes.plot(surface, places, "|", color="0.5", markersize=5)


def _title(points: pd.DataFrame, options: ForestOptions, checkpoints: int) -> str:
    first = points.iloc[0]
    known = sorted(set(points["layer"].dropna()))
    at = f"layer {known[0]}" if len(known) == 1 else f"layers {known[0]} to {known[-1]}"
    chosen = {"best": ", chosen on other sentences" if options.shown == "delta" else ", the best"}
    of = "" if checkpoints > 1 else f": {short_name(first['checkpoint'])}"
    marks = "0" if options.shown == "delta" else "the floor (null or n-grams)"
    ticks = "; tick: n-grams" if points["surface"].notna().any() else ""
    return (
        f"{first['corpus']}/{first['split']}{of}, {at}{chosen.get(options.layer, '')}"
        f"\nbars: 95 % intervals; empty: it reaches {marks}{ticks}"
    )
