"""Procrustes and its distances: theorems and closed forms."""

import numpy as np
import pytest
import scipy.linalg

from crosslingual.alignment.similarity.procrustes import (
    angular_distance,
    coordinates,
    leave_groups_out,
    of_rows,
    procrustes_distance,
    procrustes_similarity,
)
from crosslingual.alignment.similarity.view import View


def test_definition_by_the_best_rotation(rng):
    x, y = rng.normal(size=(40, 6)), rng.normal(size=(40, 6))
    x, y = (side - side.mean(axis=0) for side in (x, y))
    x, y = (side / np.linalg.norm(side) for side in (x, y))
    q, _ = scipy.linalg.orthogonal_procrustes(x, y)
    assert procrustes_distance(x, y) == pytest.approx(np.linalg.norm(x @ q - y), rel=1e-10)
    assert angular_distance(x, y) == pytest.approx(np.arccos(np.vdot(x @ q, y)), rel=1e-10)


def test_scipys_disparity(rng):
    from scipy.spatial import procrustes

    x, y = rng.normal(size=(40, 6)), rng.normal(size=(40, 6))
    # scipy also scales the rotated side: disparity = 1 - cos²
    assert procrustes(x, y)[2] == pytest.approx(1 - procrustes_similarity(x, y) ** 2, rel=1e-10)


def test_rotated_copy_is_at_distance_zero_and_a_linear_copy_is_not(rng):
    x = rng.normal(size=(50, 5))
    q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert procrustes_distance(x, 3 * x @ q + 1) == pytest.approx(0, abs=1e-6)
    assert angular_distance(x, 3 * x @ q + 1) == pytest.approx(0, abs=1e-6)
    assert angular_distance(x, x @ np.diag([1, 2, 4, 8, 16.0])) > 0.3


@pytest.mark.parametrize("distance", [procrustes_distance, angular_distance])
def test_triangle_inequality(rng, distance):
    for _ in range(50):
        x, y, z = (rng.normal(size=(12, d)) for d in (3, 5, 4))
        y = x @ rng.normal(size=(3, 5)) + rng.normal() * y
        assert distance(x, z) <= distance(x, y) + distance(y, z) + 1e-9


def test_similarity_breaks_it(rng):
    """The negative half: 1 - cos is no metric."""
    angles = np.array([0, 0.5, 1.0])
    basis = View(rng.normal(size=(30, 2))).basis.u
    x, y, z = (basis @ [[np.cos(a)], [np.sin(a)]] for a in angles)
    assert 1 - procrustes_similarity(x, z) > 2 - procrustes_similarity(x, y) - procrustes_similarity(
        y, z
    )


def test_gaussian_closed_form(rng):
    scale = np.array([4.0, 1.0, 0.25])
    x = rng.normal(size=(50_000, 3)) * np.sqrt(scale)
    y = x + 0.5 * rng.normal(size=x.shape)
    truth = scale.sum() / np.sqrt(scale.sum() * (scale + 0.25).sum())
    assert procrustes_similarity(x, y) == pytest.approx(truth, abs=0.005)


def test_one_column_is_the_absolute_correlation(rng):
    x, y = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    assert procrustes_similarity(x, y) == pytest.approx(
        abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]), rel=1e-10
    )


@pytest.mark.parametrize("groups", [np.arange(200), np.repeat(np.arange(50), 4)])
def test_leaving_groups_out_is_right_to_first_order(rng, groups):
    x = rng.normal(size=(200, 6))
    y = x + rng.normal(size=(200, 6))
    whole, *found = leave_groups_out(coordinates(View(x)), coordinates(View(y)), groups)
    assert whole == pytest.approx(procrustes_similarity(x, y), rel=1e-12)
    found = np.array(found)
    slow = np.array(
        [procrustes_similarity(x[groups != g], y[groups != g]) for g in range(groups.max() + 1)]
    )
    spread = np.abs(slow - procrustes_similarity(x, y)).max()
    assert np.abs(found - slow).max() < 0.1 * spread
    assert np.corrcoef(found, slow)[0, 1] > 0.999


@pytest.mark.parametrize("d", [6, 90])
def test_some_rows_are_those_rows_alone(rng, d):
    x = rng.normal(size=(60, d)) + 3
    y = x + rng.normal(size=(60, d))
    rows = np.flatnonzero(rng.random(60) < 0.7)
    found = of_rows(coordinates(View(x)), coordinates(View(y)), rows)
    assert found == pytest.approx(procrustes_similarity(x[rows], y[rows]), rel=1e-9)
