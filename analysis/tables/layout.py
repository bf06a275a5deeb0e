"""What a table for a paper says: a row a language pair, a column a checkpoint, at one layer of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...alignment.drawing import short_name
from ...alignment.measures import MEASURES
from ...alignment.runs.table import SENTENCES, layer_of, refuse_several, rows_of
from .options import ExportOptions

MEAN = "mean"


@dataclass(frozen=True)
class TableCell:
    """A score with its 95 % interval; nan where there is none."""

    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    best: bool = False  # of its row, and surely so


@dataclass(frozen=True)
class PaperTable:
    """Columns, rows, and what has to be said of them."""

    columns: tuple[str, ...]
    rows: Mapping[str, Sequence[TableCell]]  # by the name of the row
    note: str


def paper_table(tables: Sequence[pd.DataFrame], options: ExportOptions) -> PaperTable:
    """Return one measure of several checkpoints, a column each, and the mean over pairs as the last row.

    A value is best where its interval is clear of all others'. The mean's interval is as wide as those
    of the pairs on average: enough however their sentences depend on each other (languages of one corpus
    may share all of them).

    Args:
        tables: of scores; a table may have several checkpoints.
        options: measure, direction, pooling, map and layer.

    Raises:
        ValueError: what is asked for is not in a table; corpora or settings that differ.
    """
    scores = pd.concat(tables, ignore_index=True)
    measure = options.measure or str(scores["measure"].iloc[0])
    shown = {"pooling": options.pooling, "map": options.map}
    rows = rows_of(scores, measure, options.direction or None, **shown)
    refuse_several(rows, "corpus", "split", "protocol", "duplicates", "dtype")
    names, parts, layers = [], [], []
    for (name, revision), part in rows.groupby(["checkpoint", "revision"], sort=False):
        layer = layer_of(part, options.layer, higher_is_better=MEASURES[measure].higher_is_better)
        names.append(short_name(name) + (f"@{revision[:7]}" if revision else ""))
        parts.append(_at(part, layer))
        layers.append(layer)
    pairs = list(dict.fromkeys(pair for part in parts for pair in part))
    found = {pair: _marked([part.get(pair, TableCell()) for part in parts], measure) for pair in pairs}
    common = [pair for pair in pairs if all(pair in part for part in parts)]
    means = [_mean([part[pair] for pair in common]) for part in parts]
    return PaperTable(
        tuple(names),
        found | {MEAN: _marked(means, measure)},
        _note(rows, measure, layers, len(common), options),
    )


def _at(part: pd.DataFrame, layer: int) -> dict[str, TableCell]:
    rows = part[part["layer"] == layer]
    if rows.empty:
        known = ", ".join(map(str, sorted(part["layer"].unique())))
        raise ValueError(f"`layer` {layer} is not there: {known}")
    twice = rows.duplicated(list(SENTENCES))
    if twice.any():
        row = rows[twice].iloc[0]
        raise ValueError(f"{row['source']}-{row['target']} is there twice: give each run once")
    return {
        f"{row['source']}-{row['target']}": TableCell(row["value"], row["low"], row["high"])
        for row in rows.to_dict("records")
    }


def _mean(cells: Sequence[TableCell]) -> TableCell:
    if not cells:
        return TableCell()
    value = float(np.mean([cell.value for cell in cells]))
    half = float(np.mean([(cell.high - cell.low) / 2 for cell in cells]))
    return TableCell(value, value - half, value + half)


def _marked(cells: Sequence[TableCell], measure: str) -> list[TableCell]:
    """Mark the best of a row, where its interval is clear of all others'."""
    sign = 1 if MEASURES[measure].higher_is_better else -1
    known = sorted((sign * cell.value, at) for at, cell in enumerate(cells) if not np.isnan(cell.value))
    if len(known) < 2:
        return list(cells)
    at = known[-1][1]
    worst = min(sign * cells[at].low, sign * cells[at].high)
    others = [max(sign * cells[one].low, sign * cells[one].high) for _, one in known[:-1]]
    if not all(worst > other for other in others):  # also where there is no interval
        return list(cells)
    best = cells[at]
    return [*cells[:at], TableCell(best.value, best.low, best.high, best=True), *cells[at + 1 :]]


def _note(
    rows: pd.DataFrame, measure: str, layers: Sequence[int], common: int, options: ExportOptions
) -> str:
    first = rows.iloc[0]
    at = {"best": "the best single layer over all pairs", "last": "the last layer"}.get(
        options.layer, f"layer {options.layer}"
    )
    optimistic = ", chosen on these sentences, hence optimistic" if options.layer == "best" else ""
    many = ", ".join(map(str, layers))
    sentences = sorted(rows["n"].dropna().unique())
    size = f"{sentences[0]:,}" if len(sentences) == 1 else f"{sentences[0]:,} to {sentences[-1]:,}"
    return (
        f"{measure} ({first['direction']}) on {first['corpus']}/{first['split']}, {size} sentences a "
        f"pair, pooling {first['pooling']}, map {first['map']}, at {at}{optimistic} ({many}); 95 % "
        f"intervals; {MEAN}: over the {common} pairs that all have, whatever their dependence; bold: "
        "clear of all others in its row"
    )
