"""One number of all layers, as MEXA takes: the mean over layers, or the greatest.

The greatest of many noisy numbers is too good by itself; its interval repeats the choice in every
resample, and so contains that.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from ..statistics.bootstrap import percentiles, resampled_means
from .sentences import BITEXT, groups_of, outcomes_of

AGGREGATES = ("mean-over-layers", "max-over-layers")


def aggregate(
    outcomes: Float[np.ndarray, "n layers"], groups: Int64[np.ndarray, "n"], *, seed: int = 0
) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Return the two AGGREGATES of a score with percentile intervals over groups.

    Args:
        outcomes: a row per sentence, a column per layer.
        groups: 0 … G - 1, the unit of resampling.
        seed: of the bootstrap.
    """

    def both(means: Float[np.ndarray, "... layers"]) -> Float[np.ndarray, "2 ..."]:
        return np.stack([means.mean(axis=-1), means.max(axis=-1)])

    drawn = both(resampled_means(outcomes, groups, seed=seed))
    low, high = percentiles(drawn.T, int(groups.max()) + 1)
    return both(outcomes.mean(axis=0)), low, high


def aggregates(cells: Iterable[tuple[pd.DataFrame, pd.DataFrame]], *, seed: int) -> pd.DataFrame:
    """Return the aggregates of every score of a run that has outcomes.

    Args:
        cells: score table and items of each.
        seed: of the bootstrap.
    """
    rows = []
    for table, items in cells:
        first = dict(table.iloc[0][[*BITEXT, "protocol", "map", "n"]])
        groups = groups_of(items)
        known = table[table["measure"].isin(items.columns)]
        for (measure, direction), part in known.groupby(["measure", "direction"], sort=False):
            found = aggregate(outcomes_of(items, part), groups, seed=seed)
            rows += [
                first
                | {"measure": measure, "direction": direction, "aggregate": name}
                | {"value": value, "low": low, "high": high, "layers": len(part)}
                for name, value, low, high in zip(AGGREGATES, *found, strict=True)
            ]
    return pd.DataFrame(rows)
