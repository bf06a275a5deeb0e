"""Reading and writing: what is fed and scored is what the whole model gives, and only decoders write."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import transformers

import crosslingual
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.analysis.efficiency import energy, generating, measuring, memory
from crosslingual.analysis.efficiency.clocks import Running
from crosslingual.analysis.efficiency.subjects import TimedModel
from crosslingual.analysis.efficiency.words import checkpoints_in_words
from crosslingual.analysis.efficiency.workload import Unit
from tests.alignment.encoding.test_architectures import save_small

QUICK = {"languages": "de", "limit": 2, "seconds": 0.1, "scenario": "generate"}


@pytest.fixture(scope="module", params=["llama", "qwen3", "gemma3_text", "gpt2"])
def decoder(request, tmp_path_factory):
    return save_small(request.param, tmp_path_factory.mktemp("decoder") / "m", layers=2)


def test_the_words_are_those_of_the_whole_model(decoder, monkeypatch):
    """With one matrix for input and output: the best word after every token, read or written."""
    subject = TimedModel(open_checkpoint(decoder))
    running = Running.of(subject)
    monkeypatch.setattr(running.model.config.get_text_config(), "tie_word_embeddings", True)
    assert generating.output_matrix(running.model) is running.model.get_input_embeddings().weight
    words, next_word = [], generating._next_word
    monkeypatch.setattr(generating, "_next_word", lambda *both: words.append(next_word(*both)))
    unit = Unit("en", ("a few words to read",), written=True)
    found = running.time(unit)
    ids = torch.from_numpy(subject.tokens(unit.texts).ids.astype(np.int64))[None]
    assert found["tokens"] == ids.shape[1] == len(words) - 1
    assert found["wall"] == pytest.approx(
        sum(found[name] for name in ("tokenise", "transfer", "prefill", "decode"))
    )
    with torch.inference_mode():
        states = running.model(input_ids=torch.cat([ids, ids], 1)).last_hidden_state
        scores = states[0] @ running.model.get_input_embeddings().weight.T
    assert words == scores.argmax(-1)[ids.shape[1] - 1 :].tolist()


def test_a_matrix_of_its_own_has_the_shape_of_the_head(decoder, monkeypatch):
    model = open_checkpoint(decoder).load()
    monkeypatch.setattr(model.config.get_text_config(), "tie_word_embeddings", False)
    head = transformers.AutoModelForCausalLM.from_config(model.config).get_output_embeddings()
    words = generating.output_matrix(model)
    assert words.shape == head.weight.shape and words.dtype == model.dtype
    assert words is not model.get_input_embeddings().weight


def test_long_texts_leave_room_for_what_is_written(decoder):
    running = Running.of(TimedModel(open_checkpoint(decoder, max_length=9)))
    assert running.time(Unit("en", ("word " * 50,), written=True))["tokens"] == 4


def test_the_verb(decoder, monkeypatch):
    monkeypatch.setattr(measuring, "memory_of", memory._measured)  # not in a process of its own
    found = crosslingual.efficiency(decoder, **QUICK, max_length=16)
    assert set(found.table["clock"]) == {"wall", "cpu", "tokenise", "transfer", "prefill", "decode"}
    assert set(found.latency["clock"]) == {"wall", "first token", "per token"}
    rows = found.samples
    assert np.allclose(rows["first token"] + rows["per token"] * rows["tokens"], rows["wall"])
    assert any("not measured" in line for line in checkpoints_in_words(found))


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "t5"])
def test_only_decoders_write(kind, tmp_path):
    folder = save_small(kind, tmp_path / "m", layers=2)
    with pytest.raises(ValueError, match=r"does not write: .*the scenario generate is for decoders"):
        crosslingual.efficiency(folder, **QUICK)


class Card:
    """A card that takes two watts, on a clock of its own."""

    NVMLError = RuntimeError

    def __init__(self, counts=True):
        self.counts, self.millijoules, self.asked = counts, 5e6, []

    def nvmlInit(self):
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid):
        self.asked.append(uuid)
        return "card"

    def nvmlDeviceGetTotalEnergyConsumption(self, card):
        if not self.counts:
            raise self.NVMLError("not supported")
        return self.millijoules


@pytest.mark.parametrize("counts", [True, False])
def test_joules_are_what_the_counter_moved_by(counts, monkeypatch):
    card, now = Card(counts), [0.0]
    monkeypatch.setitem(sys.modules, "pynvml", card)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid="abc"))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    monkeypatch.setattr(energy.time, "perf_counter", lambda: now[0])

    def run():
        now[0] += 0.5
        card.millijoules += 1000.0  # two watts, half a second
        return 4

    found = energy.joules_a_text(SimpleNamespace(type="cuda"), run)
    assert card.asked == ["GPU-abc"]
    assert found == 0.25 if counts else np.isnan(found)
    assert np.isnan(energy.joules_a_text(torch.device("cpu"), run))
