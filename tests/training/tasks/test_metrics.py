"""Metrics: seqeval, the SQuAD scripts' published cases, intervals, and what a constant answer reaches."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosslingual.data.tasks import TASKS, Choice, Pair, Span, Tagged, TaskData
from crosslingual.training.tasks.evaluation import constant_answers, score_answers
from crosslingual.training.tasks.metrics import (
    ACCURACY,
    ENTITY_F1,
    entities,
    entity_counts,
    f1,
    measure,
    runs,
    squad_f1,
)

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12),
        min_size=1,
        max_size=6,
    )
)
def test_entity_f1_is_seqevals(sentences):
    """On any tags, also those that IOB2 does not allow."""
    from seqeval.metrics import f1_score

    gold = [[tag for tag, _ in sentence] for sentence in sentences]
    predicted = [[tag for _, tag in sentence] for sentence in sentences]
    counts = np.array([entity_counts(p, g) for p, g in zip(predicted, gold, strict=True)], dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = f1_score(gold, predicted)
    assert f1(counts.mean(axis=0)[None])[0] == pytest.approx(float(theirs), abs=1e-12)


def test_entities():
    assert entities(["B-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER"]) == [
        ("PER", 0, 2), ("PER", 2, 3), ("LOC", 4, 5), ("PER", 5, 6)
    ]  # fmt: skip
    assert entities(["O", "O"]) == []


def test_squad_scores():
    """By the rules of the official script: case, punctuation and articles do not count."""
    assert squad_f1("The Denver Broncos!", ["Denver Broncos"]) == (1.0, 1.0)
    assert squad_f1("Broncos of Denver", ["Denver Broncos"]) == (pytest.approx(0.8), 0.0)
    assert squad_f1("x", ["y", "x z"]) == (pytest.approx(2 / 3), 0.0), "the best of the answers"
    assert squad_f1("", []) == (1.0, 1.0)
    assert squad_f1("", ["x"]) == squad_f1("x", []) == (0.0, 0.0)


def test_defect_of_words_in_scripts_without_spaces():
    """XTREME's issue 28: by white space an answer that lacks one character of eight scores 0."""
    assert squad_f1("中华人民共和", ["中华人民共和国"])[0] == 0
    assert squad_f1("中华人民共和", ["中华人民共和国"], by_character=True)[0] == pytest.approx(12 / 13)


def test_intervals_resample_groups(rng):
    """Twelve copies of a group's outcome are one observation."""
    outcome = rng.random(40) < 0.6
    counts = np.column_stack([np.repeat(outcome, 12), np.ones(480)]).astype(float)
    alone = measure(ACCURACY, counts, [counts * [0, 1]], [f"e{i}" for i in range(480)])
    grouped = measure(ACCURACY, counts, [counts * [0, 1]], [f"g{i // 12}" for i in range(480)])
    assert (grouped.n, grouped.groups) == (480, 40)
    assert (grouped.high - grouped.low) / (alone.high - alone.low) == pytest.approx(
        np.sqrt(12), rel=0.15
    )
    assert grouped.value == alone.value == pytest.approx(outcome.mean())
    assert not grouped.at_baseline
    one = measure(ACCURACY, counts, [counts * [0, 1]], ["g"] * 480)
    assert np.isnan([one.low, one.high]).all() and one.at_baseline, "one group tells no spread"


def data(name, examples, labels=()):
    return TaskData(TASKS[name], "dev", "en", labels or TASKS[name].labels, tuple(examples))


