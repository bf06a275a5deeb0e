"""Neighbourhood overlap: by brute force, over all permutations, and with duplicates."""

from itertools import permutations

import numpy as np
import pytest

from crosslingual.alignment.similarity.estimators import neighbours
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.knn import jaccard_knn, jaccard_null, mutual_knn, nearest
from crosslingual.alignment.similarity.view import Undefined, View


def slow_sets(x, k):
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    scores = (unit @ unit.T).astype(np.float32)
    return [
        set(sorted((j for j in range(len(x)) if j != i), key=lambda j: (-scores[i, j], j))[:k])
        for i in range(len(x))
    ]


@pytest.mark.parametrize("k", [1, 5, 27])
def test_definition(rng, k):
    x = rng.normal(size=(30, 4))
    y = x + rng.normal(size=(30, 4))
    a, b = slow_sets(x, k), slow_sets(y, k)
    assert mutual_knn(x, y, k) == pytest.approx(
        np.mean([len(p & q) / k for p, q in zip(a, b, strict=True)])
    )
    assert jaccard_knn(x, y, k) == pytest.approx(
        np.mean([len(p & q) / len(p | q) for p, q in zip(a, b, strict=True)])
    )
    assert mutual_knn(x, x, k) == 1


@pytest.mark.parametrize("jaccard", [False, True])
def test_null_over_all_permutations(rng, jaccard):
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    measure = jaccard_knn if jaccard else mutual_knn
    every = [measure(x, y[list(order)], 2) for order in permutations(range(6))]
    found = neighbours(2, jaccard=jaccard)(Matched(View(x), View(y), np.arange(6)))
    assert found.null == pytest.approx(np.mean(every), rel=1e-10)
    if not jaccard:
        assert found.null == pytest.approx(2 / 5)
    assert jaccard_null(6, 5) == 1


def test_defect_self_by_column_zero(rng):
    """ReSi drops the first neighbour as "self": with duplicates 34 % of the rows kept themselves."""
    x = np.repeat(rng.normal(size=(10, 4)), 2, axis=0)
    order = nearest(View(x), 18)
    assert not (order == np.arange(20)[:, None]).any()
    assert (order[:, 0] == np.arange(20) ^ 1).all(), "the duplicate is the nearest"


def test_ties_go_to_the_lower_index():
    x = np.eye(6)
    assert nearest(View(x), 3).tolist()[4] == [0, 1, 2]
    # many ties, zero rows, and -0.0 beside 0.0
    view = View(np.random.default_rng(0).integers(-1, 2, (40, 3)).astype(float))
    for row, found in enumerate(nearest(view, 38)):
        others = (j for j in range(40) if j != row)
        expected = sorted(others, key=lambda j: (-np.float32(view.cosines[row, j]), j))
        assert found.tolist() == expected[:38]


def test_k_outside(rng):
    x = rng.normal(size=(8, 3))
    for k in (0, 7, 20):
        with pytest.raises(Undefined, match=f"k must lie in 1 … n - 2 = 6, got {k}"):
            mutual_knn(x, x, k)


def test_translation_moves_cosine_neighbours(rng):
    x = rng.normal(size=(60, 4))
    assert mutual_knn(x, x + 3, 5) < 0.9
