"""Word pairs: the loss, the layer, which words are held out, and what is said of the rest."""

import numpy as np
import pandas as pd
import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.encoding.hidden_states import states_at
from crosslingual.data.gold import read_lexicon
from crosslingual.training.injection import contrast_loss, read_lexicons
from crosslingual.training.phases import run_recipe
from crosslingual.training.recipe import Injection, Lora, Phase, Recipe
from crosslingual.training.words import compare_words
from tests.training.conftest import new_encoder

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def invented(rng, n):
    return list(dict.fromkeys("".join(rng.choice(SYLLABLES, 3)) for _ in range(2 * n)))[:n]


@pytest.fixture
def lexicon(tmp_path, rng):
    """Two hundred invented words and as many that have nothing to do with them."""
    lines = zip(invented(rng, 200), invented(rng, 200), strict=True)
    path = tmp_path / "sw.tsv"
    path.write_text("".join(f"{word}\t{other}\n" for word, other in lines), "utf-8")
    return path


def inject(little, lexicon, out, *, name="words", lora=None, base_seed=0, **options):
    made = {"layer": 1, "file": str(lexicon), "languages": "sw"}
    made |= {key: options.pop(key) for key in ("loss", "hold_out", "layer") if key in options}
    phase = Phase(
        name, injection=Injection(**made), **({"steps": 120, "batch": 20, "rate": 3e-3} | options)
    )
    (done,) = run_recipe(Recipe("r", str(little), (phase,), lora=lora), out)
    return done


def loops(s, words, how):
    total, count = 0.0, 0
    for matrix in (s, s.T):
        for i in range(len(s)):
            others = [j for j in range(len(s)) if (words[i] != words[j]).all()]
            if how.loss == "triplet":
                total += sum(max(0.0, how.margin + matrix[i, j] - matrix[i, i]) for j in others)
                count += len(others)
            else:
                logits = np.array([matrix[i, i], *(matrix[i, j] for j in others)]) / how.temperature
                total += np.log(np.exp(logits).sum()) - logits[0]
                count += 1
    return total / max(count, 1)


@pytest.mark.parametrize("loss", ["infonce", "triplet"])
@pytest.mark.parametrize("kinds", [3, 8, 100])
def test_the_loss_is_that_of_loops(rng, loss, kinds):
    """Words that stand several times in a batch are no counter-examples to their translations."""
    how = Injection(1, loss=loss)
    s, words = rng.uniform(-1, 1, (12, 12)), rng.integers(kinds, size=(12, 2))
    found = contrast_loss(torch.tensor(s), torch.tensor(words), how)
    assert float(found) == pytest.approx(loops(s, words, how), rel=1e-9)


@pytest.mark.parametrize("loss", ["infonce", "triplet"])
def test_a_batch_of_one_word_teaches_nothing(loss):
    cosines = torch.rand(4, 4, requires_grad=True)
    found = contrast_loss(cosines, torch.zeros(4, 2, dtype=torch.long), Injection(1, loss=loss))
    found.backward()
    assert found.item() == 0 and not cosines.grad.any()


def test_the_states_are_those_of_the_layer(tokenizer):
    encoder = new_encoder(tokenizer).eval()
    inputs = dict(tokenizer(["a cat", "the dogs ran"], padding=True, return_tensors="pt"))
    every = encoder(**inputs, output_hidden_states=True).hidden_states
    for layer in range(3):
        assert torch.equal(states_at(encoder, layer, 2, inputs), every[layer])


def test_a_hidden_state_without_blocks_of_its_own(tokenizer):
    """ALBERT has one block for all layers."""
    from transformers import AlbertConfig, AlbertModel

    shape = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
    config = AlbertConfig(vocab_size=len(tokenizer), num_hidden_layers=3, embedding_size=16, **shape)
    encoder = AlbertModel(config).eval()
    inputs = dict(tokenizer(["a cat"], return_tensors="pt"))
    every = encoder(**inputs, output_hidden_states=True).hidden_states
    assert torch.equal(states_at(encoder, 2, 3, inputs), every[2])


