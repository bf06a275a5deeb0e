"""Every p-value says how it was found, is never 0, and is there or says why not."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest

from crosslingual import MEASURES
from crosslingual.alignment.similarity import knn
from crosslingual.alignment.similarity.estimators import linear, neighbours
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.view import View
from crosslingual.alignment.statistics.nulls import least_p
from tests.verbs import score


def matched(x, y):
    return Matched(View(x), View(y), np.arange(len(x)))


def test_the_least_p_is_that_of_one_pairing_among_all():
    for n in (2, 5, 9):
        assert least_p(n) == pytest.approx(1 / factorial(n))
    assert 0 < least_p(10**6) < 1e-300


@pytest.mark.parametrize("n", [40, 400])
def test_p_of_a_perfect_match_is_not_zero(rng, n):
    x = rng.standard_normal((n, 5))
    for estimator in (linear(debiased=True), linear(debiased=False), neighbours(3, jaccard=False)):
        found = estimator(matched(x, x))
        assert 0 < found.p < 1e-6, "and not bounded by a number of draws"
        assert found.p_kind.endswith(")") or "Pearson III" in found.p_kind


def test_the_z_of_mutual_knn_is_that_of_all_re_pairings(rng):
    x, y, k = rng.standard_normal((6, 4)), rng.standard_normal((6, 4)), 2
    found = neighbours(k, jaccard=False)(matched(x, y))
    ids, marked = knn.nearest(View(x), k), knn.mark(knn.nearest(View(y), k), 6)
    every = [
        knn.shared_shuffled(ids, marked, np.array(order)).mean() / k for order in permutations(range(6))
    ]
    assert found.null == pytest.approx(np.mean(every))
    assert (found.value - found.null) / found.z == pytest.approx(np.std(every))


def test_p_of_mutual_knn_rejects_as_often_as_it_says(rng):
    p = [
        neighbours(5, jaccard=False)(
            matched(rng.standard_normal((60, 6)), rng.standard_normal((60, 6)))
        ).p
        for _ in range(200)
    ]
    for level, slack in ((0.05, 0.04), (0.01, 0.02)):
        assert np.mean(np.array(p) <= level) == pytest.approx(level, abs=slack)


def test_every_row_says_how_p_was_found_or_why_there_is_none(tiny_bert, tmp_path):
    names = ",".join(name for name, measure in MEASURES.items() if measure.strong is None)
    table = score(
        tiny_bert, languages="de", limit=40, layers="1,3", measures=names, store=tmp_path / "s"
    )
    with_p = table["p"].notna()
    assert with_p.any() and (~with_p).any()
    assert (table.loc[with_p, "p"] > 0).all()
    kinds = table.loc[with_p, "p_kind"]
    assert kinds.str.contains("re-pairings|Pearson").all()
    assert table.loc[~with_p, "p_kind"].str.startswith("none: ").all()
    noted = table["p_kind"] == "none: see note"
    assert (table.loc[noted, "note"] != "").all()
