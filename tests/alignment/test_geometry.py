"""Participation ratio and IsoScore."""

import numpy as np
import pytest

from crosslingual.alignment.cka import linear_cka
from crosslingual.alignment.geometry import isoscore, participation_ratio
from crosslingual.alignment.views import Undefined, View


def exactly(variances, n, rng):
    """Data whose covariance is exactly diagonal."""
    basis = View(rng.normal(size=(n, len(variances)))).basis.u
    return basis * np.sqrt(variances)


@pytest.mark.parametrize("n", [60, 9])
def test_definition(rng, n):
    x = rng.normal(size=(n, 12)) * np.arange(1, 13) + 7
    values = np.linalg.eigvalsh(np.cov(x.T))
    assert participation_ratio(x) == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-10)


@pytest.mark.parametrize("k", [1, 3, 8])
def test_k_equal_directions_of_d(rng, k):
    x = np.c_[exactly(np.ones(k), 50, rng), np.zeros((50, 8 - k))]
    assert participation_ratio(x) == pytest.approx(k, rel=1e-10)
    assert isoscore(x) == pytest.approx((k - 1) / 7, abs=1e-10)


def test_isoscore_by_its_authors_steps(rng):
    """PCA, diagonal of the covariance, its normalised distance from the identity, mapped to [0, 1]."""
    x = rng.normal(size=(200, 6)) * [3, 2, 1, 1, 0.5, 0.2]
    d = 6
    variances = np.linalg.eigvalsh(np.cov(x.T))
    normalised = np.sqrt(d) * variances / np.linalg.norm(variances)
    defect = np.linalg.norm(normalised - 1) / np.sqrt(2 * (d - np.sqrt(d)))
    fraction = (d - defect**2 * (d - np.sqrt(d))) ** 2 / d**2
    assert isoscore(x) == pytest.approx((d * fraction - 1) / (d - 1), rel=1e-10)


def test_it_makes_the_null_of_cka(rng):
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 90))
    shuffled = [linear_cka(x, y[rng.permutation(40)]) for _ in range(3000)]
    expected = np.sqrt(participation_ratio(x) * participation_ratio(y)) / 39
    assert np.mean(shuffled) == pytest.approx(expected, rel=0.01)


def test_refusals():
    with pytest.raises(Undefined, match="constant"):
        participation_ratio(np.ones((9, 3)))
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        isoscore(np.arange(9.0)[:, None])
