"""What all figures share: canvas, colour scale, cells, bar, marks, title."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from .colours import luminance
from .sheets import EM, POINTS, CellLayout

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")


class Scale(NamedTuple):
    """The values at the ends of a colour scale, and its colours."""

    low: float
    high: float
    colours: str

    def dark(self, values: np.ndarray) -> np.ndarray:
        """Return whether white is read more easily than black on the colours of values.

        By their relative luminance (WCAG 2): the contrast of either is 4.5 at .18.
        """
        import matplotlib as mpl
        import seaborn  # noqa: F401  its colour maps

        places = (np.nan_to_num(values.astype(float)) - self.low) / (self.high - self.low)
        shades = mpl.colormaps[self.colours](np.clip(places, 0, 1))[..., :3]
        found: np.ndarray = luminance(shades) < 0.18
        return found

    def within(self, low: float | None, high: float | None) -> "Scale":
        """Return it with other ends, where they are given."""
        return self._replace(
            low=self.low if low is None else low, high=self.high if high is None else high
        )


def canvas(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def scale_from(values: np.ndarray, floor: float, *, higher_is_better: bool) -> Scale:
    """Return a scale from the null to the best value; dark is good, of distances too.

    Without a null it begins at the worst value.
    """
    known = values[np.isfinite(values)] if np.isfinite(values).any() else np.array([1.0])
    edge = float(known.max() if higher_is_better else known.min())
    if np.isnan(floor):
        floor = float(known.min() if higher_is_better else known.max())
    low, high = sorted((floor, edge))
    if higher_is_better and edge < floor:  # nothing reaches the null: all is as light as it gets
        low, high = floor, floor + 1e-9
    return Scale(low, max(high, low + 1e-9), "rocket_r" if higher_is_better else "rocket")


def cells(
    axes: "Axes",
    values: pd.DataFrame,
    scale: Scale,
    *,
    numbers: str = "",
    size: float = 8.0,
    lines: bool = True,
) -> None:
    """Draw a matrix as cells.

    Args:
        axes: where.
        values: rows and columns with their names.
        scale: of the colours.
        numbers: the format of what is written into the cells; "" for none.
        size: of the numbers, in points.
        lines: whether cells are set apart.
    """
    import seaborn

    seaborn.heatmap(
        values, ax=axes, cmap=scale.colours, vmin=scale.low, vmax=scale.high, annot=bool(numbers),
        fmt=numbers or ".2f", annot_kws={"fontsize": min(size, 7.0)}, linewidths=0.4 if lines else 0,
        cbar=False, yticklabels=False,
    )  # fmt: skip
    if numbers:
        for text, dark in zip(axes.texts, scale.dark(_known(values)), strict=True):
            text.set_color("white" if dark else "black")
    axes.set(xlabel="", ylabel="")
    axes.tick_params("both", labelsize=size)


def _known(values: pd.DataFrame) -> np.ndarray:
    """Return the values that there are, row by row: those that are written into cells."""
    flat = values.to_numpy(dtype=float).ravel()
    found: np.ndarray = flat[~np.isnan(flat)]
    return found


def tick_labels(
    left: "Axes", main: "Axes", rows: Sequence[str], columns: Sequence[str], layout: CellLayout
) -> None:
    """Write the rows' names at the left of `left`, the columns' below `main`, as many as fit."""
    left.set_yticks(np.arange(0, len(rows), layout.rows) + 0.5, rows[:: layout.rows], rotation=0)
    places = np.arange(0, len(columns), layout.columns) + 0.5
    main.set_xticks(places, columns[:: layout.columns], rotation=0)


def bar(axes: "Axes", label: str, *, size: float = 8.0, pad: float = 0.02) -> None:
    """Draw the colour bar of the cells of some axes."""
    found = axes.figure.colorbar(axes.collections[0], ax=axes, fraction=0.05, pad=pad)
    found.set_label(label, fontsize=size)
    found.ax.tick_params(labelsize=size)


def dots(axes: "Axes", marked: np.ndarray, dark: np.ndarray, *, size: float = 3.0) -> None:
    """Put a dot into the corner of every cell that is marked.

    Args:
        axes: of the cells.
        marked: which cells.
        dark: which cells are dark: there it is white, else black.
        size: in square points.
    """
    row, column = np.nonzero(marked)
    colours = np.where(dark[row, column], "white", "black")
    axes.scatter(column + 0.88, row + 0.2, s=size, c=colours, linewidths=0)


def hatch(axes: "Axes", missing: np.ndarray) -> None:
    """Hatch the cells that have no value."""
    from matplotlib.patches import Rectangle

    for row, column in zip(*np.nonzero(missing), strict=True):
        place = (float(column), float(row))
        axes.add_patch(Rectangle(place, 1, 1, fill=False, hatch="////", edgecolor="0.7", linewidth=0))


def title(figure: "Figure", text: str, *, size: float = 9.0) -> None:
    """Write the lines above a figure, from its left edge; those that are too long are broken."""
    room = int(0.96 * figure.get_size_inches()[0] * POINTS / (size * EM))
    lines = [part for line in text.split("\n") for part in textwrap.wrap(line, max(room, 20)) or [""]]
    figure.suptitle("\n".join(lines), fontsize=size, x=0.02, ha="left")


def apart(values: Sequence[float], least: float) -> list[float]:
    """Return where names are written: at their values, but not on top of each other.

    Half way between pushing all up and pushing all down, each of which keeps them apart.

    >>> apart([1.0, 1.0, 5.0], 0.5)
    [0.75, 1.25, 5.0]

    Args:
        values: in any order.
        least: the distance between two names.
    """
    order = np.argsort(values, kind="stable")
    steps = least * np.arange(len(values))
    level = np.asarray(values, dtype=float)[order] - steps
    up, down = np.maximum.accumulate(level), np.minimum.accumulate(level[::-1])[::-1]
    found = np.empty(len(values))
    found[order] = (up + down) / 2 + steps
    return [float(one) for one in found]


def short_name(checkpoint: object) -> str:
    """Return the last two parts of a checkpoint's name: …/e5/checkpoint-500."""
    return "/".join(Path(str(checkpoint)).parts[-2:])


def save(figure: "Figure", paths: Sequence[Path]) -> list[Path]:
    """Write a figure to .png (300 dots an inch), .svg or .pdf files, and return their paths.

    Raises:
        ValueError: another ending.
    """
    for path in paths:
        if path.suffix.lower() not in FORMATS:
            raise ValueError(f"{path}: a figure's file must end in {', '.join(FORMATS)}")
    import matplotlib as mpl

    letters = {"pdf.fonttype": 42, "svg.fonttype": "none"}  # TrueType, and text: they stay letters
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(letters):
            figure.savefig(path, dpi=300)
    return list(paths)
