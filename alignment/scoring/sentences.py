"""Items: what became of every sentence of a cell, and its part of every score.

A row per layer, direction (forward, backward) and sentence, in the bitext's order. The parts of a score
average to it, so that differences and sums of scores have paired intervals without recomputing.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from ...data import Bitext
from ..retrieval.pairing import Pairing
from ..runs.table import SENTENCES

# the columns of a score table that name a bitext under one pooling
BITEXT = [*(name for name in SENTENCES if name != "unit"), "pooling"]


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


def missed_translations(bitext: Bitext, table: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return what was retrieved instead of each translation that is not strictly ahead.

    Args:
        bitext: the sentences.
        table: the score table of the cell.
        items: its items.

    Returns:
        A row per layer, direction and missed sentence, the worst first: margin = the translation's
        cosine minus that of what was found, at most 0; rank = how many are ahead of the translation.
    """
    missed = items[items["best_wrong_score"] >= items["gold_score"]]
    sides = {"forward": (bitext.source, bitext.target), "backward": (bitext.target, bitext.source)}
    parts = []
    for direction, part in missed.groupby("direction", sort=False):
        queries, candidates = sides[str(direction)]
        row = {one: i for i, one in enumerate(queries.ids)}
        rows = [row[one] for one in part["id"]]
        text = dict(zip(candidates.ids, candidates.texts, strict=True))
        parts.append(
            pd.DataFrame(
                {
                    "query": queries.code,
                    "candidates": candidates.code,
                    **{name: table[name].iloc[0] for name in ("pooling", "map")},
                    "layer": part["layer"].to_numpy(),
                    "id": part["id"].to_numpy(),
                    "text": [queries.texts[i] for i in rows],
                    "translation": [candidates.texts[i] for i in rows],
                    "found_id": part["best_wrong"].to_numpy(),
                    "found": [text[one] for one in part["best_wrong"]],
                    "margin": (part["gold_score"] - part["best_wrong_score"]).to_numpy(float),
                    "rank": part["rank"].to_numpy(),
                }
            ).sort_values(["layer", "margin"], kind="stable")
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


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
