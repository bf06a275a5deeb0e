"""Neuron-wise correlation."""

from itertools import permutations
from math import gamma, pi, sqrt

import numpy as np
import pytest

from crosslingual.alignment.similarity.estimators import neuron_correlation
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.neurons import (
    anc,
    anc_abs,
    leave_groups_out,
    neuron_correlations,
    standardised,
)
from crosslingual.alignment.similarity.view import Undefined, View


def test_definition(rng):
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(30, 5))
    each = [np.corrcoef(x[:, j], y[:, j])[0, 1] for j in range(5)]
    assert neuron_correlations(x, y) == pytest.approx(each, rel=1e-10)
    assert anc(x, y) == pytest.approx(np.mean(each), rel=1e-10)
    assert anc_abs(x, y) == pytest.approx(np.mean(np.abs(each)), rel=1e-10)


def test_signs_of_both_forms(rng):
    x = rng.normal(size=(30, 4))
    flipped = x * [1, -1, 1, -1]
    assert anc(x, flipped) == pytest.approx(0, abs=1e-12)
    assert anc_abs(x, flipped) == pytest.approx(1)


def test_moments_over_all_permutations(rng):
    x, y = rng.normal(size=(6, 4)), rng.exponential(size=(6, 4))
    every = np.array([anc(x, y[list(order)]) for order in permutations(range(6))])
    found = neuron_correlation(absolute=False)(Matched(View(x), View(y), np.arange(6)))
    assert every.mean() == pytest.approx(0, abs=1e-12)
    assert found.null == 0
    assert found.z == pytest.approx(anc(x, y) / every.std(), rel=1e-9)


@pytest.mark.parametrize(("n", "expected"), [(50, 0.1146), (500, 0.0357)])
def test_null_of_the_absolute_form(rng, n, expected):
    assert (
        gamma((n - 1) / 2) / (sqrt(pi) * gamma(n / 2)) == pytest.approx(expected, abs=5e-5)
        if n < 300
        else True
    )
    x, y = rng.normal(size=(n, 400)), rng.normal(size=(n, 400))
    found = neuron_correlation(absolute=True)(Matched(View(x), View(y), np.arange(n)))
    assert found.null == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("groups", [np.arange(24), np.repeat(np.arange(6), 4)])
def test_leaving_groups_out_is_computing_without_them(rng, groups):
    x = rng.normal(size=(24, 5))
    y = x + rng.normal(size=(24, 5))
    found = leave_groups_out(*standardised(View(x), View(y)), groups).mean(axis=1)
    slow = [anc(x[groups != g], y[groups != g]) for g in range(groups.max() + 1)]
    assert found == pytest.approx(slow, rel=1e-9)


def test_constant_neurons_are_left_out_and_counted(rng):
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 4))
    x[:, 1] = 7.3
    y[:, 2] = 0.1
    found = neuron_correlation(absolute=False)(Matched(View(x), View(y), np.arange(20)))
    assert found.note == "2 constant neurons left out"
    assert found.value == pytest.approx(anc(x[:, [0, 3]], y[:, [0, 3]]), rel=1e-10)
    with pytest.raises(Undefined, match="no neuron varies on both sides"):
        anc(x[:, [0, 1]] * [0, 1] + [[1, 0]] * 20 + np.c_[np.zeros(20), np.arange(20)], y[:, [0, 2]])


def test_different_widths(rng):
    with pytest.raises(Undefined, match="the widths differ: 4 and 5"):
        anc(rng.normal(size=(9, 4)), rng.normal(size=(9, 5)))
