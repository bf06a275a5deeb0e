"""Participation ratio, IsoScore, mean cosine."""

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.similarity.cka import linear_cka
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.isotropy import (
    isoscore,
    isoscores,
    mean_cosine,
    mean_cosines,
    participation_ratio,
    participation_ratios,
)
from crosslingual.alignment.similarity.view import Undefined, View


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


def brute_mean_cosine(x):
    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        for i, a in enumerate(x)
        for j, b in enumerate(x)
        if i != j
    ]
    return np.mean(cosines)


def test_mean_cosine_is_that_of_all_distinct_pairs(rng):
    x = rng.normal(size=(12, 5)) + 1
    assert mean_cosine(x) == pytest.approx(brute_mean_cosine(x), abs=1e-12)
    cone = rng.normal(size=(200, 64)) + 8 * np.ones(64)
    assert mean_cosine(cone) > 0.95 > 0.05 > abs(mean_cosine(cone - cone.mean(axis=0)))
    assert mean_cosine(np.zeros((5, 3))) == 0


@pytest.mark.parametrize("shape", [(30, 7), (12, 40)])
def test_without_a_group_is_without_its_sentences(rng, shape):
    x = rng.normal(size=shape) * np.linspace(1, 3, shape[1]) + 2
    groups = np.r_[np.zeros(3), np.arange(1, len(x) - 2)].astype(np.int64)
    for function, alone in (
        (participation_ratios, participation_ratio),
        (isoscores, isoscore),
        (mean_cosines, mean_cosine),
    ):
        value, *left_out = function(View(x), groups)
        assert value == pytest.approx(alone(x), rel=1e-10)
        expected = [alone(x[groups != group]) for group in range(int(groups.max()) + 1)]
        assert left_out == pytest.approx(expected, rel=1e-9)


def test_a_bitext_has_the_geometry_of_both_sides(rng):
    x, y = rng.normal(size=(40, 6)), rng.normal(size=(40, 6)) * [9, 1, 1, 1, 1, 1]
    matched = Matched(View(x), View(y), np.arange(40))
    forward, backward, mean = MEASURES["isoscore"].geometry(matched)
    assert [s.direction for s in (forward, backward, mean)] == ["forward", "backward", "mean"]
    assert forward.value == pytest.approx(isoscore(y)) and backward.value == pytest.approx(isoscore(x))
    assert forward.value < backward.value
    assert mean.value == pytest.approx((forward.value + backward.value) / 2)
