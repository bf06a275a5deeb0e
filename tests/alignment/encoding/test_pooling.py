"""Poolings against loops over sentences; padding never matters; native is sentence-transformers'."""

import json

import numpy as np
import pytest
import torch

from crosslingual.alignment.checkpoints.folders import find_parts
from crosslingual.alignment.encoding.native import native_pool
from crosslingual.alignment.encoding.pooling import POOLINGS, Batch
from crosslingual.alignment.encoding.words import WordBatch, Words

LENGTHS = [7, 5, 3]
BY_HAND = {
    "mean": lambda t, content: t.mean(0),
    "mean-content": lambda t, content: t[content].mean(0) if content.any() else t.mean(0),
    "mean-but-first": lambda t, content: t[1:].mean(0) if len(t) > 1 else t[0],
    "first": lambda t, content: t[0],
    "last": lambda t, content: t[-1],
    "max": lambda t, content: t.max(0),
    "weighted": lambda t, content: (
        (t * np.arange(1, len(t) + 1)[:, None]).sum(0) / np.arange(1, len(t) + 1).sum()
    ),
}


@pytest.fixture
def batch(rng):
    special = torch.zeros(3, 7, dtype=torch.bool)
    special[:, 0] = True
    special[2] = True  # a text of special tokens only
    states = torch.from_numpy(rng.standard_normal((3, 7, 5)).astype(np.float32))
    return states, Batch(torch.zeros(3, 7).long(), torch.tensor(LENGTHS), special, padded=True)


def test_every_pooling_is_tested():
    assert set(BY_HAND) == set(POOLINGS)


@pytest.mark.parametrize("name", BY_HAND)
def test_poolings_are_their_definitions(batch, name):
    states, about = batch
    pooled = POOLINGS[name](states, about).numpy()
    for i, length in enumerate(LENGTHS):
        content = ~about.special[i, :length].numpy()
        expected = BY_HAND[name](states[i, :length].numpy(), content)
        assert np.allclose(pooled[i], expected, atol=1e-6)


@pytest.mark.parametrize("name", BY_HAND)
def test_of_a_word_its_own_tokens_are_pooled(batch, name):
    """As a text of its tokens; but places are those in the sentence, the first token is the sentence's."""
    states, about = batch
    starts, stops = np.array([2, 0, 4, 0]), np.array([4, 1, 5, 3])
    words = Words(np.array([0, 2, 3, 4]), starts, stops)  # two of the first text, one of the others
    view = WordBatch.of(about, words, np.arange(3))
    pooled = POOLINGS[name](view.states(states), view.batch).numpy()
    for i, (text, start, stop) in enumerate(zip((0, 0, 1, 2), starts, stops, strict=True)):
        mine = states[text].numpy()[start:stop]
        weights = np.arange(start, stop) + 1
        expected = BY_HAND[name](mine, ~about.special[text, start:stop].numpy())
        if name == "mean-but-first" and start:
            expected = mine.mean(0)
        if name == "weighted":
            expected = (mine * weights[:, None]).sum(0) / weights.sum()
        assert np.allclose(pooled[i], expected, atol=1e-6)


@pytest.mark.parametrize("name", POOLINGS)
def test_padding_is_never_seen(batch, name):
    states, about = batch
    changed = states.clone()
    changed[~about.attended] = 1e6
    assert torch.equal(POOLINGS[name](states, about), POOLINGS[name](changed, about))


@pytest.mark.parametrize("name", POOLINGS)
def test_a_batch_without_padding_is_pooled_alike(batch, name):
    states, about = batch
    alone = Batch(about.ids[:1], about.lengths[:1], about.special[:1], padded=False)
    assert torch.allclose(
        POOLINGS[name](states[:1], alone), POOLINGS[name](states, about)[:1], atol=1e-6
    )


def test_half_precision_is_pooled_in_float32(batch):
    states, about = batch
    for pool in POOLINGS.values():
        assert pool(states.bfloat16(), about).dtype == torch.float32


@pytest.mark.parametrize(
    "mode", ["cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
)
def test_native_is_sentence_transformers(tiny_bert, tmp_path, mode):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as models

    from crosslingual.alignment.checkpoints.opening import open_checkpoint
    from crosslingual.alignment.representations.stored import represent
    from crosslingual.data import Sentence, Side

    torch.manual_seed(0)
    transformer = models.Transformer(str(tiny_bert))
    dense = models.Dense(32, 16)
    theirs = SentenceTransformer(
        modules=[transformer, models.Pooling(32, pooling_mode=mode), dense, models.Normalize()],
        device="cpu",
    )
    theirs.save(str(tmp_path / "st"))
    texts = ["ein Satz", "ein anderer, viel längerer Satz mit Wörtern", "x", "привет"]
    side = Side("de", "de", tuple(Sentence(str(i), text) for i, text in enumerate(texts)))
    found = represent(
        open_checkpoint(tmp_path / "st"), [side], root=tmp_path / "store", poolings=["native"]
    )["native"]
    assert found.available == (3,)
    assert np.abs(found.read(side, [3])[0] - theirs.encode(texts)).max() < 1e-6


def test_an_unknown_module_is_refused(tmp_path):
    (tmp_path / "modules.json").write_text(
        json.dumps([{"type": "x.Transformer", "path": ""}, {"type": "x.LSTM", "path": "1"}])
    )
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="does not know the module LSTM"):
        native_pool(find_parts(tmp_path), int)
    (tmp_path / "modules.json").unlink()
    with pytest.raises(ValueError, match="no modules.json|needs a modules.json"):
        native_pool(find_parts(tmp_path), int)
