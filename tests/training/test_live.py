"""Alignment while training: the numbers of `score`, nothing disturbed, a collapse seen."""

import json

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

from crosslingual import load
from crosslingual.training.live import AlignmentCallback, LiveAlignment, best_mean, encoder_of
from crosslingual.training.phases import run_recipe
from crosslingual.training.recipe import Phase, Recipe, TaskPart, Watch
from tests.conftest import make_tiny, write_rte
from tests.verbs import score


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("live") / "model", seed=3)


def opened(folder):
    return AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def test_it_is_the_accuracy_of_score(folder, tmp_path):
    model, tokenizer = opened(folder)
    live = LiveAlignment.of(tokenizer, load("pocket", languages="de,ru"), sentences=50)
    curves = live.curves(model)
    table = score(folder, "pocket", languages="de,ru", limit=50, measures="accuracy", store=tmp_path)
    mean = table[table["direction"] == "mean"].set_index(["source", "layer"])["value"]
    for language in ("de", "ru"):
        assert curves[f"{language}-en"] == pytest.approx(list(mean[language]), abs=1e-12)
    assert best_mean(curves) == pytest.approx(mean.groupby("layer").mean().max())


def test_the_model_is_left_as_it_was(folder):
    model, tokenizer = opened(folder)
    live = LiveAlignment.of(tokenizer, load("pocket", languages="de"), sentences=20)
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    live.curves(model)
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_pre_hooks for module in model.modules())


class Collapse(TrainerCallback):
    """Makes all token vectors alike at step 3."""

    def on_step_end(self, args, state, control, model=None, **kwargs):
        if state.global_step == 3:
            with torch.no_grad():
                encoder_of(model).get_input_embeddings().weight[:] = 1.0


class Constant(torch.nn.Module):
    """A model with a head in transformers' manner, whose loss is 0."""

    def __init__(self, base_model):
        super().__init__()
        self.base_model = base_model

    def forward(self, input_ids=None, labels=None):
        return {"loss": 0.0 * self.base_model(input_ids=input_ids).last_hidden_state.sum()}


def trainer(model, folder, callbacks, steps=8):
    rows = [{"input_ids": [2, 5 + i, 3], "labels": 0} for i in range(16)]
    arguments = TrainingArguments(
        folder, max_steps=steps, per_device_train_batch_size=2, report_to=[], use_cpu=True, disable_tqdm=True,
        save_strategy="no", logging_strategy="no",
    )  # fmt: skip
    return Trainer(Constant(model), arguments, train_dataset=rows, callbacks=callbacks)


def test_a_collapse_ends_the_training(folder, tmp_path, caplog):
    model, tokenizer = opened(folder)
    live = AlignmentCallback(
        tokenizer, load("pocket", languages="de"), every=2, sentences=40, path=tmp_path / "a.jsonl", stop_loss=0.02
    )  # fmt: skip
    done = trainer(model, tmp_path / "t", [Collapse(), live])
    done.train()
    assert done.state.global_step == 4
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2, 4] and lines == live.lines
    first, second, last = (best_mean(line["curves"]) for line in lines)
    assert first == pytest.approx(second, abs=0.02) and last < first - 0.02
    assert "alignment has fallen by" in caplog.text


def test_without_a_collapse_it_goes_on(folder, tmp_path):
    model, tokenizer = opened(folder)
    live = AlignmentCallback(
        tokenizer, load("pocket", languages="de"), every=3, sentences=40, stop_loss=0.02
    )
    done = trainer(model, tmp_path / "t", [live])
    done.train()
    assert done.state.global_step == 8 and [line["step"] for line in live.lines] == [0, 3, 6, 8]


def test_a_recipe_that_is_watched(folder, tmp_path):
    write_rte(tmp_path / "data")
    watch = Watch(languages="de,ru", every=2, sentences=30)
    plain = Phase("one", (TaskPart("rte"),), steps=4, batch=4)
    watched = Phase("one", (TaskPart("rte"),), steps=4, batch=4, watch=watch)
    for name, phase in (("plain", plain), ("watched", watched)):
        run_recipe(Recipe("r", str(folder), (phase,)), tmp_path / name, data_dir=tmp_path / "data")
    weights = [
        (tmp_path / name / "one" / "model.safetensors").read_bytes() for name in ("plain", "watched")
    ]
    assert weights[0] == weights[1], "to look changes nothing"
    lines = [
        json.loads(line)
        for line in (tmp_path / "watched" / "one-alignment.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == [0, 2, 4]
    assert set(lines[0]["curves"]) == {"de-en", "ru-en"} and len(lines[0]["curves"]["de-en"]) == 4


def test_an_evaluator_for_sentence_transformers(folder):
    models = pytest.importorskip("sentence_transformers")
    from crosslingual.training.live import alignment_evaluator

    bitexts = load("pocket", languages="de,ru")
    found = alignment_evaluator(bitexts, sentences=30)(
        models.SentenceTransformer(str(folder), device="cpu")
    )
    model, tokenizer = opened(folder)
    curves = LiveAlignment.of(tokenizer, bitexts, sentences=30).curves(model)
    mean = np.mean(list(curves.values()), axis=0)
    assert found["alignment_best"] == pytest.approx(mean.max())
    assert [found[f"alignment_layer_{i}"] for i in range(4)] == pytest.approx(list(mean))


@pytest.mark.parametrize("wrong", [{"every": 0}, {"stop_loss": -0.1}, {"stop_loss": float("nan")}])
def test_settings_that_are_none(folder, wrong):
    with pytest.raises(ValueError, match="every must be at least 1 and stop_loss at least 0"):
        AlignmentCallback(AutoTokenizer.from_pretrained(folder), load("pocket", languages="de"), **wrong)
