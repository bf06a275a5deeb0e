"""What an encoder of the family has learnt: retrieval by layer and language, on text it never saw."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..analysis import score
from ..data import AnyBitext, load
from .recipe import DEV, LANGUAGES, REPORTED
from .text import read_bitexts

DEV_CORPORA = tuple(portion.corpus for portion in DEV)
COLUMNS = ["corpus", "language", "layer", "n", "accuracy", "low", "high", "surface"]


def measure(folder: Path, data_dir: Path, work: Path) -> pd.DataFrame:
    """Return accuracy (mean of both directions) with its 95 % interval and its surface floor.

    Args:
        folder: of an encoder.
        data_dir: holds the corpora.
        work: for the runs.
    """
    corpora: dict[str, Sequence[AnyBitext]] = {
        portion.corpus: read_bitexts(portion, data_dir) for portion in DEV
    }
    tags = {bitext.source.language for bitext in corpora[DEV[0].corpus]}
    assert {*tags, "en"} == {*LANGUAGES}
    corpora[REPORTED] = load(REPORTED, data_dir=data_dir, languages=",".join(sorted(tags)))
    found = []
    for name, bitexts in corpora.items():
        out = work / folder.name / name.replace("/", "-")
        table = score(str(folder), bitexts, measures="accuracy", out=out).table
        rows = table[(table["direction"] == "mean") & (table["measure"] == "accuracy")]
        found.append(rows.assign(corpus=name))
    table = pd.concat(found).rename(columns={"source": "language", "value": "accuracy"})
    return table[COLUMNS].sort_values(["corpus", "language", "layer"], ignore_index=True)


def chosen_layer(curves: pd.DataFrame) -> int:
    """Return the layer that is best on DEV: the mean of its corpora, of each over languages."""
    dev = curves[curves["corpus"].isin(DEV_CORPORA)]
    means = dev.groupby(["layer", "corpus"])["accuracy"].mean().groupby("layer").mean()
    return int(means.idxmax())


def by_layer(curves: pd.DataFrame) -> pd.DataFrame:
    """Return a row a layer: mean accuracy over the languages of DEV and of each corpus."""
    means = curves.groupby(["layer", "corpus"])["accuracy"].mean().unstack()
    means.insert(0, "dev", means[[*DEV_CORPORA]].mean(axis=1))
    hard = curves[curves["language"].isin(OTHER_SCRIPTS) & (curves["corpus"] == REPORTED)]
    return means.assign(**{"other scripts": hard.groupby("layer")["accuracy"].mean()})


OTHER_SCRIPTS = ("ru", "zh", "ar", "hi")  # what spelling does not help with
