"""What a retention table shows, in words and as a heatmap."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import Scale, bar, canvas, cells, dots, short_name, title
from ...alignment.measures import MEASURES
from .comparison import MACRO, NO_FLOOR

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def in_words(rows: pd.DataFrame) -> str:
    """Say what the intervals of Δ show, and no more: how many gained, how many lost.

    Intervals hold one by one; nothing is corrected for there being several.
    """
    one = rows[rows["source"] != MACRO]
    rose, fell = int((one["delta_low"] > 0).sum()), int((one["delta_high"] < 0).sum())
    gained, lost = (rose, fell) if MEASURES[one["measure"].iloc[0]].higher_is_better else (fell, rose)
    unknown = len(one) - gained - lost
    text = f"of {len(one)} language pairs, {gained} gained, {lost} lost, {unknown} show neither"
    below = int((one["note"] == NO_FLOOR).sum())
    if below:
        text += f"; for {below} pairs the base does not exceed its floor, so no ratio is reported"
    macro = rows[rows["source"] == MACRO]
    if len(macro):
        row = macro.iloc[0]
        text += f"; mean Δ {row['delta']:+.4f} ({row['delta_low']:+.4f} to {row['delta_high']:+.4f})"
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
    count, columns = values.shape
    figure = canvas(2.6 + 0.55 * columns, 1.4 + 0.3 * count)
    axes = figure.subplots()
    cells(axes, values, Scale(-most, most, "vlag"), numbers="+.3f" if columns <= 26 else "")
    bar(axes, "Δ")
    dots(axes, unclear.to_numpy() == True, colour="0.25", size=6.0)  # noqa: E712 - of objects
    axes.set_xlabel("layer", fontsize=9)
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
