"""What a study found: every comparison with a base, recipes over their seeds, trends over scales."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from ...alignment.measures import MEASURES
from ...alignment.runs.folder import read_scores
from ...alignment.runs.table import with_keys
from ...data.rows import Columns
from ..retention.cell_pairs import CELL, Cells, read_scored
from ..retention.claims import SEEDS, Pooled, over_seeds
from ..retention.retaining import compare_cells
from ..retention.verdicts import Verdict, judge
from .engines import in_processes
from .plan import Plan, Subject

# what names a recipe's comparison, apart from its seed
WHAT = ("family", "scale", "treatment", "control", *CELL, "measure", "direction")
READINGS = ("delta", "area")
FEW = 8  # checkpoints a process, below which beginning it takes longer than it saves


@dataclass(frozen=True, eq=False)
class _Recipe:
    """The change by a recipe, in three readings; see `verdicts.Judged`."""

    equal: Pooled
    best: Pooled
    area: Pooled
    better: int
    assessable: bool


def finished(plan: Plan) -> list[Subject]:
    """Return the checkpoints that are scored on every corpus."""
    return [one for one in plan.subjects if len(plan.scored(one)) == len(plan.parts)]


def all_scores(plan: Plan) -> pd.DataFrame:
    """Return the scores of all finished checkpoints."""
    tables = [
        with_keys(read_scores(plan.run(subject, part)).assign(checkpoint=subject.name))
        for subject in finished(plan)
        for part in plan.parts
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def retention_table(plan: Plan, processes: int = 1) -> pd.DataFrame:
    """Return the comparison of every fine-tuned checkpoint with its base: see `retaining.compare_runs`.

    Args:
        plan: of the study.
        processes: how many compare, where there are many checkpoints.

    Raises:
        ValueError: a base and a checkpoint that were scored with other settings.
    """
    done = {subject.name for subject in finished(plan)}
    kept = [one for one in plan.treated() if {one.name, plan.base_of(one).name} <= done]
    compare = partial(_compared, plan)
    alone = processes == 1 or len(kept) <= processes * FEW
    work = list(_of_one_base(plan, kept, len(kept) if alone else -(-len(kept) // processes)))
    found = map(compare, work) if alone else in_processes(compare, work, processes)
    tables = dict(pair for part in found for pair in part)
    ordered = [tables[subject.name] for subject in kept]
    return pd.concat(ordered, ignore_index=True) if ordered else pd.DataFrame()


def _of_one_base(plan: Plan, subjects: Sequence[Subject], size: int) -> Iterator[Sequence[Subject]]:
    """Yield checkpoints of the same base, so many at once at most."""
    parts: dict[str, list[Subject]] = {}
    for subject in subjects:
        parts.setdefault(plan.base_of(subject).name, []).append(subject)
    for part in parts.values():
        yield from (part[start : start + size] for start in range(0, len(part), size))


def _compared(plan: Plan, subjects: Sequence[Subject]) -> list[tuple[str, pd.DataFrame]]:
    """Return the comparisons of checkpoints of the same base, by name."""
    base = plan.base_of(subjects[0])
    plain = {part.name: read_scored(plan.run(base, part)) for part in plan.parts}
    return [(subject.name, _with_base(plan, subject, base, plain)) for subject in subjects]


def _with_base(plan: Plan, subject: Subject, base: Subject, plain: Mapping[str, Cells]) -> pd.DataFrame:
    """Return the comparison of a checkpoint with its base."""
    chosen_by = plan.study.dev
    dev = read_scored(plan.run(subject, chosen_by)), plain[chosen_by.name]
    tables = []
    for part in plan.study.test:
        table = compare_cells(
            read_scored(plan.run(subject, part)),
            plain[part.name],
            dev=dev,
            margin=plan.study.margin,
            names=(f"{subject.name} on {part.name}", f"{base.name} on {part.name}"),
        )
        about = next(iter(plain[part.name].values())).about
        sizes = {name: about[name] for name in ("parameters", "parameters_body")}
        names = {**_named(subject), "base_checkpoint": base.name}
        tables.append(table.assign(**names, **sizes))
    return pd.concat(tables, ignore_index=True)


def recipes_table(table: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Return what holds of a recipe at a scale, from at least three seeds.

    Args:
        table: of `retention_table`.
        margin: the greatest loss that counts as retained.

    Returns:
        A row per recipe, scale, cell, measure and direction: seeds, delta and area with intervals over
        seeds and sentences, verdict. Empty where no recipe has three seeds.
    """
    rows: list[Columns] = []
    for key, part in table.groupby(list(WHAT), sort=False):
        best = part[part["chosen"] == "best"]
        if len(best) < SEEDS:
            continue
        first = best.iloc[0]
        groups = int(best["groups"].min())
        delta, area = (
            over_seeds(best[name].to_numpy(), best[f"{name}_error"].to_numpy(), groups)
            for name in READINGS
        )
        equal = part[part["chosen"] == "equal"]
        values, errors = (
            equal.pivot_table(index="train_seed", columns="layer", values=name, dropna=False).to_numpy()
            for name in ("delta", "delta_error")
        )
        change = _Recipe(
            over_seeds(values, errors, groups),
            delta,
            area,
            1 if MEASURES[str(first["measure"])].higher_is_better else -1,
            bool((best["verdict"] != Verdict.NOT_ASSESSABLE).all()),
        )
        found: Columns = dict(zip(WHAT, key, strict=True))
        found |= {name: first[name] for name in ("parameters", "parameters_body")}
        found |= {"seeds": len(best), "groups": groups, "margin": margin}
        found |= {name: best[name].mean() for name in ("value", "base", "null", "base_null", "surface")}
        for name, span in (("delta", delta.interval()), ("area", area.interval())):
            found |= {name: span.value, f"{name}_low": span.low, f"{name}_high": span.high}
            found |= {f"{name}_error": span.error}
        rows.append(found | {"verdict": str(judge(change, margin))})
    return pd.DataFrame(rows)


def primary_rows(table: pd.DataFrame, plan: Plan, *, chosen: str | None = "best") -> pd.DataFrame:
    """Return the rows of the study's primary cells.

    Args:
        table: of `retention_table` or `recipes_table`.
        plan: of the study.
        chosen: which layers, where the table has several.
    """
    if table.empty:
        return table
    primary = plan.study.primary
    corpus, _, split = primary.corpus.partition("/")
    splits = table["split"].str.partition("+")
    kept = (table["corpus"] == corpus) & (splits[2] == primary.noise) & (not split or splits[0] == split)
    for name in ("measure", "direction", "pooling", "map"):
        kept &= table[name] == getattr(primary, name)
    if "chosen" in table:
        kept &= table["chosen"] == chosen
    return table[kept]


def _named(subject: Subject) -> Columns:
    return {
        "family": subject.family,
        "scale": subject.scale,
        "treatment": subject.treatment,
        "control": subject.control,
        "train_seed": subject.seed,
        "checkpoint": subject.name,
    }