def test_no_word_of_a_held_out_pair_is_trained_on(real_data):
    whole = read_lexicons(Injection(1, languages="de,fr", hold_out=0.2), real_data, 0)
    english = [{*each.held_out.target.texts} for each in whole]
    for each in whole:
        for side in ("source", "target"):
            trained, held = (getattr(part, side).texts for part in (each.trained, each.held_out))
            assert not {*trained} & {*held}
        assert 0.1 < len(each.held_out) / (len(each.trained) + len(each.held_out)) < 0.3
    assert not english[0] & {*whole[1].trained.target.texts}, "the English words are the same ones"


def test_trained_pairs_gain_more_than_held_out_ones(little, lexicon, tmp_path):
    """Invented words: nothing can be learnt of a pair from others. So held-out accuracy stays."""
    done = inject(little, lexicon, tmp_path / "out", hold_out=0.3)
    names = ["pooling", "map", "layer", "measure", "pairs"]
    table = pd.read_parquet(done.folder / "words.parquet").set_index(names).sort_index()
    at = table.loc["mean", "none", 1]
    trained, held = at.loc["accuracy", "trained"], at.loc["accuracy", "held-out"]
    assert trained["before"] < 0.05 and trained["after"] > 0.5 and trained["gain_low"] > 0.4
    assert held["gain_low"] <= 0 <= held["gain_high"]
    assert at.loc[("cosine", "trained"), "gain"] > at.loc[("cosine", "held-out"), "gain_high"]
    shown = {(row["layer"], row["measure"], row["pairs"]) for row in done.about["words"]}
    assert len(shown) == 8 and (2, "cosine", "held-out") in shown
    assert "word pairs" in (done.folder / "README.md").read_text()


def test_words_dealt_anew_teach_no_pair(little, lexicon, tmp_path):
    done = inject(little, lexicon, tmp_path / "out", control="shuffled-labels", steps=60)
    rows = {(row["layer"], row["measure"], row["pairs"]): row for row in done.about["words"]}
    assert abs(rows[1, "accuracy", "trained"]["gain"]) < 0.05


@pytest.mark.parametrize("lora", [None, Lora(rank=4, targets=("query", "value"))])
def test_what_is_above_the_layer_stays(little, lexicon, tmp_path, lora):
    done = inject(little, lexicon, tmp_path / "out", loss="triplet", lora=lora, steps=8)
    before, after = (open_checkpoint(path).load().state_dict() for path in (little, done.folder))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and not any("layer.1." in name for name in changed)
    if lora:
        assert all("query" in name or "value" in name for name in changed)


def test_the_same_encoder_gains_nothing(little, lexicon, rng):
    pairs = read_lexicon(lexicon, source_language="sw", target_language="en")
    vectors = {
        pooling: {side: rng.standard_normal((2, 200, 8), np.float32) for side in (pairs.source, pairs.target)}
        for pooling in ("mean", "mean-but-first")
    }  # fmt: skip
    table = compare_words(vectors, vectors, pairs, pairs, seed=0)
    assert not table[["gain", "gain_low", "gain_high"]].any(axis=None)
    one = table[(table["measure"] == "cosine") & (table["map"] == "none")].iloc[0]
    x, y = (vectors["mean"][side][0].astype(float) for side in (pairs.source, pairs.target))
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    assert one["before"] == pytest.approx((x * y).sum(1).mean())
    assert one["before_random"] == pytest.approx((x @ y.T).mean())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": 7}, "layer 7 of an encoder with 2"),
        ({"hold_out": 0.0}, "a share of 0.0 held out leaves 200 and 0 pairs"),
    ],
)
def test_what_cannot_be(little, lexicon, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        inject(little, lexicon, tmp_path / "out", **options)


def test_sentences_are_no_word_pairs(little):
    with pytest.raises(ValueError, match="holds no word pairs"):
        read_lexicons(Injection(1, corpus="pocket", languages="de"), None, 0)
