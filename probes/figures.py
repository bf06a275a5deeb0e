"""The layer × language heatmap of probes."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOORS = ("majority", "surface")


def heatmap(table: pd.DataFrame) -> "Figure":
    """Draw accuracy by language tested in and layer, before them the floors.

    Args:
        table: of one task and language trained on. The scale begins at the least majority; a dot marks a
            cell whose interval reaches down to the greater of its floors.
    """
    import seaborn
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    order = list(dict.fromkeys(table["test"]))
    values = table.pivot(index="test", columns="layer", values="accuracy").loc[order]
    floors = table.drop_duplicates("test").set_index("test").loc[order, list(FLOORS)]
    reached = table.assign(low=table["accuracy_low"] <= table[list(FLOORS)].max(axis=1))
    marks = reached.pivot(index="test", columns="layer", values="low").loc[order]
    rows, columns = values.shape
    figure = Figure(figsize=(3.4 + 0.5 * columns, 1.5 + 0.3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    left, main = figure.subplots(1, 2, width_ratios=[len(FLOORS), columns])
    low, high = float(floors["majority"].min()), float(np.nanmax(values.to_numpy()))
    options = {
        "cmap": "viridis", "vmin": low, "vmax": max(high, low + 0.05), "annot": columns <= 26,
        "fmt": ".2f", "annot_kws": {"fontsize": 7}, "linewidths": 0.4, "cbar": False,
    }  # fmt: skip
    seaborn.heatmap(floors, ax=left, yticklabels=True, **options)
    seaborn.heatmap(values, ax=main, yticklabels=False, **options)
    down, across = np.nonzero(marks.to_numpy(bool))
    main.plot(across + 0.88, down + 0.2, "o", markersize=2.5, color="white", linestyle="none")
    left.set_xticks([0.5, 1.5], ["majority", "n-grams"], rotation=30, ha="right")
    left.set(xlabel="", ylabel="")
    main.set(xlabel="", ylabel="")
    main.set_xlabel("layer", fontsize=9)
    for axes in (left, main):
        axes.tick_params("both", labelsize=8)
    left.tick_params("y", rotation=0)
    bar = figure.colorbar(main.collections[0], ax=main, pad=0.02)
    bar.ax.tick_params(labelsize=8)
    bar.set_label("accuracy", fontsize=8)
    first = table.iloc[0]
    name = str(first["checkpoint"]).rstrip("/").rpartition("/")[2]
    figure.suptitle(
        f"{first['task']}, learnt in {first['train']}: {name}, {first['pooling']}, map {first['map']}\n"
        "a dot: the interval reaches a floor",
        fontsize=8, x=0.02, ha="left",
    )  # fmt: skip
    return figure
