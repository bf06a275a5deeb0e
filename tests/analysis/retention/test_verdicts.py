"""Verdicts on outcomes whose truth is known: what is kept, lost, moved, gained, and how often it is said."""

from collections import Counter

import numpy as np
import pytest
import scipy.stats

from crosslingual.analysis.retention.changes import change_of, mean_change
from crosslingual.analysis.retention.paired import means_of
from crosslingual.analysis.retention.verdicts import Verdict, judge

MARGIN = 0.05
HUMP = np.array([0.15, 0.3, 0.5, 0.42, 0.3, 0.2, 0.1])


def bell(centre: float) -> np.ndarray:
    return 0.1 + 0.5 * np.exp(-(((np.arange(13) - centre) / 3) ** 2))


def curves(rng, base, tuned, n=1000, groups=None):
    """Outcomes of n sentences: one that is hard is so at every layer and for both checkpoints."""
    both = np.concatenate([tuned, base])
    hard = rng.standard_normal((n, 1))
    latent = np.sqrt(0.8) * hard + np.sqrt(0.2) * rng.standard_normal((n, len(both)))
    outcomes = (scipy.stats.norm.cdf(latent) < both).astype(np.float64)
    return means_of(outcomes, np.arange(n) if groups is None else groups)


def change(rng, base, tuned, better=1, surface=0.05, n=1000):
    nulls = np.full(2 * len(base), 0.001)
    test, dev = (curves(rng, base, tuned, n) for _ in range(2))
    return change_of(test, dev, nulls, surface, better)


def shares(base, tuned, replicates) -> Counter:
    rng = np.random.default_rng(0)
    found = Counter(judge(change(rng, base, tuned), MARGIN) for _ in range(replicates))
    return Counter({verdict: count / replicates for verdict, count in found.items()})


REPLICATES = [100, pytest.param(1000, marks=pytest.mark.slow)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("replicates", REPLICATES)
def test_a_loss_at_the_margin_is_not_called_retained(replicates):
    assert shares(HUMP, HUMP - MARGIN, replicates)[Verdict.RETAINED] <= 0.07


@pytest.mark.timeout(600)
@pytest.mark.parametrize("replicates", REPLICATES)
def test_no_change_is_retained_and_seldom_lost_or_gained(replicates):
    found = shares(HUMP, HUMP, replicates)
    assert found[Verdict.RETAINED] >= 0.8
    assert found[Verdict.LOST] + found[Verdict.GAINED] <= 0.07
    assert found[Verdict.MOVED] <= 0.02


@pytest.mark.timeout(600)
@pytest.mark.parametrize("replicates", REPLICATES)
def test_twice_the_margin_is_lost_and_as_a_gain_gained(replicates):
    assert shares(HUMP, HUMP - 2 * MARGIN, replicates)[Verdict.LOST] >= 0.8
    assert shares(HUMP, HUMP + 2 * MARGIN, replicates)[Verdict.GAINED] >= 0.8


@pytest.mark.timeout(900)
@pytest.mark.parametrize("replicates", [40, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("by", [1, 2, 4])
def test_a_shift_of_layers_has_moved_and_is_no_loss(by, replicates):
    found = shares(bell(4), bell(4 + by), replicates)
    assert found[Verdict.MOVED] >= 0.85
    assert found[Verdict.LOST] + found[Verdict.GAINED] <= 0.05


@pytest.mark.parametrize(("by", "first"), [(0, 4), (1, 4), (2, 4), (4, 4), (-2, 8)])
def test_by_how_many_layers_it_moved(rng, by, first):
    """In the mean over layers, of which the flat ones move nowhere; with an interval clear of none."""
    found = [change(rng, bell(first), bell(first + by)).shift for _ in range(20)]
    assert np.mean([one.value for one in found]) == pytest.approx(0.85 * by, abs=0.25)
    spans = [one.interval() for one in found]
    assert np.mean([span.low <= 0 <= span.high for span in spans]) == (by == 0)


def test_a_loss_at_all_layers_is_no_shift(rng):
    found = [change(rng, bell(6), bell(6) - 0.1).shift for _ in range(20)]
    assert abs(np.mean([one.value for one in found])) < 0.2


def test_a_checkpoint_against_itself_is_retained_without_a_doubt(rng):
    outcomes = (rng.random((500, 5)) < [0.2, 0.4, 0.6, 0.5, 0.3]).astype(np.float64)
    same = means_of(np.concatenate([outcomes, outcomes], axis=1), np.arange(500))
    found = change_of(same, same, np.zeros(10), 0.05, 1)
    assert judge(found, 1e-6) is Verdict.RETAINED
    assert found.layers[0] == found.layers[1] == 2
    assert found.best.interval().low == found.best.interval().high == 0


def test_below_its_floor_there_is_nothing_to_lose(rng):
    assert judge(change(rng, HUMP, HUMP, surface=0.55), MARGIN) is Verdict.NOT_ASSESSABLE
    assert judge(change(rng, np.full(7, 0.001), HUMP), MARGIN) is Verdict.NOT_ASSESSABLE


def test_few_sentences_are_inconclusive_and_one_group_says_nothing(rng):
    found = Counter(judge(change(rng, HUMP, HUMP - 0.04, n=60), MARGIN) for _ in range(40))
    assert found[Verdict.INCONCLUSIVE] >= 20
    one = curves(rng, HUMP, HUMP, groups=np.zeros(1000, np.int64))
    assert judge(change_of(one, one, np.zeros(14), 0.05, -1), MARGIN) is Verdict.INCONCLUSIVE


def test_where_less_is_better_a_rise_is_a_loss(rng):
    rose = change(rng, HUMP, HUMP + 2 * MARGIN, better=-1)
    assert judge(rose, MARGIN) is Verdict.LOST
    assert rose.best.value > 0 and rose.layers == (6, 6), "in its own units; the lowest layer is best"


def test_languages_that_share_groups_are_not_independent(rng):
    """The mean of a change and itself has its interval; of two independent ones a narrower one."""
    one, other = change(rng, HUMP, HUMP), change(rng, HUMP, HUMP)
    width = [c.area.interval().high - c.area.interval().low for c in (one, mean_change([one, one]))]
    assert width[1] == pytest.approx(width[0])
    both = mean_change([one, other]).area.interval()
    assert both.high - both.low < 0.85 * width[0]


def test_draws_have_the_covariance_of_the_scores(rng):
    means = curves(rng, HUMP, HUMP - MARGIN)
    weight = np.full(7, 1.0)
    weight[[0, -1]] = 0.5
    contrast = np.concatenate([weight, -weight]) / weight.sum()
    found = change_of(means, means, np.zeros(14), 0.05, 1).area
    assert found.value == pytest.approx(contrast @ means.values)
    error = np.sqrt(contrast @ means.covariance @ contrast)
    assert found.drawn.std() == pytest.approx(error, rel=0.1)
    span = found.interval()
    assert span.high - span.low == pytest.approx(2 * 1.96 * error, rel=0.1)
