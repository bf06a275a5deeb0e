"""The layer × language heatmap.

A row per language (or pair), a column per layer, and before them the surface floor: what character
n-grams find without a model. The colour scale begins at the null, the score of randomly re-paired
sentences; a dot marks a cell that is not above its own surface floor.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import bar, canvas, cells, dots, scale_from, short_name, title
from ...alignment.measures import MEASURES
from ...alignment.runs.table import SENTENCES, SETTINGS, main_direction
from ...data.languages import likely_script
from ...data.nearest import closest
from .options import HeatmapOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ANNOTATED = 400, 26  # cells and columns; more are read by colour
# scores that differ in one of these do not belong on one scale
ONE_SCALE = (
    "checkpoint",
    "revision",
    *SENTENCES[:2],
    "pooling",
    "map",
    "measure",
    "direction",
    *SETTINGS,
)


def select(
    table: pd.DataFrame,
    *,
    measure: str | None = None,
    direction: str | None = None,
    pooling: str | None = None,
    map: str | None = None,
) -> pd.DataFrame:
    """Return the rows of a score table that one heatmap shows.

    Args:
        table: from `score`.
        measure: by default accuracy, or accuracy@100 where the pairs have different numbers of
            sentences: accuracy falls as candidates grow, so unequal sizes cannot be compared by it.
        direction: by default mean, or what there is.
        pooling: needed if the table has several.
        map: likewise.

    Raises:
        ValueError: nothing is left, or more than one heatmap's worth.
    """
    names = list(dict.fromkeys(table["measure"]))
    if measure is None:
        even = "accuracy@100" if table["n"].nunique() > 1 else "accuracy"
        measure = even if even in names else names[0]
    elif measure not in names:
        raise ValueError(f"measure {measure!r} is not in the table: {closest(measure, names)}")
    rows = table[table["measure"] == measure]
    if direction is None:
        direction = main_direction(rows)
    for column, wanted in (("direction", direction), ("pooling", pooling), ("map", map)):
        values = list(dict.fromkeys(rows[column]))
        if wanted is not None and wanted not in values:
            raise ValueError(
                f"{column} {wanted!r} is not there for {measure}: {closest(wanted, values)}"
            )
        if wanted is not None:
            rows = rows[rows[column] == wanted]
    for column in ONE_SCALE:
        values = [str(one) for one in rows[column].unique()]
        if len(values) > 1:
            choose = f"; choose with `{column}`" if column in ("pooling", "map", "direction") else ""
            raise ValueError(f"the table has several values of {column} ({', '.join(values)}){choose}")
    return rows


def draw_heatmap(table: pd.DataFrame, options: HeatmapOptions) -> "Figure":
    """Draw a layer × language heatmap and return the figure.

    Args:
        table: a score table; it is narrowed by `select`.
        options: what of it is shown.

    Raises:
        ValueError: more than one heatmap's worth of scores.
    """
    only = table["measure"].iloc[0] if table["measure"].nunique() == 1 else None
    rows = select(
        table,
        measure=options.measure or only,
        direction=options.direction,
        pooling=options.pooling,
        map=options.map,
    )
    values, surface, groups = _matrix(rows, options.sort, options.group)
    better = _better(rows)
    floor = float(rows["null"].min() if better else rows["null"].max())
    numbers = np.concatenate([values.to_numpy().ravel(), surface.to_numpy()])
    scale = scale_from(numbers, floor, higher_is_better=better)
    n_rows, n_columns = values.shape
    annotated = values.size <= ANNOTATED[0] and n_columns <= ANNOTATED[1]
    cell = (0.5, 0.3) if annotated else (max(0.16, min(0.4, 12 / n_columns)), 0.17)
    figure = canvas(2.8 + cell[0] * (n_columns + 1.6), 1.5 + cell[1] * n_rows)
    left, main = figure.subplots(1, 2, width_ratios=[1.2, n_columns])
    small = 8.0 if annotated else 6.0
    for axes, matrix in ((left, surface.to_frame()), (main, values)):
        cells(
            axes, matrix, scale, numbers=".2f" if annotated else "", names=axes is left, size=small,
            lines=annotated,
        )  # fmt: skip
    left.set_xticks([0.5], ["n-grams"], rotation=0 if annotated else 90, fontsize=small)
    step = max(1, round(n_columns / 25))
    main.set_xticks(
        np.arange(0, n_columns, step) + 0.5, values.columns[::step], rotation=0, fontsize=small
    )
    main.set_xlabel("layer", fontsize=small + 1)
    grams = surface.to_numpy()[:, None]
    below = values.to_numpy() <= grams if better else values.to_numpy() >= grams
    dots(main, below, size=3.0 if annotated else 1.2)
    _separate(main, groups, small)
    bar(main, str(rows["measure"].iloc[0]), size=small, pad=0.06 if options.group != "none" else 0.02)
    known = "" if np.isnan(floor) else f"\nthe colour scale starts at chance ({floor:.3g})"
    title(figure, _title(rows) + known)
    return figure


def _matrix(rows: pd.DataFrame, sort: str, group: str) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """Return values (label × layer), the surface of each label, and each label's group."""
    one_target = rows["target"].nunique() == 1
    labels = rows["source"] if one_target else rows["source"] + "-" + rows["target"]
    rows = rows.assign(label=labels)
    values = rows.pivot(index="label", columns="layer", values="value")
    values = values.reindex(list(dict.fromkeys(rows["label"])))
    if sort == "name":
        values = values.sort_index()
    elif sort == "value":
        better = _better(rows)
        best = values.max(axis=1) if better else values.min(axis=1)
        values = values.loc[best.sort_values(ascending=not better, kind="stable").index]
    groups = [""] * len(values)
    if group == "script":
        sources = rows.drop_duplicates("label").set_index("label")["source"]
        scripts = [likely_script(sources[label]) or "?" for label in values.index]
        order = np.argsort(np.asarray(scripts), kind="stable")
        values, groups = values.iloc[order], [scripts[i] for i in order]
    surface = rows.drop_duplicates("label").set_index("label")["surface"].reindex(values.index)
    return values, surface.rename("n-grams"), groups


