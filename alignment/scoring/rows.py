"""Entries: the scores of a layer on their way into the table, with intervals from shared resamples."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int64

from ...data.rows import Columns
from ..measure import Measure
from ..retrieval.pairing import Pairing
from ..similarity.inference import UNKNOWN, Estimate, Matched
from ..similarity.view import Undefined, View
from ..statistics.bootstrap import group_bootstrap
from ..statistics.deletion import jackknife, mean_without
from ..statistics.grouping import are_documents
from ..statistics.intervals import LEVEL
from ..statistics.outcomes import Outcome, Statistic, TooFewSentences

BOOTSTRAP = "bootstrap"


@dataclass(frozen=True)
class Entry:
    """One row to be; where it is a mean of outcomes, its interval is computed with all the others'."""

    layer: int
    measure: Measure
    direction: str
    estimate: Estimate
    outcomes: np.ndarray | None = None
    null_kind: str = "shuffle"


def need_pairing(measures: Sequence[Measure]) -> bool:
    """Return whether any of some measures is made of the pairing, as the items are."""
    return any(measure.compute or measure.statistic for measure in measures)


def need_views(measures: Sequence[Measure]) -> bool:
    """Return whether any of some measures is made of the two views."""
    return any(measure.estimate or measure.geometry for measure in measures)


def neighbours_for(measures: Sequence[Measure]) -> int:
    """Return how many neighbours a pairing must keep for some measures."""
    return max((measure.neighbours for measure in measures), default=0)


def pairing_entries(
    pairing: Pairing, layer: int, measures: Sequence[Measure], null_kind: str = "shuffle"
) -> Iterator[Entry]:
    """Yield the scores that are made of a pairing."""
    for measure in measures:
        if measure.statistic is not None:
            for found in measure.statistic(pairing):
                yield Entry(layer, measure, found.direction, _estimate(found), null_kind=null_kind)
        for outcome in _outcomes(measure, pairing):
            estimate = _mean(outcome, pairing.groups)
            yield Entry(layer, measure, outcome.direction, estimate, outcome.sentences, null_kind)


def view_entries(
    matched: Matched, layer: int, measures: Sequence[Measure], keep: Container[View] = ()
) -> Iterator[Entry]:
    """Yield the scores that are made of two views; a measure without a value says why.

    What a measure made of a view is released before the next, unless the view is in `keep`.
    """
    for measure in measures:
        try:
            if measure.geometry is not None:
                for found in measure.geometry(matched):
                    yield Entry(layer, measure, found.direction, _estimate(found))
            elif measure.estimate is not None:
                yield Entry(layer, measure, "both", measure.estimate(matched))
        except Undefined as error:
            yield Entry(layer, measure, "both", Estimate(float("nan"), note=str(error), p_kind=UNKNOWN))
        for view in (matched.x, matched.y):
            if view not in keep:
                view.release()


def _outcomes(measure: Measure, pairing: Pairing) -> list[Outcome]:
    """Return a measure's outcomes; none where the bitext has too few sentences for it."""
    if measure.compute is None:
        return []
    try:
        return measure.compute(pairing)
    except TooFewSentences:
        return []


def _estimate(found: Statistic) -> Estimate:
    return Estimate(found.value, found.null, ends=found.ends, interval="jackknife")


def _mean(outcome: Outcome, groups: Int64[np.ndarray, "n"]) -> Estimate:
    """Return the estimate of a mean: over documents with its interval, else that is still to come."""
    value = float(outcome.sentences.mean())
    if not are_documents(groups):
        return Estimate(value, outcome.null, interval=BOOTSTRAP)
    left_out = mean_without(outcome.sentences, groups) if outcome.left_out is None else outcome.left_out
    return Estimate(value, outcome.null, ends=jackknife(value, left_out), interval="jackknife")


def entry_rows(
    entries: Sequence[Entry],
    groups: Int64[np.ndarray, "n"],
    *,
    resampled: str,
    last: int,
    seed: int,
    surface: Mapping[tuple[str, str], float],
) -> Iterator[Columns]:
    """Yield what is in a cell's rows besides what all of them share.

    Args:
        entries: the scores.
        groups: 0 … G - 1, the unit of resampling.
        resampled: what these are: "group" or "sentence".
        last: L.
        seed: of the bootstrap.
        surface: (measure, direction) -> its floor, where there is one.
    """
    for entry, (low, high) in zip(entries, _intervals(entries, groups, seed), strict=True):
        estimate, measure = entry.estimate, entry.measure
        least, most = measure.bounds
        yield {
            "layer": entry.layer,
            "depth": entry.layer / last if last else 1.0,
            "measure": measure.name,
            "direction": entry.direction,
            "value": estimate.value,
            "low": max(low, least),  # nan stays nan
            "high": min(high, most),
            "level": LEVEL,
            "interval": f"{resampled} {estimate.interval}" if np.isfinite(low) else "",
            "null": estimate.null,
            "null_kind": "" if np.isnan(estimate.null) else entry.null_kind,
            "z": estimate.z,
            "p": estimate.p,
            "p_kind": estimate.p_kind,
            "effect": measure.towards_best(estimate.null, estimate.value),
            "calibrated": float(
                np.maximum(0.0, measure.towards_best(estimate.threshold, estimate.value))
            ),
            "note": _note(entry, interval=bool(np.isfinite(low)), unit=resampled),
            "surface": surface.get((measure.name, entry.direction), float("nan")),
            "groups": int(groups.max()) + 1,
            "resample_seed": seed,
        }


def _note(entry: Entry, *, interval: bool, unit: str) -> str:
    """Return why there is no value, or none of what else a row says; `p_kind` says it of z and p."""
    estimate, parts = entry.estimate, [entry.estimate.note]
    if np.isfinite(estimate.value):
        if not interval:
            parts.append(f"no interval: without some {unit}s there is no value, or there is one {unit}")
        if np.isfinite(estimate.null) and entry.measure.best is None:
            parts.append("no effect: perfect agreement has no value")
    return "; ".join(filter(None, parts))


def entry_influences(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return how much each part of the sample moves the scores that are no means; see `Interval`."""
    return pd.DataFrame(
        {
            "layer": entry.layer,
            "measure": entry.measure.name,
            "direction": entry.direction,
            "interval": entry.estimate.interval,
            "moves": entry.estimate.ends.influences.astype(np.float32),
        }
        for entry in entries
        if entry.estimate.ends.influences is not None
    )


def _intervals(entries: Sequence[Entry], groups: np.ndarray, seed: int) -> list[tuple[float, float]]:
    """Return the interval of every entry; all that are bootstrapped are resampled together."""
    to_come = [entry.outcomes if entry.estimate.interval == BOOTSTRAP else None for entry in entries]
    means = [outcomes for outcomes in to_come if outcomes is not None]
    if means:
        low, high = group_bootstrap(np.stack(means, axis=1), groups, seed=seed)
        drawn = iter(zip(low.tolist(), high.tolist(), strict=True))
    return [
        (entry.estimate.ends.low, entry.estimate.ends.high) if outcomes is None else next(drawn)
        for entry, outcomes in zip(entries, to_come, strict=True)
    ]
