"""Which rows of a table a figure shows."""

import pandas as pd

from ...alignment.options import split_names
from ...alignment.runs.table import MACRO, headline, rows_of
from ...data.nearest import closest
from .options import ChosenOptions


def keep_chosen(table: pd.DataFrame, options: ChosenOptions) -> pd.DataFrame:
    """Return the rows of the languages and the corpus that are asked for.

    Args:
        table: of scores, or of retention; means over languages are kept.
        options: languages are sources.

    Raises:
        ValueError: one is not there.
    """
    wanted = {"corpus": [options.corpus] if options.corpus else []}
    if str(options.languages) != "all":
        wanted["source"] = split_names(options.languages)
    for column, names in wanted.items():
        known = list(dict.fromkeys(table[column]))
        for name in names:
            if name not in known:
                setting = "languages" if column == "source" else column
                raise ValueError(f"no `{setting}` {name} there: {closest(name, known)}")
        if names:
            table = table[table[column].isin([*names, MACRO])]
    return table


def chosen_rows(table: pd.DataFrame, options: ChosenOptions) -> pd.DataFrame:
    """Return the rows of the measure, direction, pooling and map that are asked for, or the headline.

    Args:
        table: see `keep_chosen`.
        options: which.

    Raises:
        ValueError: one that is not there, or has to be chosen.
    """
    table = keep_chosen(table, options)
    measure = options.measure or headline(table)[0]
    return rows_of(
        table, measure, options.direction, pooling=options.pooling or "", map=options.map or ""
    )
