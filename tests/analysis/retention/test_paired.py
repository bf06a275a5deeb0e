"""Paired intervals: coverage on planted groups, the closed forms they must agree with, and refusals."""

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.view import View
from crosslingual.analysis.retention.paired import (
    Means,
    average,
    difference,
    interval,
    log_odds,
    means_of,
    ratio,
)


def planted(rng, base, tuned, groups=120, size=8, shared=0.5):
    """Correlated right-or-wrong outcomes of two checkpoints, by group: right where a normal is small."""
    from scipy.stats import norm

    member = np.repeat(np.arange(groups), size)
    common = rng.normal(size=groups)[member] * np.sqrt(0.2) + rng.normal(size=len(member)) * np.sqrt(
        shared - 0.2
    )
    own = rng.normal(size=(2, len(member))) * np.sqrt(1 - shared)
    outcomes = [(common + own[i] < norm.ppf(p)).astype(float) for i, p in enumerate((tuned, base))]
    return np.stack(outcomes, axis=1), member


@pytest.mark.parametrize(
    ("base", "tuned"), [(0.05, 0.05), (0.05, 0.08), (0.3, 0.2), (0.6, 0.6), (0.9, 0.93)]
)
def test_intervals_cover(rng, base, tuned):
    """At least 92 % of 600, of differences, ratios and log-odds; the interval by sentences does not."""
    truth = {"delta": tuned - base, "ratio": tuned / base,
             "odds": np.log(tuned / (1 - tuned)) - np.log(base / (1 - base))}  # fmt: skip
    hits, naive = dict.fromkeys(truth, 0), 0
    for _ in range(600):
        outcomes, member = planted(rng, base, tuned)
        means = means_of(outcomes, member)
        for name, span in (
            ("delta", difference(means)),
            ("ratio", ratio(means)),
            ("odds", log_odds(means)),
        ):
            hits[name] += span.low <= truth[name] <= span.high
        alone = interval(means_of(outcomes, np.arange(len(member))), 1)
        naive += alone.low <= base <= alone.high
    assert all(count / 600 >= 0.92 for count in hits.values()), hits
    if base == 0.6:
        assert naive / 600 < 0.9, "sentences of one document are not independent"


def test_a_paired_interval_is_narrower(rng):
    outcomes, member = planted(rng, 0.5, 0.5, shared=0.95)
    paired = difference(means_of(outcomes, member))
    shuffled = np.stack([outcomes[:, 0], outcomes[rng.permutation(len(member)), 1]], axis=1)
    unpaired = difference(means_of(shuffled, member))
    assert paired.high - paired.low < 0.6 * (unpaired.high - unpaired.low)


def test_difference_is_the_paired_t_test(rng):
    from scipy.stats import ttest_rel

    x = rng.normal(size=(40, 2))
    found = difference(means_of(x, np.arange(40)))
    theirs = ttest_rel(x[:, 0], x[:, 1]).confidence_interval(0.95)
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], rel=1e-9)


def test_fieller_is_where_the_t_test_does_not_reject(rng):
    from scipy.stats import ttest_1samp

    x = rng.normal(loc=[2.0, 3.0], size=(30, 2))
    span = ratio(means_of(x, np.arange(30)))
    for end in (span.low, span.high):
        assert ttest_1samp(x[:, 0] - end * x[:, 1], 0).pvalue == pytest.approx(0.05, rel=1e-6)
    assert span.low < span.value < span.high


def test_no_bounded_ratio_near_zero(rng):
    """f.7 of the reference: at a base accuracy of .005 a ratio's interval is infinite, so there is none."""
    x = np.stack([rng.random(400) < 0.01, rng.random(400) < 0.004], axis=1).astype(float)
    span = ratio(means_of(x, np.arange(400)))
    assert np.isnan([span.low, span.high]).all()


def test_identical_sides_differ_by_nothing(rng):
    x = rng.normal(size=50)
    means = means_of(np.stack([x, x], axis=1), np.arange(50) // 5)
    assert (difference(means).low, difference(means).high) == (0, 0)
    assert ratio(means_of(np.stack([x + 9, x + 9], axis=1), np.arange(50))).low == pytest.approx(1)


def test_what_rounding_makes_is_no_difference(rng):
    """As of CKA where all vectors are turned; a difference of 1e-5 stays."""
    moves = rng.normal(size=(50, 1)) * 1e-3
    for by, kept in ((1e-9, 0.0), (-1e-9, 0.0), (1e-5, 1e-5)):
        turned = Means(np.array([0.5 + by, 0.5]), np.concatenate([moves * (1 + 1e-9), moves], axis=1))
        span = difference(turned)
        assert span.value == pytest.approx(kept, abs=1e-12)
        assert (span.low <= 0 <= span.high) == (kept == 0)


def test_degenerate():
    one = means_of(np.ones((4, 2)), np.zeros(4, int))
    assert np.isnan(difference(one).low), "one group tells no spread"
    assert np.isnan(log_odds(means_of(np.ones((4, 2)), np.arange(4))).value)


def test_an_average_over_parallel_languages_keeps_their_covariance(rng):
    x = rng.normal(size=(60, 2))
    groups = np.arange(60) // 3
    both = average([means_of(x, groups), means_of(x, groups)])
    assert interval(both, 0) == interval(means_of(x, groups), 0), "the same twice is no news"
    other = average([means_of(x, groups), means_of(rng.normal(size=(60, 2)), groups)])
    width = lambda m: interval(m, 0).high - interval(m, 0).low  # noqa: E731
    assert width(other) < 0.9 * width(both)


def similarities(rng, names, n=90, d=6):
    """Two checkpoints on the same sentences: they share the source, half of the target's noise."""
    x, shared, *own = rng.standard_normal((4, n, d))
    found = []
    for noise, weight in zip(own, (0.75, 0.55), strict=True):
        y = weight * x + np.sqrt(1 - weight**2) * (shared + noise) / np.sqrt(2)
        matched = Matched(View(x), View(y, "y"), np.arange(n))
        found.append([MEASURES[name].estimate(matched) for name in names])
    return found


def coverage(rng, names, replicates):
    truth = np.zeros(len(names))
    covered, width, alone = np.zeros((3, len(names)))
    draws = [similarities(rng, names) for _ in range(replicates)]
    for tuned, base in draws:
        truth += [(a.value - b.value) / replicates for a, b in zip(tuned, base, strict=True)]
    for tuned, base in draws:
        for i, (a, b) in enumerate(zip(tuned, base, strict=True)):
            means = Means(
                np.array([a.value, b.value]), np.stack([a.ends.influences, b.ends.influences], axis=1)
            )
            span = difference(means)
            covered[i] += span.low <= truth[i] <= span.high
            width[i] += span.high - span.low
            alone[i] += np.hypot(a.ends.high - a.ends.low, b.ends.high - b.ends.low)
    return covered / replicates, width / alone


@pytest.mark.parametrize(
    ("names", "replicates"),
    [
        (["debiased_linear_cka", "mutual_knn@10", "anc"], 150),
        pytest.param(["heldout_cca@20", "rsa", "procrustes_similarity"], 250, marks=pytest.mark.slow),
    ],
)
def test_intervals_of_what_is_no_mean_cover(rng, names, replicates):
    """Not by being wide: they are narrower than if the two checkpoints were strangers."""
    covered, narrower = coverage(rng, names, replicates)
    assert (covered >= 0.92).all(), dict(zip(names, covered, strict=True))
    assert (narrower < 0.97).all(), dict(zip(names, narrower, strict=True))