def test_constant_answers():
    pairs = data("xnli", [Pair(str(i), str(i), "a", "b", label) for i, label in enumerate([2, 2, 0, 1])])
    assert constant_answers(pairs, pairs) == [2] * 4
    (result,) = score_answers(pairs, [2, 2, 2, 2], [constant_answers(pairs, pairs)])
    assert result.value == result.baseline == 0.5 and result.at_baseline
    choices = data("hellaswag", [Choice(str(i), str(i), "p", ("a", "b"), int(i == 3)) for i in range(4)])
    assert constant_answers(choices, choices) == [0] * 4
    tags = data(
        "wikiann", [Tagged("1", "1", ("a", "b", "c"), (0, 1, 0)), Tagged("2", "2", ("d",), (0,))]
    )
    assert constant_answers(tags, tags) == [[0, 0, 0], [0]]
    entity, accuracy = score_answers(tags, [[0, 1, 0], [0]], [constant_answers(tags, tags)])
    assert (entity.metric, entity.value, entity.baseline) == ("entity_f1", 1, 0)
    assert (accuracy.value, accuracy.baseline) == (1, 0.75)
    spans = [Span(str(i), str(i), "one two three four", "q", (("two three", 4),)) for i in range(3)]
    assert constant_answers(data("squad", spans), data("squad", spans)) == ["two three"] * 3
    none = [Span(str(i), str(i), "c", "q", ()) for i in range(4)]
    assert constant_answers(data("squad2", [*spans, *none]), data("squad2", spans)) == [""] * 3
    assert (
        constant_answers(data("squad2", [*spans, *none[:2]]), data("squad2", spans)) == ["two three"] * 3
    )
    assert constant_answers(data("squad", [*spans, *none]), data("squad", spans)) == ["two three"] * 3


def test_a_word_without_a_tag_is_wrong():
    tags = data("wikiann", [Tagged("1", "1", ("a", "b"), (0, 1))])
    entity, accuracy = score_answers(tags, [[0, -1]], [[[0, 0]]])
    assert (entity.value, accuracy.value) == (0, 0.5)


def test_character_f1_stands_beside_the_official_one():
    span = Span("1", "1", "中华人民共和国", "q", (("中华人民共和国", 0),))
    chinese = TaskData(TASKS["xquad"], "test", "zh", (), (span,))
    assert [r.metric for r in score_answers(chinese, ["中"], [[""]])] == [
        "span_f1",
        "exact_match",
        "character_f1",
    ]
    assert len(score_answers(data("xquad", [span]), ["中"], [[""]])) == 2


def test_the_baseline_is_the_best_constant():
    """A training majority that is rare in the test makes no score an achievement."""
    test = data("xnli", [Pair(str(i), str(i), "a", "b", label) for i, label in enumerate([0, 0, 0, 1])])
    train = data("xnli", [Pair("0", "0", "a", "b", 1)])
    constants = [constant_answers(known, test) for known in (train, test)]
    (result,) = score_answers(test, [0, 1, 1, 1], constants)
    assert (result.value, result.baseline) == (0.5, 0.75)


@pytest.mark.filterwarnings("ignore:.*seems not to be NE tag")
def test_parts_of_speech_as_xtreme_counts_them(rng):
    """Runs of one tag are entities; seqeval tells them apart by all but the first letter, since 1.0."""
    from seqeval.metrics.sequence_labeling import get_entities

    assert runs(["NOUN", "NOUN", "VERB", "SCONJ", "SCONJ", "O", "NOUN"]) == [
        ("NOUN", 0, 2), ("VERB", 2, 3), ("SCONJ", 3, 4), ("SCONJ", 4, 5), ("NOUN", 6, 7),
    ]  # fmt: skip
    tags = [str(tag) for tag in rng.choice(["NOUN", "VERB", "SYM", "INTJ", "ADJ", "O"], 400)]
    expected = [(name, first, last + 1) for name, first, last in get_entities(tags)]
    assert [(tag[1:], first, end) for tag, first, end in runs(tags)] == expected
    assert entity_counts(["NOUN", "NOUN"], ["NOUN", "VERB"], prefixed=False) == (0, 1, 2)


def test_an_inside_tag_alone_begins_an_entity_for_seqeval_and_not_for_strict_iob2():
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    gold, predicted = [["B-PER", "I-PER", "O"]], [["I-PER", "I-PER", "O"]]
    ours = entity_counts(predicted[0], gold[0])
    assert f1(np.array([ours], dtype=float))[0] == f1_score(gold, predicted) == 1
    assert f1_score(gold, predicted, mode="strict", scheme=IOB2) == 0
    assert ENTITY_F1.convention == "seqeval"
