"""Protocols against computations in a straight line: transformers, NumPy, loops, nothing of ours."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.protocols import PROTOCOLS
from crosslingual.analysis.tables.published import compare_published, mteb_result, read_published
from crosslingual.data import load
from tests.conftest import make_tiny
from tests.verbs import score


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """Return models of 12 and 24 blocks."""
    folder = tmp_path_factory.mktemp("deep")
    size = {"max_position_embeddings": 512, "hidden_size": 16, "intermediate_size": 16}
    return {
        blocks: make_tiny(folder / str(blocks), num_hidden_layers=blocks, **size) for blocks in (12, 24)
    }


@pytest.fixture(scope="module")
def bitext():
    (pocket,) = load("pocket", languages="de")
    return pocket


def states(model, texts, length=128):
    """Yield, text by text, all hidden states (layers, tokens, dim), special tokens included."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, encoder = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
    for text in texts:
        with torch.no_grad():
            inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=length)
            found = encoder(**inputs, output_hidden_states=True)
        yield torch.cat(found.hidden_states).double().numpy()


def unit(rows):
    rows = np.stack(list(rows))
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def run(model, bitext, name, tmp_path, **options):
    return score(model, [bitext], protocol=name, store=tmp_path / "s", out=tmp_path / "run", **options)


@pytest.mark.parametrize(
    ("name", "blocks", "index"),
    [("xtreme", 12, 7), pytest.param("xtreme-r", 24, 13, marks=pytest.mark.slow), ("jiant", 24, 13)],
)
def test_xtreme_and_jiant(deep, bitext, tmp_path, name, blocks, index):
    """Their index leaves the embeddings out: 7 is hidden state 8. English queries the foreign side."""
    foreign, english = (
        unit(all_states[1:][index].mean(axis=0) for all_states in states(deep[blocks], side.texts, 512))
        for side in (bitext.source, bitext.target)
    )
    right = [int(np.argmax(foreign @ query)) == i for i, query in enumerate(english)]
    table = run(deep[blocks], bitext, name, tmp_path)
    assert table[
        ["protocol", "layer", "measure", "direction", "pooling", "duplicates"]
    ].to_numpy().tolist() == [[name, index + 1, "accuracy", "backward", "mean", "index"]]
    assert table["value"].item() == pytest.approx(np.mean(right), abs=1e-12) and 0 < np.mean(right) < 1
    assert table["max_length"].item() == 512


def test_laser(deep, bitext, tmp_path):
    """Errors of both directions, averaged."""
    x, y = (
        unit(s[-1].mean(axis=0) for s in states(deep[12], side.texts))
        for side in (bitext.source, bitext.target)
    )
    errors = []
    for queries, base in ((x, y), (y, x)):
        wrong = 0
        for i in range(len(x)):
            wrong += int(np.argmin(((base - queries[i]) ** 2).sum(axis=1)) != i)  # L2 of unit rows
        errors.append(wrong / len(x))
    table = run(deep[12], bitext, "laser", tmp_path)
    assert list(table["direction"]) == ["mean"] and list(table["layer"]) == [12]
    assert 1 - table["value"].item() == pytest.approx(np.mean(errors), abs=1e-12)


def test_mteb(deep, bitext, tmp_path):
    """Top-1 by cosine, scikit-learn's weighted scores, both directions."""
    from sklearn.metrics import accuracy_score, f1_score, precision_score

    x, y = (
        unit(s[-1].mean(axis=0) for s in states(deep[12], side.texts))
        for side in (bitext.source, bitext.target)
    )
    table = run(deep[12], bitext, "mteb", tmp_path)
    scores = table.set_index(["measure", "direction"])["value"]
    gold, options = np.arange(len(x)), {"average": "weighted", "zero_division": 0}
    for direction, found in (
        ("forward", (x @ y.T).argmax(axis=1)),
        ("backward", (y @ x.T).argmax(axis=1)),
    ):
        assert scores["accuracy", direction] == pytest.approx(accuracy_score(gold, found))
        assert scores["f1_weighted", direction] == pytest.approx(f1_score(gold, found, **options))
        assert scores["precision_weighted", direction] == pytest.approx(
            precision_score(gold, found, **options)
        )
    assert len(scores) == 6


