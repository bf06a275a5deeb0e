"""Intervals of many means at once, their p-values, and these adjusted over all that was looked at."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from ..alignment.statistics.bootstrap import group_bootstrap
from ..alignment.statistics.intervals import LEVEL
from ..alignment.statistics.nulls import benjamini_hochberg, holm

Ends = tuple[Float[np.ndarray, "c"], Float[np.ndarray, "c"]]


def intervals(
    outcomes: Mapping[str, Float[np.ndarray, "_ c"]],
    groups: Mapping[str, Int64[np.ndarray, "_"]],
    seed: int,
) -> dict[str, Ends]:
    """Return bootstrap intervals over groups of the columns' means, of each language.

    Languages and layers of parallel items share their resamples, so that differences between them are
    paired. Languages of the same groups are resampled by one product.
    """
    same: dict[bytes, list[str]] = {}
    for name in outcomes:
        same.setdefault(groups[name].tobytes(), []).append(name)
    found: dict[str, Ends] = {}
    for names in same.values():
        whole = np.concatenate([outcomes[name] for name in names], axis=1)
        low, high = group_bootstrap(whole, groups[names[0]], seed=seed)
        ends = np.cumsum([outcomes[name].shape[1] for name in names])[:-1]
        pairs = zip(np.split(low, ends), np.split(high, ends), strict=True)
        found |= dict(zip(names, pairs, strict=True))
    return found


def with_ends(names: Sequence[str], outcomes: Float[np.ndarray, "n c"], ends: Ends) -> dict[str, float]:
    """Return the columns' means by name, and `_low` and `_high` of each."""
    found: dict[str, float] = {}
    for name, mean, low, high in zip(names, outcomes.mean(axis=0), *ends, strict=True):
        found |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return found


def p_value(
    difference: float, low: float, high: float, groups: int, same: float, *, sides: int = 1
) -> float:
    """Return the p-value of a difference from its interval of `LEVEL`; nan without interval.

    By t of one less degree of freedom than there are groups, as wide as the interval is.

    Args:
        difference: of means.
        low: its interval's lower end.
        high: the upper one.
        groups: how many were resampled.
        same: the p-value where all groups are equal and the difference is not 0: the interval has no
            width, which says nothing about the error.
        sides: 1: whether it is above 0.
    """
    import scipy.stats  # when needed: it takes half a second

    if not low <= high:
        return float("nan")
    if high == low:
        return same if difference > 0 or (difference and sides == 2) else 1.0
    error = (high - low) / (2 * scipy.stats.t.ppf((1 + LEVEL) / 2, groups - 1))
    t = abs(difference) / error if sides == 2 else difference / error
    return float(sides * scipy.stats.t.sf(t, groups - 1))


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with p adjusted over all of its cells: q (false discoveries) and Holm's."""
    p = table["p"].to_numpy(np.float64)
    return table.assign(q=benjamini_hochberg(p), p_holm=holm(p))
