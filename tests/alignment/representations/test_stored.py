"""Encoding: equal to a plain transformers loop, each sentence once, resumable to the bit."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.encoding import encode, hidden_states, runner
from crosslingual.alignment.representations import texts as texts_module
from crosslingual.alignment.representations.store import Store, shard_folders
from crosslingual.alignment.representations.stored import represent
from crosslingual.data import Context, Sentence, Side, load
from tests.conftest import make_tiny


def side(texts: list[str], code: str = "de") -> Side:
    return Side(code, code, tuple(Sentence(str(i), text) for i, text in enumerate(texts)))


@pytest.fixture
def texts(rng):
    letters = list("abcdefgh xyz")
    return [
        "".join(rng.choice(letters, size=n)).strip() + str(i)
        for i, n in enumerate(rng.integers(1, 90, 300))
    ]


def plain(folder: Path, texts: list[str]) -> np.ndarray:
    """One text at a time, all hidden states, mean over tokens."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    rows = []
    with torch.inference_mode():
        for text in texts:
            states = model(
                **tokenizer(text, return_tensors="pt"), output_hidden_states=True
            ).hidden_states
            rows.append(np.stack([layer[0].mean(0).numpy() for layer in states]))
    return np.stack(rows, axis=1)


def test_vectors_are_those_of_a_plain_loop(tiny_bert, texts, tmp_path):
    found = represent(open_checkpoint(tiny_bert), [side(texts)], root=tmp_path)["mean"]
    ours, theirs = found.read(side(texts), range(4)), plain(tiny_bert, texts)
    scale = np.sqrt((theirs**2).mean(axis=(1, 2), keepdims=True))
    assert (np.abs(ours - theirs) <= 1e-5 * scale).all()


def test_batches_do_not_matter(tiny_bert, texts, tmp_path):
    reads = [
        represent(open_checkpoint(tiny_bert), [side(texts)], root=tmp_path / str(b), batch_tokens=b)[
            "mean"
        ].read(side(texts), range(4))
        for b in (1, 200, 100_000)
    ]
    assert np.abs(reads[0] - reads[1]).max() < 2e-6
    assert np.abs(reads[0] - reads[2]).max() < 2e-6


def test_each_distinct_sentence_is_encoded_once(tiny_bert, texts, tmp_path, caplog, monkeypatch):
    twice = [*texts, *texts[:50]]
    with caplog.at_level(logging.INFO):
        represent(open_checkpoint(tiny_bert), [side(twice), side(texts[:9], "fr")], root=tmp_path)
    assert "359 asked, 300 distinct, 300 to encode" in caplog.text
    monkeypatch.setattr(runner, "encode_rows", lambda *a, **k: pytest.fail("encoded again"))
    represent(open_checkpoint(tiny_bert), [side(twice)], root=tmp_path)


def test_several_poolings_come_from_one_pass(tiny_bert, texts, tmp_path, monkeypatch):
    passes = []
    original = runner.encode_rows
    monkeypatch.setattr(runner, "encode_rows", lambda *a, **k: passes.append(1) or original(*a, **k))
    names = ["mean", "max", "first"]
    found = represent(open_checkpoint(tiny_bert), [side(texts)], root=tmp_path / "both", poolings=names)
    assert len(passes) == 1
    for name in names:
        alone = represent(
            open_checkpoint(tiny_bert), [side(texts)], root=tmp_path / name, poolings=[name]
        )
        assert np.array_equal(found[name].read(side(texts), [1]), alone[name].read(side(texts), [1]))


def test_a_subset_of_layers_is_kept_and_all_layers_serve_it(tiny_bert, texts, tmp_path):
    checkpoint = open_checkpoint(tiny_bert)
    some = represent(checkpoint, [side(texts)], root=tmp_path / "some", layers=[1, 3])["mean"]
    assert some.available == (1, 3)
    every = represent(checkpoint, [side(texts)], root=tmp_path / "all")["mean"]
    again = represent(checkpoint, [side(texts)], root=tmp_path / "all", layers=[1, 3])["mean"]
    assert again.store.folder == every.store.folder
    assert np.array_equal(some.read(side(texts), [3]), again.read(side(texts), [3]))


