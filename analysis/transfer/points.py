"""Alignment and task scores of the same checkpoints and languages, put next to each other."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from ...alignment.measures import MEASURES
from ...alignment.runs.table import layer_of, refuse_several
from ...data.languages import standard_tag
from ...data.text import read_lines
from .task_scores import ENGLISH

# of an alignment: whose it is, and of what
NAMES = (
    *("checkpoint", "family", "parameters", "stage", "corpus", "measure", "direction"),
    *("language", "layer"),
)


def alignment_of(scores: pd.DataFrame, measure: str, direction: str, layer: str) -> pd.DataFrame:
    """Return the alignment of every checkpoint and language: one number each.

    Args:
        scores: score tables, of one corpus, pooling and map.
        measure: which.
        direction: which.
        layer: a number, last, or best: that of a checkpoint with the best mean over its languages.

    Returns:
        Columns checkpoint, family, parameters, stage, corpus, measure, direction, language, layer,
        alignment; without English.

    Raises:
        ValueError: no such scores; several corpora, poolings or maps; a layer that is not there.
    """
    rows = scores[(scores["measure"] == measure) & (scores["direction"] == direction)]
    rows = rows.assign(language=np.where(rows["source"] == ENGLISH, rows["target"], rows["source"]))
    rows = rows[(rows["language"] != ENGLISH) & rows["value"].notna()]
    if rows.empty:
        raise ValueError(f"no {measure} {direction} of other languages with English there")
    refuse_several(rows, "corpus", "pooling", "map", "split")
    higher = MEASURES[measure].higher_is_better
    parts = []
    for name, own in rows.groupby("checkpoint", sort=False):
        at = layer_of(own, layer, higher_is_better=higher)
        part = own[own["layer"] == at]
        if part.empty:
            raise ValueError(f"{name} has no layer {layer}: 0 to {own['layer'].max()}")
        parts.append(part)
    found = pd.concat(parts, ignore_index=True).rename(columns={"value": "alignment"})
    return found[[*NAMES, "alignment"]]


def joined(alignment: pd.DataFrame, tasks: pd.DataFrame) -> pd.DataFrame:
    """Return a row per checkpoint, language, task and metric that has both.

    Checkpoints are the same that have the longest end of their path in common: `runs/a/target` is
    `/data/runs/a/target`.

    Raises:
        ValueError: no checkpoint, or no language, is in both; a name that fits several.
    """
    names = _matched(*(one["checkpoint"].unique().tolist() for one in (tasks, alignment)))
    known = tasks.assign(checkpoint=tasks["checkpoint"].map(names)).dropna(subset="checkpoint")
    if known.empty:
        ours, theirs = (
            ", ".join(map(str, one["checkpoint"].unique()[:4])) for one in (alignment, tasks)
        )
        raise ValueError(f"no checkpoint has both: alignment of {ours}; task scores of {theirs}")
    points = alignment.merge(known, on=["checkpoint", "language"])
    if points.empty:
        ours, theirs = (
            ", ".join(sorted(map(str, one["language"].unique()))[:12]) for one in (alignment, known)
        )
        raise ValueError(f"no language has both: alignment of {ours}; task scores of {theirs}")
    return points


def _matched(names: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        folders = (name, str(PurePath(name).parent))  # a study names a phase's checkpoint by its recipe
        shared = {one: max(_common_end(folder, one) for folder in folders) for one in known}
        most = max(shared.values(), default=0)
        best = [one for one in known if most and shared[one] == most]
        if name in best:
            best = [name]
        if len(best) > 1:
            raise ValueError(f"task scores of {name} fit {' and '.join(best[:3])}: name it in full")
        if best:
            found[name] = best[0]
    return found


def _common_end(first: str, second: str) -> int:
    """Return how many parts the ends of two paths have in common."""
    count = 0
    for a, b in zip(reversed(PurePath(first).parts), reversed(PurePath(second).parts), strict=False):
        if a != b:
            break
        count += 1
    return count


def changes(points: pd.DataFrame, base: str | None) -> pd.DataFrame:
    """Return the points of fine-tuned checkpoints less those of their bases.

    Args:
        points: of `joined`.
        base: the base of all; without it, the pretrained checkpoint of the same family and size.
    """
    keys = ["language", "task", "metric"]
    values = ["alignment", "value"]
    parts = []
    for name, own in points.groupby("checkpoint", sort=False):
        if base is not None:
            plain = points[points["checkpoint"] == base]
        else:
            first = own.iloc[0]
            same = (points["family"] == first["family"]) & (points["parameters"] == first["parameters"])
            plain = points[same.fillna(False) & (points["stage"] == "pretrained")]
        if plain.empty or plain["checkpoint"].nunique() > 1 or plain["checkpoint"].iloc[0] == name:
            continue
        both = own.merge(plain[[*keys, *values]], on=keys, suffixes=("", "_base"))
        parts.append(both.assign(**{one: both[one] - both[f"{one}_base"] for one in values}))
    return pd.concat(parts, ignore_index=True) if parts else points.iloc[:0]


def read_covariates(path: Path, languages: Iterable[str]) -> Mapping[str, Sequence[float]]:
    """Return the covariates of languages from a table: a header, then a language and numbers a line.

    Raises:
        ValueError: no header, a line with other columns or no numbers (file:line), a language that is
            not there.
        OSError: the file cannot be read.
    """
    lines = [(number, line.split("\t")) for number, line in read_lines(path)]
    if len(lines) < 2 or len(lines[0][1]) < 2:
        raise ValueError(f"{path}: expected a header, language and names by tabs, and a line a language")
    count = len(lines[0][1]) - 1
    found = {}
    for number, (language, *cells) in lines[1:]:
        try:
            values = [float(one) for one in cells]
            if len(values) != count or not np.isfinite(values).all():
                raise ValueError
            found[standard_tag(language)] = values
        except ValueError:
            raise ValueError(
                f"{path}:{number}: expected a language and {count} numbers by tabs"
            ) from None
    missing = [one for one in languages if one not in found]
    if missing:
        raise ValueError(f"{path}: nothing of {', '.join(missing[:8])}")
    return found
