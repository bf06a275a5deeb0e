"""The verbs `score`, `compare`, `retention` and `heatmap`, and results that show themselves."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..alignment.checkpoints.families import PREFIX
from ..alignment.grids.comparing import compare_into
from ..alignment.grids.options import CompareOptions
from ..alignment.options import takes
from ..alignment.representations.source import CheckpointLike
from ..alignment.runs.files import write_table
from ..alignment.runs.folder import read_cells, read_scores
from ..alignment.runs.results import Result, in_folder
from ..alignment.runs.table import rows_of
from ..alignment.scoring.options import ScoreOptions
from ..alignment.scoring.scoring import score_into
from ..alignment.scoring.several import score_several, subjects_of
from .figures.curves import draw_curves
from .figures.grids import grid_heatmap
from .figures.heatmap import draw_heatmap, select
from .figures.options import CurveOptions, HeatmapOptions
from .options import RetentionOptions
from .retention.cell_pairs import read_scored
from .retention.deltas import delta_heatmap, in_words
from .retention.losses import loss_parts
from .retention.retaining import compare_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class ScoreResult(Result):
    """A score table and its run folder."""

    def heatmap(self, measure: str | None = None, **shown: Any) -> "Figure":
        """Draw scores by language and layer; see `crosslingual.heatmap`."""
        return heatmap(self.table, measure, **shown)

    def curves(self, measure: str | None = None, **shown: Any) -> "Figure":
        """Draw a measure over several checkpoints, by step, tokens or parameters; see `CurveOptions`."""
        return draw_curves(self.table, CurveOptions(measure=measure, **shown))

    def sentences(self) -> pd.DataFrame:
        """Return what became of every sentence: its rank, its part of every score, what was found.

        A row per bitext, pooling, map, layer, direction and sentence; nothing of lexicons.
        """
        names = ["source", "target", "pooling", "map"]
        parts = [
            tables.items.assign(**dict(zip(names, tables.scores.iloc[0][names], strict=True)))
            for tables in read_cells(self.folder)
            if "id" in tables.items.columns and len(tables.scores)
        ]
        if not parts:
            return pd.DataFrame(columns=names)
        whole = pd.concat(parts, ignore_index=True)
        return whole[[*names, *(name for name in whole.columns if name not in names)]]

    def retention(self, base: "ScoreResult | str | Path", **options: Any) -> "RetentionResult":
        """Return what this checkpoint keeps of another one's alignment; see `crosslingual.retention`."""
        return retention(self, base, **options)

    def _repr_html_(self) -> str:
        """Show the headline measure by layer, with its floors, for each pooling and map."""
        parts = self.table.groupby(["pooling", "map"], sort=False)
        return "".join(_by_layer(select(part)) for _, part in parts)


@dataclass(frozen=True, eq=False, repr=False)
class GridResult(Result):
    """Grids of a measure: a row per cell."""

    def heatmap(self, map: str | None = None) -> "Figure":
        """Draw the grids of one map.

        Args:
            map: which, where there are several.
        """
        known = list(dict.fromkeys(self.table["map"]))
        if map is None and len(known) > 1:
            raise ValueError(f"the grids have several maps ({', '.join(known)}); choose one with `map`")
        return grid_heatmap(self.table[self.table["map"] == (map or known[0])])


@dataclass(frozen=True, eq=False, repr=False)
class RetentionResult(Result):
    """What a fine-tuned checkpoint keeps, gains or loses of its base's alignment."""

    tuned: Path = Path()  # its run folder
    measure: str = "accuracy"  # what is shown where no other is named
    direction: str | None = None
    parts: pd.DataFrame = field(default_factory=pd.DataFrame)  # of changes, by `map` decomposition

    def heatmap(self, measure: str | None = None, direction: str | None = None) -> "Figure":
        """Draw the differences by language and layer; a dot: 0 is in the interval."""
        return delta_heatmap(self.rows(measure or self.measure, direction or self.direction))

    def in_words(self, measure: str | None = None, direction: str | None = None) -> str:
        """Say how many language pairs gained and lost at the last layer."""
        rows = self.rows(measure or self.measure, direction or self.direction)
        return in_words(rows[rows["layer"] == rows["layer"].max()])

    def difference(self, other: "RetentionResult") -> "RetentionResult":
        """Return how this fine-tuned checkpoint differs from another one of the same base."""
        return retention(self.tuned, other.tuned)

    def rows(self, measure: str, direction: str | None = None, **of: str) -> pd.DataFrame:
        """Return the rows of a measure.

        Args:
            measure: which.
            direction: its main direction if none is named.
            of: `pooling` and `map`, where there are several.
        """
        return rows_of(self.table, measure, direction, **of)

    def _repr_html_(self) -> str:
        """Show the last layer by the first measure."""
        rows = self.rows(str(self.table["measure"].iloc[0]))
        last = rows[rows["layer"] == rows["layer"].max()].set_index("source")
        columns = ["base", "value", "delta", "delta_low", "delta_high", "ratio", "note"]
        first = last.iloc[0]
        html: str = last[columns].to_html(float_format=lambda value: f"{value:.3f}")
        return f"<p><b>{first['measure']}</b> ({first['direction']}), layer {first['layer']}</p>{html}"


