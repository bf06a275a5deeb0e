"""The warp is the best of all monotone ones, finds a shift that was made, and leaves noise alone."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from crosslingual.analysis.retention.warping import STEPS, depth_warp


def bell(centre, layers=13):
    return 0.1 + 0.5 * np.exp(-(((np.arange(layers) - centre) / 3) ** 2))


def cost(tuned, base, warp, noise):
    curve = np.interp(warp, np.arange(len(base)), base)
    moved = (warp - np.arange(len(base))) / (len(base) - 1)
    return (((tuned - curve) / noise) ** 2).sum() + (moved**2).sum()


def test_it_is_the_best_of_all_monotone_warps(rng):
    for noise in (0.05, 0.5):
        tuned, base = rng.random((2, 4))
        grid = np.arange(STEPS * 3 + 1) / STEPS
        best = min(cost(tuned, base, np.array(w), noise) for w in combinations_with_replacement(grid, 4))
        found = depth_warp(tuned, base, noise)
        assert cost(tuned, base, found, noise) == pytest.approx(best, rel=1e-12)
        assert (np.diff(found) >= 0).all()


def test_a_curve_is_itself():
    assert (depth_warp(bell(5), bell(5), 0.01) == np.arange(13)).all()
    flat = np.full(13, 0.3)
    assert (depth_warp(flat, flat, 0.01) == np.arange(13)).all()


@pytest.mark.parametrize("by", [-3, -1, 1, 2, 4])
def test_a_shift_is_found_where_the_curve_is_not_flat(by):
    found = depth_warp(bell(6 + by), bell(6), 0.005)
    steep = np.abs(np.gradient(bell(6 + by))) > 0.05
    assert np.abs(np.arange(13) - found - by)[steep].max() <= 0.5


def test_many_draws_are_each_its_own(rng):
    tuned, base = rng.random((2, 5, 9))
    whole = depth_warp(tuned, base, 0.1)
    for own, plain, found in zip(tuned, base, whole, strict=True):
        assert (depth_warp(own, plain, 0.1) == found).all()


def test_noise_alone_moves_little(rng):
    """Noise of the size that is known: the mean shift is within a layer of nothing."""
    shifts = []
    for _ in range(200):
        tuned, base = bell(6) + 0.02 * rng.standard_normal((2, 13))
        shifts.append((np.arange(13) - depth_warp(tuned, base, 0.02 * np.sqrt(2))).mean())
    assert abs(np.mean(shifts)) < 0.1 and np.std(shifts) < 0.7


def test_what_is_not_known_has_no_warp():
    tuned = np.stack([bell(5), np.full(13, np.nan)])
    assert np.isnan(depth_warp(tuned, np.stack([bell(5)] * 2), 0.1)).any(axis=1).tolist() == [
        False,
        True,
    ]
    assert depth_warp(np.array([0.5]), np.array([0.2]), 0.1).tolist() == [0.0]