def test_a_prefix_is_part_of_the_text(tiny_bert, tmp_path):
    with_prefix = open_checkpoint(tiny_bert, prefix="query: ")
    found = represent(with_prefix, [side(["abc"])], root=tmp_path)["mean"].read(side(["abc"]), [3])
    plainly = represent(open_checkpoint(tiny_bert), [side(["query: abc"])], root=tmp_path)["mean"]
    assert np.array_equal(found, plainly.read(side(["query: abc"]), [3]))


def test_a_continued_run_has_the_bits_of_an_undisturbed_one(tiny_bert, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(texts_module, "SHARD_TOKENS", 1500)
    checkpoint = open_checkpoint(tiny_bert)
    whole = represent(checkpoint, [side(texts)], root=tmp_path / "whole")["mean"]
    original, calls = Store.write, []

    def stop_at_third(self: Store, *arguments: object) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        original(self, *arguments)

    monkeypatch.setattr(Store, "write", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        represent(checkpoint, [side(texts)], root=tmp_path / "cut")
    monkeypatch.setattr(Store, "write", original)
    (folder,) = (tmp_path / "cut").glob("*/*")
    kept = {path.name: path.stat().st_mtime_ns for path in shard_folders(folder)}
    assert len(kept) == 2
    continued = represent(checkpoint, [side(texts)], root=tmp_path / "cut")["mean"]
    assert np.array_equal(whole.read(side(texts), range(4)), continued.read(side(texts), range(4)))
    assert kept.items() <= {p.name: p.stat().st_mtime_ns for p in shard_folders(folder)}.items()


def test_running_out_of_memory_halves_the_batches(tiny_bert, texts, tmp_path, monkeypatch, caplog):
    original = hidden_states.forward

    def small_machine(model, batch, **options):
        if batch.ids.numel() > 300:
            raise torch.OutOfMemoryError
        return original(model, batch, **options)

    monkeypatch.setattr(hidden_states, "forward", small_machine)
    found = represent(open_checkpoint(tiny_bert), [side(texts)], root=tmp_path)["mean"]
    assert "going on with batches of" in caplog.text
    assert np.abs(found.read(side(texts), range(4)) - plain(tiny_bert, texts)).max() < 1e-5

    def full(model, batch, **options):
        if batch.ids.max() > 9:  # no batch of a check
            raise torch.OutOfMemoryError
        return original(model, batch, **options)

    monkeypatch.setattr(hidden_states, "forward", full)
    with pytest.raises(MemoryError, match="a single text of"):
        represent(open_checkpoint(tiny_bert), [side(["ganz neu"])], root=tmp_path)


def test_a_nan_is_named_with_layer_count_and_ids(tmp_path, texts):
    from safetensors.torch import load_file, save_file

    folder = make_tiny(tmp_path / "broken")
    tensors = load_file(folder / "model.safetensors")
    tensors["encoder.layer.1.output.LayerNorm.weight"][0] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        ValueError, match=r"layer 2 \(mean\) is not finite for 300 of 300 .*first de \d+, de"
    ):
        represent(open_checkpoint(folder), [side(texts)], root=tmp_path / "s")
    assert not list((tmp_path / "s").rglob("values.npy"))


def test_half_precision_is_compared_with_float32(tiny_bert, texts, tmp_path):
    import json

    checkpoint = open_checkpoint(tiny_bert, dtype="bfloat16")
    found = represent(checkpoint, [side(texts)], root=tmp_path)["mean"]
    about = json.loads((found.store.folder / "about.json").read_text())
    compared = about["against_float32"]
    assert compared["sentences"] == 256
    assert len(compared["mean_cosine"]) == 4
    exact = plain(tiny_bert, texts)
    low = found.read(side(texts), range(4))
    cosines = (low * exact).sum(2) / np.linalg.norm(low, axis=2) / np.linalg.norm(exact, axis=2)
    assert cosines.min() > 0.999
    assert min(compared["least_cosine"]) == pytest.approx(cosines.min(), abs=1e-4)


def test_counts_of_truncated_and_unknown_are_kept(tiny_bert, tmp_path):
    some = side(["kurz", "漢字", "l" * 200])
    checkpoint = open_checkpoint(tiny_bert)
    for _ in range(2):  # encoded, then read
        counts = represent(checkpoint, [some], root=tmp_path)["mean"].counts(some)
        assert counts.tolist() == [[6, 0, 0], [4, 0, 2], [128, 1, 0]]


def test_unknown_poolings_are_named(tiny_bert, tmp_path):
    with pytest.raises(ValueError, match="unknown pooling 'meen': did you mean mean"):
        represent(open_checkpoint(tiny_bert), [side(["a"])], root=tmp_path, poolings=["meen"])


def test_real_model_equals_sentence_transformers(minilm, shared_store):
    from sentence_transformers import SentenceTransformer

    bitext = load("pocket", languages="de")[0]
    found = represent(open_checkpoint(minilm), [bitext.source, bitext.target], root=shared_store)["mean"]
    theirs = SentenceTransformer(str(minilm), device="cpu").encode(list(bitext.source.texts))
    ours = found.read(bitext.source, [6])[0]
    assert np.abs(ours / np.linalg.norm(ours, axis=1)[:, None] - theirs).max() < 1e-5


@pytest.mark.parametrize("prefix", ["", "query: "])
def test_words_are_pooled_from_their_tokens_in_their_sentence(tiny_bert, tmp_path, prefix):
    """By the tokenizer's own offsets, one sentence at a time."""
    from transformers import AutoModel, AutoTokenizer

    sentences = ["the cat sat on a mat", "cat cat", "a feed of cats"]
    places = [(0, 4, 7), (0, 17, 20), (1, 0, 3), (1, 4, 7), (2, 10, 14)]
    words = tuple(
        Sentence(str(i), sentences[row][start:end], None, Context(sentences[row], start, end))
        for i, (row, start, end) in enumerate(places)
    )
    both = [Side("xx", "xx", words), side(["cat", "cat cat"])]
    opened = open_checkpoint(tiny_bert, prefix=prefix)
    found = represent(opened, both, root=tmp_path, poolings=("mean", "first"))
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    model = AutoModel.from_pretrained(tiny_bert, add_pooling_layer=False).eval()
    for at, (row, start, end) in enumerate(places):
        fed = tokenizer(prefix + sentences[row], return_tensors="pt", return_offsets_mapping=True)
        offsets = fed.pop("offset_mapping")[0].numpy() - len(prefix)
        mine = (offsets[:, 0] < end) & (offsets[:, 1] > start) & (offsets[:, 1] > offsets[:, 0])
        with torch.inference_mode():
            states = model(**fed, output_hidden_states=True).hidden_states
        for layer, tokens in enumerate(states):
            expected = tokens[0, torch.from_numpy(mine)].numpy()
            assert np.allclose(found["mean"].read(both[0], [layer])[0, at], expected.mean(0), atol=1e-5)
            assert np.allclose(found["first"].read(both[0], [layer])[0, at], expected[0], atol=1e-5)
    apart = found["mean"].read(both[0], [3])[0]
    assert np.abs(apart[2] - apart[3]).max() > 1e-3, "two occurrences have vectors of their own"
    whole = represent(opened, [both[1]], root=tmp_path / "alone")["mean"].read(both[1], [3])
    assert np.allclose(found["mean"].read(both[1], [3]), whole, atol=1e-6), "texts beside are whole"


def test_a_sentence_is_run_once_for_all_of_its_words(tiny_bert, tmp_path, monkeypatch):
    fed = []
    original = encode.make_batch
    monkeypatch.setattr(encode, "make_batch", lambda *a: fed.append(len(a[1])) or original(*a))
    text = "the cat sat on a mat"
    spans = [(0, 3), (4, 7), (8, 11), (17, 20), (8, 14)]
    words = [Sentence(str(i), text[a:b], None, Context(text, a, b)) for i, (a, b) in enumerate(spans)]
    opened = open_checkpoint(tiny_bert)
    several = represent(opened, [Side("xx", "xx", tuple(words))], root=tmp_path)["mean"]
    assert sum(fed) == 1
    more = [*words, Sentence("5", "mat", None, Context(text, 12, 14))]
    represent(opened, [Side("xx", "xx", tuple(more))], root=tmp_path)
    assert sum(fed) == 2, "once more for the word that lacked"
    alone = represent(opened, [Side("xx", "xx", (words[3],))], root=tmp_path / "alone")["mean"]
    one = alone.read(Side("xx", "xx", (words[3],)), [3])[0, 0]
    assert several.read(Side("xx", "xx", tuple(words)), [3])[0, 3] == pytest.approx(one, abs=1e-6)


def test_a_word_behind_the_cut_is_an_error(tiny_bert, tmp_path):
    text = "a " * 30 + "word"
    word = Sentence("1", "word", None, Context(text, len(text) - 4, len(text)))
    checkpoint = open_checkpoint(tiny_bert, max_length=12)
    with pytest.raises(ValueError, match="none of the first 12 tokens is of the word 'word' in"):
        represent(checkpoint, [Side("xx", "xx", (word,))], root=tmp_path)


def test_words_in_context_have_no_native_pooling(tiny_bert, tmp_path):
    word = Sentence("1", "word", None, Context("a word", 2, 6))
    with pytest.raises(ValueError, match="words in context have no native pooling"):
        represent(
            open_checkpoint(tiny_bert), [Side("xx", "xx", (word,))], root=tmp_path, poolings=["native"]
        )


def test_texts_with_the_same_tokens_have_the_same_vector(tiny_bert, tmp_path, rng):
    """To the bit, within a run and across runs, whole texts and words in them alike."""
    unknown = "日本語中国文字"  # characters that the tokenizer does not have
    texts = ["".join(rng.choice(list("abcdefg "), n)) + "x" for n in rng.integers(3, 60, 400)]
    twins = [text[:-1] + unknown[i % 7] for i, text in enumerate(texts)]
    others = [text[:-1] + unknown[(i + 1) % 7] for i, text in enumerate(texts)]
    opened = open_checkpoint(tiny_bert)
    both = represent(opened, [side(twins), side(others[:200])], root=tmp_path)["mean"]
    layers = range(4)
    first = both.read(side(twins), layers)
    assert np.array_equal(first[:, :200], both.read(side(others[:200]), layers))
    later = represent(opened, [side(others)], root=tmp_path)["mean"].read(side(others), layers)
    assert np.array_equal(first, later), "what the store has of the same tokens is copied"
    other = represent(opened, [side(texts)], root=tmp_path)["mean"].read(side(texts), layers)
    assert not (first == other).all(axis=(0, 2)).any(), "other tokens have other vectors"

    def words(sentences):
        contexts = [Context(text, len(text) - 2, len(text)) for text in sentences]
        made = (Sentence(str(i), one.text[-2:], None, one) for i, one in enumerate(contexts))
        return Side("xx", "xx", tuple(made))

    apart = represent(opened, [words(twins)], root=tmp_path)["mean"].read(words(twins), layers)
    again = represent(opened, [words(others)], root=tmp_path)["mean"].read(words(others), layers)
    assert np.array_equal(apart, again)
    counts = both.counts(side(twins))
    assert (counts[:, 2] == 1).all() and len(set(counts[:, 0].tolist())) > 20


def test_a_space_that_knows_some_of_the_tokens_keeps_its_own(tiny_bert, tmp_path):
    """A pooling that has a text's tokens keeps its vector when another pooling still needs them."""
    opened = open_checkpoint(tiny_bert)
    one, twin, more = side(["ab日"]), side(["ab本"]), side(["abcdef", "abcde", "gh"])
    mean = represent(opened, [one, more], root=tmp_path)["mean"].read(one, [3])
    found = represent(opened, [twin], root=tmp_path, poolings=("mean", "first"))
    assert np.array_equal(found["mean"].read(twin, [3]), mean)
    assert np.isfinite(found["first"].read(twin, [3])).all()
