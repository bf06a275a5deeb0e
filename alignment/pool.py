"""One cell of a whole corpus: all its languages as one pool of candidates, scored at every layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..data import Bitext
from .entries import Entry, entry_rows
from .estimates import Estimate
from .maps import IN_SAMPLE, fitted_on, in_sample
from .measures import Measure
from .pairing import text_classes
from .plan import common
from .represent import Representations
from .strong import nearest_others, strong_nulls, strong_outcomes
from .table import make_table
from .uncertainty import group_bootstrap

MANY = "mul"  # the target of a pool: several languages, as BCP 47 has it


def score_pool(
    bitexts: Sequence[Bitext],
    representations: Representations,
    *,
    layers: Sequence[int],
    map_name: str,
    measures: Sequence[Measure],
    resample: str,
    seed: int,
    columns: Mapping[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the strong scores of every language of a corpus, and the language bias.

    The bias: a row per layer, language of the queries and language of the candidates, with the share of
    queries whose nearest is in that language (LAReQA's language bias); `uniform` is that of candidates.
    Intervals as for the scores.

    Args:
        bitexts: of one corpus, whose languages share sentence ids.
        representations: where their vectors are.
        layers: which layers to score.
        map_name: none, or one that is fitted on each language by itself.
        measures: strong ones.
        resample: "group" or "sentence".
        seed: of the bootstrap.
        columns: what else stands in every row.

    Raises:
        ValueError: the languages share too few sentence ids.
    """
    sides, rows, groups = common(bitexts)
    n = len(groups)
    grouped = resample == "group" and groups.max() + 1 < n
    groups = groups if grouped else np.arange(n)
    language = np.repeat(np.arange(len(sides)), n)
    item = np.tile(np.arange(n), len(sides))
    text = text_classes([side.texts[row] for side in sides for row in rows[side.code]])
    first = bitexts[0]
    tables = []
    found: dict[str, list[Entry]] = {side.code: [] for side in sides}
    bias: list[pd.DataFrame] = []
    for layer in layers:
        parts = [representations.read(side, [layer])[0][rows[side.code]] for side in sides]
        vectors = np.concatenate([in_sample(map_name, part, part)[0] for part in parts])
        ids = nearest_others(vectors, language, text)
        outcomes = strong_outcomes(ids, language, item, text)
        nulls = strong_nulls(ids, language, n)
        in_language = language[ids[:, :1]] == np.arange(len(sides))
        for number, side in enumerate(sides):
            mine = slice(number * n, (number + 1) * n)
            shares = in_language[mine].astype(np.float64)
            low, high = group_bootstrap(shares, groups, seed=seed)
            bias.append(
                pd.DataFrame(
                    {
                        **{name: columns[name] for name in ("checkpoint", "pooling")},
                        "map": map_name,
                        "layer": layer,
                        "query": side.code,
                        "candidates": [other.code for other in sides],
                        "share": shares.mean(axis=0),
                        "low": low,
                        "high": high,
                        "uniform": (n - (np.arange(len(sides)) == number)) / (len(text) - 1),
                    }
                )
            )
            for measure in measures:
                values = outcomes[measure.name][mine]
                null = nulls[measure.name][mine].mean() if measure.name in nulls else np.nan
                estimate = Estimate(float(values.mean()), float(null), interval="bootstrap")
                found[side.code].append(Entry(layer, measure, "forward", estimate, values))
    for side in sides:
        counts = representations.counts(side)[rows[side.code], 1:].sum(axis=0, dtype=np.int64)
        fixed = dict(columns) | {
            "corpus": first.corpus,
            "split": first.split,
            "unit": "sentence",
            "source": side.language,
            "target": MANY,
            "source_code": side.code,
            "target_code": MANY,
            "map": map_name,
            "map_fit": fitted_on(map_name, IN_SAMPLE),
            "n": n,
            "candidates": len(text) - 1,
            "duplicates": "class",
            "dim": vectors.shape[1],
            "truncated": int(counts[0]),
            "unknown": int(counts[1]),
        }
        scores = entry_rows(
            found[side.code],
            groups,
            resampled="group" if grouped else "sentence",
            last=representations.last,
            seed=seed,
            surface={},
        )
        tables.append(make_table(fixed | row for row in scores))
    return pd.concat(tables, ignore_index=True), pd.concat(bias, ignore_index=True)
