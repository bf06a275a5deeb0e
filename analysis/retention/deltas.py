"""What a retention table shows, in words and as a heatmap."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import (
    Scale,
    bar,
    canvas,
    cells,
    dots,
    hatch,
    layout_cells,
    sheet,
    short_name,
    tick_labels,
    title,
)
from ...alignment.measures import MEASURES
from ...alignment.runs.table import MACRO
from .comparison import NO_FLOOR

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def in_words(rows: pd.DataFrame) -> str:
    """Say what the intervals of Δ show, and no more: the mean, then how many gained, how many lost.

    Intervals hold one by one; nothing is corrected for there being several.
    """
    one = rows[rows["source"] != MACRO]
    rose, fell = int((one["delta_low"] > 0).sum()), int((one["delta_high"] < 0).sum())
    gained, lost = (rose, fell) if MEASURES[one["measure"].iloc[0]].higher_is_better else (fell, rose)
    unknown = len(one) - gained - lost
    macro = rows[rows["source"] == MACRO]
    text = ""
    if len(macro):
        row = macro.iloc[0]
        text = f"mean Δ {row['delta']:+.4f} ({row['delta_low']:+.4f} to {row['delta_high']:+.4f}); "
    text += f"of {len(one)} language pairs, {gained} gained, {lost} lost, {unknown} show neither"
    below = int((one["note"] == NO_FLOOR).sum())
    if below:
        text += f"; for {below} pairs the base does not exceed its floor, so no ratio is reported"
    return text


def delta_heatmap(rows: pd.DataFrame) -> "Figure":
    """Draw Δ by language and layer, red where it rose, blue where it fell; a dot: 0 is in the interval.

    Args:
        rows: of one measure and direction.
    """
    equal = rows[rows["chosen"] == "equal"]
    name = equal["source"].where(equal["source"] == MACRO, equal["source"] + "-" + equal["target"])
    equal = equal.assign(name=name)
    order = list(dict.fromkeys(equal["name"]))
    values = equal.pivot(index="name", columns="layer", values="delta").reindex(order)
    open_ = (equal["delta_low"] <= 0) & (equal["delta_high"] >= 0)
    unclear = equal.assign(open=open_).pivot(index="name", columns="layer", values="open").reindex(order)
    most = max(float(np.nanmax(np.abs(values.to_numpy()))), 1e-9)
    on = sheet()
    layers = [str(layer) for layer in values.columns]
    layout = layout_cells(on, order, layers, number="+0.000", above=4 * on.line)
    figure = canvas(on.width, layout.height)
    axes = figure.subplots()
    scale = Scale(-most, most, "vlag")
    cells(axes, values, scale, numbers="+.3f" if layout.numbers else "", size=on.type)
    tick_labels(axes, axes, order, layers, layout)
    bar(axes, "Δ", size=on.type)
    light = np.zeros(values.shape, dtype=bool)  # vlag is, but for its ends
    dots(axes, unclear.to_numpy() == True, light, size=3.0)  # noqa: E712 - of objects
    hatch(axes, values.isna().to_numpy())
    axes.set_xlabel("layer", fontsize=on.type + 1)
    first = equal.iloc[0]
    title(
        figure,
        f"{short_name(first['checkpoint'])} less {short_name(first['base_checkpoint'])}: "
        f"{first['measure']} ({first['direction']}), each above its null\n"
        f"{first['corpus']}/{first['split']}, {first['pooling']}, map {first['map']}; a dot: 0 is in "
        "the interval",
        size=8.0,
    )
    return figure
