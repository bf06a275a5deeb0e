"""Features: from examples to token ids and back again, with nothing lost in between."""

import numpy as np
import pytest
import torch

from crosslingual.data.tasks import TASKS, Choice, Pair, Span, Tagged, TaskData, load_task
from crosslingual.training.tasks.features import collate, make_features
from crosslingual.training.tasks.heads import IGNORED, HeadSpec, MultiHead
from crosslingual.training.tasks.prediction import predict
from tests.training.conftest import new_encoder


def ids_of(row):
    return row["input_ids"].tolist()


def test_a_pair_is_what_the_tokenizer_says(tokenizer):
    features = make_features(
        [Pair("1", "g", "One two.", "Three", 2), Pair("2", "g", "Four", "", 0)], tokenizer, 32
    )
    assert ids_of(features.rows[0]) == tokenizer("One two.", "Three")["input_ids"]
    assert (
        features.rows[0]["token_type_ids"].tolist() == tokenizer("One two.", "Three")["token_type_ids"]
    )
    assert [row["labels"] for row in features.rows] == [2, 0]


def test_options_are_flattened_and_folded_again(tokenizer):
    examples = [Choice(str(i), "g", "A prompt", ("one", "two and a half", "three"), i) for i in range(2)]
    features = make_features(examples, tokenizer, 32)
    batch = collate(features.rows, "choice", 0)
    assert batch["input_ids"].shape == (2, 3, len(tokenizer("A prompt", "two and a half")["input_ids"]))
    assert batch["attention_mask"][0].sum(dim=1).tolist() == [
        len(row) for row in features.rows[0]["input_ids"]
    ]
    assert batch["labels"].tolist() == [0, 1]
    with pytest.raises(ValueError, match="different numbers of options"):
        make_features([*examples, Choice("3", "g", "p", ("a", "b"), 0)], tokenizer, 32)


