"""Intervals that cover what they say, over groups where sentences hang together."""

import numpy as np
import pytest

from crosslingual.alignment.pairing import group_numbers
from crosslingual.alignment.uncertainty import group_bootstrap, jackknife


def test_bootstrap_of_single_sentences_has_the_textbook_width(rng):
    outcomes = rng.standard_normal((400, 1))
    low, high = group_bootstrap(outcomes, np.arange(400), rng=rng, resamples=4000)
    expected = 2 * 1.96 * outcomes.std() / np.sqrt(400)
    assert high[0] - low[0] == pytest.approx(expected, rel=0.05)


def test_jackknife_of_a_mean_is_its_standard_error(rng):
    x = rng.standard_normal(50)
    left_out = (x.sum() - x) / 49
    low, high = jackknife(x.mean(), left_out)
    error = x.std(ddof=1) / np.sqrt(50)
    assert (high - low) / 2 == pytest.approx(2.0095752 * error)  # t quantile, 49 degrees of freedom


def test_groups_cover_where_sentences_do_not(rng):
    """Planted correlation within 60 documents of 10 sentences, truth 0, design effect about 5.5."""
    groups = np.repeat(np.arange(60), 10)
    covered = {"group": 0, "sentence": 0}
    for _ in range(200):
        outcomes = (rng.standard_normal(60)[groups] + rng.standard_normal(600))[:, None]
        for unit, numbers in (("group", groups), ("sentence", np.arange(600))):
            low, high = group_bootstrap(outcomes, numbers, rng=rng, resamples=300)
            covered[unit] += bool(low[0] <= 0 <= high[0])
    assert covered["group"] >= 180
    assert covered["sentence"] <= 140


def test_one_group_has_no_interval(rng):
    low, high = group_bootstrap(rng.standard_normal((9, 2)), np.zeros(9, np.int64), rng=rng)
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert np.isnan(jackknife(0.5, np.array([0.5]))).all()


def test_equal_seeds_give_equal_intervals(rng):
    outcomes, groups = rng.standard_normal((30, 3)), np.repeat(np.arange(10), 3)
    first, second = (group_bootstrap(outcomes, groups, rng=np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)


def test_unknown_groups_are_sentences_of_their_own():
    assert group_numbers(None, 3).tolist() == [0, 1, 2]
    assert group_numbers(["b", "a", "b"], 3).tolist() == [1, 0, 1]
