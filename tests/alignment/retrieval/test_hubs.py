"""Hubness: how often sentences are found, against counting by hand and known distributions."""

import numpy as np
import pytest
import scipy.stats

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.retrieval import hubs as hubness
from crosslingual.alignment.retrieval.hubs import antihub_rate, hub_share, skewness
from crosslingual.alignment.retrieval.pairing import pair_vectors
from crosslingual.alignment.statistics.deletion import jackknife

NAMES = ("hubness_skew@10", "hub_share@10", "antihub_rate@10")


def measured(x, y, name, groups=None):
    n = len(x)
    groups = np.arange(n) if groups is None else groups
    pairing = pair_vectors(x, y, classes=(np.arange(n), np.arange(n)), groups=groups)
    return {found.direction: found for found in MEASURES[name].statistic(pairing)}


def occurrences(queries, candidates, k=10):
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (queries, candidates)]
    counts = [0] * len(candidates)
    for row in unit[0] @ unit[1].T:
        for j in sorted(range(len(row)), key=lambda j: -row[j])[:k]:
            counts[j] += 1
    return np.array(counts, dtype=float)


def test_definitions(rng):
    x, y = (rng.normal(size=(60, 12)).astype(np.float32) for _ in range(2))
    for direction, counts in (("forward", occurrences(x, y)), ("backward", occurrences(y, x))):
        assert measured(x, y, NAMES[0])[direction].value == pytest.approx(scipy.stats.skew(counts))
        hubs = counts[counts >= 20]
        assert measured(x, y, NAMES[1])[direction].value == pytest.approx(hubs.sum() / 600)
        assert measured(x, y, NAMES[2])[direction].value == pytest.approx((counts == 0).mean())
    for name in NAMES:
        found = measured(x, y, name)
        assert found["mean"].value == pytest.approx(
            (found["forward"].value + found["backward"].value) / 2
        )
        assert np.isnan(found["mean"].null)


def test_intervals_are_of_queries_and_of_what_they_find(rng):
    x, y = (rng.normal(size=(30, 5)).astype(np.float32) for _ in range(2))
    groups = np.arange(30) // 3
    for name, summary in zip(NAMES, (skewness, hub_share, antihub_rate), strict=True):
        found = measured(x, y, name, groups)["forward"]
        queries = [summary(occurrences(x[groups != g], y)[None])[0] for g in range(10)]
        candidates = [summary(occurrences(x, y)[None, groups != g])[0] for g in range(10)]
        wide, narrow = (jackknife(found.value, np.array(side)) for side in (queries, candidates))
        squares = (np.square(each.high - each.low) for each in (wide, narrow))
        expected = np.sqrt(np.dot([1 / 3, 2 / 3], [*squares]))
        assert found.ends.high - found.ends.low == pytest.approx(expected)


def test_extremes():
    even = np.full((1, 20), 10.0)
    assert skewness(even) == hub_share(even) == antihub_rate(even) == 0
    one = np.zeros((1, 20))
    one[0, 3] = 200.0
    assert hub_share(one) == 1 and antihub_rate(one) == 0.95
    assert skewness(one) == pytest.approx(scipy.stats.skew(one[0])) and skewness(one) > 4


def test_a_cone_has_no_hubs_but_one_centre_has(rng):
    """Two sides around different means: what lies towards the other mean is everyone's neighbour.

    Rotation of both leaves everything as it is.
    """
    x = rng.normal(size=(300, 20)).astype(np.float32)
    y = rng.normal(size=(300, 20)).astype(np.float32)
    apart = (y + 3 * np.eye(20, dtype=np.float32)[0]).astype(np.float32)
    moved = (x + 3 * np.eye(20, dtype=np.float32)[1]).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(20, 20)))[0]
    for name in NAMES:
        near, far = measured(x, y, name)["forward"].value, measured(moved, apart, name)["forward"].value
        assert far > 1.5 * near, name
        turned = measured((x @ turn).astype(np.float32), (y @ turn).astype(np.float32), name)
        assert turned["forward"].value == pytest.approx(near, abs=0.02)


def test_groups_are_counted_some_at_a_time(rng, monkeypatch):
    x, y = rng.normal(size=(2, 60, 5)).astype(np.float32)
    rows = np.arange(60)
    pairing = pair_vectors(x, y, classes=(rows, rows), groups=rows // 3)
    whole = MEASURES["hubness_skew@10"].statistic(pairing)[0]
    monkeypatch.setattr(hubness, "CELLS", 60 * 7)
    parts = MEASURES["hubness_skew@10"].statistic(pairing)[0]
    assert np.array_equal(whole.ends.influences, parts.ends.influences)
    assert len(parts.ends.influences) == 2 * 20
