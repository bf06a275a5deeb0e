"""What is said of mined pairs: rows of the score table, and the gold pairs that were missed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from ...data import Side
from ...data.rows import Columns, Row
from ..statistics.intervals import LEVEL
from .evaluation import (
    NAMES,
    EvaluatedPairs,
    Split,
    average_precision,
    counts,
    precision_at_recall,
    tuned,
    tuned_intervals,
)
from .pairs import MinedPairs

MISSED = (
    "source_id",
    "gold_id",
    "found_id",
    "reason",
    "gold_cosine",
    "found_score",
    "source",
    "gold",
    "found",
)


class Tuning(NamedTuple):
    """How the threshold of mined pairs is chosen."""

    parts: Sequence[Split]  # where it is chosen, and where it is judged
    threshold: float | None  # a given one; None: chosen
    oracle: bool  # chosen where it is judged
    seed: int  # of the resamples


def mining_rows(
    note: str,
    layer: int,
    layers: Mapping[int, EvaluatedPairs],
    tuning: Tuning,
    *,
    prefix: str = "",
    suffix: str = "",
    m: int | None = None,
) -> list[Columns]:
    """Return the scores of one layer, or of several among which one is chosen.

    Args:
        note: what is said of them.
        layer: that they are filed under.
        layers: what was judged, by layer.
        tuning: how thresholds are chosen.
        prefix: of the measures' names.
        suffix: likewise.
        m: target sentences, where not all.
    """
    parts, threshold = tuning.parts, tuning.threshold
    report = np.any([part.report for part in parts], axis=0)
    pooled, choices = tuned(layers, parts, threshold)
    ends = tuned_intervals(layers, parts, np.random.default_rng(tuning.seed), threshold)
    at = ", ".join(f"{choice.threshold:.6g}" for choice in choices)
    tuned_on = f"tuned on {'the same' if tuning.oracle else 'other'} sentences"
    note = f"{note}; threshold {at} {tuned_on if threshold is None else 'given'}"
    prefix += "oracle_" if tuning.oracle and threshold is None else ""
    values = {f"mining_{prefix}{name}{suffix}": (getattr(pooled, name), *ends[name]) for name in NAMES}
    if len(layers) == 1 and not suffix:
        mine = layers[layer].among(report)
        ceiling = counts(mine, -np.inf).recall
        values["mining_average_precision"] = (average_precision(mine), np.nan, np.nan)
        values["mining_precision@recall0.9"] = (precision_at_recall(mine, 0.9), np.nan, np.nan)
        values["mining_recall_ceiling"] = (ceiling, np.nan, np.nan)
    return [
        {"layer": layer, "measure": name, "value": value, "low": low, "high": high, "note": note}
        | {"n": int(report.sum())}
        | ({} if m is None else {"candidates": m})
        for name, (value, low, high) in values.items()
    ]


def mining_columns(row: Row, last: int) -> Columns:
    """Return a row with the columns that all mining scores share."""
    return {
        "unit": "sentence",
        "depth": row["layer"] / max(last, 1),
        "direction": "both",
        "level": LEVEL,
        "interval": "sentence" if np.isfinite(row["low"]) else "",
        "null": float("nan"),
        "null_kind": "",
        "duplicates": "class",
        **row,
    }


def missed(
    pairs: MinedPairs,
    threshold: float,
    gold: Int64[np.ndarray, "g 2"],
    cosines: Float32[np.ndarray, "g"],
    parts: Sequence[Split],
    sides: tuple[Side, Side],
) -> pd.DataFrame:
    """Return the gold pairs of report sentences that were not kept, and what was found instead.

    Args:
        pairs: all that was mined, best first.
        threshold: of the pairs that are kept.
        gold: rows of source and target.
        cosines: theirs.
        parts: whose report sentences count.
        sides: source and target.
    """
    report = np.any([part.report for part in parts], axis=0)
    scores = dict(
        zip(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True), pairs.score, strict=True)
    )
    best: dict[int, int] = {}
    for i, j in scores:  # best first
        best.setdefault(i, j)
    source, target = sides
    rows = []
    for (i, j), cosine in zip(gold.tolist(), cosines, strict=True):
        if not report[i] or scores.get((i, j), -np.inf) >= threshold:
            continue
        other = j if (i, j) in scores else best.get(i)
        score = float("nan") if other is None else float(scores[i, other])
        if other is None:
            reason = "nothing was mined"
        else:
            reason = "below the threshold" if other == j else "another target"
        found = ("", "") if other is None else (target.ids[other], target.texts[other])
        ids = (source.ids[i], target.ids[j], found[0])
        texts = (source.texts[i], target.texts[j], found[1])
        rows.append((*ids, reason, float(cosine), score, *texts))
    return pd.DataFrame(rows, columns=MISSED)
