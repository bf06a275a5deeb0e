"""Published numbers: read and compared with ours, and ours written as MTEB publishes its own."""

import json
from pathlib import Path

import langcodes
import pandas as pd

from ...alignment.checkpoints.errors import refusing
from ...alignment.measures import MEASURES
from ...data.rows import Columns
from ...data.text import read_text

MTEB_NAMES = {name: measure.mteb for name, measure in MEASURES.items() if measure.mteb}
MTEB_TASKS = {
    "tatoeba": "Tatoeba",
    "flores": "FloresBitextMining",
    "ntrex": "NTREXBitextMining",
}
TOLERANCE = 0.002  # two sentences of a thousand: kernels and tokenizer versions flip as many


def mteb_result(table: pd.DataFrame) -> Columns:
    """Return a run of `--protocol mteb` as MTEB's result of one task.

    Both directions of a pair are subsets: `deu-eng` queries English with German, `eng-deu` the reverse.

    Raises:
        ValueError: the run follows another protocol or none, or has several corpora.
    """
    if set(table["protocol"]) != {"mteb"}:
        raise ValueError("only a run of score with `protocol` mteb is what MTEB measures")
    if len(table[["corpus", "split"]].drop_duplicates()) > 1:
        raise ValueError(
            "an MTEB result file holds one corpus; this run has several: export them one at a time"
        )
    first = table.iloc[0]
    subsets = []
    for pair in _pairs(table).itertuples(index=False):
        values = {theirs: getattr(pair, ours) for ours, theirs in MTEB_NAMES.items()}
        subsets.append(
            values
            | {
                "recall": pair.accuracy,
                "main_score": pair.f1_weighted,
                "hf_subset": pair.subset,
                "languages": [_script(pair.source), _script(pair.target)],
            }
        )
    return {
        "task_name": MTEB_TASKS.get(first["corpus"], first["corpus"]),
        "dataset_revision": "",
        "mteb_version": None,
        "evaluation_time": None,
        "kg_co2_emissions": None,
        "scores": {first["split"]: subsets},
    }


def read_published(path: Path) -> pd.DataFrame:
    """Return published numbers as rows (subset, measure, value).

    Args:
        path: MTEB's result of a bitext mining task (.json), or a .tsv with these three columns, whose
            measures are ours: `deu-eng`, `accuracy`, `0.086`.

    Raises:
        ValueError: the file is neither.
        OSError: it cannot be read.
    """
    if path.suffix == ".tsv":
        with refusing(path, "no table"):
            table = pd.read_csv(path, sep="\t")
        if not {"subset", "measure", "value"} <= set(table.columns):
            raise ValueError(f"{path}:1: expected the columns subset, measure, value")
        with refusing(path, "a value is no number"):
            return table[["subset", "measure", "value"]].astype({"value": float})
    try:
        scores = json.loads(read_text(path, 1 << 28))["scores"]
        return pd.DataFrame(
            {"subset": entry["hf_subset"], "measure": ours, "value": float(entry[theirs])}
            for entries in scores.values()
            for entry in entries
            for ours, theirs in MTEB_NAMES.items()
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path}: neither an MTEB result of bitext mining nor a .tsv ({error!r})"
        ) from None


def compare_published(
    table: pd.DataFrame, published: pd.DataFrame, tolerance: float = TOLERANCE
) -> pd.DataFrame:
    """Return our numbers with the published ones, those that both have.

    Args:
        table: scores of a run of one protocol.
        published: see `read_published`.
        tolerance: the greatest difference that counts as within.

    Returns:
        Rows (subset, measure, ours, theirs, difference, within).

    Raises:
        ValueError: a run without or of several protocols; no number in common.
    """
    protocols = set(table["protocol"])
    if len(protocols) != 1 or protocols == {""}:
        raise ValueError("published numbers follow one protocol: score with `protocol`")
    wide = _pairs(table).drop(columns=["source", "target"])
    ours = wide.melt("subset", var_name="measure", value_name="ours")
    both = ours.merge(published.rename(columns={"value": "theirs"}), on=["subset", "measure"])
    if both.empty:
        raise ValueError(
            f"the run has {', '.join(sorted(set(ours['subset']))[:3])}, … and the file "
            f"{', '.join(sorted(set(published['subset']))[:3])}, …: no number in common"
        )
    difference = both["ours"] - both["theirs"]
    return both.assign(difference=difference, within=agrees(difference, tolerance))


def agrees(difference: pd.Series, tolerance: pd.Series | float) -> pd.Series:
    """Return which differences are within a tolerance; exactly that is, whatever its last digit."""
    return difference.abs() <= tolerance + 1e-9


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row per subset (a pair in one direction), a column per measure."""
    rows = table.copy()
    back = rows["direction"] == "backward"
    for a, b in (("source", "target"), ("source_code", "target_code")):
        rows.loc[back, [a, b]] = rows.loc[back, [b, a]].to_numpy()
    rows["subset"] = rows["source_code"] + "-" + rows["target_code"]
    by = ["subset", "source", "target"]
    if rows.duplicated([*by, "measure"]).any():
        raise ValueError(
            "no published number compares: the run has several layers, poolings or maps: name one"
        )
    return rows.pivot(index=by, columns="measure", values="value").reset_index()


def _script(tag: str) -> str:
    """Return a language as MTEB writes it: de -> deu-Latn."""
    language = langcodes.Language.get(tag)
    return f"{language.to_alpha3()}-{language.maximize().script}"
