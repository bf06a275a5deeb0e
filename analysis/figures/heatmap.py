"""The layer × language heatmap.

A row per language (or pair), a column per layer, and before them the surface floor: what character
n-grams find without a model. The colour scale begins at the null, the score of randomly re-paired
sentences; a dot marks a cell whose interval reaches its floor.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.drawing import (
    Sheet,
    bar,
    canvas,
    cells,
    dots,
    hatch,
    layout_cells,
    scale_from,
    short_name,
    tick_labels,
    title,
)
from ...alignment.measures import MEASURES
from ...alignment.runs.table import SENTENCES, SETTINGS, main_direction, reaches_floor
from ...data.languages import likely_script
from ...data.nearest import closest
from .chosen import keep_chosen
from .language_names import named_languages
from .options import HeatmapOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
        options: what of it is shown, and on what.

    Raises:
        ValueError: more than one heatmap's worth of scores; a language that is not there.
    """
    table = keep_chosen(table, options)
    only = table["measure"].iloc[0] if table["measure"].nunique() == 1 else None
    rows = select(
        table,
        measure=options.measure or only,
        direction=options.direction,
        pooling=options.pooling,
        map=options.map,
    )
    sheet = options.sheet()
    with sheet.style():
        return _drawn(rows, options, sheet)


def _drawn(rows: pd.DataFrame, options: HeatmapOptions, sheet: Sheet) -> "Figure":
    values, surface, marked, groups = _matrix(rows, options.sort, options.group)
    better = _better(rows)
    floor = float(rows["null"].min() if better else rows["null"].max())
    numbers = np.concatenate([values.to_numpy().ravel(), surface.to_numpy()])
    scale = scale_from(numbers, floor, higher_is_better=better).within(options.vmin, options.vmax)
    grams = surface.notna().any()
    names = named_languages(values.index, options.names)
    layers = [str(layer) for layer in values.columns]
    layout = layout_cells(
        sheet, names, layers, first=1.4 if grams else 0.0,
        aside=sheet.letters(max(map(len, groups))),
        above=(5 * sheet.line if options.title else 0.0) + (sheet.letters(5) if grams else 0.0),
    )  # fmt: skip
    figure = canvas(sheet.width, layout.height)
    extra = [1.4] if grams else []
    panels = figure.subplots(1, 1 + len(extra), width_ratios=[*extra, len(layers)], squeeze=False)[0]
    shown = [surface.to_frame(), values][-len(panels) :]
    for axes, matrix in zip(panels, shown, strict=True):
        cells(
            axes, matrix, scale, numbers=".2f" if layout.numbers else "", size=sheet.type,
            lines=layout.numbers,
        )  # fmt: skip
    left, main = panels[0], panels[-1]
    tick_labels(left, main, names, layers, layout)
    if grams:
        left.set_xticks([0.5], ["n-grams"], rotation=0 if layout.numbers else 90)
    main.set_xlabel("layer", fontsize=sheet.type + 1)
    dots(main, marked.to_numpy(), scale.dark(values.to_numpy()), size=3.0 if layout.numbers else 1.2)
    hatch(main, values.isna().to_numpy())
    _separate(main, groups, sheet.type)
    bar(main, _name(rows), size=sheet.type, pad=0.06 if options.group != "none" else 0.02)
    if options.title:
        known = "" if np.isnan(floor) else f"\nthe colour scale starts at chance ({floor:.3g})"
        missing = "\nhatched: not scored" if values.isna().any(axis=None) else ""
        title(figure, _title(rows) + known + missing, size=sheet.type + 1)
    return figure


def _matrix(
    rows: pd.DataFrame, sort: str, group: str
) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame, list[str]]:
    """Return values (label × layer), the surface of each label, what is marked, each label's group."""
    one_target = rows["target"].nunique() == 1
    labels = rows["source"] if one_target else rows["source"] + "-" + rows["target"]
    rows = rows.assign(label=labels, marked=reaches_floor(rows, higher_is_better=_better(rows)))
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
    marked = rows.pivot(index="label", columns="layer", values="marked").reindex(values.index)
    return values, surface.rename("n-grams"), marked == True, groups  # noqa: E712 - missing ones are not


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
                fontsize=size,
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
    floor = "; dot: the 95 % interval reaches the floor (null or n-grams)"
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
