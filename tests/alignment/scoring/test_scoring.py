"""The main job: tables that are complete, resumable to the byte, right to the published digit."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from crosslingual.alignment.representations.source import parse_layers
from crosslingual.alignment.runs.folder import read_scores
from crosslingual.alignment.runs.table import COLUMNS, concatenate
from crosslingual.alignment.scoring import schedule as cells
from crosslingual.data import Bitext, Sentence, Side, load
from tests.verbs import score


@pytest.fixture
def table(tiny_bert, tmp_path):
    return score(
        tiny_bert,
        "pocket",
        languages="de,sw",
        maps="none,centre",
        map_fit="in-sample",
        measures="retrieval,contrast,spectral,neuron",
        store=tmp_path / "s",
        out=tmp_path / "run",
    )


def test_every_layer_language_map_and_measure_is_there_once(table):
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 2 * 2 * 4 * (37 + 6)
    assert not table["key"].duplicated().any()
    assert table["value"].notna().all()
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    assert set(table["groups"]) == {58}
    assert set(table["interval"]) == {"group jackknife"}
    assert set(table["note"]) == {"", "no effect: perfect agreement has no value"}
    depth = table.drop_duplicates("layer").set_index("layer")["depth"]
    assert depth.to_dict() == {0: 0, 1: 1 / 3, 2: 2 / 3, 3: 1}


def test_two_tables_with_one_score_are_refused(table):
    with pytest.raises(ValueError, match="scores are there twice"):
        concatenate([table, table.head(1)])


def test_the_table_on_disk_is_the_table(table, tmp_path):
    pd.testing.assert_frame_equal(read_scores(tmp_path / "run"), table)


def test_items_explain_the_scores(table, tmp_path):
    items = pd.concat(
        pd.read_parquet(p).assign(cell=p.stem) for p in (tmp_path / "run" / "items").glob("*")
    )
    assert len(items) == 2 * 2 * 4 * 2 * 218
    hits = items[(items["rank"] == 0) & (items["ties"] == 0)]
    means = hits.groupby(["layer", "direction"]).size() / (4 * 218)
    scores = table[table["measure"] == "accuracy"].groupby(["layer", "direction"])["value"].mean()
    for layer in range(4):
        for direction in ("forward", "backward"):
            assert means[layer, direction] == pytest.approx(scores[layer, direction], abs=1e-12)
    wrong = items[items["rank"] > 0]
    assert (wrong["best_wrong_score"] > wrong["gold_score"]).all()
    assert (wrong["best_wrong"] != wrong["id"]).all()


def test_running_again_computes_nothing(table, tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setattr(cells.BitextCell, "_layer", lambda *a, **k: pytest.fail("scored again"))
    again = score(
        tiny_bert,
        "pocket",
        languages="de,sw",
        maps="none,centre",
        map_fit="in-sample",
        measures="retrieval,contrast,spectral,neuron",
        store=tmp_path / "s",
        out=tmp_path / "run",
    )
    pd.testing.assert_frame_equal(again, table)
    with pytest.raises(pytest.fail.Exception, match="scored again"):
        score(tiny_bert, "pocket", languages="de", seed=1, store=tmp_path / "s", out=tmp_path / "run")


def test_a_failed_cell_is_noted_and_the_others_are_kept(tiny_bert, tmp_path, monkeypatch):
    original = cells.BitextCell._layer

    def fail_german(cell, layer):
        if cell.prepared.bitext.source.language == "de":
            raise ValueError("planted")
        return original(cell, layer)

    monkeypatch.setattr(cells.BitextCell, "_layer", fail_german)
    with pytest.raises(
        ValueError,
        match="1 of 2 cells failed, the others are kept; the first: pocket/test de-en mean none: planted",
    ):
        score(tiny_bert, "pocket", languages="de,sw", store=tmp_path / "s", out=tmp_path / "run")
    assert set(read_scores(tmp_path / "run")["source"]) == {"sw"}
    (line,) = (tmp_path / "run" / "failures.jsonl").read_text().splitlines()
    assert json.loads(line)["error"] == "ValueError: planted"


def test_a_folder_is_used_by_one_process(tiny_bert, tmp_path, table):
    held = FileLock(tmp_path / "run" / ".lock")
    with held, pytest.raises(OSError, match="another process is writing there"):
        score(tiny_bert, "pocket", languages="de", store=tmp_path / "s", out=tmp_path / "run")


def test_no_store_keeps_nothing(tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "home"))
    score(tiny_bert, "pocket", languages="de", store=False, measures="accuracy")
    assert not (tmp_path / "home" / "store").exists()


def test_centring_undoes_a_planted_shift(tmp_path, rng):
    (bitext,) = load("pocket", languages="de")
    x = rng.standard_normal((218, 16)).astype(np.float32)
    for name, values in (("de", x), ("en", x + 9)):
        np.save(tmp_path / f"{name}.npy", values)
        (tmp_path / f"{name}.ids").write_text("".join(f"{i}\n" for i in bitext.source.ids))
    found = score(
        f"vectors:{tmp_path}", [bitext], maps="none,centre", map_fit="in-sample", measures="accuracy"
    )
    means = found[found["direction"] == "mean"].set_index("map")["value"]
    assert means["centre"] == 1
    assert means["none"] < 0.5


def small(n: int) -> Bitext:
    sentences = tuple(Sentence(str(i), f"satz {i}") for i in range(n))
    return Bitext("files", "x", Side("de", "de", sentences), Side("en", "en", sentences))


def test_fewer_than_four_sentences_are_refused_and_four_are_scored(tiny_bert, tmp_path):
    with pytest.raises(ValueError, match="files/x de-en has 3 sentences; at least 4 are needed"):
        score(tiny_bert, [small(3)], store=tmp_path)
    found = score(tiny_bert, [small(4)], store=tmp_path)
    assert "accuracy@100" not in set(found["measure"])
    assert (found[found["measure"] == "ratio_accuracy@4"]["value"] == 1).all()


def test_layers_are_numbers_ranges_and_names():
    assert parse_layers("0,2-3", range(5)) == [0, 2, 3]
    assert parse_layers("last", range(5)) == [4]
    assert parse_layers("all", (1, 3)) == [1, 3]
    with pytest.raises(ValueError, match="layer 7 is out of range, there are 0 to 4"):
        parse_layers("7", range(5))
    with pytest.raises(ValueError, match="expected all, last, or numbers"):
        parse_layers("two", range(5))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measures": "acc"}, "unknown measure 'acc'"),
        ({"maps": "center"}, "unknown map 'center': did you mean centre"),
        ({"duplicates": "text"}, "unknown `duplicates` 'text'"),
        ({"resample": "word"}, "unknown `resample` 'word'"),
        ({"pooling": "avg"}, "unknown pooling 'avg'"),
        ({"layers": "4"}, "layer 4 is out of range"),
    ],
)
def test_what_is_wrong_is_named_before_anything_is_encoded(tiny_bert, tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        score(tiny_bert, "pocket", store=tmp_path, **settings)
    assert not list(tmp_path.rglob("*.npy"))


# --- real model, real corpora ---


def published(real_data: Path, codes: list[str] | None) -> dict[str, dict[str, float]]:
    path = real_data / "published" / "all-MiniLM-L6-v2.tatoeba.json"
    entries = json.loads(path.read_text())["scores"]["test"]
    found = {entry["hf_subset"].removesuffix("-eng"): entry for entry in entries}
    return found if codes is None else {code: found[code] for code in codes}


def assert_published(table: pd.DataFrame, entries: dict[str, dict[str, float]]) -> None:
    rows = table[(table["layer"] == 6) & (table["direction"] == "forward")].set_index(
        ["source_code", "measure"]
    )
    for code, entry in entries.items():
        tolerance = (
            0.002 if rows.loc[(code, "accuracy"), "n"] == 1000 else 2 / rows.loc[(code, "accuracy"), "n"]
        )
        for ours, theirs in (("accuracy", "accuracy"), ("f1_weighted", "f1")):
            assert abs(rows.loc[(code, ours), "value"] - entry[theirs]) <= tolerance, (code, ours)


EIGHT = ["deu", "ell", "ina", "swg", "tzl", "cmn", "swh", "max"]


@pytest.mark.slow
def test_tatoeba_equals_the_published_result(minilm, real_data, shared_store):
    table = score(
        minilm, "tatoeba", data_dir=real_data, languages=",".join(EIGHT), store=shared_store,
        measures="accuracy,f1_weighted", layers="6",
    )  # fmt: skip
    assert_published(table, published(real_data, EIGHT))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_tatoeba_equals_the_published_result_in_all_112_languages(
    minilm, real_data, shared_store, caplog
):
    with caplog.at_level("INFO"):
        table = score(minilm, "tatoeba", data_dir=real_data, store=shared_store, measures="retrieval")
    assert "177,754 asked, 158,078 distinct" in caplog.text
    entries = published(real_data, None)
    assert len(entries) == 112
    assert_published(table, entries)
    surface = table[
        (table["measure"] == "accuracy") & (table["direction"] == "mean") & (table["layer"] == 6)
    ]
    assert surface["surface"].mean() == pytest.approx(0.122, abs=0.005)


@pytest.mark.slow
def test_documents_widen_the_interval_of_ntrex(minilm, real_data, shared_store):
    """NTREX ru, 1,997 segments of 123 documents, last layer, mean of both directions.

    The interval without each document, as queries and as candidates, is 1.5 times as wide as the
    sentence bootstrap's for accuracy: a design effect (ratio of variances) of 2.26, for MRR 2.53.
    """
    width = {}
    for unit in ("group", "sentence"):
        rows = score(
            minilm, "ntrex", data_dir=real_data, languages="ru", store=shared_store, layers="6",
            measures="accuracy,mrr", resample=unit,
        )  # fmt: skip
        rows = rows[rows["direction"] == "mean"].set_index("measure")
        width[unit] = rows["high"] - rows["low"]
        assert set(rows["groups"]) == {123 if unit == "group" else 1997}
    effect = (width["group"] / width["sentence"]) ** 2
    assert 1.5 < effect["accuracy"] < 2.6
    assert 1.75 < effect["mrr"] < 2.8


def command(model: Path, store: Path, out: Path) -> list[str]:
    return [
        sys.executable, "-m", "crosslingual", "score", str(model), "--corpus", "pocket",
        "--store", str(store), "--out", str(out), "--measures", "accuracy,mrr",
    ]  # fmt: skip


ONE_THREAD = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def start(arguments: list[str]) -> "subprocess.Popen[bytes]":
    """Start a command on one thread: two processes of two threads each would wait for each other."""
    return subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ONE_THREAD
    )


def run_to_the_end(arguments: list[str]) -> None:
    assert start(arguments).wait(timeout=600) == 0


def kill_while_encoding(arguments: list[str], rng: np.random.Generator, shards: int) -> None:
    """Start the command and kill -9 it a random moment after some shard was committed."""
    store = Path(arguments[arguments.index("--store") + 1])
    already = len(list(store.rglob("values.npy")))
    process = start(arguments)
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        if len(list(store.rglob("*/[0-9]*-*/meta.json"))) >= already + shards:
            break
        time.sleep(0.02)
    time.sleep(float(rng.uniform(0, 1.5)))
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    ("model", "kills"), [("small_bert", 1), pytest.param("minilm", 10, marks=pytest.mark.slow)]
)
def test_kill_9_leaves_the_bytes_of_an_undisturbed_run(request, model, tmp_path, rng, kills):
    folder = request.getfixturevalue(model)
    plain, killed = (command(folder, tmp_path / f"s{i}", tmp_path / f"r{i}") for i in (1, 2))
    run_to_the_end(plain)
    for attempt in range(kills):
        kill_while_encoding(killed, rng, shards=attempt % 2)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "s2").rglob("[0-9]*-*/values.npy")}
    run_to_the_end(killed)
    for path, written in kept.items():
        assert path.stat().st_mtime_ns == written  # completed shards are not redone
    first, second = ((tmp_path / f"r{i}" / "scores.parquet").read_bytes() for i in (1, 2))
    assert first == second


@pytest.mark.slow
def test_two_processes_may_fill_one_store(small_bert, tmp_path):
    alone = command(small_bert, tmp_path / "alone", tmp_path / "r0")
    together = [command(small_bert, tmp_path / "s", tmp_path / f"r{i}") for i in (1, 2)]
    processes = [start(arguments) for arguments in together]
    assert [process.wait(timeout=600) for process in processes] == [0, 0]
    run_to_the_end(alone)
    expected = items(tmp_path / "r0")
    for i in (1, 2):
        found = items(tmp_path / f"r{i}")
        assert np.abs(found["gold_score"] - expected["gold_score"]).max() <= 2e-6
        # ranks are equal but for near-ties, whose scores differ by less than the vectors do
        differing = found["rank"] != expected["rank"]
        assert differing.mean() < 1e-3


def items(run: Path) -> pd.DataFrame:
    parts = [pd.read_parquet(path).assign(cell=path.stem) for path in (run / "items").glob("*.parquet")]
    return pd.concat(parts).sort_values(["cell", "layer", "direction", "id"], ignore_index=True)


def test_a_flipped_byte_is_found_and_encoded_again(tiny_bert, tmp_path, caplog):
    store, before = tmp_path / "s", score(tiny_bert, "pocket", languages="de", store=tmp_path / "s")
    path = next(store.rglob("[0-9]*-*/values.npy"))
    data = bytearray(path.read_bytes())
    data[-100] ^= 64
    path.write_bytes(data)
    env = os.environ | {"HF_HUB_OFFLINE": "1"}
    check = subprocess.run(
        [sys.executable, "-m", "crosslingual", "cache", "verify", "--store", str(store)],
        capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip
    assert check.returncode == 1
    assert f"damaged: {path.parent}: layer 3 does not match its checksum" in check.stdout
    after = score(tiny_bert, "pocket", languages="de", store=store)
    assert "is damaged" in caplog.text
    pd.testing.assert_frame_equal(before, after, atol=2e-6)


def test_errors_are_the_translations_that_are_not_ahead(tiny_bert, tmp_path):
    options = {"languages": "de", "layers": "1,3", "store": tmp_path / "s", "out": tmp_path / "run"}
    table = score(tiny_bert, "pocket", measures="accuracy,anc", errors=True, **options)
    errors = pd.read_parquet(tmp_path / "run" / "errors.parquet")
    (bitext,) = load("pocket", languages="de")
    scores = table.set_index(["measure", "layer", "direction"])["value"]["accuracy"]
    assert (errors["margin"] <= 0).all() and (errors["rank"][errors["margin"] < 0] > 0).all()
    for (layer, query), part in errors.groupby(["layer", "query"]):
        direction = "forward" if query == "de" else "backward"
        assert len(part) == round(218 * (1 - scores[layer, direction]))  # nothing is tied here
        assert part["margin"].is_monotonic_increasing
    german, english = (dict(zip(s.ids, s.texts, strict=True)) for s in (bitext.source, bitext.target))
    for row in errors.to_dict("records"):
        query, other = (german, english) if row["query"] == "de" else (english, german)
        assert row["text"] == query[row["id"]] and row["translation"] == other[row["id"]]
        assert row["found"] == other[row["found_id"]] and row["found_id"] != row["id"]
    with pytest.raises(ValueError, match="`errors` needs a measure of retrieval"):
        score(tiny_bert, "pocket", measures="anc", errors=True, **options)


def test_nulls_by_name(tiny_bert, tmp_path):
    options = {"languages": "de", "layers": "0", "store": tmp_path / "s", "out": tmp_path / "run"}
    options["measures"] = "accuracy,mrr,contrast,anc,within_document_accuracy"
    tables = {
        null: score(tiny_bert, "pocket", null=null, **options)
        for null in ("shuffle", "length", "document")
    }
    nulls = {}
    for null, table in tables.items():
        rows = table.set_index(["measure", "direction"])
        assert rows["value"].equals(tables["shuffle"].set_index(["measure", "direction"])["value"])
        assert rows["null_kind"]["accuracy", "mean"] == null
        assert rows["null_kind"]["anc", "both"] == "shuffle"
        assert rows["null_kind"]["mrr", "mean"] == (null if null == "shuffle" else "")
        nulls[null] = rows["null"]["accuracy", "mean"], rows["null"]["contrast", "mean"]
    for measure in range(2):  # sentences of one length, or document, are more alike
        assert nulls["shuffle"][measure] < nulls["length"][measure]
        assert nulls["shuffle"][measure] < nulls["document"][measure]
    with pytest.raises(ValueError, match="unknown `null` 'documents': one of shuffle, length, document"):
        score(tiny_bert, "pocket", null="documents", **options)
    (pocket,) = load("pocket", languages="de")
    loose = [
        Side(s.language, s.code, tuple(Sentence(one.id, one.text) for one in s.sentences))
        for s in (pocket.source, pocket.target)
    ]
    with pytest.raises(ValueError, match="own/test de-en has no documents, which `null` document needs"):
        score(tiny_bert, [Bitext("own", "test", *loose)], null="document", **options)