@takes(ScoreOptions)
def score(checkpoint: CheckpointLike, options: ScoreOptions) -> ScoreResult:
    """Score a checkpoint on a corpus: every layer, every language, with floors and intervals.

    Args:
        checkpoint: a folder, a hub id, `family:NAME` (all scales in one table), `vectors:DIR`, or an
            opened checkpoint.

    Returns:
        The score table (docs/design.md, 4.7), a row per layer, pair, pooling, map, measure, direction;
        and its run folder, which without `out` lives as long as the result.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """

    def made(folder: Path) -> ScoreResult:
        subjects = subjects_of(checkpoint, options)
        if subjects:
            family = "" if options.revisions else str(checkpoint).removeprefix(PREFIX)
            return ScoreResult(score_several(subjects, options, folder, family=family), folder)
        return ScoreResult(score_into(checkpoint, options, folder), folder)

    return in_folder(options.out, made)


@takes(CompareOptions)
def compare(checkpoint: CheckpointLike, options: CompareOptions) -> GridResult:
    """Compare representations by grids: layers, languages, or two checkpoints; with null, z and q.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """

    def made(folder: Path) -> GridResult:
        return GridResult(compare_into(checkpoint, options, folder), folder)

    return in_folder(options.out, made)


@takes(RetentionOptions)
def retention(run: Result | str | Path, options: RetentionOptions) -> RetentionResult:
    """Compare a fine-tuned checkpoint with its base on the same sentences, layer by layer.

    Args:
        run: the fine-tuned checkpoint's result of `score`, or its run folder.

    Returns:
        A row per cell, measure, direction and layer (`chosen` = equal; best: each at its own), and per
        mean over languages (source = macro): value, base, their nulls, delta, ratio and log_odds with
        intervals over groups, and a note where one of them is not given. `parts` has what changes are
        made of, where both runs were scored with `map` decomposition.

    Raises:
        ValueError: other sentences or settings on the two sides.
        OSError: no run there.
    """
    tuned = _folder(run)
    dev = None
    if options.dev is not None and options.base_dev is not None:
        dev = _folder(options.dev), _folder(options.base_dev)
    assert options.base is not None  # the options refuse that
    table = compare_runs(tuned, _folder(options.base), dev=dev, margin=options.margin, seed=options.seed)
    # a direction that is the default may be one that the measure does not have
    direction = options.direction if options.direction != "mean" else None
    made = partial(RetentionResult, table, tuned=tuned, measure=options.measure, direction=direction)
    runs = [tuned, _folder(options.base)]
    if all((folder / "decomposition.parquet").is_file() for folder in runs):
        made = partial(made, parts=loss_parts(*map(read_scored, runs)))
    result = in_folder(options.out, made)
    write_table(result.folder, "retention", table)
    if len(result.parts):
        write_table(result.folder, "losses", result.parts)
    return result


@takes(HeatmapOptions)
def heatmap(scores: "Result | pd.DataFrame | str | Path", options: HeatmapOptions) -> "Figure":
    """Draw the layer × language heatmap of scores.

    Args:
        scores: a result of `score`, its table, or a run folder.

    Raises:
        ValueError: a measure, direction, pooling or map that is not there, or that has to be chosen.
        OSError: no scores there.
    """
    if isinstance(scores, str | Path):
        scores = read_scores(Path(scores))
    return draw_heatmap(scores.table if isinstance(scores, Result) else scores, options)


def read(folder: str | Path) -> ScoreResult:
    """Return the result that a run folder of `score` holds.

    Raises:
        OSError: no scores there.
    """
    return ScoreResult(read_scores(Path(folder)), Path(folder))


def _folder(run: Result | str | Path) -> Path:
    return run.folder if isinstance(run, Result) else Path(run)


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
