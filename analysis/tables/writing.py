"""A table for a paper, written: LaTeX with booktabs, or Markdown."""

import re

import numpy as np

from .layout import MEAN, PaperTable, TableCell
from .options import ExportOptions

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{one: f"\\{one}" for one in "&%$#_{}"},
}
_NOTHING = "–"


def latex(table: PaperTable, options: ExportOptions) -> str:
    """Return a `table` environment: needs the package booktabs.

    Args:
        table: what it says.
        options: decimals, and how intervals are written.
    """
    head = " & ".join(["", *map(_escaped, table.columns)])
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_escaped(table.note)}}}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    for name, cells in table.rows.items():
        if name == MEAN:
            lines.append(r"\midrule")
        shown = [_latex_cell(cell, options) for cell in cells]
        lines.append(" & ".join([_escaped(name), *shown]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def markdown(table: PaperTable, options: ExportOptions) -> str:
    """Return a table in Markdown, with what has to be said below it.

    Args:
        table: what it says.
        options: decimals, and how intervals are written.
    """
    names = [re.sub(r"([|\\`*_])", r"\\\1", name) for name in table.columns]
    lines = ["| | " + " | ".join(names) + " |", "| --- |" + " ---: |" * len(names)]
    for name, cells in table.rows.items():
        shown = [_markdown_cell(cell, options) for cell in cells]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join([*lines, "", table.note + "."]) + "\n"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _latex_cell(cell: TableCell, options: ExportOptions) -> str:
    value, interval = _parts(cell, options)
    value = rf"\textbf{{{value}}}" if cell.best else value
    interval = interval.replace("±", r"$\pm$")
    return value + (rf" {{\scriptsize {interval}}}" if interval else "")


def _markdown_cell(cell: TableCell, options: ExportOptions) -> str:
    value, interval = _parts(cell, options)
    return (f"**{value}**" if cell.best else value) + (f" {interval}" if interval else "")


def _parts(cell: TableCell, options: ExportOptions) -> tuple[str, str]:
    """Return a value and its interval, as they are written."""
    if np.isnan(cell.value):
        return _NOTHING, ""
    places = options.decimals
    value = f"{cell.value:.{places}f}"
    if options.interval == "none" or np.isnan(cell.low):
        return value, ""
    if options.interval == "plus-minus":
        return value, f"±{(cell.high - cell.low) / 2:.{places}f}"
    return value, f"[{cell.low:.{places}f}, {cell.high:.{places}f}]"
