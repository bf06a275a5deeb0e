"""Intervals that cover what they say, over groups where sentences hang together."""

import numpy as np
import pytest

from crosslingual.alignment.statistics.bootstrap import group_bootstrap, percentiles
from crosslingual.alignment.statistics.deletion import (
    jackknife,
    mean_without,
    of_equal_size,
    pair_jackknife,
    twice_counted,
)
from crosslingual.alignment.statistics.intervals import half_sampling
from crosslingual.data.groups import group_numbers


def test_bootstrap_of_single_sentences_has_the_textbook_width(rng):
    outcomes = rng.standard_normal((400, 1))
    low, high = group_bootstrap(outcomes, np.arange(400), seed=0, resamples=4000)
    expected = 2 * 1.96 * outcomes.std() / np.sqrt(400)
    assert high[0] - low[0] == pytest.approx(expected, rel=0.05)


def test_jackknife_of_a_mean_is_its_standard_error(rng):
    x = rng.standard_normal(50)
    left_out = (x.sum() - x) / 49
    low, high = jackknife(x.mean(), left_out)
    error = x.std(ddof=1) / np.sqrt(50)
    assert (high - low) / 2 == pytest.approx(2.0095752 * error)  # t quantile, 49 degrees of freedom


def test_expanded_percentiles_of_few_groups_have_the_width_of_t(rng):
    """The plain ones of 20 groups are those of a normal law with 19 / 20 of the variance."""
    x = rng.standard_normal(20)
    resamples = np.array([rng.choice(x, 20).mean() for _ in range(40_000)])
    low, high = percentiles(resamples, 20)
    assert high - low == pytest.approx(2 * 2.093 * x.std(ddof=1) / np.sqrt(20), rel=0.04)
    plain = np.quantile(resamples, [0.025, 0.975])
    assert plain[1] - plain[0] < 0.93 * (high - low)
    assert percentiles(resamples, 10**6) == pytest.approx(tuple(plain), abs=1e-3)
    assert np.isnan(percentiles(resamples, 1)).all()


def test_what_comes_of_the_number_of_sentences_is_no_error(rng):
    """Unequal groups of a statistic θ + b / n: without a large one it is larger, of which nothing stays."""
    groups = np.repeat(np.arange(8), [1, 2, 3, 4, 6, 9, 12, 20])
    n, sizes = len(groups), np.bincount(groups)
    left_out = 0.3 + 5 / (n - sizes)
    assert of_equal_size(0.3 + 5 / n, left_out, groups) == pytest.approx(np.full(8, 0.3 + 5 / n))
    # a mean has no such part
    x = rng.standard_normal(n)
    without = mean_without(x, groups)
    assert of_equal_size(x.mean(), without, groups) == pytest.approx(without)


def test_pairs_of_documents_are_a_share_of_what_is_left(rng):
    """The mean over pairs of x_i + x_j is twice a mean; without a document it is exactly that."""
    groups = np.repeat(np.arange(6), [2, 3, 4, 5, 6, 10])
    n, x = len(groups), rng.standard_normal(30)
    w = (x[:, None] + x - 2 * x.mean()) / (n * (n - 1))
    np.fill_diagonal(w, 0)
    w -= w.sum() / (n * (n - 1)) * (1 - np.eye(n))
    found = pair_jackknife(2 * x.mean(), w, groups)
    exact = jackknife(2 * x.mean(), 2 * mean_without(x, groups))
    assert [*found] == pytest.approx([*exact], abs=1e-9)


def test_groups_cover_where_sentences_do_not(rng):
    """Planted correlation within 60 documents of 10 sentences, truth 0, design effect about 5.5."""
    groups = np.repeat(np.arange(60), 10)
    covered = {"group": 0, "sentence": 0}
    for seed in range(200):
        outcomes = (rng.standard_normal(60)[groups] + rng.standard_normal(600))[:, None]
        for unit, numbers in (("group", groups), ("sentence", np.arange(600))):
            low, high = group_bootstrap(outcomes, numbers, seed=seed, resamples=300)
            covered[unit] += bool(low[0] <= 0 <= high[0])
    assert covered["group"] >= 180
    assert covered["sentence"] <= 140


def test_one_group_has_no_interval(rng):
    low, high = group_bootstrap(rng.standard_normal((9, 2)), np.zeros(9, np.int64), seed=0)
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert np.isnan([*jackknife(0.5, np.array([0.5]))]).all()


