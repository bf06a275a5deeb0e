"""A toy family, from the vocabulary to a folder: each in a process of its own, what is there stays."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import XLMRobertaForMaskedLM

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.models.family import MADE, Inputs, make_all, untrained
from crosslingual.models.recipe import VARIANTS, Variant
from crosslingual.models.shipping import measure_all


@pytest.fixture
def inputs(small, rows, tokenizer, tmp_path) -> Inputs:
    _, settings = small
    return Inputs(rows, tokenizer, replace(settings, steps=4, vector_steps=4), tmp_path / "made")


def test_encoders_are_made_once_and_are_their_seeds(small, inputs):
    size, _ = small
    variants = [Variant(size), Variant(size, seed=1), Variant(size, paired=False)]
    assert sorted(one.name for one in make_all(inputs, variants, 1)) == [
        "toy", "toy-mono", "toy-seed1",
    ]  # fmt: skip
    assert list(make_all(inputs, variants, 1)) == []
    tables = []
    for variant in variants:
        folder = inputs.folder(variant)
        made = json.loads((folder / MADE).read_text("utf-8"))
        assert made["variant"]["seed"] == variant.seed and made["settings"]["steps"] == 4
        assert made["losses"][-1]["step"] == 4 and made["body"] == size.layers * (8 * 32**2 + 11 * 32)
        assert open_checkpoint(folder).tokenizer("x")["input_ids"] == inputs.tokenizer("x")["input_ids"]
        assert '"truncation":null' in (folder / "tokenizer.json").read_text("utf-8")
        model = XLMRobertaForMaskedLM.from_pretrained(folder)
        tables.append(model.roberta.embeddings.word_embeddings.weight.detach())
    assert not torch.equal(tables[0], tables[1]) and not torch.equal(tables[0], tables[2])


def test_a_folder_that_was_not_made_here_stays(small, inputs, tmp_path):
    variant = Variant(small[0])
    list(make_all(inputs, [variant], 1))
    (tmp_path / variant.name).mkdir()
    (tmp_path / variant.name / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match="something that was not made here"):
        measure_all([variant], tmp_path, tmp_path)
    assert (tmp_path / variant.name / "mine.txt").read_text() == "mine"
    assert [p.name for p in (tmp_path / variant.name).iterdir()] == ["mine.txt"]


def test_before_anything_is_learnt_frequent_pieces_are_predicted(small, inputs):
    size, _ = small
    model = untrained(inputs, Variant(size))
    counts = np.zeros(len(inputs.tokenizer))
    for row in inputs.rows:
        for text in row.texts.values():
            np.add.at(counts, inputs.tokenizer(text, add_special_tokens=False)["input_ids"], 1)
    bias = model.lm_head.bias.detach().numpy()
    assert np.exp(bias).sum() == pytest.approx(1, abs=1e-4)
    assert np.argsort(bias, kind="stable")[-1] in np.flatnonzero(counts == counts.max())


def test_every_size_is_made_and_the_control_has_the_middle_ones_text():
    names = [variant.name for variant in VARIANTS]
    assert {"pocket-xs", "pocket-s", "pocket-m", "pocket-s-mono"} < set(names)
    assert {"pocket-xs-seed1", "pocket-s-seed1"} < set(names)
