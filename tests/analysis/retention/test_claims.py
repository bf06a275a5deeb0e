"""Claims over several cells: they hold as often as they say, on data whose truth is known."""

import numpy as np
import pytest
import scipy.stats

from crosslingual.analysis.retention.changes import change_of
from crosslingual.analysis.retention.claims import (
    LANGUAGES,
    Pooled,
    languages_like_these,
    over_seeds,
    p_any,
    p_of,
)
from crosslingual.analysis.retention.paired import average, difference, means_of

SENTENCES = 200


def reading(means):
    """The change at the only layer there is."""
    return change_of(means, means, np.zeros(2), 0.0, 1).best


@pytest.mark.parametrize("shared", [0.0, 0.8])
@pytest.mark.parametrize("replicates", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_some_language_changed_is_wrong_in_5_percent_at_most(rng, shared, replicates):
    """Eight languages without any change: max-T finds one in .05; uncorrected, it is far more."""
    wrong, single, groups = 0, 0, np.arange(60)
    for _ in range(replicates):
        common = rng.standard_normal((60, 1, 2))
        outcomes = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal((60, 8, 2))
        readings = [reading(means_of(outcomes[:, language], groups)) for language in range(8)]
        found, alone = p_any(readings), np.array([p_of(one) for one in readings])
        wrong, single = wrong + (found.min() < 0.05), single + (alone.min() < 0.05)
        assert (found >= alone - 0.03).all()
    assert wrong / replicates <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / replicates)
    assert single / replicates > 0.12


def test_a_change_is_found(rng):
    outcomes = rng.standard_normal((SENTENCES, 2)) + np.array([0.5, 0.0])
    readings = [reading(means_of(one, np.arange(SENTENCES))) for one in (outcomes, outcomes[:, [1, 1]])]
    assert p_of(readings[0]) < 0.001 and p_any(readings)[0] < 0.01
    assert p_of(readings[1]) == p_any(readings)[1] == 1.0, "a checkpoint against itself"


@pytest.mark.parametrize("crossed", [True, False], ids=["same sentences", "sentences of their own"])
@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_languages_like_these(rng, crossed, spread):
    """The interval covers the mean of all languages, drawn ten at a time, in .92 to .99."""
    covered, widths, truth = 0, [], 0.3
    for _ in range(500):
        effects = truth + spread * rng.standard_normal(10)
        common = rng.standard_normal(SENTENCES) if crossed else 0.0
        parts = []
        for effect in effects:
            change = effect + common + rng.standard_normal(SENTENCES)
            parts.append(means_of(np.stack([change, np.zeros(SENTENCES)], axis=1), np.arange(SENTENCES)))
        values = np.array([difference(part).value for part in parts])
        errors = np.array([difference(part).error for part in parts])
        span = languages_like_these(values, errors, difference(average(parts)).error, SENTENCES)
        assert span.value == pytest.approx(values.mean())
        covered += span.low <= truth <= span.high
        widths.append(span.high - span.low)
    assert 0.92 <= covered / 500 <= 0.995
    spread_of_means = np.sqrt(spread**2 / 10 + crossed / SENTENCES + 1 / SENTENCES / 10)
    assert np.median(widths) <= 1.5 * 2 * 1.96 * spread_of_means


def test_few_languages_say_nothing_of_others():
    few = np.arange(LANGUAGES - 1.0)
    span = languages_like_these(few, np.ones_like(few), 0.5, 100)
    assert span.value == few.mean() and np.isnan([span.low, span.high]).all()
    assert np.isfinite(languages_like_these(np.arange(8.0), np.ones(8), 0.5, 100).low)


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_a_recipe_over_its_seeds(rng, spread):
    covered = 0
    for _ in range(500):
        sentences = rng.standard_normal(SENTENCES)
        seeds = spread * rng.standard_normal(3)
        changes = [s + sentences + rng.standard_normal(SENTENCES) for s in seeds]
        values = np.array([one.mean() for one in changes])
        errors = np.array([one.std(ddof=1) / np.sqrt(SENTENCES) for one in changes])
        span = over_seeds(values, errors, SENTENCES).interval()
        covered += span.low <= 0 <= span.high
    assert covered / 500 >= 0.93


def test_without_error_of_sentences_it_is_t_over_seeds():
    values = np.array([0.1, 0.2, 0.4])
    span = over_seeds(values, np.zeros(3), 100).interval()
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval()
    assert (span.low, span.high) == pytest.approx(tuple(expected))


def test_some_layer_is_clear_of_the_margin_for_all_layers_at_once(rng):
    drawn = rng.standard_normal((1000, 13))
    found = [Pooled(one, [np.ones(13)], [1e6]).somewhere(0.0) is not None for one in drawn]
    assert np.mean(found) <= 0.07
    clear = Pooled(np.r_[np.zeros(12), -6.0], [np.ones(13)], [50])
    assert clear.somewhere(1.0) == 12 and clear.somewhere(5.0) is None
