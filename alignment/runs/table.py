"""The score table: its columns, and the key that distinguishes two scores."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from ...data.nearest import closest
from ...data.rows import Row

SCHEMA = 7
MACRO = "macro"  # as a source: the mean over languages


class Tables(NamedTuple):
    """What a cell leaves."""

    scores: pd.DataFrame
    items: pd.DataFrame = pd.DataFrame()  # what became of every sentence
    influences: pd.DataFrame = pd.DataFrame()  # of scores that are no means: see `intervals.Interval`


# the columns of Tables.influences; `moves` are lists
INFLUENCES = ("measure", "direction", "layer", "interval", "moves")

# What a score is a score of, by kind. Every list of identifying columns is made of these.
CHECKPOINT = ("checkpoint", "revision", "stage", "recipe", "train_seed")
SENTENCES = ("corpus", "split", "unit", "source", "target", "source_code", "target_code")
TREATMENT = ("pooling", "map", "map_fit")
SCORE = ("layer", "measure", "direction")
SETTINGS = ("protocol", "duplicates", "prefix", "dtype", "max_length")
# Two rows that agree in all of these are the same score.
IDENTITY = (*CHECKPOINT, *SENTENCES, *TREATMENT, *SCORE, *SETTINGS)
COLUMNS: Mapping[str, str] = {
    "checkpoint": "string",
    "revision": "string",
    "family": "string",
    "parameters": "Int64",
    "parameters_body": "Int64",
    "norm": "string",
    "objective": "string",
    "step": "Int64",
    "tokens": "Int64",
    "stage": "string",
    "recipe": "string",
    "train_seed": "Int64",
    "protocol": "string",
    "corpus": "string",
    "split": "string",
    "unit": "string",
    "source": "string",
    "target": "string",
    "source_code": "string",
    "target_code": "string",
    "layer": "Int64",
    "depth": "float64",
    "pooling": "string",
    "map": "string",
    "map_fit": "string",
    "measure": "string",
    "direction": "string",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "level": "float64",
    "interval": "string",
    "null": "float64",
    "null_kind": "string",
    "surface": "float64",
    "random": "float64",
    "z": "float64",
    "p": "float64",
    "p_kind": "string",
    "effect": "float64",
    "calibrated": "float64",
    "note": "string",
    "n": "Int64",
    "candidates": "Int64",
    "groups": "Int64",
    "duplicates": "string",
    "prefix": "string",
    "dim": "Int64",
    "dtype": "string",
    "max_length": "Int64",
    "truncated": "Int64",
    "unknown": "Int64",
    "resample_seed": "Int64",
    "schema": "Int64",
    "key": "string",
}


# a cell of a grid: two representations, where a score has one
GRID_COLUMNS: Mapping[str, str] = {
    "other_checkpoint": "string",
    "other_revision": "string",
    "other_layer": "Int64",
    "q": "float64",
    "p_family": "float64",
}
GRID_IDENTITY = ("other_checkpoint", "other_revision", "other_layer")


def canonical_hash(value: Row) -> str:
    """Return 32 hexadecimal digits of the canonical JSON of a mapping."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def make_table(rows: Iterable[Row], *, grid: bool = False) -> pd.DataFrame:
    """Return rows as a score table: all columns, their types, the key of every row.

    Args:
        rows: mappings from column to value.
        grid: rows are cells of grids, with `GRID_COLUMNS`.
    """
    identity = (*IDENTITY, *GRID_IDENTITY) if grid else IDENTITY
    columns = dict(COLUMNS) | (dict(GRID_COLUMNS) if grid else {})
    records = [
        {**row, "schema": SCHEMA, "key": canonical_hash({name: row[name] for name in identity})}
        for row in rows
    ]
    return pd.DataFrame(records, columns=list(columns)).astype(columns)


def with_keys(table: pd.DataFrame) -> pd.DataFrame:
    """Return scores with the keys that their columns have now."""
    rows = table[list(IDENTITY)].astype(object).where(table[list(IDENTITY)].notna(), None)
    return table.assign(key=[canonical_hash(row) for row in rows.to_dict("records")])


