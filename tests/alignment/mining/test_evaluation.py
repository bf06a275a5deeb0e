"""Thresholds, splits and intervals: against brute force, scikit-learn and simulated fresh draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from crosslingual.alignment.mining.evaluation import (
    EvaluatedPairs,
    average_precision,
    best_threshold,
    counts,
    evaluate_pairs,
    precision_at_recall,
    splits,
    tuned,
    tuned_intervals,
)
from crosslingual.alignment.mining.pairs import MinedPairs


def judged(scores, right, gold=None) -> EvaluatedPairs:
    """Pairs of sources 0, 1, …, best first."""
    order = np.argsort(-np.asarray(scores, float), kind="stable")
    right = np.asarray(right, bool)
    gold = right.astype(np.int64) if gold is None else np.asarray(gold, np.int64)
    return EvaluatedPairs(order, np.asarray(scores, float)[order], right[order], gold)


@settings(max_examples=300, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=20),
    more=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_the_best_threshold_is_the_best_of_all_and_can_be_reached(pairs, more, seed):
    """Few distinct scores: ties are the rule. Published tools report an F1 inside a tie."""
    scores, right = zip(*pairs, strict=True)
    gold = np.array(right, np.int64)
    gold[0] += more
    one = judged(scores, right, gold)
    weights = np.random.default_rng(seed).integers(0, 3, len(scores)).astype(float)
    for weight in (None, weights):
        threshold, f1 = best_threshold(one, weight)
        every = [counts(one, t, weight).f1 for t in (*np.arange(-0.5, 7), np.inf)]
        best = np.nanmax(every) if np.isfinite(every).any() else 0
        assert f1 == pytest.approx(best)
        if f1:
            assert counts(one, threshold, weight).f1 == pytest.approx(f1)
        else:
            assert threshold == np.inf


def test_thresholds_at_the_edges():
    assert best_threshold(judged([3, 2, 1], [1, 1, 1])) == (1.0, 1.0)  # the last: no next score
    assert best_threshold(judged([3, 2, 1], [1, 0, 0])) == (2.5, 1.0)  # half way to the next
    assert best_threshold(judged([3, 2], [0, 0], [1, 0])) == (np.inf, 0.0)
    near = [1.0, np.nextafter(1.0, 0)]
    threshold, f1 = best_threshold(judged(near, [1, 0]))
    assert f1 == 1.0
    assert counts(judged(near, [1, 0]), threshold).found == 1


@settings(max_examples=100, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=30))
def test_average_precision_is_scikit_learns(pairs):
    scores, right = zip(*pairs, strict=True)
    if any(right):
        expected = average_precision_score(right, scores)
        assert average_precision(judged(scores, right)) == pytest.approx(expected)


def test_gold_that_was_not_mined_lowers_recall_and_average_precision():
    one = judged([3, 2, 1], [1, 1, 0], [2, 1, 1])
    assert counts(one, -np.inf).recall == 0.5
    assert average_precision(one) == 0.5
    assert np.isnan(precision_at_recall(one, 0.9))
    assert precision_at_recall(one, 0.5) == 1


def test_weights_are_copies_of_source_sentences(rng):
    """A source sentence of weight 2 counts like the same sentence twice."""
    scores, right = rng.integers(0, 5, 12), rng.random(12) < 0.5
    weights = rng.integers(0, 4, 12)
    again = np.repeat(np.arange(12), weights)
    weighted = counts(judged(scores, right), 2.0, weights.astype(float))
    assert weighted == counts(judged(scores[again], right[again]), 2.0)


def test_a_pair_is_right_if_it_is_gold_once():
    pairs = MinedPairs(np.array([0, 1, 1]), np.array([5, 3, 4]), np.array([3.0, 2.0, 1.0]))
    one = evaluate_pairs(pairs, np.array([[1, 4], [1, 4], [0, 5], [2, 9]]), 3)
    assert one.right.tolist() == [True, False, True]
    assert one.gold.tolist() == [1, 1, 1]


def test_splitting_the_gold_counts_true_pairs_as_false():
    """200 pairs found, 150 right: precision .75, and .75 in either half of the source sentences.

    Whoever splits the gold and mines one haystack finds .375.
    """
    right = np.arange(200) % 8 < 6
    half = np.arange(200) < 96
    one = judged(np.linspace(2, 1, 200), right)
    for part in (half, ~half):
        assert counts(one.among(part), 0.0).precision == pytest.approx(0.75, abs=0.01)
    pooled = counts(one.among(half), 0.0) + counts(one.among(~half), 0.0)
    assert pooled == counts(one, 0.0)
    assert pooled.precision == 0.75
    gold_split = EvaluatedPairs(one.source, one.score, one.right & half[one.source], one.gold * half)
    assert counts(gold_split, 0.0).precision == pytest.approx(0.375, abs=0.02)


def test_splits_follow_the_ids_alone():
    ids = [f"zh-{i}" for i in range(1000)]
    (split,) = splits(ids, share=0.3)
    assert not (split.tune & split.report).any()
    assert (split.tune | split.report).all()
    assert 250 < split.tune.sum() < 350
    (turned,) = splits(ids[::-1], share=0.3)
    assert np.array_equal(turned.tune, split.tune[::-1])
    folds = splits(ids, folds=4)
    assert np.array_equal(np.sum([fold.report for fold in folds], axis=0), np.ones(1000))
    assert all(np.array_equal(fold.tune, ~fold.report) for fold in folds)
    (oracle,) = splits(ids, oracle=True)
    assert (oracle.tune & oracle.report).all()


@pytest.mark.parametrize("options", [{"share": 1.0}, {"share": 0.0}, {"share": None}, {"folds": 1}])
def test_nothing_is_tuned_where_it_is_reported_without_saying_so(options):
    with pytest.raises(ValueError, match="`tune_share` lies between|`folds` must be at least 2"):
        splits(["a", "b"], **options)


def draw(rng, n=400) -> EvaluatedPairs:
    """A haystack in miniature: one source sentence in ten has a translation that is mined."""
    gold = rng.random(n) < 0.1
    mined = gold & (rng.random(n) < 0.8)
    scores = rng.normal(np.where(mined, 1.5, 0.0), 1.0)
    return judged(scores, mined, gold)


def test_f1_on_report_is_that_of_a_fresh_draw_and_the_oracles_is_not(rng):
    """Mean over 300 haystacks. A tuned threshold judged on other sentences of the same haystack does as
    well as on a haystack never seen; judged where it was tuned it does better than it can."""
    report, fresh, oracle = [], [], []
    ids = [str(i) for i in range(400)]
    for _ in range(300):
        one = draw(rng)
        parts = splits(ids)
        pooled, choices = tuned({0: one}, parts)
        report.append(pooled.f1)
        unseen = draw(rng).among(parts[0].report)
        fresh.append(counts(unseen, choices[0].threshold).f1)
        oracle.append(choices[0].f1)
    error = np.std(np.subtract(report, fresh)) / np.sqrt(300)
    assert abs(np.mean(report) - np.mean(fresh)) < 3 * error
    assert np.mean(oracle) - np.mean(fresh) > 6 * error


def test_choosing_among_layers_is_tuned_too(rng):
    """Twenty layers of pure noise: the best of them on tune is no better on report."""
    ids = [str(i) for i in range(400)]
    differences = []
    for _ in range(100):
        layers = {layer: draw(rng) for layer in range(20)}
        gold = layers[0].gold
        layers = {
            layer: EvaluatedPairs(j.source, j.score, rng.permutation(j.right), gold)
            for layer, j in layers.items()
        }
        pooled, choices = tuned(layers, splits(ids))
        differences.append(choices[0].f1 - pooled.f1)
    assert np.mean(differences) > 0.02


def test_intervals_are_those_of_repeated_draws(rng):
    """Their width is the spread of F1 over fresh haystacks, to a quarter; they cover the mean."""
    ids = [str(i) for i in range(400)]
    parts = splits(ids)
    values = [tuned({0: draw(rng)}, parts)[0].f1 for _ in range(300)]
    spread = np.quantile(values, 0.975) - np.quantile(values, 0.025)
    ends = np.array([tuned_intervals({0: draw(rng)}, parts, rng)["f1"] for _ in range(20)])
    assert np.mean(ends[:, 1] - ends[:, 0]) == pytest.approx(spread, rel=0.25)
    assert ((ends[:, 0] < np.mean(values)) & (np.mean(values) < ends[:, 1])).sum() >= 16
