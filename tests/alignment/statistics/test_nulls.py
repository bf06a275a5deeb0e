"""The permutation null, against every permutation and against independent code."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crosslingual.alignment.statistics import nulls
from crosslingual.alignment.statistics.nulls import (
    LowRank,
    benjamini_hochberg,
    directed_deviation,
    directed_invariants,
    draw,
    holm,
    invariants,
    permutation_mean,
    permutation_moments,
    rank_p,
    threshold,
)


def symmetric(n: int, rng: np.random.Generator) -> np.ndarray:
    a = rng.exponential(size=(n, n))
    return a + a.T


def every_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.array(
        [(a * b[np.ix_(order, order)]).sum() for order in map(list, permutations(range(len(a))))]
    )


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_moments_are_those_of_all_permutations(rng, n):
    a, b = symmetric(n, rng), symmetric(n, rng)
    every = every_product(a, b)
    deviation, skewness = permutation_moments(invariants(a)[None], invariants(b)[None], n)
    assert permutation_mean(a, b) == pytest.approx(every.mean(), rel=1e-12)
    assert deviation[0, 0] == pytest.approx(every.std(), rel=1e-10)
    assert skewness[0, 0] == pytest.approx(
        ((every - every.mean()) ** 3).mean() / every.std() ** 3, abs=1e-9
    )


@given(st.integers(0, 2**32 - 1), st.integers(4, 6), st.booleans())
@settings(max_examples=15, deadline=None)
def test_moments_of_any_matrices(seed, n, diagonal):
    rng = np.random.default_rng(seed)
    a, b = symmetric(n, rng).round(), symmetric(n, rng)
    if not diagonal:
        np.fill_diagonal(a, 0)
    every = every_product(a, b)
    deviation, _ = permutation_moments(invariants(a)[None], invariants(b)[None], n)
    assert deviation[0, 0] == pytest.approx(every.std(), rel=1e-8, abs=1e-8 * np.abs(every).max())


def test_moments_of_a_large_matrix_agree_with_draws(rng):
    a, b = symmetric(60, rng), symmetric(60, rng)
    drawn = draw(lambda order: (a * b[np.ix_(order, order)]).sum(), 60, draws=20_000, rng=rng)
    deviation, skewness = permutation_moments(invariants(a)[None], invariants(b)[None], 60)
    assert deviation[0, 0] == pytest.approx(drawn.std(), rel=0.03)
    assert skewness[0, 0] == pytest.approx(
        ((drawn - drawn.mean()) ** 3).mean() / drawn.std() ** 3, abs=0.1
    )


def test_low_rank_saves_the_cube(rng):
    f, e = rng.normal(size=(30, 3)), rng.normal(size=30)
    low = f @ np.diag([1.0, 2, -1]) @ f.T
    a = low.copy()
    np.fill_diagonal(a, e)
    assert invariants(a, LowRank(f, low.diagonal())) == pytest.approx(invariants(a), rel=1e-9)


def test_moments_come_for_all_pairs_at_once(rng):
    left, right = ([symmetric(9, rng) for _ in range(count)] for count in (2, 3))
    sums = [np.stack([invariants(a) for a in side]) for side in (left, right)]
    deviation, skewness = permutation_moments(*sums, 9)
    assert deviation.shape == skewness.shape == (2, 3)
    one = permutation_moments(invariants(left[1])[None], invariants(right[2])[None], 9)
    assert (deviation[1, 2], skewness[1, 2]) == pytest.approx((one[0][0, 0], one[1][0, 0]))


def test_directed_deviation_is_that_of_all_permutations(rng):
    a, b = ((rng.random((6, 6)) < 0.4).astype(float) for _ in range(2))
    for side in (a, b):
        np.fill_diagonal(side, 0)
    every = every_product(a, b)
    deviation = directed_deviation(directed_invariants(a)[None], directed_invariants(b)[None], 6)[0, 0]
    assert deviation == pytest.approx(every.std(), rel=1e-10)


def test_p_counts_the_observed_value(rng):
    assert rank_p(2.0, np.array([1.0, 3.0, 0.0])) == 0.5
    assert rank_p(9.0, np.arange(9.0)) == pytest.approx(0.1)
    assert rank_p(0.1 + 0.2, np.full(9, 0.3)) == 1.0, "equal up to rounding is equal"


def test_threshold_is_the_order_statistic_of_calibrated_similarity(rng):
    from calibrated_similarity import calibrate

    x, y = (torch.from_numpy(rng.normal(size=(30, 5))) for _ in range(2))
    orders = [torch.from_numpy(rng.permutation(30)) for _ in range(99)]

    def similarity(a, b):
        return float((a * b).mean()) + 0.3

    given_orders = iter(orders)
    score, p, tau = calibrate(x, y, similarity, K=99, perm_fn=lambda n, device: next(given_orders))
    drawn = np.array([similarity(x, y[order]) for order in orders])
    value = similarity(x, y)
    assert threshold(value, drawn, 0.05) == pytest.approx(float(tau), rel=1e-6)
    assert rank_p(value, drawn) == pytest.approx(float(p))
    ours = max(0.0, (value - threshold(value, drawn, 0.05)) / (1 - threshold(value, drawn, 0.05)))
    assert ours == pytest.approx(float(score), abs=1e-6)


def test_holm_is_its_definition(rng):
    """Reject the smallest p while it is below α / (cells left); the adjusted p is the least such α."""
    p = rng.random(12) ** 3
    adjusted = holm(np.append(p, np.nan))
    assert np.isnan(adjusted[-1])
    for alpha in np.linspace(0.01, 0.99, 50):
        rejected = np.zeros(12, bool)
        for step, i in enumerate(np.argsort(p)):
            if p[i] > alpha / (12 - step):
                break
            rejected[i] = True
        assert ((adjusted[:-1] <= alpha) == rejected).all()


def test_benjamini_hochberg_is_scipys(rng):
    import scipy.stats

    p = rng.random((4, 5)) ** 3
    assert benjamini_hochberg(p) == pytest.approx(
        scipy.stats.false_discovery_control(p.ravel()).reshape(4, 5)
    )
    p[1, 2] = np.nan
    q = benjamini_hochberg(p)
    assert np.isnan(q[1, 2]) and np.isfinite(np.delete(q.ravel(), 7)).all()
    assert np.delete(q.ravel(), 7) == pytest.approx(
        scipy.stats.false_discovery_control(np.delete(p.ravel(), 7))
    )


@pytest.mark.parametrize("n", [3, 257, 700])
def test_triangles_by_halves(rng, n):
    a = rng.normal(size=(n, n))
    a += a.T
    assert nulls._triangles(a) == pytest.approx(np.trace(a @ a @ a), rel=1e-10)
