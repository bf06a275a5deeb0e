"""The n-gram floor is solved: its certificate bounds what is left, and a loose stop is another floor."""

import logging

import numpy as np
import pytest
import scipy.sparse
from sklearn.linear_model import LogisticRegression

from crosslingual.probes import floors
from crosslingual.probes.classifiers.linear import GAP


def objective(model: LogisticRegression, x: scipy.sparse.csr_array, y: np.ndarray) -> float:
    chances = model.predict_proba(x)[np.arange(len(y)), y]
    return -np.log(chances).mean() + np.square(model.coef_).sum() / (2 * model.C * len(y))


def sparse(rng, n=150, d=900, classes=3):
    """Return more columns than rows: separable, as n-grams of few texts are."""
    x = scipy.sparse.random(n, d, density=0.05, random_state=rng, format="csr")
    return scipy.sparse.csr_array(x), np.arange(n) % classes


def begun(c):
    return LogisticRegression(C=c, max_iter=floors.STEPS, warm_start=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("c", floors.STRENGTHS)
def test_the_gap_is_a_bound(rng, classes, c):
    x, y = sparse(rng, classes=classes)
    least = objective(floors.solve(begun(c), x, y, 1e-8), x, y)
    for steps in (1, 3, 10, 30):
        model = LogisticRegression(C=c, max_iter=steps, tol=1e-12).fit(x, y)
        above = (objective(model, x, y) - least) / objective(model, x, y)
        assert -1e-8 <= above <= floors.gap(model, x, y) + 1e-9
    assert floors.gap(floors.solve(begun(c), x, y, GAP), x, y) <= GAP


def test_a_loose_stop_is_far_from_it(rng):
    x, y = sparse(rng)
    loose = LogisticRegression(C=100.0, max_iter=200, tol=1e-3).fit(x, y)
    assert floors.gap(loose, x, y) > 100 * GAP


def test_what_is_not_solved_is_said(rng, monkeypatch, caplog):
    monkeypatch.setattr(floors, "STEPS", 1)
    monkeypatch.setattr(floors, "TOLERANCES", (1e-3,))
    x, y = sparse(rng)
    with caplog.at_level(logging.WARNING):
        floors.solve(begun(100.0), x, y, GAP)
    assert "the n-gram floor at C = 100 is solved to" in caplog.text
