"""The layer × language heatmap of probes, and what erasure leaves, layer by layer."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..alignment.drawing import Scale, bar, canvas, cells, dots, short_name, title

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
    order = sorted(dict.fromkeys(table["test"]), key=lambda one: one != table["train"].iloc[0])
    values = table.pivot(index="test", columns="layer", values="accuracy").loc[order]
    floors = table.drop_duplicates("test").set_index("test").loc[order, list(FLOORS)]
    low = table.assign(low=~(table["p"] < P))
    marks = low.pivot(index="test", columns="layer", values="low").loc[order]
    rows, columns = values.shape
    trees = table["metric"].iloc[0] != "accuracy"
    floors = floors[["majority"]] if trees else floors
    figure = canvas(3.4 + 0.5 * columns, 1.5 + 0.3 * rows)
    left, main = figure.subplots(1, 2, width_ratios=[floors.shape[1], columns])
    least, most = float(floors["majority"].min()), float(np.nanmax(values.to_numpy()))
    scale = Scale(least, max(most, least + 0.05), "viridis")
    numbers = ".2f" if columns <= 26 else ""
    cells(left, floors, scale, numbers=numbers)
    cells(main, values, scale, numbers=numbers, names=False)
    dots(main, marks.to_numpy(bool), np.ones(marks.shape, dtype=bool), size=6.0)
    named = ["next word"] if trees else ["majority", "n-grams"]
    left.set_xticks(np.arange(len(named)) + 0.5, named, rotation=30, ha="right")
    main.set_xlabel("layer", fontsize=9)
    bar(main, str(table["metric"].iloc[0]))
    first = table.iloc[0]
    fitted = f" ({first['map_fit']})" if first["map_fit"] else ""
    title(
        figure,
        f"{first['task']}, learnt in {first['train']}: {short_name(first['checkpoint'])}, "
        f"{first['pooling']}, map {first['map']}{fitted}\n"
        f"dot: not significantly above majority and n-grams (one-sided p ≥ {P}, unadjusted)",
        size=8.0,
    )
    return figure


def erasure_figure(table: pd.DataFrame) -> "Figure":
    """Draw the probe's accuracy and retrieval by layer: as it is, after LEACE, after random directions.

    Lines are means over languages; the dotted one is the mean of the best constant answers.
    """
    shown = [name for name in ("accuracy", "retrieval") if table[name].notna().any()]
    figure = canvas(3.6 * len(shown), 2.9)
    labels = {"none": "as it is", "leace": "erased (LEACE)", "random": "random directions"}
    task = str(table["task"].iloc[0])
    titles = {"accuracy": f"{task}: accuracy of a probe refitted", "retrieval": "retrieval accuracy"}
    for axes, name in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        means = table.pivot_table(index="layer", columns="erased", values=name)
        for (one, label), style in zip(labels.items(), ("o-", "s-", "^--"), strict=True):
            axes.plot(means.index, means[one], style, markersize=4, linewidth=1.2, label=label)
        if name == "accuracy":
            axes.axhline(table["majority"].mean(), color="0.4", ls=":", lw=1, label="majority")
        axes.set_title(titles[name], fontsize=9)
        axes.set_xlabel("layer", fontsize=8.0)
        axes.set_ylim(0, 1.02)
        axes.set_xticks(means.index if len(means) < 15 else means.index[::4])
        axes.tick_params(labelsize=8.0)
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False)
    return figure
