"""Depth × scale: the mean over languages, a row a checkpoint (the smallest first), a column a depth."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import (
    bar,
    canvas,
    cells,
    hatch,
    layout_cells,
    scale_from,
    short_name,
    tick_labels,
    title,
)
from ...alignment.measures import MEASURES
from ...alignment.runs.table import refuse_several
from .chosen import chosen_rows
from .options import ChosenOptions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTHS = 11  # columns: 0, 10, … 100 %


def depth_values(table: pd.DataFrame, options: ChosenOptions) -> pd.DataFrame:
    """Return the mean score, a row a checkpoint and a column a relative depth.

    At a depth the layer nearest to it counts; where two are equally near, the lower one. Of models with
    fewer layers a layer is in several columns.

    Args:
        table: of scores of several checkpoints.
        options: which.

    Raises:
        ValueError: one checkpoint only; what is asked for is not there, or has to be chosen.
    """
    rows = chosen_rows(table, options)
    refuse_several(rows, "corpus", "split", "protocol")
    found = {}
    order = rows.sort_values("parameters", kind="stable")
    for (name, revision), part in order.groupby(["checkpoint", "revision"], sort=False):
        means = part.groupby("layer")["value"].mean()
        layers = means.index.to_numpy(dtype=float)
        depths = np.linspace(0, layers.max(), DEPTHS)
        nearest = np.abs(depths[:, None] - layers).argmin(axis=1)
        label = short_name(name) + (f"@{revision}" if revision else "")
        found[label] = means.to_numpy(dtype=float)[nearest]
    if len(found) < 2:
        raise ValueError("the table has one checkpoint; depth and scale need several")
    columns = [f"{share:.0%}" for share in np.linspace(0, 1, DEPTHS)]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns)


def draw_depth(table: pd.DataFrame, options: ChosenOptions) -> "Figure":
    """Draw depth × scale and return the figure; see `depth_values`."""
    values = depth_values(table, options)
    rows = chosen_rows(table, options)
    measure = str(rows["measure"].iloc[0])
    better = MEASURES[measure].higher_is_better
    floor = float(rows["null"].min() if better else rows["null"].max())
    scale = scale_from(values.to_numpy(), floor, higher_is_better=better)
    on, names = options.sheet(), [str(one) for one in values.index]
    columns = list(map(str, values.columns))
    layout = layout_cells(on, names, columns, above=4 * on.line if options.title else 0.0)
    with on.style():
        figure = canvas(on.width, layout.height)
        axes = figure.subplots()
        cells(axes, values, scale, numbers=".2f" if layout.numbers else "", size=on.type)
        tick_labels(axes, axes, names, columns, layout)
        hatch(axes, values.isna().to_numpy())
        bar(axes, measure, size=on.type)
        axes.set_xlabel("depth (layer / last layer)", fontsize=on.type + 1)
        if options.title:
            said = f"{measure} on {rows['corpus'].iloc[0]}, mean over languages; the smallest first"
            title(figure, said, size=on.type + 1)
    return figure
