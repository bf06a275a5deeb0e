"""XTREME's and XTREME-R's averages, as each computes them: none over an incomplete set by default.

A task's score is the mean over its languages, English among them; of question answering the mean of F1
and exact match; a suite's score is the unweighted mean of its tasks. Scores lie in [0, 1] here, there in
per cent. Sources: Hu et al. 2020 and Ruder et al. 2021, their evaluate.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..alignment.checkpoints.about import ABOUT, read_about
from ..alignment.runs.folder import read_scores
from ..data.languages import standard_tag
from ..data.nearest import closest
from ..data.text import read_lines

COLUMNS = ("task", "language", "metric", "value", "leaks")
AVERAGE = "average"


@dataclass(frozen=True)
class Part:
    """A task of a suite."""

    languages: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy",)  # whose mean is the score
    split: str = "test"


def _tags(codes: str) -> tuple[str, ...]:
    return tuple(map(standard_tag, codes.split()))


_QA = ("span_f1", "exact_match")
_UDPOS = (
    "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh"
)
_NER = (
    "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta "
    "te th tl tr ur vi yo zh"
)
_TATOEBA = (
    "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru sw ta te th tl "
    "tr ur vi zh"
)
_SHARED: Mapping[str, Part] = {
    "xnli": Part(_tags("ar bg de el en es fr hi ru sw th tr ur vi zh")),
    "udpos": Part(_tags(_UDPOS), ("entity_f1",)),
    "wikiann": Part(_tags(_NER), ("entity_f1",)),
    "xquad": Part(_tags("ar de el en es hi ru th tr vi zh"), _QA),
    "mlqa": Part(_tags("ar de en es hi vi zh"), _QA),
    "tydiqa": Part(_tags("ar bn en fi id ko ru sw te"), _QA, split="dev"),
    "tatoeba": Part(_tags(_TATOEBA)),
}
# of xtreme-r, counts are known and the added languages in part from memory: the suite is not verified
SUITES: Mapping[str, Mapping[str, Part]] = {
    "xtreme": {
        **_SHARED,
        "pawsx": Part(_tags("de en es fr ja ko zh")),
        "bucc": Part(_tags("de fr ru zh"), ("f1",)),
    },
    "xtreme-r": {
        **_SHARED,
        "udpos": Part(_tags(f"{_UDPOS} lt pl uk wo ro"), ("entity_f1",)),
        "wikiann": Part(_tags(f"{_NER} az lt pl uk ro qu pa gu"), ("entity_f1",)),
        "xquad": Part((*_SHARED["xquad"].languages, "ro"), _QA),
        "tatoeba": Part(_tags(f"{_TATOEBA} az lt pl uk ro")),
        "xcopa": Part(_tags("et ht id it qu sw ta th tr vi zh")),
        "lareqa": Part(_tags("ar de el en es hi ru th tr vi zh"), ("map@20",)),
        "mewsli-x": Part(_tags("ar de en es fa ja pl ro ta tr uk"), ("map@20",)),
    },
}


def average(suite: str, scores: pd.DataFrame, *, partial: bool = False) -> pd.DataFrame:
    """Return a row per task of a suite and one for their average.

    Args:
        suite: a key of `SUITES`.
        scores: columns task, language, metric, value, leaks; more than the suite's are left out.
        partial: average what there is; `missing` says what there is not.

    Returns:
        task, value, languages (how many), missing (names), leaks (whether any score of it does).

    Raises:
        ValueError: an unknown suite, two values of one score, no score of the suite at all; a score that
            is missing, unless `partial`.
    """
    if suite not in SUITES:
        raise ValueError(f"unknown suite {suite!r}: {closest(suite, SUITES)}")
    twice = scores[scores.duplicated(["task", "language", "metric"], keep=False)]
    if len(twice):
        one = twice.iloc[0]
        raise ValueError(f"{one['task']} {one['language']} {one['metric']} is given twice")
    known = scores.set_index(["task", "language", "metric"])
    rows = []
    for name, part in SUITES[suite].items():
        keys = {tag: [(name, tag, metric) for metric in part.metrics] for tag in part.languages}
        there = {tag: key for tag, key in keys.items() if all(one in known.index for one in key)}
        found = known.loc[[one for key in there.values() for one in key]]
        rows.append(
            {
                "task": name,
                "value": found["value"].mean(),
                "languages": len(there),
                "missing": " ".join(sorted(keys.keys() - there.keys())),
                "leaks": bool(found["leaks"].any()),
            }
        )
    table = pd.DataFrame(rows)
    if not table["languages"].any():
        raise ValueError(f"none of these scores is one of {suite}'s: {', '.join(SUITES[suite])}")
    missing = table[table["missing"] != ""]
    if len(missing) and not partial:
        first = missing.iloc[0]
        missed = f"{first['task']}: {first['missing']}"
        raise ValueError(
            f"{suite} is incomplete: {len(missing)} of {len(table)} tasks miss languages ({missed}); "
            "`partial` averages what there is"
        )
    whole = {
        "task": AVERAGE,
        "value": table["value"].mean(),
        "languages": int(table["languages"].sum()),
        "missing": " ".join(missing["task"]),
        "leaks": bool(table["leaks"].any()),
    }
    return pd.concat([table, pd.DataFrame([whole])], ignore_index=True)


def read_suite(suite: str, paths: Sequence[Path]) -> pd.DataFrame:
    """Return the scores that some files hold of a suite.

    Args:
        suite: a key of `SUITES`.
        paths: folders of `train` (their zero-shot tests), run folders of `score` (Tatoeba, by the
            suite's own protocol; lareqa), and .tsv files of a task, a
            language, a metric and a value a line (BUCC, Mewsli-X, others' numbers).

    Raises:
        ValueError: nothing of the suite there; a line that is no score (file:line).
        OSError: no such file.
    """
    if suite not in SUITES:
        raise ValueError(f"unknown suite {suite!r}: {closest(suite, SUITES)}")
    found: list[dict[str, object]] = []
    for path in paths:
        if path.suffix == ".tsv":
            some = _lines(path)
        elif (path / ABOUT).is_file():
            some = [
                {name: row[name] for name in COLUMNS}
                for row in read_about(path).get("zero_shot", ())
                if row["task"] in SUITES[suite] and row["split"] == SUITES[suite][row["task"]].split
            ]
        else:
            some = _retrieval(suite, read_scores(path))
        if not some:
            raise ValueError(f"{path}: no score of {suite} there")
        found += some
    return pd.DataFrame(found, columns=list(COLUMNS))


def _lines(path: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, line in read_lines(path):
        fields = line.split("\t")
        try:
            task, language, metric, value = fields
            rows.append(
                {
                    "task": task,
                    "language": standard_tag(language),
                    "metric": metric,
                    "value": _share(value),
                    "leaks": False,
                }
            )
        except ValueError:
            raise ValueError(
                f"{path}:{number}: expected task, language, metric and value (0 to 100) by tabs, got "
                f"{line[:60]!r}"
            ) from None
    return rows


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:  # NaN is not
        raise ValueError("no score")
    return value


def _retrieval(suite: str, table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the rows of retrieval: Tatoeba by the suite's protocol, LAReQA by layer L of its run."""
    tatoeba = table[
        (table["corpus"] == "tatoeba") & (table["measure"] == "accuracy") & (table["protocol"] == suite)
    ]
    lareqa = table[
        (table["corpus"] == "lareqa")
        & (table["measure"] == "map@20")
        & (table["direction"] == "forward")
        & (table["depth"] == 1)
    ]
    return [
        {
            "task": row["corpus"],
            "language": row["source"],
            "metric": row["measure"],
            "value": row["value"],
            "leaks": False,
        }
        for row in pd.concat([tatoeba, lareqa]).to_dict("records")
    ]
