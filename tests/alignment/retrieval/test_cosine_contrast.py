"""Contrast and d' against the n × n matrix; the jackknife against leaving groups out for real."""

import numpy as np
import pytest

from crosslingual.alignment.retrieval.cosine_contrast import contrast, dprime
from crosslingual.alignment.retrieval.pairing import pair_vectors
from crosslingual.alignment.statistics.deletion import jackknife


def pairing(x, y, groups=None):
    n = len(x)
    return pair_vectors(
        x, y, classes=(np.arange(n), np.arange(n)), groups=np.arange(n) if groups is None else groups
    )


def matrix(x, y):
    x, y = (s.astype(np.float64) / np.linalg.norm(s.astype(np.float64), axis=1)[:, None] for s in (x, y))
    return x @ y.T


def dprime_of(s):
    off = ~np.eye(len(s), dtype=bool)
    matched, others = s.diagonal(), s[off]
    return (matched.mean() - others.mean()) / np.sqrt((matched.var() + others.var()) / 2)


@pytest.fixture
def sides(rng):
    x = rng.standard_normal((40, 6), dtype=np.float32)
    return x, x + rng.standard_normal((40, 6), dtype=np.float32)


def test_contrast_is_the_difference_of_two_means(sides):
    s = matrix(*sides)
    off = ~np.eye(40, dtype=bool)
    for outcome in contrast(pairing(*sides)):
        assert outcome.sentences.mean() == pytest.approx(s.diagonal().mean() - s[off].mean(), abs=1e-12)


def test_dprime_is_its_definition(sides):
    assert dprime(pairing(*sides))[0].value == pytest.approx(dprime_of(matrix(*sides)), abs=1e-10)


@pytest.mark.parametrize("kind", ["sentences", "groups"])
def test_left_out_values_are_those_without_the_group(sides, rng, kind):
    groups = (
        np.arange(40) if kind == "sentences" else np.concatenate([np.arange(7), rng.integers(0, 7, 33)])
    )
    s = matrix(*sides)
    expected = []
    for group in range(groups.max() + 1):
        keep = groups != group
        expected.append(dprime_of(s[np.ix_(keep, keep)]))
    found = dprime(pairing(*sides, groups))[0]
    assert [*found.ends] == pytest.approx([*jackknife(found.value, np.array(expected))], abs=1e-9)


def test_dprime_of_a_collapsed_model_is_undefined():
    assert np.isnan(dprime(pairing(np.ones((9, 3), np.float32), np.ones((9, 3), np.float32)))[0].value)
