"""Task scores of several tools are read, matched by checkpoint and language, and related to alignment."""

import json

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.runs.files import write_table
from crosslingual.alignment.runs.table import COLUMNS
from crosslingual.analysis.transfer.points import joined
from crosslingual.analysis.transfer.relating import (
    ACROSS_CHECKPOINTS,
    ACROSS_LANGUAGES,
    OF_CHANGES,
    in_words,
    transfer,
)
from crosslingual.analysis.transfer.task_scores import read_task_scores

TAGS = ["de", "fr", "es", "it", "ru", "zh", "ar", "tr", "fi", "hi", "sw"]


def scored(folder, values):
    """A run folder's table: an alignment score for every checkpoint, language and layer."""
    rows = [
        {
            "checkpoint": name,
            "source": tag,
            "target": "en",
            "layer": layer,
            "value": value - 0.1 * (layer == 0),
        }
        for name, own in values.items()
        for tag, value in zip(TAGS, own, strict=True)
        for layer in (0, 1)
    ]
    rows += [
        {"checkpoint": name, "source": "en", "target": "en", "layer": 1, "value": 1.0} for name in values
    ]
    table = pd.DataFrame(rows).assign(
        corpus="tatoeba", split="test", pooling="mean", map="none", measure="accuracy", direction="mean",
        family="f", parameters=10, stage="intermediate",
    )  # fmt: skip
    table.loc[table["checkpoint"] == "base", "stage"] = "pretrained"
    table = table.reindex(columns=list(COLUMNS))
    for name, kind in COLUMNS.items():
        table[name] = (
            table[name].astype(object).fillna("") if kind == "string" else table[name]
        ).astype(kind)
    write_table(folder, "scores", table)
    return folder


