"""Why a score is low: from the offset between two languages to their content, rung by rung.

    offset   = centre - none            what moving a language gains
    scale    = standardise - centre     what scaling its dimensions gains beyond that
    rotation = turned - standardise     what turning it gains beyond that
    linear   = ridge - turned           what any linear map gains beyond that
    content  = best - ridge             what no linear map brings together

`turned` is `procrustes`, which scales nothing, or `standardise` where turning alone gains less than
that: one large noisy dimension is no rotation. With the score itself the parts add up to the best value.
Scale is where a few dimensions outweigh the others, of one language or, as noise, of both. Maps are
fitted on finitely many sentences: a part may be negative, where a freer map generalises worse. A linear
map has a part that turns and one that stretches, and is booked as both.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from ..measures import MEASURES
from ..statistics.bootstrap import group_bootstrap
from .sentences import BITEXT, groups_of, outcomes_of

STEPS = ("none", "centre", "standardise", "procrustes", "ridge")
PARTS = ("score", "offset", "scale", "rotation", "linear", "content")


def decompose(
    rungs: Mapping[str, Float[np.ndarray, "n c"]],
    best: Float[np.ndarray, "c"],
    groups: Int64[np.ndarray, "n"],
    *,
    seed: int = 0,
) -> tuple[Float[np.ndarray, "6 c"], Float[np.ndarray, "6 c"], Float[np.ndarray, "6 c"]]:
    """Return the PARTS of c scores, which sum to `best`, with paired bootstrap intervals.

    Args:
        rungs: map -> a row per sentence (the same for all maps), a column per score.
        best: the scores of perfect alignment; where there is none, nan, and so is the content.
        groups: 0 … G - 1, the unit of resampling.
        seed: of the bootstrap; all parts share the resamples.

    Returns:
        Values, lower and upper ends.
    """
    none, centred, scaled, turned, linear = (rungs[rung] for rung in STEPS)
    turned = np.where(turned.mean(axis=0) > scaled.mean(axis=0), turned, scaled)
    heights = [none, centred, scaled, turned, linear]
    parts = [heights[0], *np.diff(heights, axis=0), best - heights[-1]]
    joint = np.concatenate(parts, axis=1)
    low, high = group_bootstrap(joint, groups, seed=seed)
    shape = len(PARTS), len(best)
    return joint.mean(axis=0).reshape(shape), low.reshape(shape), high.reshape(shape)


def decomposition(cells: Iterable[tuple[pd.DataFrame, pd.DataFrame]], *, seed: int) -> pd.DataFrame:
    """Return the parts of all scores of a run that were measured under all RUNGS.

    Args:
        cells: score table and items of each.
        seed: of the bootstrap.

    Returns:
        A row per bitext, pooling, layer, measure, direction and part; none where a rung is missing.
    """
    bitexts: dict[tuple[Any, ...], dict[str, tuple[pd.DataFrame, pd.DataFrame]]] = {}
    for table, items in cells:
        first = table.iloc[0]
        bitexts.setdefault(tuple(first[BITEXT]), {})[first["map"]] = table, items
    frames = [
        _decomposed(rungs, seed).assign(**dict(zip(BITEXT, bitext, strict=True)))
        for bitext, rungs in bitexts.items()
        if set(STEPS) <= set(rungs)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _decomposed(rungs: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], seed: int) -> pd.DataFrame:
    """Return the decomposition of one bitext."""
    table, items = rungs[STEPS[-1]]
    scores = table.loc[table["measure"].isin(items.columns), ["layer", "measure", "direction"]]
    best = [MEASURES[name].best for name in scores["measure"]]
    values, low, high = decompose(
        {rung: outcomes_of(rungs[rung][1], scores) for rung in STEPS},
        np.array([np.nan if one is None else one for one in best]),
        groups_of(items),
        seed=seed,
    )
    return pd.concat(
        scores.assign(part=part, value=values[i], low=low[i], high=high[i], n=table["n"].iloc[0])
        for i, part in enumerate(PARTS)
    ).assign(map_fit=table["map_fit"].iloc[0])