def _separate(axes: "Axes", groups: Sequence[str], size: float) -> None:
    """Draw lines between groups of rows, and their names at the right."""
    starts = [i for i, name in enumerate(groups) if i == 0 or name != groups[i - 1]]
    for start, end in zip(starts, [*starts[1:], len(groups)], strict=True):
        if groups[start]:
            axes.axhline(start, color="black", linewidth=0.6)
            axes.text(
                1.01,
                1 - (start + end) / 2 / len(groups),
                groups[start],
                transform=axes.transAxes,
                va="center",
                fontsize=size - 1,
            )


def _better(rows: pd.DataFrame) -> bool:
    """Whether more is better of a table's measure."""
    return MEASURES[str(rows["measure"].iloc[0])].higher_is_better


def _name(rows: pd.DataFrame) -> str:
    measure, direction = rows["measure"].iloc[0], rows["direction"].iloc[0]
    if direction == "mean":
        return f"{measure}, mean of both directions"
    return str(measure) if direction == "both" else f"{measure}, {direction}"


def _title(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    checkpoint = short_name(first["checkpoint"])
    targets = rows["target"].unique()
    pivot = f" into {targets[0]}" if len(targets) == 1 else ""
    low, high = rows["n"].min(), rows["n"].max()
    size = f"n = {low:,}" if low == high else f"n = {low:,} to {high:,}"
    fitted = f" ({first['map_fit']})" if first["map_fit"] else ""
    floor = "; dot: no better than n-grams" if rows["surface"].notna().any() else ""
    lines = [
        f"{_name(rows)}: {checkpoint} on {first['corpus']}/{first['split']}{pivot}",
        f"pooling {first['pooling']}, map {first['map']}{fitted}; {size}{floor}",
    ]
    if low != high and first["measure"].startswith("accuracy@"):
        m = first["measure"].split("@")[1]
        lines.append(f"at {m} candidates, because the languages have different numbers of sentences")
    elif low != high and not MEASURES[first["measure"]].any_size:
        lines.append("rows do not compare: the languages have different numbers of sentences")
    return "\n".join(lines)
