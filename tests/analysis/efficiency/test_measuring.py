"""The verb: tables, the base against itself, planted slowdowns, noise, memory, refusals."""

import json
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pytest
import torch

import crosslingual
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.analysis.efficiency import clocks, measuring, memory
from crosslingual.analysis.efficiency.memory import memory_of
from crosslingual.analysis.efficiency.retrieving import retrieval_accuracy
from crosslingual.analysis.efficiency.subjects import TimedModel
from crosslingual.analysis.efficiency.words import (
    checkpoints_in_words,
    languages_in_words,
    ratios_in_words,
)
from crosslingual.analysis.efficiency.workload import Unit
from crosslingual.cli import main
from crosslingual.data import load
from tests.conftest import make_tiny
from tests.verbs import score

QUICK = {"languages": "de", "limit": 6, "seconds": 0.3}


@pytest.fixture(scope="module", autouse=True)
def here():
    """Memory is looked at in this process: to start another one takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "memory_of", memory._measured)
        yield


@pytest.fixture(scope="module")
def result(here, tiny_bert, tmp_path_factory):
    out = tmp_path_factory.mktemp("efficiency") / "run"
    options = QUICK | {"forms": "bfloat16,int8", "align": "pocket", "out": out}
    return crosslingual.efficiency([tiny_bert], **options)


def test_tables(result, tiny_bert):
    base = str(tiny_bert)
    assert set(result.table["subject"]) == {f"{base} ({form})" for form in ("again", "bfloat16", "int8")}
    assert set(result.table["label"]) == {"all", "en", "de"}
    assert set(result.table["clock"]) == {*("wall", "cpu", "tokenise", "transfer", "forward", "pooling")}
    assert (result.table["low"] <= result.table["ratio"]).all()
    for name in ("ratios", "checkpoints", "languages", "latency", "samples"):
        assert len(pd.read_parquet(result.folder / f"{name}.parquet"))
    known = json.loads((result.folder / "machine.json").read_text())
    assert known["before"]["cores"] and known["structure"][f"{base} (bfloat16)"][0]["what"] == "dtype"
    rows = result.samples
    assert rows.groupby("subject").size().nunique() == 1 and rows["load"].nunique() == 5
    parts = rows[["tokenise", "transfer", "forward", "pooling"]].sum(axis=1)
    assert np.allclose(parts, rows["wall"])
    assert set(result.checkpoints["subject"]) == {base, f"{base} (bfloat16)", f"{base} (int8)"}


def test_every_unit_is_run_and_every_round_has_all(result):
    rounds = result.samples.groupby(["load", "block", "round"])
    assert (rounds["subject"].nunique() == 4).all() and (rounds["unit"].nunique() == 1).all()
    texts = result.samples.drop_duplicates("unit").groupby("label")["texts"].sum()
    assert texts.to_dict() == {"en": 6, "de": 6}


def test_words_and_figures(result, tmp_path):
    said = "\n".join(
        line
        for part in (ratios_in_words, languages_in_words, checkpoints_in_words)
        for line in part(result)
    )
    assert "found with power .8" in said and "premium x padding x residual" in said
    assert "accuracy" in said and "peak memory" in said
    for draw in (result.forest, result.distributions, result.premiums, result.pareto):
        assert draw().axes


def test_accuracy_is_that_of_score(tiny_bert):
    """At every layer, hence at the best one."""
    table = score(tiny_bert, "pocket", languages="de,fr", measures="accuracy")
    mean = table[table["direction"] == "mean"].groupby("layer")["value"].mean()
    found = retrieval_accuracy(TimedModel(open_checkpoint(tiny_bert)), load("pocket", languages="de,fr"))
    assert found["accuracy"] == pytest.approx(mean.max()) and mean[found["layer"]] == mean.max()


def test_a_planted_slowdown_is_slower(tiny_bert, tmp_path, monkeypatch):
    """Times with noise of 5 %, those of one 3 % longer: it is slower, and the base the same as itself."""
    other = make_tiny(tmp_path / "slow", seed=3)
    rng = np.random.default_rng(0)

    def sampled(self, unit):
        times = dict.fromkeys(("tokenise", "transfer", "forward", "pooling", "cpu"), 1e-3)
        times["wall"] = unit.count * 1e-2 * float(np.exp(rng.normal(0, 0.05)))
        times["wall"] *= 1.03 if self.subject.name == str(other) else 1
        return times | {"tokens": 10.0, "padded": 12.0}

    monkeypatch.setattr(clocks.Running, "time", sampled)
    found = measuring.efficiency([tiny_bert, other], **(QUICK | {"seconds": 120.0}))
    rows = found.table[(found.table["label"] == "all") & (found.table["clock"] == "wall")]
    assert dict(zip(rows["subject"], rows["verdict"], strict=True)) == {
        f"{tiny_bert} (again)": "same",
        str(other): "slower",
    }
    assert found.unlike[str(other)] == []


@pytest.mark.slow
def test_a_busy_wait_is_slower(tiny_bert, tmp_path, monkeypatch):
    """A busy wait of half a forward pass in one of two that are made alike."""
    other = make_tiny(tmp_path / "slow", seed=3)
    original = clocks.forward

    def forward(model, batch):
        start = time.perf_counter()
        found = original(model, batch)
        if model.slow:
            stop = time.perf_counter() + 0.5 * (time.perf_counter() - start)
            while time.perf_counter() < stop:
                pass
        return found

    monkeypatch.setattr(clocks, "forward", forward)
    load_model = TimedModel.load

    def load_marked(self):
        model = load_model(self)
        model.slow = self.name == str(other)
        return model

    monkeypatch.setattr(TimedModel, "load", load_marked)
    found = measuring.efficiency([tiny_bert, other], **(QUICK | {"seconds": 20.0, "margin": 0.2}))
    rows = found.table[(found.table["label"] == "all") & (found.table["clock"] == "forward")]
    rows = rows.set_index("subject")
    assert rows.loc[str(other), "low"] > 1.1
    assert rows.loc[f"{tiny_bert} (again)", "high"] < rows.loc[str(other), "low"]
    assert found.unlike[str(other)] == []


def test_a_noisy_machine_says_nothing(tiny_bert, tmp_path, monkeypatch):
    """Times that differ at random from load to load: the base is not the same as itself."""
    other = make_tiny(tmp_path / "other", seed=3)
    original, rng = clocks.Running.of, np.random.default_rng(0)

    class Noisy(clocks.Running):
        @staticmethod
        def of(*arguments):
            one = original(*arguments)
            found = Noisy(one.subject, one.model, one.device, one.indexes)
            object.__setattr__(found, "factor", float(np.exp(rng.normal(0, 0.4))))
            return found

        def time(self, unit):
            return {name: value * self.factor for name, value in super().time(unit).items()}

    monkeypatch.setattr("crosslingual.analysis.efficiency.replicates.Running", Noisy)
    found = measuring.efficiency([tiny_bert, other], **QUICK)
    others = found.table[found.table["subject"] == str(other)]
    assert set(others["verdict"]) == {"inconclusive"}
    assert others["note"].str.contains("too noisy").all()
    assert any("nothing is said of the others" in line for line in ratios_in_words(found))


def test_searches_and_single_sentences(tiny_bert):
    pytest.importorskip("faiss")
    found = crosslingual.efficiency(tiny_bert, **QUICK, scenario="retrieve", items="50,500")
    assert set(found.latency["clock"]) == {"wall", "query@50", "query@500"}
    assert set(found.samples["texts"]) == {1}
    whole = found.samples["wall"] + found.samples["search@500"]
    assert np.allclose(found.samples["query@500"], whole)
    found = crosslingual.efficiency(tiny_bert, **QUICK, scenario="shapes", lengths="8,16")
    assert set(found.table["clock"]) == {"wall", "transfer", "forward", "pooling", "cpu"}
    assert (found.samples["tokens"] == found.samples["padded"]).all()


def test_peak_memory_agrees_with_a_look_from_outside(minilm):
    """Within 5 % of what another process sees."""
    seen, done = [0], threading.Event()
    others = {child.pid for child in psutil.Process().children(recursive=True)}  # of earlier tests

    def look():
        while not done.is_set():
            for child in psutil.Process().children(recursive=True):
                try:
                    if child.pid in others:
                        continue
                    seen[0] = max(seen[0], child.memory_info().rss)
                except psutil.Error:
                    continue
            time.sleep(0.005)

    watching = threading.Thread(target=look)
    watching.start()
    found = memory_of(TimedModel(open_checkpoint(minilm)), [Unit("en", ("some words " * 40,) * 64)])
    done.set()
    watching.join()
    assert found["peak_mb"] * 1e6 == pytest.approx(seen[0], rel=0.05)
    assert found["before_mb"] < found["peak_mb"]
    model = open_checkpoint(minilm).load()
    assert found["weights_mb"] == sum(one.numel() * 4 for one in model.parameters()) / 1e6


def test_flags_of_the_model(tiny_bert, tmp_path):
    """What opens a checkpoint opens all that are timed."""
    flags = "--dtype bfloat16 --max-length 7 --device cpu --batch-tokens 64 --allow-pickle --prefix q:"
    line = f"efficiency {tiny_bert} --languages de --limit 4 --seconds 0.2 --out {tmp_path / 'out'}"
    assert main([*line.split(), *flags.split(), "--original", str(tiny_bert)]) == 0
    samples = pd.read_parquet(tmp_path / "out" / "samples.parquet")
    assert samples["tokens"].max() <= 64 and (samples["tokens"] <= 7 * samples["texts"]).all()
    assert (tmp_path / "out" / "figures" / "forest-offline.png").is_file()


def test_refusals(tiny_bert, capsys):
    for flags, said in (
        (["--memory", "1GB"], "--memory reads a model block by block, which is not timed"),
        (["--items", "1,x"], "--items are numbers by commas"),
        (["--languages", "xx"], "xx"),
        (["--corpus", "nope"], "unknown corpus 'nope'"),
        (["--scenario", "shapes", "--lengths", "9999999"], "all are above"),
    ):
        assert main(["efficiency", str(tiny_bert), *flags, "--limit", "4"]) == 1
        assert said in capsys.readouterr().err.splitlines()[-1]
    if not torch.cuda.is_available():
        assert main(["efficiency", str(tiny_bert), "--device", "cuda"]) == 1
        assert "finds no CUDA here" in capsys.readouterr().err
    assert main(["efficiency", str(tiny_bert), str(tiny_bert)]) == 1
    assert "named twice" in capsys.readouterr().err
    assert main(["efficiency"]) == 2