def test_mteb_takes_a_folders_own_pooling(minilm, tmp_path, shared_store):
    table = score(minilm, "pocket", languages="de", limit=20, protocol="mteb", store=shared_store)
    assert set(table["pooling"]) == {"native"} and set(table["layer"]) == {6}


def test_mexa(deep, bitext, tmp_path):
    """compute_mexa.py: a pair counts if it is strictly above the rest of its row and its column."""
    # a random model aligns no languages; sentences without their beginnings it does
    cut = tuple(one._replace(text=one.text[4:]) for one in bitext.target.sentences)
    bitext = replace(bitext, source=replace(bitext.source, sentences=cut))
    sides = []
    for side in (bitext.source, bitext.target):
        vectors = []
        for s in states(deep[12], side.texts[:100]):
            weights = np.arange(1, s.shape[1] + 1)  # positions from 1
            vectors.append((s * weights[None, :, None]).sum(axis=1) / weights.sum())
        sides.append(np.stack(vectors, axis=1))
    expected = []
    for x, y in zip(*sides, strict=True):
        similar = unit(x) @ unit(y).T
        hits = 0
        for i in range(100):
            row, column = np.delete(similar[i], i), np.delete(similar[:, i], i)
            hits += similar[i, i] > row.max() and similar[i, i] > column.max()
        expected.append(hits / 100)
    table = run(deep[12], bitext, "mexa", tmp_path)
    ours = table[table["pooling"] == "weighted"]
    assert ours["value"].to_numpy() == pytest.approx(expected, abs=1e-12) and max(expected) > 0
    assert set(table["n"]) == {100} and set(table["pooling"]) == {"weighted", "last"}
    over = pd.read_parquet(tmp_path / "run" / "aggregates.parquet").set_index(["pooling", "aggregate"])
    assert over["value"]["weighted", "mean-over-layers"] == pytest.approx(np.mean(expected))
    assert over["value"]["weighted", "max-over-layers"] == pytest.approx(max(expected))
    assert (over["low"] <= over["value"]).all() and (over["value"] <= over["high"]).all()
    assert set(over["layers"]) == {13}


def test_a_tie_is_a_miss_for_mexa_and_its_null_is_exact(rng):
    """The null is the mean over all permutations of six sentences, two of them the same vector."""
    from itertools import permutations

    from crosslingual.alignment.retrieval.one_to_one import mexa, precision_weighted
    from crosslingual.alignment.retrieval.pairing import pair_vectors

    x, y = (rng.normal(size=(6, 3)).astype(np.float32) for _ in range(2))
    y[4] = y[3] = x[3]
    options = {"classes": (np.arange(6), np.arange(6)), "groups": np.arange(6)}
    for measure in (mexa, precision_weighted):
        (whole, *_) = measure(pair_vectors(x, y, **options))
        drawn = [
            measure(pair_vectors(x, y[list(order)], **options))[0].sentences.mean()
            for order in permutations(range(6))
        ]
        if measure is mexa:
            assert not whole.sentences[3:5].any()
            assert whole.null == pytest.approx(np.mean(drawn), abs=1e-12)
        else:  # ties go to the lower index, which is another sentence in every order
            assert whole.null == pytest.approx(np.mean(drawn), abs=1e-2)


