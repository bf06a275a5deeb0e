"""Figures of grids: layer × layer, language × language, all × all.

A panel per language pair (or per layer); one colour scale for all of them, which begins at the null:
what re-paired sentences reach. Distances are drawn the other way round, so that dark is always similar.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import Scale, canvas, scale_from, short_name, title
from ...alignment.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 24  # more are unreadable on one page
ANNOTATED = 13  # rows and columns of a panel whose cells carry numbers


def grid_heatmap(table: pd.DataFrame) -> "Figure":
    """Draw the grids of a table from `compare`, and return the figure.

    Args:
        table: of one measure and one map.

    Raises:
        ValueError: several measures or maps, no value, or more panels than fit a page.
    """
    for column in ("measure", "map", "pooling"):
        if table[column].nunique() > 1:
            several = ", ".join(map(str, table[column].unique()))
            raise ValueError(f"the table has several values of {column} ({several}); name one")
    panels = list(_panels(table))
    if len(panels) > PANELS:
        raise ValueError(
            f"{len(panels)} panels do not fit one figure; name fewer `languages` or `layers`"
        )
    if not np.isfinite(table["value"]).any():
        raise ValueError("no cell of the grid has a value")
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    size = max(2.6, min(7.0, 0.32 * max(max(panel.shape) for _, panel in panels)))
    figure = canvas(columns * size + 1.4, rows * (size + 0.45) + 0.8)
    axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    scale = _scale(table)
    for ax, (name, panel) in zip(axes, panels, strict=False):
        _draw(ax, name, panel, scale)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    shades = figure.colorbar(axes[0].images[0], ax=list(axes), fraction=0.03, pad=0.02)
    null = table["null"].min(), table["null"].max()
    shades.set_label(f"{table['measure'].iloc[0]} (null {_span(*null)})", fontsize=8.0)
    shades.ax.tick_params(labelsize=7)
    title(figure, _title(table))
    return figure


def between(table: pd.DataFrame) -> str:
    """Return what a table's grids are between: layers, languages or all."""
    names = set(table["source"]) | set(table["target"])
    pairs = table[["source", "target"]].drop_duplicates()
    crossed = len(names) > 1 and len(pairs) == len(names) ** 2
    if not crossed:
        return "layers"
    return "languages" if (table["layer"] == table["other_layer"]).all() else "all"


def _panels(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return a title and a matrix for every panel."""
    kind = between(table)
    if kind == "layers":
        groups = table.groupby(["source", "target"], sort=False)
        return [
            (
                source if source == target else f"{source} → {target}",
                part.pivot(index="layer", columns="other_layer", values="value").rename_axis(
                    index=f"layer of {source}", columns=f"layer of {target}"
                ),
            )
            for (source, target), part in groups
        ]
    if kind == "languages":
        return [
            (f"layer {layer}", _in_order(part, "source", "target"))
            for layer, part in table.groupby("layer", sort=False)
        ]
    spots = table.assign(
        row=table["source"] + " " + table["layer"].astype(str),
        column=table["target"] + " " + table["other_layer"].astype(str),
    )
    return [("", _in_order(spots, "row", "column"))]


def _in_order(part: pd.DataFrame, row: str, column: str) -> pd.DataFrame:
    matrix = part.pivot(index=row, columns=column, values="value")
    return matrix.reindex(
        index=list(dict.fromkeys(part[row])), columns=list(dict.fromkeys(part[column]))
    )


def _scale(table: pd.DataFrame) -> Scale:
    better = MEASURES[str(table["measure"].iloc[0])].higher_is_better
    floor = float(table["null"].min() if better else table["null"].max())
    return scale_from(table["value"].to_numpy(dtype=float), floor, higher_is_better=better)


def _draw(ax: "Axes", name: str, panel: pd.DataFrame, scale: Scale) -> None:
    import seaborn  # noqa: F401  its colour maps

    values = panel.to_numpy(dtype=float)
    ax.imshow(
        values, aspect="equal", interpolation="nearest", vmin=scale.low, vmax=scale.high,
        cmap=scale.colours,
    )  # fmt: skip
    ax.set_title(name, fontsize=8.0)
    for axis, labels in ((ax.yaxis, panel.index), (ax.xaxis, panel.columns)):
        step = max(1, round(len(labels) / 26))
        axis.set_ticks(np.arange(0, len(labels), step), [str(label) for label in labels[::step]])
    words = any(isinstance(label, str) for label in panel.columns)
    ax.tick_params("x", labelsize=6.5, rotation=90 if words else 0)
    ax.tick_params("y", labelsize=6.5)
    if not words:
        ax.set_xlabel(str(panel.columns.name), fontsize=7)
        ax.set_ylabel(str(panel.index.name), fontsize=7)
    if max(values.shape) <= ANNOTATED:
        dark = scale.dark(values)
        for (i, j), value in np.ndenumerate(values):
            ax.text(
                j, i, "" if np.isnan(value) else f"{value:.2f}".replace("0.", ".", 1),
                ha="center", va="center", fontsize=5.5,
                color="white" if dark[i, j] else "black",
            )  # fmt: skip


def _span(low: float, high: float) -> str:
    low, high = (0.0 if abs(value) < 1e-9 else value for value in (low, high))
    return f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"


def _title(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    names = short_name(first["checkpoint"])
    if (table["other_checkpoint"] != table["checkpoint"]).any():
        names += f" (rows) against {short_name(first['other_checkpoint'])} (columns)"
    n = table["n"].unique()
    return (
        f"{first['measure']}: {names}\n{first['corpus']}/{first['split']}, pooling {first['pooling']}, "
        f"map {first['map']}; n = {_span(float(n.min()), float(n.max())) if len(n) > 1 else f'{n[0]:,}'}"
    )
