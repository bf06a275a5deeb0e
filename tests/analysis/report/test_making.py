"""A page: its numbers are the tables', its words no more than they show, its texts are texts."""

import json
import re
from threading import Thread
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest

import crosslingual
from crosslingual.alignment.runs.files import read_table, write_table
from crosslingual.analysis.report.gathered import gather
from crosslingual.analysis.report.making import SHOWN, report
from crosslingual.analysis.report.matrix import MEAN, verdict_matrix
from crosslingual.analysis.report.payload import unpack
from crosslingual.analysis.report.serving import served
from crosslingual.analysis.report.words import answer
from crosslingual.cli import main

from .conftest import SCRIPT


def parts_of(path):
    text = path.read_text("utf-8")
    header = re.search(r'<script type="application/json" id="header">(.*?)</script>', text, re.S)[1]
    blob = re.search(r'<script type="text/plain" id="blob">(.*?)</script>', text, re.S)[1]
    return text, json.loads(header), blob


def test_every_number_is_the_tables(page, reported):
    _, header, blob = parts_of(page)
    shown = unpack(header["tables"], blob)
    runs = [reported / "base", reported / "tuned"]
    known = {
        "scores": pd.concat([read_table(run / "scores.parquet") for run in runs]),
        "errors": pd.concat([read_table(run / "errors.parquet") for run in runs]),
        "retention": read_table(reported / "tuned" / "retention" / "retention.parquet"),
    }
    assert set(shown) == set(known)
    for name, table in known.items():
        assert len(shown[name]) == len(table)
        assert set(shown[name]) - {"checkpoint"} == {*SHOWN[name].split()} & {*table} - {"checkpoint"}
        for column in set(shown[name]) & set(table):
            ours, theirs = shown[name][column], table[column]
            if pd.api.types.is_numeric_dtype(theirs):
                theirs = theirs.to_numpy(dtype=float, na_value=np.nan)
                assert np.array_equal(ours.to_numpy(), theirs, equal_nan=True), column
            else:
                assert ours.tolist() == theirs.fillna("").tolist(), column


def test_words_and_verdicts_are_the_tables(reported):
    gathered = gather([reported / "tuned"], 0)
    table = gathered.table("retention")
    rows = table[(table["measure"] == "accuracy") & (table["direction"] == "mean")]
    best = rows[rows["chosen"] == "best"]
    matrix = verdict_matrix(gathered)
    assert list(matrix.columns) == [MEAN, "de", "ru"] and len(matrix.rows) == 1
    for source, name in (("macro", MEAN), ("de", "de"), ("ru", "ru")):
        cell = next(iter(matrix.rows.values()))[name]
        row = best[best["source"] == source].iloc[0]
        assert (cell["verdict"], cell["delta"]) == (row["verdict"], row["delta"])
    said = "\n".join(answer(gathered))
    macro = best[best["source"] == "macro"].iloc[0]
    assert f"mean Δ {macro['delta']:+.4f} ({macro['delta_low']:+.4f} to" in said
    assert f"{macro['verdict']}, margin 0.05" in said
    for verdict in set(best["verdict"]):
        assert str(verdict) in said
    assert "retained" in said or "retained" not in set(best["verdict"])


def test_nothing_of_a_corpus_ends_a_script(page):
    """Texts are in the compressed part and the header only, there without a tag's beginning."""
    text, header, _ = parts_of(page)
    assert SCRIPT in header["tables"]["errors"]["columns"]["text"]["words"]
    assert SCRIPT not in text and "alert(1)</script>" not in text
    assert not re.search(r"(?:src|href)=[\"']?https?:", text.split("<script>")[0])


def test_a_run_of_one_checkpoint_has_no_retention_and_says_so(reported, tmp_path):
    path = report(reported / "base", out=tmp_path / "one.html")
    text, header, _ = parts_of(path)
    assert "No fine-tuned checkpoint is compared" in text
    assert 'id="retention"' not in text and "retention" not in header["tables"]
    assert crosslingual.report is report


def test_a_study_and_what_training_took(tmp_path, reported):
    """Findings, primary cells, recipes and failures are those of its folder; letters of HTML are text."""
    run = tmp_path / "study"
    table = read_table(reported / "tuned" / "retention" / "retention.parquet").assign(
        family="tiny", scale="one", treatment="a<b", control=True, train_seed=0
    )
    write_table(run, "retention", table)
    recipes = table[table["chosen"] == "best"].assign(seeds=3)
    write_table(run, "recipes", recipes)
    primary = {"corpus": "tatoeba", "measure": "mrr", "direction": "forward", "pooling": "mean"}
    (run / "study.yaml").write_text(
        json.dumps({"name": "of <us>", "primary": primary | {"map": "none"}})
    )
    (run / "findings.txt").write_text("first finding\n  second\n")
    (run / "failures.jsonl").write_text('{"cell": "de-en", "error": "OSError: <gone>"}\n')
    steps = run / "checkpoints" / "tiny-one"
    steps.mkdir(parents=True)
    (steps / "a-steps.jsonl").write_text('{"step": 1, "seconds": 90, "tokens": 7}\n' * 2)
    text, _, _ = parts_of(report(run))
    assert "<title>of &lt;us&gt;</title>" in text and "first finding\n  second" in text
    assert "OSError: &lt;gone&gt;" in text and "1 cells failed" in text
    assert "tiny-one: a&lt;b (control)" in text
    assert "<td>tiny-one</td><td>2</td><td>14</td><td>3.0</td>" in text
    rows = recipes[(recipes["measure"] == "mrr") & (recipes["direction"] == "forward")]
    mean = rows[rows["source"] == "macro"].iloc[0]
    assert f"{mean['verdict']}: a&lt;b (control) {mean['delta']:+.3f}" in text


def test_efficiency_has_its_tables(tiny_bert, tmp_path):
    from crosslingual.analysis.efficiency import measuring, memory

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "memory_of", memory._measured)
        found = crosslingual.efficiency(
            tiny_bert, languages="de", limit=2, seconds=0.1, out=tmp_path / "run"
        )
    text, header, _ = parts_of(report(found))
    assert header["tables"] == {} and "Plotly" not in text.split('id="header"')[1][:5000]
    row = found.table[(found.table["label"] == "all") & (found.table["clock"] == "wall")].iloc[0]
    assert f"<td>{row['ratio']:.4f}</td>" in text and "What does inference cost?" in text


def test_errors_are_cut_at_the_worst(reported):
    whole, cut = (gather([reported / "base"], most).table("errors") for most in (10**6, 5))
    assert len(cut) == 5 and cut["rank"].min() >= whole["rank"].sort_values().iloc[-5]
    assert "errors" not in gather([reported / "base"], 0).tables


def test_it_is_served(page):
    with served(page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with urlopen(f"http://127.0.0.1:{server.server_port}/") as answered:
            assert answered.read() == page.read_bytes()
        server.shutdown()


def test_refusals(reported, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    base = reported / "base"
    for arguments, said in (
        ([empty], "nothing to show"),
        ([tmp_path / "none"], "no folder there"),
        ([base, base], "named twice"),
        ([base, "--out", "page.pdf"], "ends in .html"),
    ):
        assert main(["report", *map(str, arguments)]) == 1
        assert said in capsys.readouterr().err.splitlines()[-1]
    assert not (base / "report.html").exists()
