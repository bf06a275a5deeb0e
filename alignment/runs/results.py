"""Results: what every verb returns has the same manners."""

import shutil
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A table, and the run folder it was made in."""

    table: pd.DataFrame
    folder: Path

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.table.copy()

    def save(self, folder: str | Path) -> Path:
        """Copy the run folder to a place of its own, and return that.

        Raises:
            OSError: there is something already; it cannot be written.
        """
        target = Path(folder)
        if target.exists():
            raise OSError(f"{target}: there is something already; name another folder or remove it")
        shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns(".lock"))
        return target

    def about(self) -> str:
        """Return in a few words what this is a result of."""
        shown = (name for name in ("checkpoint", "corpus", "task") if name in self.table)
        return " on ".join(Path(str(self.table[name].iloc[0])).name for name in shown)

    def __repr__(self) -> str:
        """Return one short line."""
        about = f" of {self.about()}" if len(self.table) else ""
        return f"<{type(self).__name__}{about}: {len(self.table):,} rows, in {self.folder}>"

    def _repr_html_(self) -> str:
        """Show the first rows in a notebook."""
        html: str = self.table.head(20).to_html(float_format=lambda value: f"{value:.3f}")
        return html


Made = TypeVar("Made", bound=Result)


def in_folder(out: str | Path | None, make: Callable[[Path], Made]) -> Made:
    """Return what is made in a run folder; without one, in a folder that lives as long as the result."""
    if out is not None:
        return make(Path(out))
    folder = Path(mkdtemp(prefix="crosslingual-"))
    try:
        made = make(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(made, shutil.rmtree, folder, ignore_errors=True)
    return made
