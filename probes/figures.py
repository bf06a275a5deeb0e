"""The layer × language heatmap of probes, and what erasure leaves, layer by layer."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOORS = ("majority", "surface")
P = 0.025  # one-sided: a cell that is above its floors has a smaller one


def heatmap(table: pd.DataFrame) -> "Figure":
    """Draw accuracy by language tested in (that trained on first) and layer, before them the floors.

    Args:
        table: of one task and language trained on. The scale begins at the least majority; a dot marks a
            cell that is not above both of its floors.
    """
    import seaborn
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    order = sorted(dict.fromkeys(table["test"]), key=lambda one: one != table["train"].iloc[0])
    values = table.pivot(index="test", columns="layer", values="accuracy").loc[order]
    floors = table.drop_duplicates("test").set_index("test").loc[order, list(FLOORS)]
    low = table.assign(low=~(table["p"] < P))
    marks = low.pivot(index="test", columns="layer", values="low").loc[order]
    rows, columns = values.shape
    trees = table["metric"].iloc[0] != "accuracy"
    floors = floors[["majority"]] if trees else floors
    figure = Figure(figsize=(3.4 + 0.5 * columns, 1.5 + 0.3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    left, main = figure.subplots(1, 2, width_ratios=[floors.shape[1], columns])
    least, most = float(floors["majority"].min()), float(np.nanmax(values.to_numpy()))
    options = {
        "cmap": "viridis", "vmin": least, "vmax": max(most, least + 0.05), "annot": columns <= 26,
        "fmt": ".2f", "annot_kws": {"fontsize": 7}, "linewidths": 0.4, "cbar": False,
    }  # fmt: skip
    seaborn.heatmap(floors, ax=left, yticklabels=True, **options)
    seaborn.heatmap(values, ax=main, yticklabels=False, **options)
    down, across = np.nonzero(marks.to_numpy(bool))
    main.plot(across + 0.88, down + 0.2, "o", markersize=2.5, color="white", linestyle="none")
    named = ["next word"] if trees else ["majority", "n-grams"]
    left.set_xticks(np.arange(len(named)) + 0.5, named, rotation=30, ha="right")
    left.set(xlabel="", ylabel="")
    main.set(xlabel="", ylabel="")
    main.set_xlabel("layer", fontsize=9)
    for axes in (left, main):
        axes.tick_params("both", labelsize=8)
    left.tick_params("y", rotation=0)
    bar = figure.colorbar(main.collections[0], ax=main, pad=0.02)
    bar.ax.tick_params(labelsize=8)
    bar.set_label(table["metric"].iloc[0], fontsize=8)
    first = table.iloc[0]
    fitted = f" ({first['map_fit']})" if first["map_fit"] else ""
    name = str(first["checkpoint"]).rstrip("/").rpartition("/")[2]
    figure.suptitle(
        f"{first['task']}, learnt in {first['train']}: {name}, {first['pooling']}, "
        f"map {first['map']}{fitted}\na dot: not above its floors (p ≥ {P})",
        fontsize=8, x=0.02, ha="left",
    )  # fmt: skip
    return figure


def erasure_figure(table: pd.DataFrame) -> "Figure":
    """Draw the probe's accuracy and retrieval by layer: as it is, after LEACE, after random directions.

    Lines are means over languages; the dotted one is the mean of the best constant answers.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [name for name in ("accuracy", "retrieval") if table[name].notna().any()]
    figure = Figure(figsize=(3.6 * len(shown), 2.9), layout="constrained")
    FigureCanvasAgg(figure)
    labels = {"none": "as it is", "leace": "erased (LEACE)", "random": "random directions"}
    task = str(table["task"].iloc[0])
    titles = {"accuracy": f"{task}: accuracy of a probe fitted anew", "retrieval": "retrieval accuracy"}
    for axes, name in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        means = table.pivot_table(index="layer", columns="erased", values=name)
        for (one, label), style in zip(labels.items(), ("o-", "s-", "^--"), strict=True):
            axes.plot(means.index, means[one], style, markersize=4, linewidth=1.2, label=label)
        if name == "accuracy":
            axes.axhline(table["majority"].mean(), color="0.4", ls=":", lw=1, label="majority")
        axes.set_title(titles[name], fontsize=9)
        axes.set_xlabel("layer", fontsize=8)
        axes.set_ylim(0, 1.02)
        axes.set_xticks(means.index if len(means) < 15 else means.index[::4])
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    return figure
