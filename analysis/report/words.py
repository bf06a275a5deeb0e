"""The answer in words, made of the tables: claims as their verdicts are, never more."""

from collections.abc import Iterator

import pandas as pd

from ...alignment.drawing import short_name
from ...alignment.measures import MEASURES
from ...alignment.runs.table import MACRO, headline, layer_of, rows_of
from ..retention.deltas import in_words
from ..retention.verdicts import Verdict
from .gathered import Gathered, primary_cell, primary_rows

SAID = 12  # checkpoints whose scores are said; the figures have all


def question(gathered: Gathered) -> str:
    """Return what the tables answer."""
    asked = []
    if len(gathered.table("retention")):
        asked.append("Is alignment retained?")
    elif len(gathered.table("scores")):
        asked.append("How well are the languages aligned?")
    if len(gathered.table("ratios")):
        asked.append("What does inference cost?")
    return " ".join(asked)


def answer(gathered: Gathered) -> list[str]:
    """Return the lines that answer it."""
    found = list(_of_study(gathered))
    if not found:
        found = list(_of_retention(gathered.table("retention")))
        found += _of_scores(gathered.table("scores"))
    return found + list(_of_ratios(gathered.table("ratios")))


def named_treatments(table: pd.DataFrame) -> pd.Series:
    """Return the treatments of a study's rows, controls marked."""
    marks = table["control"].map({True: " (control)", False: ""})
    named: pd.Series = table["treatment"] + marks
    return named


def first_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the headline, of the first pooling and map, and of no map if that is there."""
    measure, direction = headline(table)
    first = {name: str(table[name].iloc[0]) for name in ("pooling", "map")}
    first["map"] = "none" if (table["map"] == "none").any() else first["map"]
    return rows_of(table, measure, direction, **first)


def _of_study(gathered: Gathered) -> Iterator[str]:
    """Yield what became of the mean over languages, a line a scale and verdict."""
    recipes, table = (primary_rows(gathered, name) for name in ("recipes", "retention"))
    if not primary_cell(gathered) or table.empty:
        return
    rows, what = recipes, "recipes at their scale, over seeds"
    if recipes.empty:
        rows, what = table[table["chosen"] == "best"], "checkpoints"
    rows = rows[(rows["source"] == MACRO) & (rows["verdict"] != "")]
    rows = rows.assign(named=named_treatments(rows))
    first = table.iloc[0]
    yield (
        f"{first['measure']} ({first['direction']}) on {first['corpus']}, mean over languages; margin "
        f"{rows['margin'].max():g}; {what}:"
    )
    for (family, scale), part in rows.groupby(["family", "scale"], sort=False):
        yield f"{family}-{scale}, base {part['base'].mean():.3f}"
        for verdict in Verdict:
            found = part[part["verdict"] == verdict].groupby("named", sort=False)["delta"].mean()
            if len(found):
                named = ", ".join(f"{name} {delta:+.3f}" for name, delta in found.items())
                yield f"  {verdict}: {named}"


def _of_retention(table: pd.DataFrame) -> Iterator[str]:
    if table.empty:
        return
    rows = first_of(table)
    keys = ["checkpoint", "base_checkpoint", "corpus"]
    for (tuned, base, corpus), part in rows.groupby(keys, sort=False):
        first = part.iloc[0]
        yield (
            f"{short_name(tuned)} against {short_name(base)} on {corpus}, {first['measure']} "
            f"({first['direction']}), pooling {first['pooling']}, map {first['map']}:"
        )
        equal = part[part["chosen"] == "equal"]
        last = equal[equal["layer"] == equal["layer"].max()]
        yield f"  at the last layer: {in_words(last)}"
        best = part[part["chosen"] == "best"]
        for row in best[best["source"] == MACRO].to_dict("records"):
            span = f"{row['delta']:+.4f} ({row['delta_low']:+.4f} to {row['delta_high']:+.4f})"
            said = f" {row['verdict']}, margin {row['margin']:g}" if row["verdict"] else ""
            yield f"  each at its own best layer: mean Δ {span}{said}"
        verdicts = best.loc[(best["source"] != MACRO) & (best["verdict"] != ""), "verdict"]
        if len(verdicts):
            counts = ", ".join(f"{count} {name}" for name, count in verdicts.value_counts().items())
            yield f"  of {len(verdicts)} pairs {counts}"


def _of_scores(table: pd.DataFrame) -> Iterator[str]:
    if table.empty:
        return
    corpora = table.groupby(["corpus", "split"], sort=False)
    for (corpus, split), rows in corpora:
        shown = first_of(rows)
        first = shown.iloc[0]
        measure = str(first["measure"])
        better = MEASURES[measure].higher_is_better
        yield (
            f"{measure} ({first['direction']}) on {corpus}/{split}, pooling {first['pooling']}, map "
            f"{first['map']}, mean over {len(shown.groupby(['source', 'target']))} language pairs:"
        )
        checkpoints = list(shown.groupby(["checkpoint", "revision"], sort=False))
        for (name, revision), part in checkpoints[:SAID]:
            best, last = (layer_of(part, one, higher_is_better=better) for one in ("best", "last"))
            means = part.groupby("layer")[["value", "null", "surface"]].mean()
            floors = "".join(
                f"; {named} {means.loc[best, column]:.4f}"
                for named, column in (("null", "null"), ("n-grams", "surface"))
                if pd.notna(means.loc[best, column])
            )
            yield (
                f"  {short_name(name)}{f'@{revision[:7]}' if revision else ''}: "
                f"{means.loc[last, 'value']:.4f} at the last layer, {means.loc[best, 'value']:.4f} at "
                f"layer {best}, the best (chosen on these sentences, so slightly optimistic){floors}"
            )
        if len(checkpoints) > SAID:
            yield f"  and {len(checkpoints) - SAID} further checkpoints, below"


def _of_ratios(table: pd.DataFrame) -> Iterator[str]:
    if table.empty:
        return
    rows = table[(table["label"] == "all") & (table["clock"] == "wall")]
    for row in rows.to_dict("records"):
        yield (
            f"{short_name(row['subject'])} takes {row['ratio']:.4f} ({row['low']:.4f} to "
            f"{row['high']:.4f}) of the time of {short_name(row['base'])}: {row['verdict']}"
        )
