"""The scatter of alignment and task scores."""

from typing import TYPE_CHECKING

import pandas as pd

from ...alignment.drawing import canvas, short_name, title
from ...data.nearest import closest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = 10  # checkpoints with a colour of their own


def scatter(points: pd.DataFrame, task: str | None = None) -> "Figure":
    """Draw alignment against the scores of a task: a mark a language, a colour a checkpoint.

    Args:
        points: of `points.joined`.
        task: which, where there are several.

    Raises:
        ValueError: no such task.
    """
    import seaborn

    known = list(dict.fromkeys(points["task"]))
    chosen = known[0] if task is None else task
    own = points[points["task"] == chosen]
    if own.empty:
        raise ValueError(f"no task {chosen} there: {closest(chosen, known)}")
    figure = canvas(5.2, 4.2)
    axes = figure.subplots()
    names = list(dict.fromkeys(own["checkpoint"]))
    colours = seaborn.color_palette("colorblind", COLOURS)
    for place, name in enumerate(names):
        part = own[own["checkpoint"] == name]
        colour = colours[place % COLOURS] if len(names) <= COLOURS else (0.3, 0.3, 0.3)
        axes.scatter(
            part["alignment"], part["value"], s=8, color=colour, alpha=0.8, label=short_name(name)
        )
        for row in part.to_dict("records"):
            axes.annotate(
                row["language"], (row["alignment"], row["value"]), xytext=(3, 2),
                textcoords="offset points", fontsize=6, color=colour,
            )  # fmt: skip
    if len(names) <= COLOURS:
        axes.legend(fontsize=6, frameon=False)
    first = own.iloc[0]
    axes.set_xlabel(f"{first['measure']} ({first['direction']}) on {first['corpus']}", fontsize=9)
    axes.set_ylabel(f"{chosen}: {first['metric']}", fontsize=9)
    axes.tick_params(labelsize=7)
    axes.margins(0.08)
    seaborn.despine(figure)
    layers = own["layer"].min(), own["layer"].max()
    at = f"layer {layers[0]}" if layers[0] == layers[1] else f"layers {layers[0]} to {layers[1]}"
    title(figure, f"{chosen}: {own['language'].nunique()} languages, alignment at {at}", size=8.0)
    return figure
