"""What all heatmaps share: the canvas, the colour scale, the cells, the bar, the dots, the title."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")


class Scale(NamedTuple):
    """The values at the ends of a colour scale, and its colours."""

    low: float
    high: float
    colours: str

    def is_dark(self, value: float) -> bool:
        """Return whether white is read more easily than black on a value's colour."""
        return bool(value > (self.low + self.high) / 2) == (self.colours == "rocket_r")


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
    names: bool = True,
    size: float = 8.0,
    lines: bool = True,
) -> None:
    """Draw a matrix as cells.

    Args:
        axes: where.
        values: rows and columns with their names.
        scale: of the colours.
        numbers: the format of what is written into the cells; "" for none.
        names: whether the rows' names are written.
        size: of the names, in points.
        lines: whether cells are set apart.
    """
    import seaborn

    seaborn.heatmap(
        values, ax=axes, cmap=scale.colours, vmin=scale.low, vmax=scale.high, annot=bool(numbers),
        fmt=numbers or ".2f", annot_kws={"fontsize": 7}, linewidths=0.4 if lines else 0, cbar=False,
        yticklabels=names,
    )  # fmt: skip
    axes.set(xlabel="", ylabel="")
    axes.tick_params("both", labelsize=size)
    axes.tick_params("y", rotation=0)


def bar(axes: "Axes", label: str, *, size: float = 8.0, pad: float = 0.02) -> None:
    """Draw the colour bar of the cells of some axes."""
    found = axes.figure.colorbar(axes.collections[0], ax=axes, fraction=0.05, pad=pad)
    found.set_label(label, fontsize=size)
    found.ax.tick_params(labelsize=size)


def dots(axes: "Axes", marked: np.ndarray, *, colour: str = "#2b7bba", size: float = 3.0) -> None:
    """Put a dot into the corner of every cell that is marked."""
    row, column = np.nonzero(marked)
    axes.scatter(column + 0.88, row + 0.2, s=size, color=colour, linewidths=0)


def title(figure: "Figure", text: str, *, size: float = 9.0) -> None:
    """Write the lines above a figure, from its left edge."""
    figure.suptitle(text, fontsize=size, x=0.02, ha="left")


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
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=300)
    return list(paths)
