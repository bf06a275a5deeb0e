"""Tables as tab-separated text."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..alignment.runs.files import write_text

if TYPE_CHECKING:
    import pandas as pd


def as_tsv(frame: "pd.DataFrame") -> str:
    """Return a table with its header; a tab within a cell becomes a space."""
    lines = ["\t".join(frame.columns)]
    for row in frame.itertuples(index=False):
        cells = (f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in row)
        lines.append("\t".join(cell.replace("\t", " ") for cell in cells))
    return "\n".join(lines) + "\n"


def write_tsv(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, as_tsv(frame))
