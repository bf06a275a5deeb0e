"""The findings of a study in words: claims, each with what it is a claim of."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ...alignment.runs.table import MACRO
from ...data.rows import Row
from ..retention.claims import SEEDS, over_seeds
from ..retention.verdicts import Verdict
from .findings import primary_rows
from .plan import Plan


def in_words(
    plan: Plan, table: pd.DataFrame, recipes: pd.DataFrame, scaling: pd.DataFrame, changes: Sequence[str]
) -> list[str]:
    """Return the findings on the primary cells, line by line.

    Args:
        plan: of the study.
        table: of `findings.retention_table`.
        recipes: of `findings.recipes_table`.
        scaling: of `scaling.scaling_table`.
        changes: of what was registered.
    """
    study, primary = plan.study, plan.study.primary
    lines = [f"warning: {change}" for change in changes]
    corpus = f"{primary.corpus} with {primary.noise}" if primary.noise else primary.corpus
    lines.append(
        f"primary: {primary.measure} ({primary.direction}) on {corpus}, pooling "
        f"{primary.pooling}, map {primary.map}; margin {study.margin:g}; layers chosen on "
        f"{study.dev.corpus}"
    )
    rows = primary_rows(table, plan)
    if rows.empty:
        return [*lines, "nothing is compared yet"]
    for (family, scale), part in rows.groupby(["family", "scale"], sort=False):
        size, mean = part.iloc[0], part[part["source"] == MACRO]
        lines.append(
            f"{family}-{scale}: {size['parameters'] / 1e6:,.1f} M parameters, "
            f"{size['parameters_body'] / 1e6:,.1f} M in the body; "
            f"base {(mean if len(mean) else part)['base'].mean():.3f}"
        )
        lines += _of_scale(part, primary_rows(recipes, plan), str(family), str(scale))
    lines += _against(plan, rows)
    lines += _trends(plan, scaling)
    return lines


def _of_scale(rows: pd.DataFrame, recipes: pd.DataFrame, family: str, scale: str) -> Iterator[str]:
    """Yield a line per treatment: of the recipe where there are seeds enough, else of checkpoints."""
    for treatment, part in rows.groupby("treatment", sort=False):
        control = " (control)" if part["control"].iloc[0] else ""
        found = recipes
        if len(recipes):
            found = recipes[
                (recipes["family"] == family)
                & (recipes["scale"] == scale)
                & (recipes["treatment"] == treatment)
            ]
        name = f"  {treatment}{control}"
        if len(found):
            mean = found[found["source"] == MACRO]
            for row in (mean if len(mean) else found).to_dict("records"):
                said = f"{row['verdict']}: this recipe at this scale, {row['seeds']} seeds"
                yield f"{name:<28}{_span(row)}  {said}"
            yield f"{'':<28}{_cells(found[found['source'] != MACRO])}"
            continue
        for seed, own in part.groupby("train_seed", sort=False):
            mean = own[own["source"] == MACRO]
            for row in (mean if len(mean) else own).to_dict("records"):
                yield f"{name:<28}{_span(row)}  {row['verdict']}: this checkpoint, seed {seed}"
            yield f"{'':<28}{_cells(own[own['source'] != MACRO])}"


def _span(row: Row) -> str:
    text = f"Δ {row['delta']:+.3f} ({row['delta_low']:+.3f} to {row['delta_high']:+.3f}"
    if np.isfinite(row.get("like_low", np.nan)):
        text += f"; languages like these {row['like_low']:+.3f} to {row['like_high']:+.3f}"
    moved = f"; {row['shift']:+.1f} layers" if row["verdict"] == Verdict.MOVED and "shift" in row else ""
    return f"{text}){moved}"


def _cells(rows: pd.DataFrame) -> str:
    """Say of the languages what holds of all, of any, and of which."""
    counts = rows["verdict"].value_counts()
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    text = f"of {len(rows)} languages {said}"
    if counts.get(Verdict.RETAINED, 0) == len(rows):
        text += " (all: intersection-union)"
    if "p_any" in rows and (rows["p_any"] < 0.05).any():
        some = rows[rows["p_any"] < 0.05]
        text += f"; surely changed somewhere: {', '.join(some['source'])} (any: max-T, .05)"
    if "q" in rows and (rows["q"] < 0.05).any():
        text += f"; {int((rows['q'] < 0.05).sum())} changed at a false discovery rate of .05 (list: BH)"
    return text


def _against(plan: Plan, rows: pd.DataFrame) -> Iterator[str]:
    """Yield what each task does beyond the control that the study names, seed by seed."""
    name = plan.study.against
    if not name:
        return
    mean = rows[rows["source"] == MACRO].pivot_table(
        index=["family", "scale", "train_seed"], columns="treatment", values="delta", sort=False
    )
    if name not in mean:
        return
    tasks = {treatment for treatment, one in plan.study.treatments.items() if not one.control}
    yield f"beyond {name} (Δ of the task - Δ of {name}, same seed):"
    for (family, scale), part in mean.groupby(level=[0, 1], sort=False):
        effects = part.sub(part[name], axis=0)
        for treatment in (one for one in effects if one in tasks):
            values = effects[treatment].dropna()
            if values.empty:
                continue
            line = f"  {family}-{scale} {treatment:<20} {values.mean():+.3f}"
            if len(values) >= SEEDS:
                effect = values.to_numpy()
                span = over_seeds(effect, np.zeros_like(effect), 0).interval()
                line += f" ({span.low:+.3f} to {span.high:+.3f}; t over seeds)"
            yield line


def _trends(plan: Plan, scaling: pd.DataFrame) -> Iterator[str]:
    """Yield what is said of scale."""
    found = primary_rows(scaling, plan)
    for treatment, part in found.groupby("treatment", sort=False) if len(found) else ():
        yield f"scale, {treatment}: {part['statement'].iloc[0]}"