def test_what_a_protocol_decides_is_not_chosen_otherwise(deep, bitext, tmp_path):
    for name, options in (
        ("pooling", {"pooling": "max"}),
        ("layers", {"layers": "3"}),
        ("measures", {"measures": "mrr"}),
        ("maps", {"maps": "centre", "map_fit": "in-sample"}),
    ):
        with pytest.raises(ValueError, match=f"protocol xtreme decides `{name}`; leave that out"):
            run(deep[12], bitext, "xtreme", tmp_path, **options)
    with pytest.raises(ValueError, match="protocol mexa decides `limit`"):
        run(deep[12], bitext, "mexa", tmp_path, limit=50)
    with pytest.raises(
        ValueError, match="jiant names a layer for models of 24, 36, 48 layers; this one has 12"
    ):
        run(deep[12], bitext, "jiant", tmp_path)
    with pytest.raises(ValueError, match="unknown protocol 'mtbe': one of laser, xtreme"):
        run(deep[12], bitext, "mtbe", tmp_path)


def test_a_checkpoint_of_another_stage_is_said(deep, bitext, tmp_path, caplog):
    (deep[12] / "crosslingual.json").write_text('{"stage": "pretrained"}')
    run(deep[12], bitext, "xtreme", tmp_path)
    assert "is for" not in caplog.text
    run(deep[12], bitext, "xtreme-r", tmp_path / "r")
    assert "protocol xtreme-r is for target checkpoints, this is pretrained" in caplog.text


def test_protocols_are_not_mixed(deep, bitext, tmp_path):
    from crosslingual.analysis import select

    tables = [run(deep[24], bitext, name, tmp_path / name) for name in ("xtreme", "jiant")]
    with pytest.raises(ValueError, match="protocol"):
        select(pd.concat(tables))


def test_layers_are_a_literal_table():
    assert PROTOCOLS["xtreme"].layer(12) == "8" and PROTOCOLS["xtreme"].layer(24) == "14"
    assert PROTOCOLS["mexa"].layer(32) == "all" and PROTOCOLS["mteb"].layer(7) == "last"


def test_a_result_file_comes_back(deep, bitext, tmp_path):
    table = run(deep[12], bitext, "mteb", tmp_path)
    path = tmp_path / "result.json"
    path.write_text(json.dumps(mteb_result(table)))
    both = compare_published(table, read_published(path))
    assert len(both) == 6 and both["within"].all() and (both["difference"] == 0).all()
    assert set(both["subset"]) == {"de-en", "en-de"}
    entry = json.loads(path.read_text())["scores"]["test"][0]
    assert entry["languages"] == ["deu-Latn", "eng-Latn"] and entry["main_score"] == entry["f1"]
    assert entry["recall"] == entry["accuracy"]


def test_beside_published_numbers(deep, bitext, tmp_path):
    table = run(deep[12], bitext, "xtreme", tmp_path)
    ours = table["value"].item()
    path = tmp_path / "paper.tsv"
    path.write_text(f"subset\tmeasure\tvalue\nen-de\taccuracy\t{ours + 0.01}\nen-fr\taccuracy\t0.5\n")
    (row,) = compare_published(table, read_published(path)).to_dict("records")
    assert row["subset"] == "en-de" and row["difference"] == pytest.approx(-0.01) and not row["within"]
    assert compare_published(table, read_published(path), tolerance=0.01)["within"].all()
    path.write_text("subset\tmeasure\tvalue\nen-fr\taccuracy\t0.5\n")
    with pytest.raises(ValueError, match="no number in common"):
        compare_published(table, read_published(path))
    with pytest.raises(ValueError, match="follow one protocol: score with `protocol`"):
        compare_published(table.assign(protocol=""), read_published(path))
    with pytest.raises(ValueError, match="only a run of score with `protocol` mteb"):
        mteb_result(table)
    path.write_text("a\tb\n")
    with pytest.raises(ValueError, match="paper.tsv:1: expected the columns subset, measure, value"):
        read_published(path)
    broken = tmp_path / "x.json"
    broken.write_text('{"scores": 3}')
    with pytest.raises(ValueError, match="neither an MTEB result of bitext mining nor a .tsv"):
        read_published(broken)
