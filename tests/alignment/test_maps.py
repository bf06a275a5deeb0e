"""Maps: what they do to the vectors, and to nothing else."""

import numpy as np
import pytest

from crosslingual.alignment.cka import debiased_linear_cka
from crosslingual.alignment.maps import choose_map, map_fit


@pytest.fixture
def sides(rng):
    x = rng.normal(size=(60, 8)).astype(np.float32)
    return x + 5, x + rng.normal(size=(60, 8)).astype(np.float32)


def test_standardise(sides):
    x, y = sides
    x = x.copy()
    x[:, 3] = 0.1  # constant, and 0.1 is not exact
    for side in choose_map("standardise")(x, y):
        assert side.dtype == np.float32
        assert side.mean(axis=0) == pytest.approx(np.zeros(8), abs=1e-6)
    standardised = choose_map("standardise")(x, y)[0]
    assert standardised.std(axis=0) == pytest.approx(np.r_[np.ones(3), 0, np.ones(4)], abs=1e-5)


def test_without_outliers_takes_the_same_dimensions_of_both(sides):
    x, y = (side.copy() for side in sides)
    x[:, 5] *= 100
    y[:, 2] += 1000  # large on one side only is large
    a, b = choose_map("without-outliers@2")(x, y)
    keep = [0, 1, 3, 4, 6, 7]
    assert (a == x[:, keep]).all() and (b == y[:, keep]).all()
    assert choose_map("without-outliers@1")(x, y)[0].shape == (60, 7)
    with pytest.raises(ValueError, match="without-outliers@8 leaves none of 8 dimensions"):
        choose_map("without-outliers@8")(x, y)
    with pytest.raises(ValueError, match="sides of one width, got 8 and 7"):
        choose_map("without-outliers@1")(x, y[:, :7])


def test_both_undo_an_outlier_dimension(rng):
    """One shared dimension of scale 64 makes independent data look alike; the maps see through it."""
    x, y = (rng.normal(size=(300, 32)).astype(np.float32) for _ in range(2))
    x[:, 9] = y[:, 9] = 64 * rng.normal(size=300)
    assert debiased_linear_cka(x, y) > 0.95
    for name in ("standardise", "without-outliers@1"):
        assert debiased_linear_cka(*choose_map(name)(x, y)) < 0.1


def test_names():
    assert map_fit("none") == ""
    assert map_fit("without-outliers@3") == map_fit("centre") == "in-sample"
    for wrong in (
        "center",
        "without-outliers",
        "without-outliers@0",
        "without-outliers@x",
        "subspace@2",
    ):
        with pytest.raises(ValueError, match=f"unknown map '{wrong}'"):
            choose_map(wrong)
