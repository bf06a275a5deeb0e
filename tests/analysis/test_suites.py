"""XTREME's average: the mean of means, and nothing where something lacks."""

import json

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.runs.table import COLUMNS
from crosslingual.analysis.suites import AVERAGE, SUITES, average, read_suite


def complete(suite, rng):
    rows = [
        {"task": name, "language": tag, "metric": metric, "value": rng.random(), "leaks": False}
        for name, part in SUITES[suite].items()
        for tag in part.languages
        for metric in part.metrics
    ]
    return pd.DataFrame(rows)


def test_the_suites_have_the_published_numbers_of_languages():
    counts = {suite: {k: len(set(p.languages)) for k, p in SUITES[suite].items()} for suite in SUITES}
    assert counts["xtreme"] == {
        "xnli": 15, "pawsx": 7, "udpos": 33, "wikiann": 40, "xquad": 11, "mlqa": 7, "tydiqa": 9,
        "bucc": 4, "tatoeba": 36,
    }  # fmt: skip
    assert counts["xtreme-r"] == {
        "xnli": 15, "xcopa": 11, "udpos": 38, "wikiann": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9,
        "tatoeba": 41, "lareqa": 11, "mewsli-x": 11,
    }  # fmt: skip


@pytest.mark.parametrize("suite", SUITES)
def test_the_average_is_the_mean_of_the_tasks_means(rng, suite):
    """Of question answering the mean of F1 and exact match, whatever the number of languages."""
    scores = complete(suite, rng)
    table = average(suite, scores.sample(frac=1, random_state=0)).set_index("task")
    means = []
    for name, part in SUITES[suite].items():
        mine = scores[scores["task"] == name]
        by_metric = [mine.loc[mine["metric"] == metric, "value"].mean() for metric in part.metrics]
        assert table.loc[name, "value"] == pytest.approx(np.mean(by_metric))
        means.append(np.mean(by_metric))
    assert table.loc[AVERAGE, "value"] == pytest.approx(np.mean(means))
    assert not table["missing"].any() and not table["leaks"].any()
    assert abs(np.mean(means) - scores["value"].mean()) > 1e-4, "not the mean of all scores"


def test_nothing_is_averaged_over_an_incomplete_set(rng):
    scores = complete("xtreme", rng)
    lacking = scores[~((scores["task"] == "xquad") & (scores["language"] == "th"))]
    with pytest.raises(ValueError, match=r"1 of 9 tasks miss languages \(xquad: th\); `partial`"):
        average("xtreme", lacking)
    half = lacking[~((lacking["task"] == "xquad") & (lacking["metric"] == "span_f1"))]
    with pytest.raises(ValueError, match="xquad: ar de el en"):
        average("xtreme", half)
    table = average("xtreme", lacking, partial=True).set_index("task")
    assert table.loc["xquad", ["languages", "missing"]].tolist() == [10, "th"]
    assert table.loc[AVERAGE, "missing"] == "xquad"
    rest = average("xtreme", lacking[lacking["task"] != "bucc"], partial=True).set_index("task")
    assert rest.loc[AVERAGE, "value"] == pytest.approx(table.drop([AVERAGE, "bucc"])["value"].mean())


def test_leaks_are_told_and_what_is_given_twice_is_refused(rng):
    scores = complete("xtreme", rng)
    scores.loc[3, "leaks"] = True
    table = average("xtreme", scores).set_index("task")
    assert table["leaks"].sum() == 2 and table.loc[AVERAGE, "leaks"]
    with pytest.raises(ValueError, match="is given twice"):
        average("xtreme", pd.concat([scores, scores.head(1)]))
    with pytest.raises(ValueError, match="unknown suite 'xtrem': did you mean xtreme"):
        average("xtrem", scores)
    with pytest.raises(ValueError, match="none of these scores is one of xtreme's"):
        average("xtreme", scores.head(1).assign(task="other"), partial=True)


def test_where_scores_come_from(tmp_path, command):
    trained = tmp_path / "trained"
    trained.mkdir()
    row = {"task": "xnli", "split": "test", "language": "sw", "metric": "accuracy", "value": 0.5}
    rows = [row | {"leaks": False}, row | {"split": "dev", "language": "de", "leaks": False}]
    (trained / "crosslingual.json").write_text(json.dumps({"zero_shot": rows}))
    run = pd.DataFrame(
        {
            "corpus": "tatoeba", "measure": "accuracy", "protocol": ["xtreme", "", "xtreme-r"],
            "source": "de", "value": [0.9, 0.1, 0.2], "direction": "backward", "depth": 0.6,
            "checkpoint": "m", "target": "en", "layer": 7,
        },
        columns=list(COLUMNS),
    ).astype(dict(COLUMNS))  # fmt: skip
    run.to_parquet(tmp_path / "run.parquet")
    (tmp_path / "more.tsv").write_text("bucc\tdeu\tf1\t0.25\nbucc\tfr\tf1\t0.75\n")
    paths = [trained, tmp_path / "run.parquet", tmp_path / "more.tsv"]
    scores = read_suite("xtreme", paths).set_index(["task", "language"])["value"]
    assert scores.to_dict() == {
        ("xnli", "sw"): 0.5, ("tatoeba", "de"): 0.9, ("bucc", "de"): 0.25, ("bucc", "fr"): 0.75,
    }  # fmt: skip
    done = command("average", "xtreme", *paths, "--partial")
    assert done.returncode == 0 and "average     0.6333" in done.stdout, done.stdout + done.stderr
    assert "missing: ar bg de" in done.stdout
    whole = command("average", "xtreme", *paths)
    assert whole.returncode == 1 and "xtreme is incomplete" in whole.stderr
    (tmp_path / "more.tsv").write_text("bucc\tdeu\tf1\n")
    with pytest.raises(ValueError, match=r"more.tsv:1: expected task, language, metric and value"):
        read_suite("xtreme", paths)
    run.iloc[:2].to_parquet(tmp_path / "run.parquet")
    with pytest.raises(ValueError, match="run.parquet: no score of xtreme-r there"):
        read_suite("xtreme-r", [tmp_path / "run.parquet"])
