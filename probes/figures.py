"""The layer × language heatmap of probes, and what erasure leaves, layer by layer."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..alignment.drawing import (
    Scale,
    bar,
    canvas,
    cells,
    dots,
    layout_cells,
    sheet,
    short_name,
    tick_labels,
    title,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOORS = ("majority", "surface")
P = 0.025  # one-sided: a cell that is above its floors has a smaller one


def heatmap(table: pd.DataFrame) -> "Figure":
    """Draw accuracy by language tested in (that trained on first) and layer, before them the floors.

    Args:
        table: of one task and language trained on. The scale begins at the least majority; a dot marks a
            cell whose difference to the better of its floors has 0 in its 95 % interval.
    """
    order = sorted(dict.fromkeys(table["test"]), key=lambda one: one != table["train"].iloc[0])
    values = table.pivot(index="test", columns="layer", values="accuracy").loc[order]
    floors = table.drop_duplicates("test").set_index("test").loc[order, list(FLOORS)]
    low = table.assign(low=~(table["p"] < P))
    marks = low.pivot(index="test", columns="layer", values="low").loc[order]
    columns = values.shape[1]
    trees = table["metric"].iloc[0] != "accuracy"
    floors = floors[["majority"]] if trees else floors
    on = sheet()
    layers = [str(layer) for layer in values.columns]
    names = ["next word"] if trees else ["majority", "n-grams"]
    layout = layout_cells(
        on, order, layers, first=1.6 * len(names), above=5 * on.line + on.letters(len(names[0]))
    )
    figure = canvas(on.width, layout.height)
    left, main = figure.subplots(1, 2, width_ratios=[1.6 * len(names), columns])
    least, most = float(floors["majority"].min()), float(np.nanmax(values.to_numpy()))
    scale = Scale(least, max(most, least + 0.05), "viridis_r")
    for axes, matrix in ((left, floors), (main, values)):
        cells(axes, matrix, scale, numbers=".2f" if layout.numbers else "", size=on.type)
    tick_labels(left, main, order, layers, layout)
    dots(main, marks.to_numpy(bool), scale.dark(values.to_numpy()), size=3.0)
    left.set_xticks(np.arange(len(names)) + 0.5, names, rotation=30, ha="right")
    main.set_xlabel("layer", fontsize=on.type + 1)
    bar(main, str(table["metric"].iloc[0]), size=on.type)
    first = table.iloc[0]
    fitted = f" ({first['map_fit']})" if first["map_fit"] else ""
    title(
        figure,
        f"{first['task']}, learnt in {first['train']}: {short_name(first['checkpoint'])}, "
        f"{first['pooling']}, map {first['map']}{fitted}\n"
        "dot: the 95 % interval of what is above majority and n-grams reaches 0",
        size=on.type + 1,
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
