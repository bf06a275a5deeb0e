"""`transfer`: does alignment go with task scores? Three correlations, which are never pooled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...alignment.options import takes
from ...alignment.runs.files import write_table
from ...alignment.runs.folder import read_scores
from ...alignment.runs.results import Result, in_folder
from ...data.nearest import closest
from ...data.rows import Columns
from .coefficients import Cells, Correlation, correlation
from .options import TransferOptions
from .points import alignment_of, changes, joined, read_covariates
from .task_scores import read_task_scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS_LANGUAGES = "across languages"
ACROSS_CHECKPOINTS = "across checkpoints"
OF_CHANGES = "of changes"


@dataclass(frozen=True, eq=False, repr=False)
class TransferResult(Result):
    """Correlations of alignment and task scores, a row each, and the points they are of."""

    points: pd.DataFrame = field(default_factory=pd.DataFrame)

    def scatter(self, task: str | None = None) -> "Figure":
        """Draw alignment against a task's scores, a mark a language, a colour a checkpoint."""
        from .figures import scatter

        return scatter(self.points, task)


@takes(TransferOptions)
def transfer(runs: Sequence[Result | str | Path], options: TransferOptions) -> TransferResult:
    """Relate alignment to task scores: within checkpoints, within languages, and their changes.

    Args:
        runs: results or run folders of `score`, one or more a checkpoint, all of one corpus.

    Returns:
        A row per correlation: kind (across languages within a checkpoint; across checkpoints within a
        language; of changes from the base, the headline), of (which checkpoint or language), task,
        metric, points, value with interval, least and most (without one language or checkpoint), and
        the partial correlation if there are covariates. English is left out.

    Raises:
        ValueError: no checkpoint or language has both; see the messages.
        OSError: no scores or task scores there.
    """
    tables = [one.table if isinstance(one, Result) else read_scores(Path(one)) for one in runs]
    scores = pd.concat(tables, ignore_index=True)
    for name in ("corpus", "pooling", "map"):
        chosen, known = getattr(options, name), set(map(str, scores[name]))
        if chosen and chosen not in known:
            raise ValueError(f"`{name}`: {chosen!r}: {closest(chosen, known)}")
        scores = scores[scores[name] == chosen] if chosen else scores
    alignment = alignment_of(scores, options.measure, options.direction, options.layer)
    tasks = read_task_scores([Path(path.strip()) for path in options.tasks.split(",")])
    points = joined(alignment, tasks)
    if options.base is not None and options.base not in set(points["checkpoint"]):
        raise ValueError(f"`base`: {options.base!r}: {closest(options.base, set(points['checkpoint']))}")
    covariates: Mapping[str, Sequence[float]] = {}
    if options.covariates is not None:
        covariates = read_covariates(Path(options.covariates), points["language"].unique().tolist())
    table = pd.DataFrame(_correlations(points, covariates, options))
    result = in_folder(options.out, lambda folder: TransferResult(table, folder, points))
    write_table(result.folder, "transfer", table)
    write_table(result.folder, "points", points)
    return result


def _correlations(
    points: pd.DataFrame, covariates: Mapping[str, Sequence[float]], options: TransferOptions
) -> Iterator[Columns]:
    changed = changes(points, options.base)
    for (task, metric), part in points.groupby(["task", "metric"], sort=False):
        head = {"task": task, "metric": metric}
        change = changed[(changed["task"] == task) & (changed["metric"] == metric)]
        yield {"kind": OF_CHANGES, "of": "all"} | head | _row(change, covariates, options)
        for name, own in part.groupby("checkpoint", sort=False):
            yield {"kind": ACROSS_LANGUAGES, "of": name} | head | _row(own, covariates, options)
        for name, own in part.groupby("language", sort=False):
            yield {"kind": ACROSS_CHECKPOINTS, "of": name} | head | _row(own, {}, options)


def _row(
    points: pd.DataFrame, covariates: Mapping[str, Sequence[float]], options: TransferOptions
) -> Columns:
    """Return what is found of some points."""
    width = len(next(iter(covariates.values()), ()))
    known = [covariates.get(str(language), ()) for language in points["language"]]
    cells = Cells(
        points["alignment"].to_numpy(np.float64),
        points["value"].to_numpy(np.float64),
        pd.factorize(points["checkpoint"])[0].astype(np.int64),
        pd.factorize(points["language"])[0].astype(np.int64),
        np.array(known, np.float64).reshape(len(points), width),
    )
    found = correlation(cells, kind=options.correlation, seed=options.seed)
    partial = Correlation()
    if width and len(points):
        partial = correlation(cells, kind=options.correlation, partial=True, seed=options.seed)
    return {
        "correlation": options.correlation,
        "points": len(points),
        "checkpoints": points["checkpoint"].nunique(),
        "languages": points["language"].nunique(),
        **{name: getattr(found, name) for name in ("value", "low", "high", "least", "most")},
        **{
            f"partial{end}": getattr(partial, end.strip("_") or "value") for end in ("", "_low", "_high")
        },
        "note": found.note,
    }


def in_words(table: pd.DataFrame, points: pd.DataFrame) -> Iterator[str]:
    """Yield what correlations show, task by task, and where all together show the contrary (Simpson).

    Args:
        table: of `transfer`.
        points: what it is of.
    """
    for (task, metric), part in table.groupby(["task", "metric"], sort=False):
        (change,) = part[part["kind"] == OF_CHANGES].to_dict("records")
        said = change["note"] or (
            f"r {change['value']:+.2f} ({change['low']:+.2f} to {change['high']:+.2f}; without one "
            f"language or checkpoint {change['least']:+.2f} to {change['most']:+.2f})"
        )
        yield f"{task} {metric}: changes from the base, {change['points']} points: {said}"
        for kind in (ACROSS_LANGUAGES, ACROSS_CHECKPOINTS):
            own = part[part["kind"] == kind]
            shown = own["value"].dropna()
            if len(shown):
                sure = int(((own["low"] > 0) | (own["high"] < 0)).sum())
                yield (
                    f"  {kind}: r {shown.min():+.2f} to {shown.max():+.2f} in {len(shown)}, "
                    f"{sure} clear of 0"
                )
            else:
                yield f"  {kind}: {own['note'].iloc[0]}"
        within = part[part["kind"] == ACROSS_LANGUAGES]
        all_of_it = points[(points["task"] == task) & (points["metric"] == metric)]
        pooled = all_of_it["alignment"].corr(all_of_it["value"])
        clear = np.sign(within.loc[(within["low"] > 0) | (within["high"] < 0), "value"])
        if len(clear) and clear.mean() * pooled < 0:
            ways = ("rise", "fall") if pooled < 0 else ("fall", "rise")
            yield (
                f"  scores {ways[0]} with alignment within checkpoints, although they {ways[1]} with it "
                "over all checkpoints together (Simpson's paradox)"
            )
