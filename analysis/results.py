"""Alignment and retention for a notebook: results that show themselves and can be compared."""

import shutil
import weakref
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..alignment.checkpoint import Checkpoint
from ..alignment.score import score
from ..alignment.table import main_direction
from .deltas import delta_heatmap, in_words
from .figures import heatmap, select
from .retention import retention

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def align(
    checkpoint: Checkpoint | str | Path,
    corpus: Any = "pocket",
    *,
    out: str | Path | None = None,
    **settings: Any,
) -> "AlignmentResult":
    """Score a checkpoint on a corpus and keep what comparisons need.

    Args:
        checkpoint: see `score`.
        corpus: see `score`.
        out: a run folder, which a second call goes on from; by default one that lives as long as the
            result.
        settings: see `score`.

    Raises:
        ValueError: see `score`.
        OSError: see `score`.
    """
    folder = Path(mkdtemp(prefix="crosslingual-") if out is None else out)
    result = AlignmentResult(score(checkpoint, corpus, out=folder, **settings), folder)
    if out is None:
        weakref.finalize(result, shutil.rmtree, folder, ignore_errors=True)
    return result


@dataclass(frozen=True, eq=False)
class AlignmentResult:
    """A score table and its run folder."""

    table: pd.DataFrame
    folder: Path

    def to_frame(self) -> pd.DataFrame:
        """Return the score table (docs/design.md, 4.7)."""
        return self.table.copy()

    def heatmap(self, measure: str | None = None, **chosen: Any) -> "Figure":
        """Draw scores by language and layer; arguments: see `analysis.select`."""
        return heatmap(select(self.table, measure=measure, **chosen))

    def compare(self, base: "AlignmentResult") -> "RetentionResult":
        """Return what this checkpoint keeps of another one's alignment on the same sentences."""
        return RetentionResult(retention(self.folder, base.folder), self, base)

    def _repr_html_(self) -> str:
        """Show the headline measure by layer, beside the floors, for each pooling and map."""
        parts = self.table.groupby(["pooling", "map"], sort=False)
        return "".join(_by_layer(select(part)) for _, part in parts)


@dataclass(frozen=True, eq=False)
class RetentionResult:
    """What a fine-tuned checkpoint keeps, gains or loses of its base's alignment."""

    table: pd.DataFrame
    tuned: AlignmentResult
    base: AlignmentResult

    def to_frame(self) -> pd.DataFrame:
        """Return a row per pair, measure, direction and layer; see `analysis.retention`."""
        return self.table.copy()

    def heatmap(self, measure: str = "accuracy", direction: str | None = None) -> "Figure":
        """Draw the differences by language and layer; a dot: 0 is in the interval."""
        return delta_heatmap(self._rows(measure, direction))

    def in_words(self, measure: str = "accuracy", direction: str | None = None) -> str:
        """Say how many language pairs gained and lost at the last layer."""
        rows = self._rows(measure, direction)
        return in_words(rows[rows["layer"] == rows["layer"].max()])

    def compare(self, other: "RetentionResult") -> "RetentionResult":
        """Return how this fine-tuned checkpoint differs from another one of the same base."""
        return self.tuned.compare(other.tuned)

    def _rows(self, measure: str, direction: str | None) -> pd.DataFrame:
        rows = self.table[self.table["measure"] == measure]
        if rows.empty:
            raise ValueError(f"no {measure} there: {', '.join(sorted(set(self.table['measure'])))}")
        for column in ("pooling", "map"):
            if rows[column].nunique() > 1:
                known = ", ".join(dict.fromkeys(rows[column]))
                raise ValueError(f"several values of {column} ({known}): compare one at a time")
        return rows[rows["direction"] == (direction or main_direction(rows))]

    def _repr_html_(self) -> str:
        """Show the last layer by the first measure."""
        rows = self._rows(str(self.table["measure"].iloc[0]), None)
        last = rows[rows["layer"] == rows["layer"].max()].set_index("source")
        columns = ["base", "value", "delta", "delta_low", "delta_high", "ratio", "note"]
        first = last.iloc[0]
        html: str = last[columns].to_html(float_format=lambda value: f"{value:.3f}")
        return f"<p><b>{first['measure']}</b> ({first['direction']}), layer {first['layer']}</p>{html}"


def _by_layer(shown: pd.DataFrame) -> str:
    """Return a table of HTML: a row a pair, a column a layer."""
    values = shown.pivot_table(index=["source", "target"], columns="layer", values="value", sort=False)
    floors = shown.groupby(["source", "target"], sort=False)[["null", "surface"]].mean()
    first = shown.iloc[0]
    html: str = floors.join(values).to_html(float_format=lambda value: f"{value:.3f}")
    return (
        f"<p><b>{first['measure']}</b> ({first['direction']}) by layer: {first['corpus']}, pooling "
        f"{first['pooling']}, map {first['map']}</p>{html}"
    )
