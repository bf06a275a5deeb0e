"""Is more kept at larger scale? A trend that holds on both axes and both scales of measurement, or none.

Δ and the difference of log-odds are regressed on the logarithm of the parameters, and on that of the
parameters without the embedding matrix, over all seeds. A statement needs all four slopes clear of 0 on
one side: a vocabulary is not scale, and .95 → .90 is not .30 → .25.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float

from ...alignment.measures import MEASURES
from ...alignment.runs.table import MACRO
from ...data.rows import Columns
from ..retention.claims import SEEDS, Pooled
from .findings import WHAT

AXES = ("parameters", "parameters_body")
SCALES = 3  # fewer are no trend
WHAT_OF_A_TREND = tuple(name for name in WHAT if name not in ("scale", "source", "target"))


def scaling_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return how the change depends on scale.

    Args:
        table: of `findings.retention_table`.

    Returns:
        A row per family, treatment, corpus, measure, direction, axis (parameters, parameters_body) and
        outcome (delta, log_odds): slope per factor of e in size, its interval, and the statement that
        all of them allow together.
    """
    if table.empty:
        return pd.DataFrame()
    best = table[(table["chosen"] == "best") & (table["source"] == MACRO)]
    rows: list[Columns] = []
    for key, part in best.groupby(list(WHAT_OF_A_TREND), sort=False):
        head = dict(zip(WHAT_OF_A_TREND, key, strict=True))
        counts = part.groupby("scale")["train_seed"].nunique()
        head |= {"scales": len(counts), "seeds": int(counts.min())}
        found = list(_slopes(part)) if len(counts) >= SCALES and counts.min() >= SEEDS else []
        head["statement"] = statement(found, len(counts), int(counts.min()))
        rows += [head | one for one in found] or [head]
    return pd.DataFrame(rows)


def statement(slopes: list[Columns], scales: int, seeds: int) -> str:
    """Return what all slopes allow to say.

    Args:
        slopes: rows with axis, outcome, low, high.
        scales: how many.
        seeds: the fewest at a scale.
    """
    if not slopes:
        return (
            f"nothing about scale: {scales} scales with {seeds} seeds, {SCALES} with {SEEDS} are needed"
        )
    signs = pd.DataFrame(slopes)
    signs["sign"] = np.where(signs["low"] > 0, 1, np.where(signs["high"] < 0, -1, 0))
    if (signs["sign"] == 0).all():
        return "no trend found"
    if signs.groupby("outcome")["sign"].nunique().gt(1).any():
        return "depends on the axis"
    if signs["sign"].nunique() > 1:
        return "depends on the scale of measurement"
    return f"{'more' if signs['sign'].iloc[0] > 0 else 'less'} is kept at larger scale"


def slope(
    x: Float[np.ndarray, "n"], y: Float[np.ndarray, "n"], errors: Float[np.ndarray, "n"]
) -> Pooled:
    """Return the slope of y on x over trainings at several scales.

    Its variance is that of the residuals, and that of the sentences, which the trainings of one scale
    share (scales are taken as if each had its own: a difference between scales is then not too certain).

    Args:
        x: log parameters of each training.
        y: its change.
        errors: the standard error of y over sentences.
    """
    centred = x - x.mean()
    weight = centred / (centred @ centred)
    value = weight @ y
    rest = y - y.mean() - value * centred
    scales = np.unique(x)
    of_scale = np.array([weight[x == one].sum() * errors[x == one].mean() for one in scales])
    variances = rest @ rest / (len(x) - 2) * (weight @ weight), of_scale @ of_scale
    return Pooled(np.asarray(value), list(map(np.asarray, variances)), [len(x) - 2, 1e6])


def _slopes(part: pd.DataFrame) -> Iterator[Columns]:
    """Yield the slopes of one trend."""
    better = 1 if MEASURES[str(part["measure"].iloc[0])].higher_is_better else -1
    outcomes = {"delta": (part["delta"], part["delta_error"])}
    if MEASURES[str(part["measure"].iloc[0])].proportion:
        value, base = part["value"], part["base"]
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.log(value / (1 - value)) - np.log(base / (1 - base))
        # to first order, and as if the error were all that of the fine-tuned: a little too wide
        outcomes["log_odds"] = odds, part["delta_error"] / (value * (1 - value))
    for axis in AXES:
        x = np.log(part[axis].to_numpy(np.float64))
        for name, (y, errors) in outcomes.items():
            there = np.isfinite(y.to_numpy()) & np.isfinite(x)
            if there.sum() < len(part) or len(np.unique(x)) < SCALES:
                continue
            span = slope(x, better * y.to_numpy(), errors.to_numpy()).interval()
            found = {"slope": span.value, "low": span.low, "high": span.high}
            yield {"axis": axis, "outcome": name, **found}
