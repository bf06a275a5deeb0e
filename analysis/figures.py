"""The layer × language heatmap.

A row per language (or pair), a column per layer, and before them the surface floor: what character
n-grams find without a model. The colour scale begins at the null, the score of randomly re-paired
sentences; a dot marks a cell that is not above its own surface floor.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..alignment.measures import MEASURES
from ..alignment.table import main_direction
from ..data.languages import nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
ANNOTATED = 400, 26  # cells and columns; more are read by colour
# scores that differ in one of these do not belong on one scale
_ONE = (
    "checkpoint",
    "revision",
    "protocol",
    "corpus",
    "split",
    "pooling",
    "map",
    "measure",
    "direction",
    "dtype",
    "max_length",
    "prefix",
    "duplicates",
)


# measures whose null does not depend on the number of sentences
_ANY_SIZE = ("auc", "contrast", "dprime", "debiased_linear_cka", "debiased_rbf_cka", "anc", "rsa")


def select(
    table: pd.DataFrame,
    *,
    measure: str | None = None,
    direction: str | None = None,
    pooling: str | None = None,
    map_name: str | None = None,
) -> pd.DataFrame:
    """Return the rows of a score table that one heatmap shows.

    Args:
        table: from `score`.
        measure: by default accuracy, or accuracy@100 where the pairs have different numbers of
            sentences: accuracy falls as candidates grow, so unequal sizes cannot be compared by it.
        direction: by default mean, or what there is.
        pooling: needed if the table has several.
        map_name: likewise.

    Raises:
        ValueError: nothing is left, or more than one heatmap's worth.
    """
    names = list(dict.fromkeys(table["measure"]))
    if measure is None:
        even = "accuracy@100" if table["n"].nunique() > 1 else "accuracy"
        measure = even if even in names else names[0]
    elif measure not in names:
        raise ValueError(f"measure {measure!r} is not in the table: {nearest(measure, names)}")
    rows = table[table["measure"] == measure]
    if direction is None:
        direction = main_direction(rows)
    for column, wanted in (("direction", direction), ("pooling", pooling), ("map", map_name)):
        values = list(dict.fromkeys(rows[column]))
        if wanted is not None and wanted not in values:
            raise ValueError(
                f"{column} {wanted!r} is not there for {measure}: {nearest(wanted, values)}"
            )
        if wanted is not None:
            rows = rows[rows[column] == wanted]
    for column in _ONE:
        if rows[column].nunique(dropna=False) > 1:
            raise ValueError(
                f"the table has several values of {column} ({', '.join(map(str, rows[column].unique()))}"
                "); name one"
            )
    return rows


def heatmap(table: pd.DataFrame, *, sort: str = "table", group: str = "none") -> "Figure":
    """Draw a layer × language heatmap and return the figure.

    Args:
        table: a score table of one measure; a larger one is narrowed by `select`'s defaults.
        sort: rows as in the "table", by "name", or by "value" (the best layer's, highest first).
        group: "none", or rows of one "script" together.

    Raises:
        ValueError: an unknown sort or group, or a table of more than one heatmap.
    """
    import seaborn
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    one = table["measure"].iloc[0] if table["measure"].nunique() == 1 else None
    rows = select(table, measure=one)
    values, surface, groups = _matrix(rows, sort, group)
    better = _better(rows)
    floor = float(rows["null"].min() if better else rows["null"].max())
    numbers = np.concatenate([values.to_numpy().ravel(), surface.to_numpy()])
    scale = colour_scale(numbers, floor, better=better)
    known = "" if np.isnan(floor) else f"\nscale from the null, {floor:.3g}"
    n_rows, n_columns = values.shape
    annotated = values.size <= ANNOTATED[0] and n_columns <= ANNOTATED[1]
    cell = (0.5, 0.3) if annotated else (max(0.16, min(0.4, 12 / n_columns)), 0.17)
    figure = Figure(
        figsize=(2.8 + cell[0] * (n_columns + 1.6), 1.5 + cell[1] * n_rows), layout="constrained"
    )
    FigureCanvasAgg(figure)
    left, main = figure.subplots(1, 2, width_ratios=[1.2, n_columns])
    options = scale | {"cbar": False, "linewidths": 0.4 if annotated else 0, "annot": annotated}
    options |= {"fmt": ".2f", "annot_kws": {"fontsize": 7}}
    seaborn.heatmap(surface.to_frame(), ax=left, yticklabels=True, **options)
    seaborn.heatmap(values, ax=main, yticklabels=False, **options)
    small = 8.0 if annotated else 6.0
    left.set(xlabel="", ylabel="")
    left.set_xticks([0.5], ["n-grams"], rotation=0 if annotated else 90, fontsize=small)
    left.tick_params("y", rotation=0, labelsize=small)
    step = max(1, round(n_columns / 25))
    main.set_xticks(
        np.arange(0, n_columns, step) + 0.5, values.columns[::step], rotation=0, fontsize=small
    )
    main.set_xlabel("layer", fontsize=small + 1)
    main.set_ylabel("")
    _mark_below_surface(main, values, surface, better=better, size=3.0 if annotated else 1.2)
    _separate(main, groups, small)
    bar = figure.colorbar(
        main.collections[0], ax=main, fraction=0.05, pad=0.06 if group != "none" else 0.02
    )
    bar.set_label(str(rows["measure"].iloc[0]), fontsize=small)
    bar.ax.tick_params(labelsize=small)
    figure.suptitle(_title(rows) + known, fontsize=9, x=0.02, ha="left")
    return figure


def colour_scale(values: np.ndarray, floor: float, *, better: bool) -> dict[str, Any]:
    """Return a scale from the null to the best value; dark is good, of distances too.

    Without a null it begins at the worst value.
    """
    known = values[np.isfinite(values)] if np.isfinite(values).any() else np.array([1.0])
    edge = float(known.max() if better else known.min())
    if np.isnan(floor):
        floor = float(known.min() if better else known.max())
    low, high = sorted((floor, edge))
    if better and edge < floor:  # nothing reaches the null: all is as light as it gets
        low, high = floor, floor + 1e-9
    return {"vmin": low, "vmax": max(high, low + 1e-9), "cmap": "rocket_r" if better else "rocket"}


def save(figure: "Figure", paths: Sequence[Path]) -> list[Path]:
    """Write a figure to .png (300 dots an inch), .svg or .pdf files, and return their paths.

    Raises:
        ValueError: another ending.
    """
    for path in paths:
        if path.suffix.lower() not in FORMATS:
            raise ValueError(f"{path}: a figure's file must end in {', '.join(FORMATS)}")
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=300)
    return list(paths)


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
    elif sort != "table":
        raise ValueError(f"unknown sort {sort!r}: table, name or value")
    groups = [""] * len(values)
    if group == "script":
        sources = rows.drop_duplicates("label").set_index("label")["source"]
        scripts = [_script(sources[label]) for label in values.index]
        order = np.argsort(np.asarray(scripts), kind="stable")
        values, groups = values.iloc[order], [scripts[i] for i in order]
    elif group != "none":
        raise ValueError(f"unknown group {group!r}: none or script")
    surface = rows.drop_duplicates("label").set_index("label")["surface"].reindex(values.index)
    return values, surface.rename("n-grams"), groups


def _script(tag: str) -> str:
    import langcodes

    return langcodes.Language.get(tag, normalize=False).maximize().script or "?"


def _mark_below_surface(
    axes: "Axes", values: pd.DataFrame, surface: pd.Series, *, better: bool, size: float
) -> None:
    """Put a dot into the corner of every cell that is no better than its row's surface floor."""
    floor = surface.to_numpy()[:, None]
    below = values.to_numpy() <= floor if better else values.to_numpy() >= floor
    row, column = np.nonzero(below)
    axes.scatter(column + 0.88, row + 0.2, s=size, color="#2b7bba", linewidths=0)


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
    return f"{measure}, both directions" if direction in ("mean", "both") else f"{measure}, {direction}"


def short_name(checkpoint: object) -> str:
    """Return the last two parts of a checkpoint's name: …/e5/checkpoint-500."""
    return "/".join(Path(str(checkpoint)).parts[-2:])


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
    elif low != high and first["measure"] not in _ANY_SIZE:
        lines.append("rows do not compare: the languages have different numbers of sentences")
    return "\n".join(lines)
