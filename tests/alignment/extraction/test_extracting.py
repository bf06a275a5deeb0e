"""Extracted vectors are the model's: they score to the same values, whatever file they are in."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from crosslingual import extract, open_checkpoint
from crosslingual.alignment.extraction import writing
from crosslingual.alignment.representations.given import GivenVectors
from crosslingual.alignment.representations.stored import represent
from crosslingual.data import Bitext, Sentence, Side, load
from tests.conftest import make_corpora
from tests.verbs import score

TEXTS = ["Wo ist der Bahnhof?", "Danke.", "Ein Satz, der viel länger ist und nie enden will.", "Danke."]


@pytest.mark.parametrize("kind", ["npy", "safetensors", "parquet"])
def test_a_round_trip_scores_to_the_same_values(tiny_bert, tmp_path, kind, monkeypatch):
    monkeypatch.setattr("crosslingual.alignment.extraction.extracting.CHUNK", 9_000)  # several chunks
    out, options = tmp_path / "v", {"languages": "de,ru", "layers": "0,2-3", "pooling": "mean,first"}
    extract(tiny_bert, "pocket", out=out, format=kind, store=tmp_path / "s", **options)
    here = score(tiny_bert, "pocket", store=tmp_path / "s", **options)
    there = score(f"vectors:{out}", "pocket", **options)
    apart = ["checkpoint", "key"]  # its key is of other bytes
    pd.testing.assert_frame_equal(
        here.drop(columns=apart), there.drop(columns=apart), check_exact=True, check_dtype=False
    )
    assert set(there["layer"]) == {0, 2, 3} and set(there["pooling"]) == {"mean", "first"}


def test_what_a_checkpoint_says_of_itself_goes_with_its_vectors(tmp_path):
    options = {"languages": "de", "layers": "last", "measures": "accuracy"}
    extract("pocket-xs", languages="de", layers="last", out=tmp_path / "v", store=tmp_path / "s")
    here = score("pocket-xs", store=tmp_path / "s", **options)
    there = score(f"vectors:{tmp_path / 'v'}", **options)
    apart = ["checkpoint", "key"]
    pd.testing.assert_frame_equal(
        here.drop(columns=apart), there.drop(columns=apart), check_exact=True, check_dtype=False
    )
    assert set(there["family"]) == {"pocket"}


def test_english_of_every_pair_is_there(tiny_bert, tmp_path):
    """Every pair of Tatoeba has English sentences of its own."""
    data = make_corpora(tmp_path / "data")
    options = {"languages": "deu,rus", "data_dir": data, "store": tmp_path / "s"}
    found = extract(tiny_bert, "tatoeba", out=tmp_path / "v", **options)
    here = score(tiny_bert, "tatoeba", measures="accuracy", **options)
    there = score(f"vectors:{tmp_path / 'v'}", "tatoeba", measures="accuracy", **options)
    assert here["value"].tolist() == there["value"].tolist()
    assert found.table.set_index("code")["sentences"]["eng"] == sum(
        len(bitext) for bitext in load("tatoeba", languages="deu,rus", data_dir=data)
    )


def test_what_it_knows(tiny_bert, tmp_path):
    found = extract(tiny_bert, TEXTS, layers="1,3", store=tmp_path / "s")
    side = Side("und", "und", tuple(Sentence(str(i), text) for i, text in enumerate(TEXTS, start=1)))
    model = open_checkpoint(tiny_bert)
    expected = represent(model, [side], root=tmp_path / "t")["mean"].read(side, [1, 3])
    assert found.layers == (1, 3) and found.languages == ("und",) and found.poolings == ("mean",)
    assert found.ids() == ["1", "2", "3", "4"]
    assert isinstance(found.layer(3), np.memmap)
    assert np.allclose(found.to_numpy(), expected, atol=1e-6) and found.to_numpy().dtype == np.float32
    assert np.array_equal(found.layer(3)[1], found.layer(3)[3])
    dataset = found.to_dataset()
    assert dataset.column_names == ["id", "layer_1", "layer_3"] and dataset["id"][2] == "3"
    assert np.array_equal(np.array(dataset["layer_3"]), found.layer(3))
    for ask, message in (
        (lambda: found.layer(2), "layer 2 was not extracted; there are 1, 3"),
        (lambda: found.layer(1, "de"), "no vectors of 'de'"),
        (lambda: found.layer(1, pooling="first"), "pooled already; name `pooling` mean"),
    ):
        with pytest.raises(ValueError, match=message):
            ask()
    several = extract(tiny_bert, "pocket", languages="de", layers="last", pooling="mean,max")
    with pytest.raises(ValueError, match="name the `language`: de, en"):
        several.layer(3, pooling="max")
    with pytest.raises(ValueError, match="name the `pooling`: mean, max"):
        several.layer(3, "de")


def test_files_are_what_their_libraries_read(tiny_bert, tmp_path):
    made = {
        kind: extract(tiny_bert, TEXTS, layers="0,3", format=kind, out=tmp_path / kind)
        for kind in ("npy", "safetensors", "parquet")
    }
    whole = np.load(tmp_path / "npy" / "mean" / "und.npy")
    assert whole.shape == (2, 4, 32)
    tensors = load_file(tmp_path / "safetensors" / "mean" / "und.safetensors")
    frame = pd.read_parquet(tmp_path / "parquet" / "mean" / "und.parquet")
    for place, layer in enumerate((0, 3)):
        assert np.array_equal(whole[place], tensors[f"layer_{layer}"])
        assert np.array_equal(whole[place], np.stack(frame[f"layer_{layer}"]))
    assert frame["id"].tolist() == made["npy"].ids() == made["parquet"].ids()
    half = extract(tiny_bert, TEXTS, store_dtype="float16", format="safetensors").layer(3)
    assert half.dtype == np.float16 and np.allclose(half, whole[1], atol=2e-3)


def test_layers_are_in_the_order_of_their_numbers(tmp_path, rng):
    """As texts layer_10 comes before layer_9."""
    values = rng.standard_normal((3, 5, 4)).astype(np.float32)
    for kind in ("safetensors", "parquet"):
        path = tmp_path / f"de.{kind}"
        with writing.open_writer(path, [2, 9, 10], list("abcde"), 4, "float32") as chunk:
            chunk(values[:, :3])
            chunk(values[:, 3:])
        path.with_suffix(".ids").write_text("a\nb\nc\nd\ne\n")
        side = Side("de", "de", (Sentence("d", ""), Sentence("a", "")))
        assert np.array_equal(GivenVectors(tmp_path).read(side, [2, 0]), values[[2, 0]][:, [3, 0]])
        path.unlink()


def test_words(tiny_bert, tmp_path):
    found = extract(tiny_bert, TEXTS[:2], words=True, layers="3", store=tmp_path / "s")
    assert found.ids() == ["1.1", "1.2", "1.3", "1.4", "2.1"]
    whole = extract(tiny_bert, TEXTS[:2], layers="3", store=tmp_path / "s", pooling="mean-content")
    # of a sentence of one word, the word's tokens are all that are not special
    assert np.allclose(found.layer(3)[4], whole.layer(3)[1], atol=1e-6)


def test_it_goes_on_and_refuses_what_does_not_fit(tiny_bert, tmp_path, caplog):
    out, options = tmp_path / "v", {"layers": "0,3", "store": tmp_path / "s"}
    first = extract(tiny_bert, "pocket", languages="de", out=out, **options)
    german, english = (out / "mean" / "pocket" / "test" / f"{code}.npy" for code in ("de", "en"))
    before = {path: path.stat().st_mtime_ns for path in (german, english)}
    data = bytearray(english.read_bytes())
    data[-9] ^= 8
    english.write_bytes(data)
    with pytest.raises(ValueError, match=r"en.npy is damaged or missing; extract once more"):
        score(f"vectors:{out}", "pocket", languages="de", measures="accuracy")
    again = extract(tiny_bert, "pocket", languages="de,ru", out=out, **options)
    assert "en.npy is damaged; it is written again" in caplog.text
    assert german.stat().st_mtime_ns == before[german] and english.stat().st_mtime_ns > before[english]
    assert set(again.languages) == {"de", "ru", "en"} and np.array_equal(
        first.layer(3, "de"), again.layer(3, "de")
    )
    files = json.loads((out / "vectors.json").read_text())["files"]
    assert len(files) == 9, "vectors, ids and counts of three languages"
    for changed, message in (
        ({"layers": "0"}, "vectors with layers"),
        ({"format": "parquet"}, "vectors with format npy, not parquet"),
        ({"prefix": "query: "}, "vectors with prefix"),
        ({"limit": 9}, "vectors of other sentences"),
    ):
        with pytest.raises(ValueError, match=message):
            extract(tiny_bert, "pocket", languages="de", out=out, **options | changed)
    with pytest.raises(ValueError, match="these are vectors already"):
        extract(f"vectors:{out}", "pocket")
    with pytest.raises(ValueError, match="vectors are pooled already; name `pooling` mean"):
        score(f"vectors:{out}", "pocket", languages="de", pooling="max")


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    """What a disk can no longer take is an error that names the file."""
    path = tmp_path / "de.npy"

    def fail() -> None:
        with writing.open_writer(path, [0], ["a", "b"], 2, "float32") as chunk:
            chunk(np.zeros((1, 1, 2), np.float32))
            raise OSError(28, "No space left on device")

    with pytest.raises(
        OSError, match=r"de.npy cannot be written \(No space left on device\); make room"
    ):
        fail()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_extracted(tiny_bert, tmp_path):
    (tmp_path / "empty.de").write_text("")
    one = Side("de", "de", (Sentence("1", "Eins."), Sentence("2", "Zwei.")), "c/test")
    two = Side("en", "en", (Sentence("1", "One."), Sentence("2", "Two.")), "c/test")
    other = Side("en", "en", (Sentence("1", "Uno."), Sentence("2", "Two.")), "c/test")
    pairs = [Bitext("c", "test", one, two), Bitext("c", "test", one, other)]
    for subject, options, message in (
        ([], {}, "no sentence to extract"),
        (pairs, {}, "the id '1' is of two sentences"),
        ("pocket", {"texts": tmp_path / "empty.de"}, "no sentence"),
        ("pocket", {"language": "de"}, "`language` is that of `texts`"),
        ("pocket", {"layers": "7"}, "layer 7 is out of range"),
        ("pocket", {"pooling": "men"}, "unknown pooling"),
        ("pocket", {"format": "csv"}, "unknown `format` 'csv'"),
    ):
        with pytest.raises(ValueError, match=message):
            extract(tiny_bert, subject, **options)


def test_the_command(command, tiny_bert, tmp_path):
    (tmp_path / "news.de").write_text("\n".join(TEXTS[:3]) + "\n")
    (tmp_path / "news.en").write_text("Where?\nThanks.\nA sentence.\n")
    for code in ("de", "en"):
        done = command(
            "extract",
            tiny_bert,
            "--texts",
            tmp_path / f"news.{code}",
            "--layers",
            "0,3",
            "--out",
            tmp_path / "v",
        )
        assert done.returncode == 0, done.stderr
    assert "mean: layers 0, 3" in done.stdout and "3 vectors a layer in" in done.stdout
    assert f"crosslingual score vectors:{tmp_path / 'v'}" in done.stdout
    files = tmp_path / "v" / "mean"
    assert {path.name for path in files.iterdir()} >= {"de.npy", "de.ids", "en.npy", "en.ids"}
    whole = command(
        "extract", tiny_bert, "--texts", tmp_path / "news.de", "--layers", "9", "--out", tmp_path / "w"
    )
    assert whole.returncode == 1 and "--layers" in whole.stderr
