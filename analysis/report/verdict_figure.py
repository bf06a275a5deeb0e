"""The verdict matrix as a figure: a row a checkpoint or recipe, a column a language."""

from typing import TYPE_CHECKING

from ...alignment.drawing import Sheet, canvas, title
from ...alignment.options import split_names
from ...data.rows import Row
from ..figures.language_names import named_languages
from ..figures.options import FigureOptions
from ..retention.verdicts import Verdict
from .matrix import MEAN, SIGNS, VerdictMatrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHADES = {
    Verdict.RETAINED: "#cfe3f5",
    Verdict.LOST: "#f0b193",
    Verdict.GAINED: "#bfe3c6",
    Verdict.MOVED: "#e0d0ee",
    Verdict.INCONCLUSIVE: "#ececef",
    Verdict.NOT_ASSESSABLE: "#ffffff",
}


def draw_verdicts(matrix: VerdictMatrix, options: FigureOptions) -> "Figure":
    """Draw verdicts by their signs and shades, with Δ where it fits, and return the figure.

    Args:
        matrix: of `verdict_matrix`.
        options: sheet, names, languages.
    """
    wanted = split_names(options.languages)
    columns = [name for name in matrix.columns if name == MEAN or wanted == ["all"] or name in wanted]
    on = options.sheet()
    rows = list(matrix.rows)
    named = on.letters(max(map(len, rows)) + 2)
    cell = (on.width - named - 0.1) / len(columns)
    numbers = cell >= on.letters(len("? -0.000"))
    legend = 3 * on.line
    above = (3 * on.line if options.title else 0.0) + on.letters(max(map(len, columns)) + 1) + legend
    with on.style():
        figure = canvas(on.width, above + 1.35 * on.line * len(rows) + 0.2)
        axes = figure.subplots()
        for down, (_, cells) in enumerate(matrix.rows.items()):
            for across, name in enumerate(columns):
                if name in cells:
                    _cell(axes, across, down, cells[name], on, numbers=numbers)
        names = named_languages(columns, options.names)
        turned = 90 if cell < on.letters(max(map(len, names)) + 1) else 0
        axes.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
        axes.set_xticks([at + 0.5 for at in range(len(columns))], names, rotation=turned)
        axes.set_yticks([at + 0.5 for at in range(len(rows))], rows)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        said = "   ".join(f"{sign} {verdict}" for verdict, sign in SIGNS.items())
        figure.supxlabel(said, fontsize=on.type)
        if options.title:
            title(figure, matrix.about, size=on.type + 1)
    return figure


def _cell(axes: "Axes", across: int, down: int, row: Row, on: Sheet, *, numbers: bool) -> None:
    from matplotlib.patches import Rectangle

    verdict = Verdict(str(row["verdict"]))
    axes.add_patch(
        Rectangle((across + 0.03, down + 0.04), 0.94, 0.92, color=SHADES[verdict], linewidth=0)
    )
    said = f"{SIGNS[verdict]} {row['delta']:+.3f}" if numbers else SIGNS[verdict]
    place = (across + 0.5, down + 0.52)
    axes.text(*place, said, ha="center", va="center", fontsize=on.type, color="#1b1b1f")
