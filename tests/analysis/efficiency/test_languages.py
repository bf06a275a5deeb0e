"""What differs between languages: counts to the digit, and a split of time that multiplies."""

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.encoding.tokens import tokenize
from crosslingual.analysis.efficiency.languages import latencies, time_rows, token_rows
from crosslingual.analysis.efficiency.options import EfficiencyOptions
from crosslingual.analysis.efficiency.subjects import TimedModel
from crosslingual.analysis.efficiency.workload import units_of
from crosslingual.data import load
from crosslingual.data.corpora.same_sentences import parallel_texts


@pytest.fixture(scope="module")
def checkpoint(minilm):
    return open_checkpoint(minilm)


@pytest.fixture(scope="module")
def texts():
    return parallel_texts("pocket", languages="de,zh", limit=40)


@pytest.fixture(scope="module")
def tokens(checkpoint, texts):
    return {name: tokenize(checkpoint.tokenizer, own, 256) for name, own in texts.items()}


def test_texts_are_the_same_sentences(texts):
    assert list(texts) == ["en", "de", "zh"] and {len(own) for own in texts.values()} == {40}
    for bitext in load("pocket", languages="de,zh"):
        pairs = set(zip(bitext.source.texts, bitext.target.texts, strict=True))
        assert set(zip(texts[bitext.source.language], texts["en"], strict=True)) <= pairs


def test_tokens_equal_a_direct_count(checkpoint, texts, tokens):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder)
    counts = {
        name: sum(len(tokenizer(text)["input_ids"]) for text in own) for name, own in texts.items()
    }
    plain = {name: sum(len(tokenizer.tokenize(text)) for text in own) for name, own in texts.items()}
    for row in token_rows(checkpoint, texts, tokens):
        name = row["language"]
        assert row["tokens"] == counts[name]
        assert row["premium"] == counts[name] / counts["en"]
        assert row["premium_content"] == plain[name] / plain["en"]
        assert row["bytes"] == sum(len(text.encode()) for text in texts[name])


def test_fertility_equals_words_cut_one_by_one(checkpoint, texts, tokens):
    """BERT's tokens never cross a space; Chinese has no words between spaces."""
    rows = {row["language"]: row for row in token_rows(checkpoint, texts, tokens)}
    tokenizer = checkpoint.tokenizer
    pieces = [len(tokenizer.tokenize(word)) for text in texts["de"] for word in text.split()]
    assert rows["de"]["fertility"] == pytest.approx(np.mean(pieces))
    assert rows["de"]["continued_words"] == pytest.approx(np.mean(np.array(pieces) > 1))
    assert np.isnan(rows["zh"]["fertility"]) and np.isnan(rows["zh"]["continued_words"])
    assert rows["zh"]["unknown_share"] > rows["de"]["unknown_share"] >= 0


@pytest.mark.parametrize("bucketing", [True, False])
def test_every_sentence_is_in_one_batch_within_the_budget(checkpoint, texts, tokens, bucketing):
    options = EfficiencyOptions(bucketing=bucketing, batch_tokens=200)
    units = units_of(options, [TimedModel(checkpoint)], texts, tokens)
    for name, own in texts.items():
        of_language = [unit for unit in units if unit.label == name]
        assert sorted(text for unit in of_language for text in unit.texts) == sorted(own)
        for unit in of_language:
            lengths = tokenize(checkpoint.tokenizer, unit.texts, 256).counts
            assert lengths.max() * len(lengths) <= 200 or len(lengths) == 1


def test_shapes_fit_every_subject(checkpoint):
    options = EfficiencyOptions(scenario="shapes", lengths="16,256,512", batch_tokens=512)
    small = TimedModel(open_checkpoint("pocket-xs"))
    units = units_of(options, [TimedModel(checkpoint), small], {}, {})
    longest = min(checkpoint.max_length, small.checkpoint.max_length)
    assert [unit.label for unit in units] == [f"{512 // n} x {n}" for n in (16, 256) if n <= longest]
    assert max(int(unit.tokens.ids.max()) for unit in units) < len(small.checkpoint.tokenizer)


def test_no_common_sentence_is_refused(tmp_path):
    for code, text in (("deu", "Ein Satz.\n"), ("fra", "Une phrase.\n")):
        (tmp_path / "tatoeba").mkdir(exist_ok=True)
        (tmp_path / "tatoeba" / f"tatoeba.{code}-eng.{code}").write_text(text)
        (tmp_path / "tatoeba" / f"tatoeba.{code}-eng.eng").write_text(f"A sentence of {code}.\n")
    with pytest.raises(ValueError, match="has no sentence that de, fr all have"):
        parallel_texts("tatoeba", data_dir=tmp_path)


def simulated():
    """Three languages; every unit takes its padded tokens times a rate of its language."""
    rate, rows = {"en": 1.0, "de": 1.1, "ta": 1.0}, []
    for unit, (label, tokens, padded) in enumerate(
        [("en", 100, 110), ("en", 90, 95), ("de", 130, 150), ("ta", 300, 330)]
    ):
        for slow in (1, 1, 1, 5, 1, 1, 9):  # what the median does not see
            wall = padded * rate[label] * 1e-3 * slow
            rows.append(("m", label, unit, 10, tokens, padded, wall))
    names = ["subject", "label", "unit", "texts", "tokens", "padded", "wall"]
    return pd.DataFrame(rows, columns=names)


def test_time_is_premium_times_padding_times_residual():
    rows = {row["language"]: row for row in time_rows(simulated(), "m", "en")}
    assert rows["en"]["time_ratio"] == 1
    assert rows["de"]["time_premium"] == pytest.approx(130 / 190)
    assert rows["de"]["time_padding"] == pytest.approx((150 / 130) / (205 / 190))
    assert rows["de"]["time_residual"] == pytest.approx(1.1)
    assert rows["ta"]["time_residual"] == pytest.approx(1)
    for row in rows.values():
        parts = row["time_premium"] * row["time_padding"] * row["time_residual"]
        assert row["time_ratio"] == pytest.approx(parts)
    assert rows["de"]["time_ratio"] == pytest.approx(150 * 1.1 / 205)
    assert rows["ta"]["time_low"] <= rows["ta"]["time_ratio"] <= rows["ta"]["time_high"]
    assert rows["en"]["time_low"] == rows["en"]["time_high"] == 1
    assert rows["en"]["sentences_per_second"] == pytest.approx(20 / 0.205)


def test_percentiles(rng):
    times = rng.exponential(size=1500)
    samples = pd.DataFrame({"subject": "m", "label": ["a"] * 1000 + ["b"] * 500, "wall": times})
    rows = {row["label"]: row for row in latencies(samples, "wall")}
    assert rows["all"]["p90_ms"] == pytest.approx(np.percentile(times, 90) * 1e3)
    assert rows["a"]["p99_ms"] == pytest.approx(np.percentile(times[:1000], 99) * 1e3)
    assert np.isnan(rows["b"]["p99_ms"]) and rows["b"]["samples"] == 500
    assert rows["all"]["queries_per_second"] == pytest.approx(1500 / times.sum())
