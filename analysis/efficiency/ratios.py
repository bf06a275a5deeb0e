"""Ratios of times, their intervals, and what may be said of them.

A round gives log(t_other / t_base) on the same unit. The median over the rounds of a block, the mean
over blocks, the mean over loads is the estimate; its interval draws loads, then blocks within them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Float64

from ...alignment.statistics.bootstrap import percentiles
from ...data.rows import Columns

SAME, SLOWER, FASTER, INCONCLUSIVE = "same", "slower", "faster", "inconclusive"
DRAWS = 4000
POWER = 0.8


class Ratio(NamedTuple):
    """A ratio of times, with what is known of it."""

    ratio: float
    low: float  # of the 95 % interval
    high: float
    low90: float
    high90: float
    detectable: float  # the smallest difference, as a share, that would be found with power .8


def block_medians(
    samples: pd.DataFrame, base: str, other: str, clock: str
) -> Float64[np.ndarray, "loads blocks"]:
    """Return the median log ratio of each block of each load; nan where a block has no such unit.

    Args:
        samples: of `measure`.
        base: the subject that others are compared with.
        other: that other.
        clock: the column.
    """
    keys = ["load", "block", "round"]
    times = [samples[samples["subject"] == name].set_index(keys)[clock] for name in (base, other)]
    logs = np.log(times[1] / times[0])
    found: np.ndarray = logs.groupby(level=["load", "block"]).median().unstack("block").to_numpy()
    return found.astype(np.float64)


def nested_interval(medians: Float64[np.ndarray, "loads blocks"], seed: int) -> Ratio:
    """Return the ratio of the blocks' medians, with intervals over loads and blocks.

    Percentiles are expanded as for so many loads (see `percentiles`). The smallest difference found with
    power .8 is half the 95 % interval and t(.8) standard errors, of loads less one degrees of freedom.

    Args:
        medians: log ratios; nan where a block has none.
        seed: of the draws.
    """
    kept = medians[~np.isnan(medians).all(axis=1)]
    loads = len(kept)
    means = np.nanmean(kept, axis=1)
    drawn = _drawn_means(kept, np.random.default_rng(seed))
    ends = [percentiles(drawn, loads, level=level) for level in (0.95, 0.9)]
    error = means.std(ddof=1) / np.sqrt(loads) if loads > 1 else np.nan
    beyond = scipy.stats.t.ppf(POWER, max(loads - 1, 1)) * error
    detectable = float(np.expm1((ends[0][1] - ends[0][0]) / 2 + beyond))
    low, high, low90, high90 = (float(np.exp(end)) for pair in ends for end in pair)
    return Ratio(float(np.exp(means.mean())), low, high, low90, high90, detectable)


def _drawn_means(
    medians: Float64[np.ndarray, "loads blocks"], rng: np.random.Generator
) -> Float64[np.ndarray, "draws"]:
    """Return the mean over drawn loads of the mean over blocks drawn within each."""
    loads, blocks = medians.shape
    known = np.sort(medians, axis=1)  # nan last
    counts = (~np.isnan(medians)).sum(axis=1)
    which = rng.integers(0, loads, (DRAWS, loads))
    places = (rng.random((DRAWS, loads, blocks)) * counts[which][:, :, None]).astype(np.int64)
    values = known[which[:, :, None], places]
    kept = np.arange(blocks) < counts[which][:, :, None]
    means = (values * kept).sum(axis=2) / counts[which]
    drawn: np.ndarray = means.mean(axis=1)
    return drawn


def verdict(found: Ratio, margin: float) -> str:
    """Return what an interval shows: same, slower, faster, else inconclusive.

    Both can hold, of a difference that is sure and smaller than the margin: then it is the same.

    Args:
        found: a ratio.
        margin: δ; the same is within 1 / (1 + δ) and 1 + δ, by the 90 % interval.
    """
    if found.low90 >= 1 / (1 + margin) and found.high90 <= 1 + margin:
        return SAME
    if found.low > 1:
        return SLOWER
    if found.high < 1:
        return FASTER
    return INCONCLUSIVE


def ratio_rows(
    samples: pd.DataFrame, base: str, others: Sequence[str], clocks: Sequence[str], options: Columns
) -> Iterator[Columns]:
    """Yield a row for every other subject, label and clock; label "all" is over all units.

    Args:
        samples: of `measure`.
        base: what others are compared with.
        others: the first is the base itself, loaded again.
        clocks: the columns; the first is what verdicts are of.
        options: margin and seed.
    """
    labels = list(dict.fromkeys(samples.sort_values("unit", kind="stable")["label"]))
    for other in others:
        for label in ["all", *(labels if len(labels) > 1 else [])]:
            own = samples if label == "all" else samples[samples["label"] == label]
            for clock in clocks:
                found = nested_interval(block_medians(own, base, other, clock), options["seed"])
                yield {
                    "base": base,
                    "subject": other,
                    "label": label,
                    "clock": clock,
                    **found._asdict(),
                    "verdict": verdict(found, options["margin"]),
                    "loads": int(own["load"].nunique()),
                    "rounds": int((own["subject"] == base).sum()),
                }
