"""Task scores by checkpoint and language, out of the files that several tools write.

crosslingual.json      the zero-shot tests of our own `train`
results_*.json         lm-evaluation-harness: a task a language, as xnli_de
samples_*.jsonl        likewise, a line an example: their mean
<Task>.json            mteb: subsets with their languages
*.tsv                  by hand: checkpoint, task, language, metric, value by tabs
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from ...alignment.checkpoints.about import ABOUT, read_about
from ...alignment.checkpoints.errors import refusing
from ...data.languages import standard_tag
from ...data.rows import Row
from ...data.text import read_lines, read_text

COLUMNS = ("checkpoint", "task", "language", "metric", "value")
LARGEST = 1 << 28  # bytes of a results file
# of lm-evaluation-harness, the first of these that a task has
METRICS = ("acc_norm", "acc", "exact_match", "f1", "mc2", "bleu", "chrf")
_SAMPLES = re.compile(r"samples_(.+)_\d{4}-\d\d-\d\dT.*\.jsonl")
_LANGUAGE = re.compile(r"(.+?)[_-]([a-z]{2,3}(?:[_-][A-Z][a-z]{3})?)")
ENGLISH = "en"  # what tasks are trained in: its alignment with itself says nothing


def read_task_scores(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the task scores that files hold, or all files in folders.

    Args:
        paths: files, or folders that are searched with all that is in them.

    Returns:
        A row per checkpoint, task, language and metric: the columns of `COLUMNS`.

    Raises:
        ValueError: none there; two values of one score; a line that is no score (file:line).
        OSError: no such file or folder.
    """
    found: dict[tuple[str, ...], tuple[float, Path]] = {}
    samples: dict[tuple[str, ...], tuple[float, Path]] = {}
    for path in paths:
        before = len(found) + len(samples)
        for file in _files(path):
            into = samples if _SAMPLES.fullmatch(file.name) else found
            for *key, value in _rows(file):
                name = tuple(key)
                if into.get(name, (value,))[0] != value:
                    raise ValueError(f"{' '.join(name)} has two values: {into[name][1]} and {file}")
                into[name] = value, file
        if len(found) + len(samples) == before:
            raise ValueError(
                f"{path}: no task scores there (of our train, lm-evaluation-harness or mteb, or a .tsv "
                "with checkpoint, task, language, metric, value)"
            )
    known = {key[:3] for key in found}  # what a results file has, its samples have rounded otherwise
    kept = found | {key: one for key, one in samples.items() if key[:3] not in known}
    return pd.DataFrame([(*key, value) for key, (value, _) in kept.items()], columns=list(COLUMNS))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise OSError(f"{path}: no such file or folder")
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def _rows(file: Path) -> Iterator[tuple[str, str, str, str, float]]:
    """Yield the scores of a file; nothing if it is of another kind."""
    match = _SAMPLES.fullmatch(file.name)
    found: list[tuple[str, str, str, str, float]]
    if file.suffix == ".tsv":
        yield from _by_hand(file)
    elif file.name == ABOUT:
        tests = read_about(file.parent).get("zero_shot", ())
        with refusing(file, "no zero-shot tests"):
            found = [
                (str(file.parent), str(row["task"]), row["language"], row["metric"], float(row["value"]))
                for row in tests
            ]
        yield from found
    elif match:
        with refusing(file, "no examples"):
            found = list(_of_samples(file, match[1]))
        yield from found
    elif file.suffix == ".json":
        with refusing(file, "no results"):
            read = json.loads(read_text(file, LARGEST))
            found = []
            if isinstance(read, dict) and isinstance(read.get("results"), dict):
                found = list(_of_harness(read))
            elif isinstance(read, dict) and "task_name" in read and isinstance(read.get("scores"), dict):
                found = list(_of_mteb(file, read))
        yield from found


def _by_hand(file: Path) -> Iterator[tuple[str, str, str, str, float]]:
    for number, line in read_lines(file):
        fields = tuple(line.split("\t"))
        if fields == COLUMNS:
            continue
        try:
            checkpoint, task, language, metric, text = fields
            value = float(text)
            if not math.isfinite(value):
                raise ValueError
            yield checkpoint, task, standard_tag(language), metric, value
        except ValueError:
            raise ValueError(
                f"{file}:{number}: expected {', '.join(COLUMNS)} by tabs, got {line[:60]!r}"
            ) from None


def _of_harness(read: Row) -> Iterator[tuple[str, str, str, str, float]]:
    """Yield what lm-evaluation-harness found: the first metric of every task of a language."""
    config = read.get("config") or {}
    given = re.search(r"(?:pretrained|model)=([^,]+)", str(config.get("model_args", "")))
    checkpoint = str(read.get("model_name") or (given[1] if given else "") or config.get("model", ""))
    for name, scores in read["results"].items():
        split = _LANGUAGE.fullmatch(name)
        if not split or not isinstance(scores, dict):
            continue  # a group of tasks, or a task of no named language
        values = {key.partition(",")[0]: one for key, one in scores.items() if isinstance(one, float)}
        metric = next((one for one in METRICS if one in values), None)
        if metric is not None:
            yield checkpoint, split[1], standard_tag(split[2]), metric, values[metric]


def _of_samples(file: Path, task: str) -> Iterator[tuple[str, str, str, str, float]]:
    """Yield the mean of an examples file of lm-evaluation-harness; its folder names the checkpoint."""
    split = _LANGUAGE.fullmatch(task)
    if not split:
        return
    rows = [json.loads(line) for _, line in read_lines(file)]
    metric = next((one for one in METRICS if rows and one in rows[0]), None)
    if metric is not None:
        mean = sum(float(row[metric]) for row in rows) / len(rows)
        yield file.parent.name.replace("__", "/"), split[1], standard_tag(split[2]), metric, mean


def _of_mteb(file: Path, read: Row) -> Iterator[tuple[str, str, str, str, float]]:
    """Yield what mteb found: the main score of every subset of one language, or of one and English."""
    about = file.parent / "model_meta.json"
    if about.is_file():
        checkpoint = str(json.loads(read_text(about, LARGEST)).get("name", ""))
    else:  # results/<model>/<revision>/<task>.json
        checkpoint = file.parent.parent.name.replace("__", "/")
    splits = read["scores"]
    for subset in splits.get("test") or next(iter(splits.values()), []):
        tags = {standard_tag(code) for code in subset.get("languages", ())}
        others = tags - {ENGLISH} or tags
        if len(others) == 1 and isinstance(subset.get("main_score"), float):
            yield checkpoint, read["task_name"], others.pop(), "main_score", subset["main_score"]
