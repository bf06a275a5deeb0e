"""Published figures held against what a study found: which agree, and by how much the others differ."""

from collections.abc import Iterator, Mapping

import pandas as pd

from ...alignment.runs.folder import read_scores
from ...alignment.runs.table import MACRO
from ...data.languages import standard_tag
from ...data.rows import Columns
from ..tables.published import agrees
from .expected import Expected
from .plan import BASE, Plan, Subject

CELLS = ("measure", "direction", "pooling", "map")


def expected_table(plan: Plan) -> pd.DataFrame:
    """Return published figures next to the study's own.

    Args:
        plan: of the study; checkpoints that are not scored yet are left out.

    Returns:
        A row per published figure, checkpoint and layer: source, checkpoint, corpus, the cell's names,
        language (macro: the mean), layer, expected, found, tolerance, difference = found - expected,
        within. `found` is missing where the language was not scored; where no layer is named
        (`layer: any`) every layer has its rows.
    """
    rows = [
        row
        for expected in plan.study.expected
        for subject in _subjects(plan, expected)
        for row in _compared(plan, subject, expected)
    ]
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame(rows)
    difference = table["found"] - table["expected"]
    return table.assign(difference=difference, within=agrees(difference, table["tolerance"]))


def expected_in_words(table: pd.DataFrame) -> Iterator[str]:
    """Yield a line per source and checkpoint: how many figures agree, and the farthest of the others.

    Where the source names no layer, the line is of the layer that comes nearest.

    Args:
        table: of `expected_table`.
    """
    if table.empty:
        return
    of = ["source", "checkpoint", "corpus", *CELLS, "any"]
    for key, part in table.groupby(of, sort=False):
        source, checkpoint, corpus, *_, free = key
        far = part.assign(far=part["difference"].abs()).groupby("layer")["far"].mean()
        if far.isna().all():
            yield f"expected ({source}): no language of it was scored for {checkpoint} on {corpus}"
            continue
        layer = far.idxmin()
        own = part[(part["layer"] == layer) & part["found"].notna()]
        where = f"layer {layer}{', the nearest' if free else ''}"
        line = f"expected ({source}): {checkpoint} on {corpus}, {where}: "
        line += f"{int(own['within'].sum())} of {len(own)} within {own['tolerance'].iloc[0]:g}"
        worst = own.loc[own["difference"].abs().idxmax()]
        name = "mean" if worst["language"] == MACRO else worst["language"]
        line += f"; farthest {name}: {worst['found']:.3f} for {worst['expected']:.3f}"
        absent = part.loc[part["layer"] == layer, "found"].isna().sum()
        yield line + (f"; {absent} not scored" if absent else "")


def _subjects(plan: Plan, expected: Expected) -> list[Subject]:
    """Return the scored checkpoints, of all seeds, that published figures are of."""
    place, treatment = expected.place
    name, part = (place, treatment or BASE), plan.part(expected.corpus)
    return [
        one
        for one in plan.subjects
        if (f"{one.family}/{one.scale}", one.treatment) == name and part in plan.scored(one)
    ]


def _compared(plan: Plan, subject: Subject, expected: Expected) -> Iterator[Columns]:
    """Yield the rows of one source and checkpoint."""
    scores = read_scores(plan.run(subject, plan.part(expected.corpus)))
    for name in CELLS:
        scores = scores[scores[name] == getattr(expected, name)]
    free = expected.layer == "any"
    layers = sorted(set(scores["layer"])) if free else [expected.layer]
    wide = scores.pivot_table(index="source", columns="layer", values="value")
    about: Columns = {"source": expected.source, "checkpoint": subject.name, "corpus": expected.corpus}
    about |= {name: getattr(expected, name) for name in CELLS}
    for layer in layers:
        found = wide[layer].dropna().to_dict() if layer in wide else {}
        for language, value, ours in _figures(expected, found):
            row = {"any": free, "layer": layer, "language": language, "expected": value, "found": ours}
            yield about | row | {"tolerance": expected.tolerance}


def _figures(expected: Expected, found: Mapping[str, float]) -> Iterator[tuple[str, float, float]]:
    """Yield language, published and found; the mean is over all languages that it names, or missing."""
    for code, value in expected.values.items():
        tag = standard_tag(code)
        yield tag, value, found.get(tag, float("nan"))
    if expected.mean is not None:
        tags = [standard_tag(code) for code in expected.languages.split(",")]
        mean = sum(found.get(tag, float("nan")) for tag in tags) / len(tags)
        yield MACRO, expected.mean, mean
