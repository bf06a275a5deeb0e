"""The command as users run it: what it prints, what it refuses, how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from crosslingual.cli import main


def test_score_prints_a_line_per_language_and_writes_the_run(command, tiny_bert, tmp_path):
    done = command("score", tiny_bert, "--languages", "de,sw", "--store", "s", "--out", "run")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "accuracy, mean; pooling mean, map none"
    assert lines[1].startswith("mean over 2 pairs: ")
    assert [line.split()[0] for line in lines[3:6]] == ["de-en", "sw-en", "macro"]
    assert "872 asked, 654 distinct, 654 to encode" in done.stderr
    assert "encoding: 654 of 654 sentences" in done.stderr
    table = pd.read_parquet(tmp_path / "run" / "scores.parquet")
    best = table[
        (table["measure"] == "accuracy") & (table["direction"] == "mean") & (table["source"] == "de")
    ]
    assert f"{best['value'].max():.4f}" in lines[3]
    assert {"study.yaml", "provenance.json", "cells", "items", "scores.parquet"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }
    again = command("score", tiny_bert, "--languages", "de,sw", "--store", "s", "--out", "run")
    assert again.stdout == done.stdout
    assert "encoding" not in again.stderr


def test_json_is_the_table(command, tiny_bert):
    done = command(
        "score", tiny_bert, "--languages", "de", "--measures", "auc", "--store", "s", "--json"
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 3 * 4
    assert {row["measure"] for row in rows} == {"auc"}


def test_heatmap_draws_a_run(command, tiny_bert, tmp_path):
    command(
        "score",
        tiny_bert,
        "--languages",
        "de,ru",
        "--measures",
        "retrieval",
        "--store",
        "s",
        "--out",
        "run",
    )
    done = command("heatmap", "run", "--group", "script")
    assert done.stdout == "figure: run/figures/accuracy-mean.png\n"
    assert (tmp_path / done.stdout.split()[1]).stat().st_size > 10_000
    done = command("heatmap", "run", "--measure", "mrr", "--out", "a.svg", "--out", "a.pdf")
    assert done.stdout == "figure: a.svg\nfigure: a.pdf\n"
    done = command("heatmap", "elsewhere")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no score table there" in done.stderr


def test_lists_and_cache(command, tiny_bert):
    corpora = command("list", "corpora").stdout
    for word in (
        "pocket",
        "tatoeba",
        "flores",
        "ntrex",
        "pud",
        "licence",
        "CC BY-SA 4.0",
        "1,997",
        "citation",
    ):
        assert word in corpora
    assert "ratio_accuracy@4: retrieval, [0, 1], null" in command("list", "measures").stdout
    assert "hellaswag: HellaSwag" in command("list", "tasks").stdout
    assert "mean-content" in command("list", "poolings").stdout
    assert (
        "stopes: k 16, margin ratio of 1 of them, union, threshold 1.06"
        in command("list", "protocols").stdout
    )
    command("score", tiny_bert, "--languages", "de", "--store", "s", "--out", "run")
    listed = command("cache", "ls", "--store", "s").stdout
    assert "436 sentences in 2 shards" in listed
    assert command("cache", "verify", "--store", "s").stdout.startswith("2 shards, 0 damaged")
    fingerprint = listed.split("/")[0]
    assert command("cache", "prune", "--store", "s", "--checkpoint", "nope").returncode == 1
    assert "1 deleted" in command("cache", "prune", "--store", "s", "--checkpoint", fingerprint).stdout
    assert command("cache", "ls", "--store", "s").stdout == "store: s\n"


BAD = {
    "unequal": (["--source-file", "a", "--target-file", "short"], "a has 5 lines but short has 4"),
    "empty line": (["--source-file", "a", "--target-file", "empty"], "empty:3: empty line"),
    "bad bytes": (["--source-file", "a", "--target-file", "bytes"], "bytes:2: byte 1 is not UTF-8"),
    "no file": (["--source-file", "a", "--target-file", "nix"], "nix"),
    "one file": (["--source-file", "a"], "needs --source and --target"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_line(command, tiny_bert, tmp_path, name):
    good = "eins\nzwei\ndrei\nvier\nfünf\n"
    (tmp_path / "a").write_text(good, "utf-8")
    (tmp_path / "short").write_text("1\n2\n3\n4\n")
    (tmp_path / "empty").write_text("1\n2\n\n4\n5\n")
    (tmp_path / "bytes").write_bytes(b"1\n\xff\n3\n4\n5\n")
    options, message = BAD[name]
    done = command(
        "score",
        tiny_bert,
        "--corpus",
        "files",
        "--source-language",
        "de",
        "--target-language",
        "en",
        *options,
    )
    assert_one_line(done, message)


def test_own_files_are_scored(command, tiny_bert, tmp_path):
    (tmp_path / "a.tsv").write_text("de\ten\n" + "".join(f"wort {i}\tword {i}\n" for i in range(9)))
    done = command(
        "score", tiny_bert, "--corpus", "files", "--table", "a.tsv", "--source-column", "de",
        "--target-column", "en", "--store", "s",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "de-en" in done.stdout


WRONG = [
    (["--corpus", "tatoba"], "unknown corpus 'tatoba': did you mean tatoeba"),
    (["--languages", "dee"], "unknown language 'dee' here: did you mean de"),
    (["--measures", "acuracy"], "unknown measure 'acuracy': did you mean accuracy"),
    (["--layers", "9"], "layer 9 is out of range, there are 0 to 3"),
    (["--limit", "3"], "pocket/test de-en has 3 sentences; at least 4 are needed"),
    (["--max-length", "999"], "--max-length 999 is not between 1 and the 140 positions"),
    (["--dtype", "int8"], "unknown --dtype 'int8'"),
    (["--pooling", "men"], "unknown pooling 'men': did you mean"),
    (["--corpus", "ntrex", "--data-dir", "."], "no newstest2019-ref.XXX.txt files there"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_arguments_are_one_line(command, tiny_bert, options, message):
    assert_one_line(command("score", tiny_bert, "--store", "s", *options), message)


def test_wrong_checkpoints_are_one_line(command, tiny_bert, tmp_path):
    assert_one_line(command("score", tmp_path), "no checkpoint there (no config.json)")
    pickled = shutil.copytree(tiny_bert, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert_one_line(command("score", "pickled"), "only a pickle (pytorch_model.bin)")


def assert_one_line(done, message):
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1, done.stderr
    assert last.startswith("error: ")
    assert message in last
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(process, tmp_path):
    done = process("--debug", "score", tmp_path)
    assert "Traceback" in done.stderr
    assert done.returncode == 1


def test_usage_errors_exit_with_2(process):
    for arguments in (["score", "--nope"], ["nope"], ["score"], ["cache", "ls", "--store"]):
        done = process(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("usage: ")
        assert done.stderr.count("\n") == 1


def test_control_c_exits_with_130_and_the_next_run_goes_on(small_bert, tmp_path):
    arguments = [
        sys.executable,
        "-m",
        "crosslingual",
        "score",
        str(small_bert),
        "--measures",
        "accuracy",
    ]
    arguments += ["--store", str(tmp_path / "s"), "--out", str(tmp_path / "run")]
    env = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        arguments,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell that runs the tests in the background has them ignore Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list((tmp_path / "s").rglob("[0-9]*-*/meta.json")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("interrupted; what is finished is kept")
    assert not list((tmp_path / "s").rglob(".unfinished*"))
    again = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True)
    assert "2,616 distinct" in again.stderr
    assert "2,616 to encode" not in again.stderr


def test_help_is_quick_and_version_is_told(process):
    fastest = min(timed(process, "--help") for _ in range(5))
    assert fastest < 0.5
    assert process("--version").stdout.startswith("crosslingual ")


def timed(process, *arguments):
    began = time.perf_counter()
    assert process(*arguments).returncode == 0
    return time.perf_counter() - began


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["score"], "runs/CHECKPOINT-WHAT"),
        (["score"], "flores[/dev]"),
        (["compare"], "same with two checkpoints"),
        (["mine"], "bucc[/sample|training]"),
        (["heatmap"], "--measure"),
        (["index"], "search"),
        (["index", "build"], "IVF1024,Flat"),
        (["index", "search"], "--recall"),
        (["list"], "protocols"),
        (["cache"], "verify"),
        (["demo"], "--out"),
    ],
)
def test_every_commands_help_is_shown_as_written(command, arguments, text):
    """Brackets are markup to some help printers: they swallowed defaults, and broke on flores[/dev]."""
    done = command(*arguments, "--help")
    assert done.returncode == 0
    assert text in " ".join(done.stdout.split())


def test_main_returns_the_status():
    assert main(["list", "measures"]) == 0
    assert main(["score", "--nope"]) == 2
    assert main(["heatmap", "/nowhere"]) == 1


@pytest.mark.timeout(300)
def test_demo_ends_in_a_table_and_a_heatmap(process, tmp_path):
    done = process("demo")
    assert done.returncode == 0, done.stderr
    assert "pocket-s comes with the package" in done.stdout
    assert done.stdout.count("macro mean") == 2
    assert (tmp_path / "runs/demo/figures/accuracy-mean.png").is_file()


def test_compare_draws_grids_and_goes_on(command, tiny_bert, tmp_path):
    arguments = ("compare", tiny_bert, "--languages", "de,sw", "--layers", "0-2", "--store", "s")
    done = command(*arguments, "--map", "none,standardise", "--map-fit", "in-sample")
    assert done.returncode == 0, done.stderr
    assert "debiased_linear_cka; pooling mean; n = 218, 58 groups" in done.stdout
    for name in ("none", "standardise"):
        path = f"runs/compare-tiny-bert-pocket/figures/debiased_linear_cka-layers-{name}.png"
        assert f"figure: {path}" in done.stdout
        assert (tmp_path / path).stat().st_size > 10_000
    again = command(*arguments, "--map", "none,standardise", "--map-fit", "in-sample")
    assert again.stdout == done.stdout
    assert "0 to encode" in again.stderr
    done = command(
        *arguments, "--between", "languages", "--measure", "angular_distance", "--json", "--out", "j"
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 3 * 9 and {row["other_layer"] for row in rows} == {0, 1, 2}
    done = command(*arguments, "--memory", "0.001", "--measure", "mean_cca", "--between", "all")
    assert (done.returncode, done.stderr.count("error:")) == (1, 1)
    assert "raise --memory" in done.stderr


def test_a_layer_without_value_is_said_and_the_rest_is_scored(command, tiny_bert):
    """Layer 0 of the first token is one vector for all sentences."""
    done = command(
        "score", tiny_bert, "--languages", "de", "--pooling", "first", "--measures", "spectral,anc",
        "--store", "s", "--out", "run",
    )  # fmt: skip
    assert done.returncode == 0
    assert "no value at layer 0 (de-en): the source is constant" in done.stderr
    assert "nan" not in done.stdout


def test_mine_writes_pairs_scores_and_errors(command, tiny_bert, tmp_path):
    lines = [f"id{i}\tthe {'very ' * (i % 5)}long sentence number {i}" for i in range(30)]
    (tmp_path / "a.de").write_text("\n".join(lines) + "\n")
    (tmp_path / "b.en").write_text("\n".join(reversed(lines)) + "\n")
    (tmp_path / "gold").write_text("".join(f"id{i}\tid{i}\n" for i in range(20)))
    arguments = ["a.de", "b.en", "--checkpoint", tiny_bert, "--store", "s", "--margin", "distance"]
    done = command("mine", *arguments, "--gold", "gold", "--out", "o/p.tsv", "--errors", "missed.tsv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("files/a.de+b.en de-en: ")
    assert "pairs: " in done.stdout.splitlines()[-1]
    rows = (tmp_path / "o" / "p.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["score", "source_id", "target_id", "source", "target"]
    assert all(row.split("\t")[1] == row.split("\t")[2] for row in rows[1:])
    table = pd.read_parquet(tmp_path / "o" / "p.tsv.scores.parquet")
    assert set(table["layer"]) == {0, 1, 2, 3}
    assert (tmp_path / "missed.tsv").read_text().startswith("source_id\tgold_id")
    blind = command("mine", *arguments, "--out", "blind.tsv")
    assert blind.returncode == 0
    assert blind.stdout.startswith("pairs: 30 in blind.tsv (layer 3")
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--checkpoint", "x"], "name two files, SOURCE and TARGET, or a --corpus"),
        (["--corpus", "bucc", "--checkpoint", "x"], "--corpus takes --languages and no files"),
        (["a.de", "none", "--checkpoint", "x"], "none: No such file or directory"),
    ],
)
def test_mine_refuses_in_one_line(command, tmp_path, options, message):
    (tmp_path / "a.de").write_text("A\n")
    (tmp_path / "b.en").write_text("B\n")
    done = command("mine", *options)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_index_is_built_described_and_searched(command, tiny_bert, tmp_path):
    (tmp_path / "texts").write_text("".join(f"t{i}\tthe number {i * 7919}\n" for i in range(300)))
    (tmp_path / "queries").write_text("the number 7919\nthe number 15838\n")
    for factory in ("Flat", "IVF8,Flat"):
        done = command(
            "index",
            "build",
            "texts",
            "--checkpoint",
            tiny_bert,
            "--out",
            factory[:3],
            "--factory",
            factory,
            "--store",
            "s",
        )
        assert done.returncode == 0, done.stderr
        assert ("recall@10" if factory != "Flat" else "exact index: ") in done.stdout
    assert "factory      IVF8,Flat" in command("index", "info", "IVF").stdout
    exact = command("index", "search", "Fla", "queries", "--store", "s", "--k", "3")
    assert exact.returncode == 0, exact.stderr
    rows = [line.split("\t") for line in exact.stdout.splitlines()]
    assert rows[0] == ["query_id", "rank", "score", "id", "query", "text"]
    assert [row[3] for row in rows[1::3]] == ["t1", "t2"]
    near = command("index", "search", "IVF", "queries", "--store", "s", "--recall", "1", "--k", "3")
    assert near.stdout == exact.stdout
    assert "recall@3 1.0000 at nprobe " in near.stderr
    for arguments, message in (
        (
            ["Fla", "queries", "--nprobe", "4"],
            "Fla (Flat) has nothing that buys recall; leave out --nprobe",
        ),
        (["IVF", "queries", "--nprobe", "4", "--recall", "1"], "--nprobe and --recall: give one"),
        (["none", "queries"], "none: no index there"),
    ):
        wrong = command("index", "search", *arguments, "--store", "s")
        assert wrong.returncode == 1
        assert message in wrong.stderr


def test_an_index_of_another_checkpoint_is_refused(command, tiny_bert, small_bert, tmp_path):
    (tmp_path / "texts").write_text("one\ntwo\nthree\n")
    made = command("index", "build", "texts", "--checkpoint", tiny_bert, "--out", "i", "--store", "s")
    assert made.returncode == 0, made.stderr
    wrong = command(
        "index", "search", "i", "texts", "--checkpoint", small_bert, "--store", "s", "--k", "1"
    )
    assert wrong.returncode == 1
    assert "i: an index of other vectors: fingerprint is" in wrong.stderr
