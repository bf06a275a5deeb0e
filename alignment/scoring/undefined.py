"""Scores that have no value, said once for a reason, however many language pairs it holds for."""

import logging

import pandas as pd

logger = logging.getLogger(__name__)

NAMED = 3  # pairs; of more the number
CELL = ["corpus", "source", "target", "pooling", "map"]


def say_undefined(table: pd.DataFrame) -> None:
    """Log for every reason which measures have no value for it, at which layers, and in which pairs.

    Args:
        table: of scores; nan is no value, the note says why.
    """
    found: dict[tuple[str, str, tuple[int, ...], tuple[str, ...]], list[str]] = {}
    rows = table[table["value"].isna()]
    rows = rows.assign(why=rows["note"].fillna("").replace("", "nothing varies"))
    several = [name for name in ("pooling", "map") if table[name].nunique() > 1]
    for cell, part in rows.groupby(CELL, sort=False):
        corpus, source, target, *treatment = cell
        treated = dict(zip(CELL[3:], treatment, strict=True))
        label = " ".join([f"{source}-{target}", *(f"{name} {treated[name]}" for name in several)])
        measures: dict[tuple[str, tuple[int, ...]], list[str]] = {}
        for (why, measure), own in part.groupby(["why", "measure"], sort=False):
            layers = tuple(int(layer) for layer in dict.fromkeys(own["layer"]))
            measures.setdefault((why, layers), []).append(measure)
        for (why, layers), names in measures.items():
            found.setdefault((corpus, why, layers, tuple(names)), []).append(label)
    of = len(table.groupby(CELL))
    for (corpus, why, layers, measured), labels in found.items():
        shown = ", ".join(labels[:NAMED]) + (", …" if len(labels) > NAMED else "")
        numbers = ", ".join(map(str, layers))
        where = f"in {len(labels)} of {of} ({shown})" if of > 1 else f"({shown})"
        logger.warning(
            "%s: %s: no value at layer %s %s: %s", corpus, ", ".join(measured), numbers, where, why
        )
