"""A measure, a pooling, a corpus and a task, each added from outside by a function and an entry."""

import numpy as np
import pytest

from crosslingual import CORPORA, MEASURES, POOLINGS, TASKS, load, score
from crosslingual.alignment.measure import Measure
from crosslingual.alignment.statistics.outcomes import Outcome
from crosslingual.cli import main
from crosslingual.data import Sentence
from crosslingual.data.corpora.reader import ManyParallel
from crosslingual.data.corpora.table import Corpus
from crosslingual.data.tasks import fields as of
from crosslingual.data.tasks import load_task
from crosslingual.data.tasks.files import lines_of_tabs
from crosslingual.data.tasks.table import Local, Task


def test_a_measure(tiny_bert, tmp_path, monkeypatch):
    """One function, one entry: scored by name, with null, interval and help, as the others are."""

    def top_two(pairing):
        """1 where the translation is the nearest or the second nearest."""
        hit = (pairing.places[0].rank < 2).astype(np.float64)
        return [Outcome("forward", hit, 2 / len(hit))]

    entry = Measure(
        "top_two", "retrieval", "[0, 1]", "2/n", frozenset({"joint rotation"}), "a test",
        compute=top_two, proportion=True,
    )  # fmt: skip
    monkeypatch.setitem(MEASURES, entry.name, entry)
    table = score(tiny_bert, languages="de", layers="last", measures="top_two,recall@2").table
    forward = table[table["direction"] == "forward"].set_index("measure")
    assert forward.loc["top_two", "null"] == pytest.approx(2 / 218)
    assert forward.loc["top_two", "value"] == forward.loc["recall@2", "value"]
    assert forward.loc["top_two", "low"] <= forward.loc["top_two", "value"]
    with pytest.raises(ValueError, match="did you mean top_two"):
        MEASURES.choose("top_tw")


def test_a_pooling(tiny_bert, monkeypatch):
    def middle(states, batch):
        return states[:, states.shape[1] // 2].float()

    monkeypatch.setitem(POOLINGS, "middle", middle)
    table = score(tiny_bert, languages="de", layers="last", measures="mrr", pooling="middle").table
    assert set(table["pooling"]) == {"middle"} and table["value"].notna().all()


def test_a_corpus(tiny_bert, tmp_path, monkeypatch, capsys):
    def codes(root, split):
        return sorted(path.stem for path in root.glob("*.txt"))

    def read(root, split, code):
        lines = (root / f"{code}.txt").read_text("utf-8").splitlines()
        return [Sentence(str(i), line, group=str(i // 2)) for i, line in enumerate(lines)]

    mine = Corpus(
        "proverbs", "a test's proverbs", ManyParallel(codes, read), ("test",), 2, "8", "pairs of lines",
        "CC0-1.0", "this test", "", "complete",
    )  # fmt: skip
    monkeypatch.setitem(CORPORA, mine.name, mine)
    folder = tmp_path / "proverbs"
    folder.mkdir()
    for code, word in (("de", "Satz"), ("en", "sentence")):
        (folder / f"{code}.txt").write_text("".join(f"{word} {i}\n" for i in range(8)), "utf-8")
    (bitext,) = load("proverbs", data_dir=tmp_path)
    assert (bitext.source.language, bitext.target.language, len(bitext)) == ("de", "en", 8)
    table = score(tiny_bert, "proverbs", data_dir=tmp_path, measures="mrr", layers="last").table
    assert set(table["corpus"]) == {"proverbs"} and set(table["groups"]) == {4}
    assert main(["list", "corpora"]) == 0
    assert "a test's proverbs" in capsys.readouterr().out


def test_a_task(tmp_path, monkeypatch):
    mine = Task(
        "riddles", "a test's riddles", "pair", "intermediate", "accuracy", "riddles", "en", "CC0-1.0",
        "this test", "complete", labels=("yes", "no"),
        local=Local(
            {split: (f"{split}.tsv",) for split in ("train", "dev")},
            lines_of_tabs("question", "answer", "right"),
            of.pairs("question", "answer", "right", source="riddles"),
        ),
    )  # fmt: skip
    monkeypatch.setitem(TASKS, mine.name, mine)
    folder = tmp_path / "riddles"
    folder.mkdir()
    (folder / "train.tsv").write_text("What has keys?\tA piano.\tyes\nWhat has keys?\tA fish.\tno\n")
    (folder / "dev.tsv").write_text("What runs?\tWater.\tyes\n")
    (data,) = load_task("riddles", "train", data_dir=tmp_path)
    assert [data.labels[example.label] for example in data.examples] == ["yes", "no"]
    (folder / "train.tsv").write_text("What has keys?\tA piano.\tperhaps\n")
    with pytest.raises(ValueError, match=r"train.tsv:1.*perhaps"):
        load_task("riddles", "train", data_dir=tmp_path)


def test_any_parameter(tiny_bert):
    """`recall@7` is no entry of the table; it is computed by definition all the same."""
    result = score(
        tiny_bert, languages="de", layers="last", measures="recall@7,accuracy@17,csls_accuracy@3"
    )
    items = result.sentences()
    forward = items[items["direction"] == "forward"]
    table = result.table[result.table["direction"] == "forward"].set_index("measure")
    assert "recall@7" not in list(MEASURES) and "recall@7" in MEASURES
    assert table.loc["recall@7", "null"] == pytest.approx(7 / 218)
    assert table.loc["recall@7", "value"] == pytest.approx(forward["recall@7"].mean())
    assert table.loc["accuracy@17", "null"] == pytest.approx(1 / 17)
    for wrong in ("recall@0", "recall@x", "recall@1.5", "recall@-3", "accuracy@1", "recall@"):
        with pytest.raises(ValueError, match="unknown measure"):
            MEASURES.choose(wrong)
