"""Entries: the scores of a cell on their way into the table, with intervals from shared resamples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64

from .estimates import Estimate
from .measures import Measure
from .uncertainty import LEVEL, group_bootstrap


@dataclass(frozen=True)
class Entry:
    """One row to be; where it is a mean of outcomes, its interval is computed with all the others'."""

    layer: int
    measure: Measure
    direction: str
    estimate: Estimate
    outcomes: np.ndarray | None = None
    null_kind: str = "shuffle"


def entry_rows(
    entries: Sequence[Entry],
    groups: Int64[np.ndarray, "n"],
    *,
    resampled: str,
    last: int,
    seed: int,
    surface: Mapping[tuple[str, str], float],
) -> Iterator[dict[str, Any]]:
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
        yield {
            "layer": entry.layer,
            "depth": entry.layer / last if last else 1.0,
            "measure": measure.name,
            "direction": entry.direction,
            "value": estimate.value,
            "low": low,
            "high": high,
            "level": LEVEL,
            "interval": f"{resampled} {estimate.interval}" if np.isfinite(low) else "",
            "null": estimate.null,
            "null_kind": "" if np.isnan(estimate.null) else entry.null_kind,
            "z": estimate.z,
            "p": estimate.p,
            "effect": measure.towards_best(estimate.null, estimate.value),
            "calibrated": float(
                np.maximum(0.0, measure.towards_best(estimate.threshold, estimate.value))
            ),
            "note": estimate.note,
            "surface": surface.get((measure.name, entry.direction), float("nan")),
            "groups": int(groups.max()) + 1,
            "resample_seed": seed,
        }


def _intervals(entries: Sequence[Entry], groups: np.ndarray, seed: int) -> list[tuple[float, float]]:
    """Return the interval of every entry; all means are resampled together."""
    means = [entry.outcomes for entry in entries if entry.outcomes is not None]
    if means:
        low, high = group_bootstrap(np.stack(means, axis=1), groups, rng=np.random.default_rng(seed))
        ends = iter(zip(low.tolist(), high.tolist(), strict=True))
    return [
        (entry.estimate.low, entry.estimate.high) if entry.outcomes is None else next(ends)
        for entry in entries
    ]
