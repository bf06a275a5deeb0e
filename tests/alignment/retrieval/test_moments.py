"""Moments of all pairs without the matrix, and large corpora in parts: the same numbers."""

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.neighbours.unit_vectors import unit_sides
from crosslingual.alignment.retrieval import moments, pairing
from crosslingual.alignment.retrieval.moments import moments_of
from crosslingual.alignment.retrieval.pairing import in_parts, pair_vectors


def sides(rng, n=60, d=8):
    x = rng.standard_normal((n, d)).astype(np.float32)
    return x, (x + rng.standard_normal((n, d))).astype(np.float32)


@pytest.mark.parametrize("kept", [1 << 20, 8 * 8 * 7])
def test_moments_are_those_of_the_matrix(rng, monkeypatch, kept):
    monkeypatch.setattr(moments, "KEPT", kept)
    x, y = unit_sides(*sides(rng))
    s = x[:] @ y[:].T
    found = moments_of(x, y)
    np.testing.assert_allclose(found.matched, s.diagonal(), atol=1e-13)
    np.testing.assert_allclose(found.row_sums, s.sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(found.column_sums, s.sum(axis=0), atol=1e-12)
    for got, axis in zip(found.squares, (1, 0), strict=True):
        np.testing.assert_allclose(got, (s**2).sum(axis=axis), atol=1e-12)


def test_parts_hold_no_more_than_their_cells(monkeypatch):
    queries = np.arange(1000)
    assert max(map(len, in_parts(queries, 1000))) == pairing.ROWS
    large = list(in_parts(queries, 100_000))
    assert np.concatenate(large).tolist() == queries.tolist()
    assert max(map(len, large)) * 100_000 <= pairing.CELLS
    assert max(map(len, in_parts(queries, 10**9))) == 1


def test_measures_do_not_depend_on_the_parts(rng, monkeypatch):
    x, y = sides(rng)
    y[30] = y[3]
    classes = np.arange(60), np.where(np.arange(60) == 30, 3, np.arange(60))
    groups = np.arange(60) // 4

    def outcomes():
        made = pair_vectors(x, y, classes=classes, groups=groups)
        names = ("accuracy", "csls_accuracy@10", "mrr", "contrast")
        found = [one for name in names for one in MEASURES[name].compute(made)]
        left_out = [one.left_out for one in found if one.left_out is not None]
        return [*left_out, *(one.sentences for one in found), [one.null for one in found]]

    whole = outcomes()
    monkeypatch.setattr(pairing, "CELLS", 60 * 7)
    for before, after in zip(whole, outcomes(), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-12)