@pytest.mark.parametrize("length", [40, 64, 384])
def test_answers_come_back_from_their_tokens(tokenizer, real_data, length):
    """Some window holds each answer whole, and its characters are the answer's, but for word pieces."""
    (data,) = load_task("xquad", "test", languages="en", data_dir=real_data)
    data = data.having(data.examples[::40])
    features = make_features(data.examples, tokenizer, length)
    found = {}
    for place, row in enumerate(features.rows):
        assert len(row["input_ids"]) <= length
        begin, end = row["labels"]
        if end:
            offsets, example = features.where[place], data.examples[features.example[place]]
            found.setdefault(features.example[place], []).append(
                example.context[offsets[begin][0] : offsets[end][1]]
            )
    for i, example in enumerate(data.examples):
        assert all(example.answers[0][0] in text for text in found.get(i, []))
    long = sum(len(tokenizer(e.answers[0][0])["input_ids"]) > length // 8 for e in data.examples)
    assert len(found) >= len(data.examples) - long


def test_no_answer_is_the_first_token(tokenizer):
    (row,) = make_features([Span("1", "g", "Some context.", "Who?", ())], tokenizer, 32).rows
    assert row["labels"] == [0, 0]


def test_every_word_is_tagged_once(tokenizer):
    """Also in pieces of long sentences, and words of several tokens; a sentence is never cut."""
    words = tuple(f"unbelievableness{i}" if i % 3 else "a" for i in range(60))
    example = Tagged("1", "g", words, tuple(i % 5 for i in range(60)))
    features = make_features([example], tokenizer, 24)
    assert len(features) > 5
    found = {}
    for row, there in zip(features.rows, features.where, strict=True):
        assert len(row["input_ids"]) == len(row["labels"]) <= 24
        labels = [label for label in row["labels"] if label != IGNORED]
        found.update(dict(zip(there, labels, strict=True)))
    assert found == dict(enumerate(example.tags))


def test_a_word_without_a_token_is_counted(tokenizer):
    features = make_features([Tagged("1", "g", ("a", "‌", "b"), (0, 1, 2))], tokenizer, 24)
    assert features.unreadable == 1
    assert features.where == [[0, 2]]


def test_what_does_not_fit_is_refused(tokenizer):
    class Slow:
        is_fast = False

    with pytest.raises(ValueError, match="a fast tokenizer is required"):
        make_features([Pair("1", "g", "a", "b", 0)], Slow(), 32)
    with pytest.raises(ValueError, match="leaves no room for text with 3 special tokens"):
        make_features([Pair("1", "g", "a", "b", 0)], tokenizer, 8)


def test_truncation_is_counted(tokenizer):
    features = make_features(
        [Pair("1", "g", "word " * 50, "b", 0), Pair("2", "g", "a", "b", 0)], tokenizer, 16
    )
    assert features.truncated == 1
    assert ids_of(features.rows[0])[-2:] == tokenizer("b")["input_ids"][1:], (
        "the shorter text stays whole"
    )


def test_padding_changes_no_answer(tokenizer):
    """A batch of unequal lengths, and each example alone."""
    texts = ["One.", "Two and some more words here.", "Three words here"]
    data = TaskData(TASKS["rte"], "dev", "en", TASKS["rte"].labels,
                    tuple(Pair(str(i), "g", text, "x", 0) for i, text in enumerate(texts)))  # fmt: skip
    for position in ("first", "last", "mean"):
        model = MultiHead(new_encoder(tokenizer), {"rte": HeadSpec("pair", 2, position)}, seed=1).eval()
        batch = collate(make_features(data.examples, tokenizer, 32).rows, "rte", 0)
        together = model(**batch)["logits"].detach()
        for i, example in enumerate(data.examples):
            alone = model(**collate(make_features([example], tokenizer, 32).rows, "rte", 0))["logits"]
            assert torch.allclose(alone[0], together[i], atol=1e-5)


def test_spans_are_never_before_their_begin_or_outside_the_context(tokenizer, rng):
    contexts = ["alpha beta gamma delta " * 20, "one two three"]
    examples = tuple(Span(str(i), "g", c, "what is it?", ()) for i, c in enumerate(contexts))
    model = MultiHead(
        new_encoder(tokenizer), {"span": HeadSpec("span"), "span2": HeadSpec("span")}, seed=1
    )
    squad = TaskData(TASKS["squad"], "dev", "en", (), examples)
    for answer, context in zip(predict(model, tokenizer, squad, 48), contexts, strict=True):
        assert answer and answer in context
    with torch.no_grad():  # a head that always says the first token
        model.heads["span2"].out.weight.zero_()
    encoder_says = TaskData(TASKS["squad2"], "dev", "en", (), examples)
    model.heads["span2"].forward = lambda states, mask: (
        torch.nn.functional.one_hot(torch.zeros(states.shape[:2], dtype=torch.long), 2).float()
        + (torch.arange(states.shape[1]) == 0)[None, :, None] * 9.0
    )
    assert predict(model, tokenizer, encoder_says, 48) == ["", ""]
    assert predict(model, tokenizer, squad, 48) != ["", ""], "SQuAD 1.1 has an answer to everything"


def test_masked_labels_do_not_count(tokenizer):
    from crosslingual.training.tasks.heads import _loss

    logits = torch.randn(2, 5, 7)
    labels = torch.tensor([[1, IGNORED, 3, IGNORED, IGNORED], [IGNORED] * 5])
    expected = -(logits[0, 0].log_softmax(-1)[1] + logits[0, 2].log_softmax(-1)[3]) / 2
    assert _loss("tagging", logits, labels, torch.ones(2, 5)).item() == pytest.approx(
        expected.item(), rel=1e-6
    )
    assert _loss("tagging", logits[1:], labels[1:], torch.ones(1, 5)).item() == 0, "not nan"
    assert np.isfinite(
        _loss("span", torch.randn(2, 5, 2), torch.tensor([[0, 0], [1, 3]]), torch.ones(2, 5)).item()
    )
