"""Tables for papers: every number is the score table's, bold only where an interval is clear."""

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import crosslingual
from crosslingual.analysis.tables.layout import MEAN, TableCell, _marked, paper_table
from crosslingual.analysis.tables.options import ExportOptions
from crosslingual.analysis.tables.writing import latex, markdown
from crosslingual.cli import main


@pytest.fixture(scope="module")
def runs(tiny_bert, tmp_path_factory):
    place = tmp_path_factory.mktemp("tables")
    asked = {"languages": "de,fr,sw", "measures": "accuracy,hubness_skew@10", "limit": 80}
    for name, model in (("tiny", tiny_bert), ("pocket", "pocket-xs")):
        crosslingual.score(model, "pocket", **asked, out=place / name)
    return place / "tiny", place / "pocket"


@pytest.fixture(scope="module")
def tables(runs):
    return [crosslingual.read(run).table for run in runs]


def test_numbers_are_those_of_the_scores(tables):
    found = paper_table(tables, ExportOptions(layer="last"))
    assert found.columns[1] == "pocket-xs" and list(found.rows) == ["de-en", "fr-en", "sw-en", MEAN]
    for column, table in enumerate(tables):
        last = table[(table["layer"] == table["layer"].max()) & (table["direction"] == "mean")]
        last = last[last["measure"] == "accuracy"].set_index("source")
        for source in ("de", "fr", "sw"):
            cell = found.rows[f"{source}-en"][column]
            assert (cell.value, cell.low, cell.high) == tuple(last.loc[source, ["value", "low", "high"]])
        mean, halves = found.rows[MEAN][column], (last["high"] - last["low"]) / 2
        assert mean.value == pytest.approx(last["value"].mean())
        assert mean.high - mean.value == pytest.approx(halves.mean())


def test_the_best_layer_is_one_for_all_pairs(tables):
    found = paper_table(tables, ExportOptions())
    for column, table in enumerate(tables):
        rows = table[(table["measure"] == "accuracy") & (table["direction"] == "mean")]
        best = rows.groupby("layer")["value"].mean().idxmax()
        values = rows[rows["layer"] == best].set_index("source")["value"]
        assert [found.rows[f"{one}-en"][column].value for one in values.index] == values.tolist()
    assert "optimistic" in found.note and "80 sentences a pair" in found.note
    assert "optimistic" not in paper_table(tables, ExportOptions(layer="1")).note


@pytest.mark.parametrize(
    ("measure", "cells", "expected"),
    [
        ("accuracy", [(0.5, 0.4, 0.6), (0.9, 0.8, 1.0)], 1),
        ("accuracy", [(0.5, 0.4, 0.6), (0.65, 0.59, 0.7)], None),
        ("accuracy", [(0.5, 0.4, 0.6), (0.9, 0.8, 1.0), (0.85, 0.6, 0.95)], None),
        ("accuracy", [(0.5, np.nan, np.nan), (0.9, 0.8, 1.0)], None),
        ("accuracy", [(np.nan, np.nan, np.nan), (0.9, 0.8, 1.0)], None),
        ("procrustes_distance", [(0.5, 0.4, 0.6), (0.9, 0.8, 1.0)], 0),
    ],
)
def test_bold_is_what_is_clear_of_all_others(measure, cells, expected):
    marked = [cell.best for cell in _marked([TableCell(*one) for one in cells], measure)]
    assert [at for at, one in enumerate(marked) if one] == ([] if expected is None else [expected])


def numbers(text):
    return [float(one) for one in re.findall(r"-?\d+\.\d+", text)]


@pytest.mark.parametrize("interval", ["brackets", "plus-minus", "none"])
def test_what_is_written_reads_back(tables, interval):
    options = ExportOptions(interval=interval, decimals=5, layer="last")
    table = paper_table(tables, options)
    for text in (latex(table, options), markdown(table, options)):
        for name, cells in table.rows.items():
            (line,) = (one for one in text.splitlines() if one.startswith((f"{name} &", f"| {name} |")))
            parts = {
                "brackets": [x for cell in cells for x in (cell.value, cell.low, cell.high)],
                "plus-minus": [x for cell in cells for x in (cell.value, (cell.high - cell.low) / 2)],
                "none": [cell.value for cell in cells],
            }[interval]
            assert numbers(line) == [round(float(f"{x:.5f}"), 5) for x in parts]
    shown = sum(cell.best for cells in table.rows.values() for cell in cells)
    assert latex(table, options).count(r"\textbf") == shown
    assert markdown(table, options).count("**") == 2 * shown


def test_latex_compiles(tables, tmp_path):
    options = ExportOptions()
    text = latex(paper_table(tables, options), options)
    assert text.count("{") == text.count("}") and r"\%" in text and "_" not in text.replace(r"\_", "")
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex here")
    whole = r"\documentclass{article}\usepackage{booktabs}\begin{document}" + text + r"\end{document}"
    (tmp_path / "t.tex").write_text(whole)
    subprocess.run(["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True)


def test_command(runs, tmp_path, capsys):
    files = {name: tmp_path / "deep" / f"t.{name}" for name in ("latex", "markdown", "csv")}
    flags = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    assert main(["export", *map(str, runs), *flags]) == 0
    assert "3 pairs in" in capsys.readouterr().out
    scores = pd.read_csv(files["csv"])
    expected = pd.concat([crosslingual.read(run).table for run in runs])
    assert np.allclose(scores["value"], expected["value"].astype(float), equal_nan=True)
    for flags, said in (
        ([], "name what to write: --latex, --markdown, --csv, --mteb, --hub-folder, --projector"),
        (["--latex", "x.tex", "--measure", "mrr"], "no --measure mrr there"),
        (["--latex", "x.tex", "--layer", "99"], "--layer 99 is not there"),
        (["--latex", "x.tex", "--layer", "first"], "--layer must be best, last or a number"),
        (["--mteb", "x.json"], "only a run of score with --protocol mteb"),
    ):
        assert main(["export", *map(str, runs), *flags]) == 1
        assert said in capsys.readouterr().err
    assert main(["export", str(runs[0]), str(runs[0]), "--markdown", "x.md"]) == 1
    assert "is there twice: give each run once" in capsys.readouterr().err
