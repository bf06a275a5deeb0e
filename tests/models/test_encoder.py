"""An encoder before and after training: it begins as its token vectors, and learns by what it is shown."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crosslingual.models.encoder import SLOTS, lengthen, make_encoder
from crosslingual.models.pretraining import Losses, Masks, pair_batches, train_encoder
from crosslingual.models.text import without_translations
from crosslingual.models.vectors import svd_vectors
from crosslingual.models.vocabulary import FIRST_PIECE


def encoder(size, tokenizer, pieces, seed=0):
    torch.manual_seed(seed)
    return make_encoder(size, tokenizer, svd_vectors(pieces, size.width), 64).eval()


def layers(model, tokenizer, texts):
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    weight = inputs["attention_mask"][..., None].float()
    with torch.no_grad():
        states = model.roberta(**inputs, output_hidden_states=True).hidden_states
    return [((h * weight).sum(dim=1) / weight.sum(dim=1)).numpy() for h in states]


def cosines(x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


def test_every_layer_begins_as_the_mean_of_token_vectors(small, rows, tokenizer, pieces):
    size, _ = small
    texts = [row.texts["de"] for row in rows[:50]]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    vectors = svd_vectors(pieces, size.width)
    vectors[:, :SLOTS] = 0
    vectors[:, SLOTS:] -= vectors[:, SLOTS:].mean(axis=1, keepdims=True)
    expected = cosines(np.array([vectors[row].mean(axis=0) for row in ids]))
    for found in layers(encoder(size, tokenizer, pieces), tokenizer, texts):
        assert np.corrcoef(cosines(found).ravel(), expected.ravel())[0, 1] > 0.98


def test_lengths_would_be_lost_without_the_slots(small, rows, tokenizer, pieces):
    size, _ = small
    model = encoder(size, tokenizer, pieces)
    norm = model.roberta.embeddings.LayerNorm
    inputs = torch.arange(FIRST_PIECE, len(tokenizer))[:, None]
    with torch.no_grad():
        lengths = model.roberta.embeddings(inputs)[:, 0].norm(dim=1)
        norm.weight[:SLOTS] = 1
        same = model.roberta.embeddings(inputs)[:, 0].norm(dim=1)
    assert lengths.std() > 0.1 * lengths.mean()
    assert same.std() < 0.01 * same.mean()


def test_a_longer_input_changes_nothing_of_a_shorter_one(small, rows, tokenizer, pieces):
    size, _ = small
    model = encoder(size, tokenizer, pieces)
    longer = lengthen(model, 128)
    texts = [row.texts["de"] for row in rows[:10]]
    for before, after in zip(
        layers(model, tokenizer, texts), layers(longer, tokenizer, texts), strict=True
    ):
        np.testing.assert_allclose(after, before, atol=1e-5)
    places = longer.roberta.embeddings.position_embeddings.weight
    assert places.shape == (130, size.width) and not places[66:].any() and places[65].any()
    with torch.no_grad():
        states = longer(torch.full((1, 128), FIRST_PIECE), output_hidden_states=True).hidden_states
    assert all(torch.isfinite(state).all() for state in states)


def test_special_tokens_are_never_hidden_and_others_by_their_share():
    ids = torch.randint(0, 50, (200, 100))
    masks = Masks(50, 4, 0.2, torch.Generator().manual_seed(0))
    hidden, chosen = masks.hide(ids)
    assert not chosen[ids < FIRST_PIECE].any()
    assert torch.equal(hidden[~chosen], ids[~chosen])
    assert float(chosen[ids >= FIRST_PIECE].float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float((hidden[chosen] == 4).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert (hidden >= 0).all() and (hidden[chosen] >= 4).all()


def test_an_epoch_has_every_row_once_in_two_languages(small, rows, tokenizer):
    _, settings = small
    known = {
        tuple(tokenizer(text)["input_ids"]): n
        for n, row in enumerate(rows)
        for text in row.texts.values()
    }
    batches = pair_batches(rows, tokenizer, settings, np.random.default_rng(0))
    count = len(rows) // settings.batch
    pairs = [pair for _ in range(count) for pair in next(batches)]
    numbers = [known[tuple(one)] for one, _ in pairs]
    assert len(set(numbers)) >= 0.9 * len(pairs)  # rows may say the same
    assert all(known[tuple(one)] == known[tuple(other)] for one, other in pairs)
    assert sum(one != other for one, other in pairs) > 0.95 * len(pairs)


def test_training_lowers_both_losses_and_is_its_seeds(small, rows, tokenizer, pieces):
    size, settings = small
    settings = replace(settings, steps=60, vocabulary_rate=1e-3)
    states, losses = [], []
    for seed in (0, 0, 1):
        model, seen = encoder(size, tokenizer, pieces), list[Losses]()
        train_encoder(model, tokenizer, rows, size, settings, seed=seed, report=seen.append)
        states.append(torch.cat([p.detach().ravel() for p in model.parameters()]))
        losses.append(seen)
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])
    first, last = losses[0][:20], losses[0][-20:]
    assert np.mean([s.prediction for s in last]) < np.mean([s.prediction for s in first])
    assert np.nanmean([s.contrast for s in last]) < np.nanmean([s.contrast for s in first])
    share = np.mean([np.isnan(s.contrast) for s in losses[0]])
    assert share == pytest.approx(settings.translation, abs=0.2)


def test_the_control_sees_no_translation(small, rows, tokenizer, pieces):
    size, settings = small
    alone = without_translations(rows, np.random.default_rng(0))
    assert len(alone) == 3 * len(rows) and all(len(row.texts) == 1 for row in alone)
    seen: list[Losses] = []
    model = encoder(size, tokenizer, pieces)
    train_encoder(model, tokenizer, alone, size, settings, seed=0, paired=False, report=seen.append)
    assert np.isnan([s.contrast for s in seen]).all()
