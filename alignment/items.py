"""Items: what became of every sentence of a cell, and its part of every score.

A row per layer, direction (forward, backward) and sentence, in the bitext's order. The parts of a score
average to it, so that differences and sums of scores have paired intervals without computing anew.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from ..data import Bitext
from .pairing import Pairing

# the columns of a score table that name a bitext under one pooling
BITEXT = ["corpus", "split", "source", "target", "source_code", "target_code", "pooling"]


def make_items(
    bitext: Bitext,
    pairing: Pairing,
    layer: int,
    outcomes: Mapping[tuple[str, str], Float[np.ndarray, "n"]],
) -> Iterator[pd.DataFrame]:
    """Yield the items of a layer, a table per direction.

    Args:
        bitext: the sentences.
        pairing: theirs at this layer.
        layer: its number.
        outcomes: (measure, direction) -> a part per sentence; symmetric ones stand in both directions.
    """
    found = pairing.found
    sides = (
        ("forward", found.rows, bitext.source, bitext.target, pairing.target_class),
        ("backward", found.columns, bitext.target, bitext.source, pairing.source_class),
    )
    for direction, nearest, queries, candidates, classes in sides:
        wrong = classes[nearest.ids] != classes[:, None]
        at = wrong.argmax(axis=1)[:, None]
        best = np.take_along_axis(nearest.ids, at, 1)[:, 0]
        scores = np.take_along_axis(nearest.scores, at, 1)[:, 0]
        some = wrong.any(axis=1)  # a gold with as many duplicates as neighbours were kept has none
        ids = np.asarray(candidates.ids, dtype=object)
        yield pd.DataFrame(
            {
                "layer": np.int16(layer),
                "direction": direction,
                "id": np.asarray(queries.ids, dtype=object),
                "group": pairing.groups.astype(np.int32),
                "rank": nearest.rank.astype(np.int32),
                "ties": nearest.ties.astype(np.int32),
                "gold_score": found.gold_scores,
                "best_wrong": np.where(some, ids[best], None),
                "best_wrong_score": np.where(some, scores, np.nan).astype(np.float32),
            }
            | {name: part for (name, way), part in outcomes.items() if way in (direction, "both")}
        )


def groups_of(items: pd.DataFrame) -> Int64[np.ndarray, "n"]:
    """Return the group of every sentence of a cell."""
    one = items["direction"].eq("forward") & items["layer"].eq(items["layer"].min())
    groups: np.ndarray = items.loc[one, "group"].to_numpy(np.int64)
    return groups


def outcomes_of(items: pd.DataFrame, scores: pd.DataFrame) -> Float[np.ndarray, "n c"]:
    """Return the sentences' parts of some scores, a column per score.

    Args:
        items: of a cell.
        scores: columns `layer`, `measure`, `direction`.
    """
    parts = dict(iter(items.groupby(["layer", "direction"])))
    columns = []
    for layer, measure, direction in scores[["layer", "measure", "direction"]].itertuples(index=False):
        ways = ["forward", "backward"] if direction == "mean" else [direction.replace("both", "forward")]
        columns.append(np.mean([parts[layer, way][measure].to_numpy(float) for way in ways], axis=0))
    return np.stack(columns, axis=1)