def test_equal_seeds_give_equal_intervals(rng):
    outcomes, groups = rng.standard_normal((30, 3)), np.repeat(np.arange(10), 3)
    first, second = (group_bootstrap(outcomes, groups, seed=7) for _ in range(2))
    assert np.array_equal(first, second)


def test_unknown_groups_are_sentences_of_their_own():
    assert group_numbers(None, 3).tolist() == [0, 1, 2]
    assert group_numbers(["b", "a", "b"], 3).tolist() == [1, 0, 1]


def test_half_sampling_of_a_mean_is_its_standard_error(rng):
    x = rng.standard_normal(200)

    def means(subsets):
        return [x[rows].mean() for rows in subsets]

    low, high = half_sampling(x.mean(), means, np.arange(200), rng=rng, draws=4000)
    assert (high - low) / 2 == pytest.approx(1.972 * x.std(ddof=1) / np.sqrt(200), rel=0.05)
    # larger parts say the same, once scaled
    low, high = half_sampling(x.mean(), means, np.arange(200), rng=rng, draws=4000, share=0.9)
    assert (high - low) / 2 == pytest.approx(1.972 * x.std(ddof=1) / np.sqrt(200), rel=0.05)


def test_half_sampling_takes_whole_groups_and_stands_around_the_full_value(rng):
    groups = np.repeat(np.arange(10), 4)
    seen = []

    def statistic(subsets):
        for rows in subsets:
            seen.append(sorted(set(groups[rows])))
            assert len(rows) == 20 == 4 * len(seen[-1])
            assert (np.diff(rows) > 0).all()
        return 20 + rng.standard_normal(len(subsets))

    low, high = half_sampling(100.0, statistic, groups, rng=rng, draws=20)
    assert (low + high) / 2 == pytest.approx(100.0), "not around the halves' own mean, 20"
    assert len({tuple(one) for one in seen}) > 10
    assert np.isnan([*half_sampling(1.0, statistic, np.repeat([0, 1, 2], 4), rng=rng)]).all(), "3 groups"


def test_the_jackknife_of_pairs_counts_some_variance_twice(rng):
    """For Σ_ij x_i x_j over i ≠ j, mean 0: Var = 2 n (n-1) σ⁴, the jackknife says twice that."""
    n, values, plain, twice = 60, [], [], []
    for _ in range(1000):
        x = rng.standard_normal(n)
        w = np.outer(x, x)
        np.fill_diagonal(w, 0)
        values.append(w.sum())
        left_out = w.sum() - 2 * w.sum(axis=0)
        plain.append((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
        twice.append(twice_counted(w))
    truth = 2 * n * (n - 1)
    assert np.var(values) == pytest.approx(truth, rel=0.25)
    assert np.mean(plain) == pytest.approx(2 * truth, rel=0.15)
    assert np.mean(plain) - np.mean(twice) == pytest.approx(truth, rel=0.3)
    wide, narrow = jackknife(0.0, left_out), jackknife(0.0, left_out, twice=1e9)
    assert narrow.high == pytest.approx(wide.high / np.sqrt(2)), "at most half is taken off"


def test_the_jackknife_of_a_linear_statistic_counts_nothing_twice(rng):
    x = rng.standard_normal(50)
    assert twice_counted(x[:, None] + x) == pytest.approx(0, abs=1e-9)


def test_moves_tell_the_error_and_what_two_values_share(rng):
    """Of means a covariance; the difference of two that share much is known far better than either."""
    common = rng.standard_normal(100)
    a, b = common + 0.1 * rng.standard_normal((2, 100))

    def of(x):
        return jackknife(x.mean(), (x.sum() - x) / 99)

    def halves(x):
        return half_sampling(
            x.mean(), lambda parts: [x[p].mean() for p in parts], np.arange(100),
            rng=np.random.default_rng(0), draws=3000,
        )  # fmt: skip

    for interval, close in ((of, 1e-9), (halves, 0.1)):
        one, two = interval(a), interval(b)
        k = len(one.influences)
        shared = k / (k - 1) * (one.influences @ two.influences)
        assert shared == pytest.approx(np.cov(a, b)[0, 1] / 100, rel=close)
        apart = one.influences - two.influences
        error = np.sqrt(k / (k - 1) * (apart @ apart))
        assert error == pytest.approx((a - b).std(ddof=1) / 10, rel=close)
        assert 4 * error < one.high - one.low


def test_what_is_counted_twice_is_taken_off_the_moves(rng):
    left_out = rng.standard_normal(30)
    wide, narrow = jackknife(0.0, left_out), jackknife(0.0, left_out, twice=1e9)
    assert narrow.influences == pytest.approx(wide.influences / np.sqrt(2))