def by_hand(path, values, task="xnli"):
    lines = [
        f"{name}\t{task}\t{tag}\taccuracy\t{value}"
        for name, own in values.items()
        for tag, value in zip(TAGS, own, strict=True)
    ]
    path.write_text("checkpoint\ttask\tlanguage\tmetric\tvalue\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def planted(rng, tmp_path):
    """Within every checkpoint task scores fall with alignment; between checkpoints they rise."""
    level = {"base": 0.0, "one": 0.2, "two": 0.4, "three": 0.6}
    easy = np.linspace(0.0, 0.1, len(TAGS))
    noise = 0.003 * rng.standard_normal((4, 2, len(TAGS)))
    alignment = {name: at + easy + n[0] for (name, at), n in zip(level.items(), noise, strict=True)}
    task = {name: at - easy + n[1] for (name, at), n in zip(level.items(), noise, strict=True)}
    return scored(tmp_path / "run", alignment), by_hand(tmp_path / "tasks.tsv", task), alignment, task


def test_within_and_between_are_two_things(planted):
    """Simpson: pooled it rises, in every checkpoint it falls; changes are what changed."""
    run, tasks, alignment, task = planted
    result = transfer([run], tasks=str(tasks))
    pooled = np.corrcoef(np.concatenate(list(alignment.values())), np.concatenate(list(task.values())))
    assert pooled[0, 1] > 0.9
    table = result.table
    within = table[table["kind"] == ACROSS_LANGUAGES].set_index("of")
    assert (within["high"] < 0).all() and set(within.index) == set(alignment)
    assert within.loc["one", "value"] == pytest.approx(
        np.corrcoef(alignment["one"], task["one"])[0, 1], abs=1e-12
    )
    (change,) = table[table["kind"] == OF_CHANGES].to_dict("records")
    assert change["points"] == 3 * len(TAGS) and change["checkpoints"] == 3, "not the base's own"
    assert change["value"] > 0.9
    few = table[table["kind"] == ACROSS_CHECKPOINTS]
    assert few["value"].isna().all() and few["note"].str.contains("4 points, fewer than 8").all()
    said = "\n".join(in_words(table, result.points))
    assert "scores fall with alignment within checkpoints, although they rise" in said


def test_english_is_left_out_and_the_layer_is_the_best_on_average(planted):
    run, tasks, *_ = planted
    points = transfer([run], tasks=str(tasks)).points
    assert "en" not in set(points["language"]) and set(points["layer"]) == {1}
    assert set(transfer([run], tasks=str(tasks), layer="0").points["layer"]) == {0}
    assert len(transfer([run], tasks=str(tasks), corpus="tatoeba", map="none").points) == len(points)
    with pytest.raises(ValueError, match="`pooling`: 'man'.*mean"):
        transfer([run], tasks=str(tasks), pooling="man")
    with pytest.raises(ValueError, match="base has no layer 7: 0 to 1"):
        transfer([run], tasks=str(tasks), layer="7")


def test_the_base_can_be_named_and_there_may_be_none(planted):
    run, tasks, *_ = planted
    one = transfer([run], tasks=str(tasks), base="one").table
    assert one[one["kind"] == OF_CHANGES]["checkpoints"].item() == 3
    with pytest.raises(ValueError, match=r"`base`: 'nobody': .*base"):
        transfer([run], tasks=str(tasks), base="nobody")


def test_covariates(planted, tmp_path):
    run, tasks, *_ = planted
    table = tmp_path / "sizes.tsv"
    table.write_text("language\tsize\n" + "".join(f"{tag}\t{i}\n" for i, tag in enumerate(TAGS)))
    found = transfer([run], tasks=str(tasks), covariates=table).table
    within = found[found["kind"] == ACROSS_LANGUAGES]
    assert (within["partial"].abs() < within["value"].abs()).all(), "easy goes with the line number"
    table.write_text("language\tsize\nde\tmany\n")
    with pytest.raises(ValueError, match=r"sizes.tsv:2: expected a language and 1 numbers by tabs"):
        transfer([run], tasks=str(tasks), covariates=table)
    table.write_text("language\tsize\nde\t1\n")
    with pytest.raises(ValueError, match=r"nothing of "):
        transfer([run], tasks=str(tasks), covariates=table)


def harness(folder, name, scores):
    results = {
        task: {"alias": task, "acc,none": value, "acc_stderr,none": 0.01}
        for task, value in scores.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results_2026-01-02T03-04-05.123456.json").write_text(
        json.dumps({"results": results, "model_name": name, "config": {"model": "hf"}})
    )


def test_lm_evaluation_harness(tmp_path):
    scores = {"xnli": 0.5, "xnli_de": 0.61, "xnli_sw": 0.4, "belebele_deu_Latn": 0.7, "hellaswag": 0.9}
    harness(tmp_path / "org__model", "org/model", scores)
    samples = tmp_path / "org__model" / "samples_xnli_ru_2026-01-02T03-04-05.123456.jsonl"
    samples.write_text('{"doc_id": 0, "acc": 1.0}\n{"doc_id": 1, "acc": 0.0}\n')
    again = tmp_path / "org__model" / "samples_xnli_de_2026-01-02T03-04-05.123456.jsonl"
    again.write_text('{"doc_id": 0, "acc": 1.0}\n')
    table = read_task_scores([tmp_path])
    assert set(table["checkpoint"]) == {"org/model"}
    found = {(row.task, row.language): row.value for row in table.itertuples()}
    assert found == {
        ("xnli", "de"): 0.61, ("xnli", "sw"): 0.4, ("xnli", "ru"): 0.5, ("belebele", "de"): 0.7,
    }  # fmt: skip


def test_mteb(tmp_path):
    folder = tmp_path / "results" / "org__model" / "0123abc"
    folder.mkdir(parents=True)
    subsets = [
        {"hf_subset": "deu-eng", "languages": ["deu-Latn", "eng-Latn"], "main_score": 0.9},
        {"hf_subset": "zh", "languages": ["cmn-Hans"], "main_score": 0.6},
        {"hf_subset": "de-fr", "languages": ["deu-Latn", "fra-Latn"], "main_score": 0.3},
    ]
    (folder / "Tatoeba.json").write_text(
        json.dumps({"task_name": "Tatoeba", "scores": {"test": subsets}})
    )
    table = read_task_scores([tmp_path])
    assert set(table["checkpoint"]) == {"org/model"}
    assert dict(zip(table["language"], table["value"], strict=True)) == {"de": 0.9, "zh": 0.6}
    (folder / "model_meta.json").write_text('{"name": "another/name"}')
    assert set(read_task_scores([tmp_path])["checkpoint"]) == {"another/name"}


def test_what_train_leaves(tmp_path):
    (tmp_path / "crosslingual.json").write_text(
        json.dumps(
            {"zero_shot": [{"task": "xnli", "language": "de", "metric": "accuracy", "value": 0.5}]}
        )
    )
    table = read_task_scores([tmp_path])
    assert table.iloc[0].to_dict() == {
        "checkpoint": str(tmp_path), "task": "xnli", "language": "de", "metric": "accuracy", "value": 0.5,
    }  # fmt: skip


def test_names_are_matched_by_their_ends():
    alignment = pd.DataFrame(
        {"checkpoint": ["runs/a/target", "runs/b/target"], "language": "de", "alignment": 1.0}
    )
    tasks = pd.DataFrame({"checkpoint": ["/data/runs/b/target"], "language": ["de"], "value": [0.5]})
    assert list(joined(alignment, tasks)["checkpoint"]) == ["runs/b/target"]
    phase = tasks.assign(checkpoint="runs/study/checkpoints/m-nli-seed0/intermediate")
    study = alignment.assign(checkpoint=["m-nli-seed0", "m-nli-seed1"])
    assert list(joined(study, phase)["checkpoint"]) == ["m-nli-seed0"]
    with pytest.raises(ValueError, match="task scores of target fit runs/a/target and runs/b/target"):
        joined(alignment, tasks.assign(checkpoint="target"))
    with pytest.raises(ValueError, match="no checkpoint has both"):
        joined(alignment, tasks.assign(checkpoint="nobody"))
    with pytest.raises(ValueError, match="no language has both: alignment of de; task scores of fr"):
        joined(alignment, tasks.assign(language="fr"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\txnli\tde\taccuracy\n", r"t.tsv:1: expected checkpoint, task, language, metric, value"),
        ("a\txnli\tde\taccuracy\tnan\n", r"t.tsv:1: expected"),
        ("a\txnli\tde\tacc\t.5\na\txnli\tde\tacc\t.6\n", "a xnli de acc has two values"),
        ("", "no task scores there"),
    ],
)
def test_what_is_no_task_score_is_said(tmp_path, text, message):
    path = tmp_path / "t.tsv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_task_scores([path])
    with pytest.raises(OSError, match="no such file or folder"):
        read_task_scores([tmp_path / "nowhere"])


def test_the_command(planted, command, tmp_path):
    run, tasks, *_ = planted
    done = command("transfer", run, "--tasks", tasks, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "44 points: 4 checkpoints, 11 languages, 1 tasks; English is left out" in done.stdout
    assert "xnli accuracy: changes from the base, 33 points: r +" in done.stdout
    assert (tmp_path / "out" / "xnli.png").stat().st_size > 10_000
    assert len(pd.read_parquet(tmp_path / "out" / "transfer.parquet")) == 1 + 4 + 11
