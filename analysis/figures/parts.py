"""What a score is made of, stacked: the score, what maps add to it, and what no linear map brings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import Sheet, canvas, every, ramp, title
from ...alignment.measures import MEASURES
from ...alignment.runs.table import headline, layer_of, refuse_several, rows_of
from ...alignment.scoring.map_decomposition import PARTS
from .chosen import keep_chosen
from .language_names import named_languages
from .options import PartsOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEEN = 0.02  # the least share of the axis in which a mark is seen


def part_points(parts: pd.DataFrame, options: PartsOptions) -> pd.DataFrame:
    """Return what the figure shows: a row a pair and part, with `open`: its 95 % interval has 0 in it.

    Args:
        parts: the table `decomposition` of a run of `score --map decomposition`.
        options: measure, direction, layer; best is that where the score alone is best over all pairs.

    Raises:
        ValueError: what is asked for is not there, or has to be chosen.
    """
    measure = options.measure or headline(parts)[0]
    rows = parts[parts["measure"] == measure]
    if rows.empty:
        raise ValueError(f"no `measure` {measure} there: {', '.join(dict.fromkeys(parts['measure']))}")
    refuse_several(rows, "pooling", "map_fit")
    known = rows.assign(map="none")
    rows = rows_of(known, measure, options.direction, pooling=options.pooling or "")
    scores = rows[rows["part"] == PARTS[0]]
    layer = layer_of(scores, options.layer, higher_is_better=MEASURES[measure].higher_is_better)
    rows = rows[rows["layer"] == layer]
    if rows.empty:
        raise ValueError(f"`layer` {options.layer} is not there")
    several = rows["target"].nunique() > 1
    labels = rows["source"] + ("-" + rows["target"] if several else "")
    return rows.assign(label=labels, open=(rows["low"] <= 0) & (rows["high"] >= 0))


def draw_parts(parts: pd.DataFrame, options: PartsOptions) -> "Figure":
    """Draw a bar a language, its parts stacked, and return the figure; see `part_points`.

    A part that is negative (a freer map that generalises worse) is drawn to the left of 0.
    """
    points = part_points(keep_chosen(parts, options), options)
    on = options.sheet()
    labels = list(dict.fromkeys(points["label"]))
    titled = 4 * on.line if options.title else 0.0
    high = min(1.6 * on.line, (on.tallest - 1.0 - titled) / len(labels))
    step = every(len(labels), high * len(labels), on.line)
    with on.style():
        figure = canvas(on.width, 1.0 + titled + high * len(labels))
        axes = figure.subplots()
        _stack(axes, points, labels, on)
        names = named_languages(labels, options.names)
        axes.set_yticks(np.arange(0, len(labels), step), names[::step])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        first = points.iloc[0]
        axes.set_xlabel(f"{first['measure']} ({first['direction']})")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.legend(loc="outside lower center", ncols=len(PARTS) // 2, frameon=False)
        if options.title:
            said = (
                f"layer {first['layer']}, pooling {first['pooling']}: the score, and what maps fitted "
                f"on {first['map_fit']} add\ndot: 0 is in the part's 95 % interval"
            )
            title(figure, said, size=on.type + 1)
    return figure


def _stack(axes: "Axes", points: pd.DataFrame, labels: Sequence[str], on: Sheet) -> None:
    """Draw the parts side by side, those above 0 to its right, those below to its left."""
    ends = np.zeros((2, len(labels)))  # of what is drawn so far, right and left
    whole = max(points.groupby("label")["value"].sum().max(), 1e-9)
    for part, colour in zip(PARTS, ramp(on, len(PARTS)), strict=True):
        own = points[points["part"] == part].set_index("label").reindex(labels)
        values = own["value"].fillna(0.0).to_numpy(float)
        left = np.where(values >= 0, ends[0], ends[1])
        axes.barh(range(len(labels)), values, left=left, color=[colour], edgecolor=on.paper, label=part)
        seen = (own["open"].to_numpy() == True) & (np.abs(values) > SEEN * whole)  # noqa: E712
        middle = (left + values / 2)[seen]
        axes.scatter(middle, np.flatnonzero(seen), s=4, color="white", zorder=3)
        ends[0] += np.maximum(values, 0)
        ends[1] += np.minimum(values, 0)
