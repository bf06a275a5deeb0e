"""What a figure is drawn on: it is designed at the width it is printed at.

Its type has its size there. What does not fit is ticked more sparsely, never shrunk.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

WIDTHS = {"column": 84.0, "page": 174.0, "slide": 254.0}  # millimetres
STYLES = ("paper", "talk", "dark")
SMALLEST = 5.5  # points of type, on paper
INCH = 25.4  # millimetres
POINTS = 72.0  # an inch
EM = 0.6  # of a letter's height, its usual width
LEADING = 1.3  # of a letter's height, a line


class Sheet(NamedTuple):
    """What a figure is drawn on."""

    width: float = WIDTHS["page"] / INCH  # inches
    type: float = 7.0  # points of ticks and numbers
    dark: bool = False

    @property
    def tallest(self) -> float:
        """The greatest height in inches: of a page, or of a slide."""
        return min(230.0 / INCH, 2.2 * self.width) if self.type < 9 else self.width * 9 / 16

    @property
    def ink(self) -> str:
        """The colour of lines and letters."""
        return "#ececf0" if self.dark else "#1b1b1f"

    @property
    def paper(self) -> str:
        """The colour of the ground."""
        return "#17181b" if self.dark else "#ffffff"

    def letters(self, count: int | float) -> float:
        """Return the width of so many letters, in inches."""
        return count * EM * self.type / POINTS

    @property
    def line(self) -> float:
        """The height of a line of ticks, in inches."""
        return LEADING * self.type / POINTS

    @contextmanager
    def style(self) -> Iterator[None]:
        """Draw with its type and colours."""
        import matplotlib as mpl

        ink = dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), self.ink)
        ink |= dict.fromkeys(("xtick.color", "ytick.color"), self.ink)
        ground = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), self.paper)
        sizes = dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), self.type)
        with mpl.rc_context({"font.size": self.type + 1, **sizes, **ink, **ground}):
            yield


def sheet(width: str = "page", style: str = "paper") -> Sheet:
    """Return a sheet.

    Args:
        width: column, page, slide, or millimetres.
        style: paper; talk (large type); dark (likewise, light on dark).

    Raises:
        ValueError: no such width or style.
    """
    try:
        found = WIDTHS[width] if width in WIDTHS else float(width)
    except ValueError:
        found = math.nan
    if not 40 <= found <= 1000:
        raise ValueError(f"`width` must be {', '.join(WIDTHS)} or 40 to 1000 millimetres, got {width!r}")
    if style not in STYLES:
        raise ValueError(f"`style` must be {', '.join(STYLES)}, got {style!r}")
    small = SMALLEST if found < 120 else 7.0
    return Sheet(found / INCH, small if style == "paper" else max(9.0, found / 20), style == "dark")


def every(count: int, space: float, needed: float) -> int:
    """Return every how many labels one fits: each (1), every second (2), and so on.

    Args:
        count: of labels.
        space: that all of them have together.
        needed: by one of them.
    """
    return max(1, math.ceil(needed * count / max(space, 1e-9) - 1e-9))


class CellLayout(NamedTuple):
    """How a matrix of cells fits a sheet."""

    height: float  # of the figure, inches
    numbers: bool  # whether cells carry them
    rows: int  # every how many a row is named
    columns: int  # likewise


def layout_cells(
    on: Sheet,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    number: str = "0.00",
    first: float = 0.0,
    aside: float = 0.0,
    above: float = 0.0,
) -> CellLayout:
    """Return how a matrix fits: rows as high as a line at least, labels that do not touch.

    Args:
        on: the sheet.
        rows: names of the rows.
        columns: names of the columns.
        number: the longest that a cell carries.
        first: how many columns wide is what comes before the first.
        aside: inches that something else takes, besides the rows' names and the colour bar.
        above: inches that something else takes above or below, besides ticks and an axis label.
    """
    taken = on.letters(max(map(len, rows)) + 8) + 0.35 + aside
    cell = max(on.width - taken, 0.4 * on.width) / (len(columns) + first)
    margins = 0.75 + above
    high = max(on.line, min(0.6 * cell, 1.8 * on.line))
    high = min(high, (on.tallest - margins) / len(rows))
    return CellLayout(
        margins + high * len(rows),
        cell >= on.letters(len(number) + 0.7) and high >= 0.95 * on.line,
        every(len(rows), high * len(rows), on.line),
        every(len(columns), cell * len(columns), on.letters(max(map(len, columns)) + 1)),
    )