def main_direction(rows: pd.DataFrame) -> str:
    """Return the direction to show of a measure's scores: that which has the others in it."""
    known = set(rows["direction"])
    names = ("mean", "both", "forward", "backward")
    found = next((one for one in names if one in known), None)
    if found is None:
        raise ValueError(f"no direction in the table is one of {', '.join(names)}")
    return found


def headline(table: pd.DataFrame) -> tuple[str, str]:
    """Return the measure and direction to show where none is named: accuracy, else the first measure."""
    names = list(dict.fromkeys(table["measure"]))
    measure = "accuracy" if "accuracy" in names else str(names[0])
    return measure, main_direction(table[table["measure"] == measure])


def refuse_several(rows: pd.DataFrame, *columns: str) -> None:
    """Refuse rows with several values of a column.

    Raises:
        ValueError: there are; with what there is, and that it can be chosen.
    """
    for column in columns:
        known = list(map(str, rows[column].unique()))
        if len(known) > 1:
            raise ValueError(
                f"several values of {column} ({', '.join(known)}): choose one with `{column}`"
            )


def reaches_floor(rows: pd.DataFrame, *, higher_is_better: bool) -> pd.Series:
    """Return which scores' 95 % intervals reach their floor: what is marked in every figure.

    The floor is the better of null and surface, those that there are; a score without an interval or a
    floor is not marked.

    Args:
        rows: of scores.
        higher_is_better: of their measure.
    """
    floors = rows[["null", "surface"]].astype(float)
    if higher_is_better:
        reached: pd.Series = rows["low"] <= floors.max(axis=1)
    else:
        reached = rows["high"] >= floors.min(axis=1)
    return reached


def layer_of(rows: pd.DataFrame, wanted: str, *, higher_is_better: bool) -> int:
    """Return the layer that a setting means: a number, last, or best, by the mean over the rows of each.

    Args:
        rows: scores of one checkpoint and measure.
        wanted: best, last or a number, which need not be there.
        higher_is_better: of the measure.

    Raises:
        ValueError: no layer has a value.
    """
    if wanted == "last":
        return int(rows["layer"].max())
    if wanted != "best":
        return int(wanted)
    means = rows.groupby("layer")["value"].mean().dropna()
    if means.empty:
        raise ValueError(f"{rows['measure'].iloc[0]} has no value at any layer")
    return int(means.idxmax() if higher_is_better else means.idxmin())


def rows_of(
    table: pd.DataFrame, measure: str, direction: str | None = None, *, pooling: str = "", map: str = ""
) -> pd.DataFrame:
    """Return the rows of one measure, direction, pooling and map.

    Args:
        table: of scores, or of retention.
        measure: which.
        direction: the main one of the measure if none is named.
        pooling: which, where there are several.
        map: likewise; none if no other is named.

    Raises:
        ValueError: one that is not there, or that has to be chosen.
    """
    rows = table
    for column, chosen in (("measure", measure), ("pooling", pooling), ("map", map)):
        known = list(dict.fromkeys(rows[column]))
        if column == "map" and not chosen and "none" in known:
            chosen = "none"
        if chosen and chosen not in known:
            raise ValueError(f"no `{column}` {chosen} there: {closest(chosen, known)}")
        rows = rows[rows[column] == chosen] if chosen else rows
        refuse_several(rows, column)
    ways = list(dict.fromkeys(rows["direction"]))
    if direction and direction not in ways and ways != ["both"]:
        raise ValueError(f"no {measure} {direction} there: {', '.join(ways)}")
    return rows[rows["direction"] == (direction if direction in ways else main_direction(rows))]


def concatenate(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return tables as one.

    Raises:
        ValueError: two rows with the same key.
    """
    whole = pd.concat(list(tables), ignore_index=True)
    twice = whole[whole["key"].duplicated()]
    if len(twice):
        row = twice.iloc[0]
        raise ValueError(
            f"{len(twice)} scores are there twice, first {row['checkpoint']} {row['source']}-"
            f"{row['target']} layer {row['layer']} {row['measure']}"
        )
    return whole
