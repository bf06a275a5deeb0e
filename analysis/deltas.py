"""What a retention table shows, in words and as a heatmap."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..alignment.measures import MEASURES
from .figures import short_name
from .retention import MACRO, NO_FLOOR

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
        text += f"; in {below} the base is not above its floor, so no share of it is told"
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
    import seaborn
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    equal = rows[rows["chosen"] == "equal"]
    name = equal["source"].where(equal["source"] == MACRO, equal["source"] + "-" + equal["target"])
    equal = equal.assign(name=name)
    order = list(dict.fromkeys(equal["name"]))
    values = equal.pivot(index="name", columns="layer", values="delta").reindex(order)
    open_ = (equal["delta_low"] <= 0) & (equal["delta_high"] >= 0)
    unclear = equal.assign(open=open_).pivot(index="name", columns="layer", values="open").reindex(order)
    most = max(float(np.nanmax(np.abs(values.to_numpy()))), 1e-9)
    rows_, columns = values.shape
    figure = Figure(figsize=(2.6 + 0.55 * columns, 1.4 + 0.3 * rows_), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    seaborn.heatmap(
        values, ax=axes, cmap="vlag", vmin=-most, vmax=most, annot=columns <= 26, fmt="+.3f",
        annot_kws={"fontsize": 7}, linewidths=0.4, cbar_kws={"label": "Δ"}, yticklabels=True,
    )  # fmt: skip
    down, across = np.nonzero(unclear.to_numpy() == True)  # noqa: E712 - of objects
    axes.plot(across + 0.88, down + 0.2, "o", markersize=2.5, color="0.25", linestyle="none")
    axes.set(ylabel="", xlabel="layer")
    axes.xaxis.label.set_size(9)
    for each in (axes, figure.axes[-1]):
        each.tick_params("both", labelsize=8)
    axes.tick_params("y", rotation=0)
    first = equal.iloc[0]
    figure.suptitle(
        f"{short_name(first['checkpoint'])} less {short_name(first['base_checkpoint'])}: "
        f"{first['measure']} ({first['direction']}), each above its null\n"
        f"{first['corpus']}/{first['split']}, {first['pooling']}, map {first['map']}; a dot: 0 is in "
        "the interval",
        fontsize=8, x=0.02, ha="left",
    )  # fmt: skip
    return figure
