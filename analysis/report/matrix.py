"""Verdicts at a glance: a row a checkpoint (or a recipe at a scale), a column a language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ...alignment.drawing import short_name
from ...alignment.runs.table import MACRO
from ...data.rows import Row
from ..retention.verdicts import Verdict
from .gathered import Gathered, primary_cell, primary_rows
from .words import first_of, named_treatments

MEAN = "mean"
SIGNS = {  # read without colour, too
    Verdict.RETAINED: "=",
    Verdict.LOST: "−",
    Verdict.GAINED: "+",
    Verdict.MOVED: "↕",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_ASSESSABLE: "·",
}


@dataclass(frozen=True)
class VerdictMatrix:
    """What was found of every row, by column."""

    about: str
    columns: Sequence[str]
    rows: Mapping[str, Mapping[str, Row]]  # row -> column -> verdict, delta, delta_low, delta_high


def verdict_matrix(gathered: Gathered) -> VerdictMatrix | None:
    """Return the verdicts of one measure; None where there are none, as without a margin.

    Args:
        gathered: of runs; of a study its primary cells, over seeds where there are enough.
    """
    recipes = primary_rows(gathered, "recipes")
    table = primary_rows(gathered, "retention")
    if len(recipes):
        names = recipes["family"] + "-" + recipes["scale"] + ": " + named_treatments(recipes)
        return _matrix(recipes.assign(row=names), "recipes, over their seeds")
    if table.empty:
        return None
    if not primary_cell(gathered):
        table = first_of(table)
    chosen = table[(table["chosen"] == "best") & (table["verdict"] != "")]
    if chosen.empty:
        return None
    return _matrix(chosen.assign(row=chosen["checkpoint"].map(short_name)), "checkpoints")


def _matrix(table: pd.DataFrame, what: str) -> VerdictMatrix:
    pairs = table["source"].where(table["source"] != MACRO, MEAN)
    if table["target"].nunique() > 2:  # the mean's own and another one
        pairs = pairs.where(pairs == MEAN, table["source"] + "-" + table["target"])
    table = table.assign(column=pairs)
    columns = [MEAN, *dict.fromkeys(name for name in table["column"] if name != MEAN)]
    rows: dict[str, dict[str, Row]] = {}
    for row in table.to_dict("records"):
        rows.setdefault(row["row"], {})[row["column"]] = row
    first = table.iloc[0]
    about = (
        f"{first['measure']} ({first['direction']}) on {first['corpus']}/{first['split']}, pooling "
        f"{first['pooling']}, map {first['map']}; {what}"
    )
    return VerdictMatrix(about, columns, rows)
