"""The solver: scikit-learn's optimum, whatever else is solved beside it, and what it refuses."""

import numpy as np
import pytest
from scipy.special import log_softmax

from crosslingual.probes.classifiers import lbfgs
from crosslingual.probes.classifiers.linear import UNUSED, fit
from crosslingual.probes.classifiers.scaler import Scaler

PENALTIES = np.array([1e-4, 1e-2, 1.0])


def planted(rng, n=400, d=30, k=5, noise=1.0):
    """Vectors of very unequal variances, labels that some of their directions tell."""
    x = rng.standard_normal((n, d)) * np.exp(rng.standard_normal(d)) + 3
    y = (x @ rng.standard_normal((d, k)) * 0.5 + noise * rng.gumbel(size=(n, k))).argmax(axis=1)
    y[:k] = np.arange(k)
    return Scaler.of(x)(x), y


def objective(z, y, weights, bias, penalty):
    own = log_softmax(z.astype(float) @ weights + bias, axis=1)[np.arange(len(y)), y]
    return -own.mean() + penalty / 2 * np.square(weights).sum()


@pytest.mark.parametrize("k", [2, 5, 17])
@pytest.mark.parametrize("shape", [(400, 30), (60, 90)])
def test_the_optimum_is_scikit_learns(rng, k, shape):
    from sklearn.linear_model import LogisticRegression

    z, y = planted(rng, *shape, k=k)
    found = fit(z, y[None], PENALTIES, classes=k)
    assert found.converged.all()
    for i, penalty in enumerate(PENALTIES):
        theirs = LogisticRegression(C=1 / (len(y) * penalty), tol=1e-8, max_iter=20_000).fit(z, y)
        weights, bias = theirs.coef_.T, theirs.intercept_
        if k == 2:  # one column there: half of the penalty of two opposite ones
            weights, bias = np.hstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
            theirs = LogisticRegression(C=2 / (len(y) * penalty), tol=1e-8, max_iter=20_000).fit(z, y)
            weights, bias = (
                np.hstack([-theirs.coef_.T, theirs.coef_.T]) / 2,
                np.r_[-1, 1] * theirs.intercept_ / 2,
            )
        best = objective(z, y, weights, bias, penalty)
        ours = objective(z, y, found.weights[0, i], found.biases[0, i], penalty)
        assert best * (1 - 1e-4) <= ours <= best * (1 + 2e-6)
        assert found.loss[0, i] == pytest.approx(objective(z, y, weights, bias, 0), rel=5e-3)


def test_problems_do_not_know_of_each_other(rng, monkeypatch):
    """Alone, side by side, or in turns for want of memory."""
    z, y = planted(rng)
    sets = np.stack([y, rng.permutation(y), rng.integers(5, size=len(y))])
    together = fit(z, sets, PENALTIES, classes=5)
    turns = fit(z, sets, PENALTIES, classes=5, memory=1)
    for s in range(3):
        for p in range(3):
            alone = fit(z, sets[s : s + 1], PENALTIES[p : p + 1], classes=5)
            for one in (together, turns):
                assert one.loss[s, p] == pytest.approx(alone.loss[0, 0], rel=5e-3)
                values = [objective(z, sets[s], side.weights[i, j], side.biases[i, j], PENALTIES[p])
                          for side, i, j in ((one, s, p), (alone, 0, 0))]  # fmt: skip
                assert values[0] == pytest.approx(values[1], rel=2e-6)


def test_unused_rows_count_as_if_they_were_not_there(rng):
    z, y = planted(rng)
    seen = np.where(np.arange(len(y)) < 250, y, UNUSED)
    part = fit(z, seen[None], PENALTIES, classes=5)
    alone = fit(z[:250], y[None, :250], PENALTIES, classes=5)
    assert part.loss == pytest.approx(alone.loss, rel=5e-3)


def test_what_did_not_converge_says_so(rng, monkeypatch):
    z, y = planted(rng)
    monkeypatch.setattr(lbfgs, "STEPS", 2)
    found = fit(z, y[None], np.array([1e-4]), classes=5)
    assert not found.converged.any() and found.steps.tolist() == [[4]], "in either precision"


def test_few_words_that_are_told_apart_with_ease_are_solved():
    """Sixty words of eight types: the loss is all but 0, and so is its curvature."""
    rng, spread = np.random.default_rng(1), np.linspace(2, 0.01, 300)
    types = rng.integers(8, size=60)
    x = (rng.standard_normal((8, 300))[types] + 0.3 * rng.standard_normal((60, 300))) * spread
    sets = np.stack([rng.integers(3, size=8)[types] for _ in range(5)])
    found = fit(Scaler.of(x)(x), sets, np.array([1e-3]), classes=3)
    assert found.converged.all() and found.loss.max() < 0.01


def test_a_separable_plant_is_found(rng):
    """Negative half: shuffled labels are not."""
    x = rng.standard_normal((600, 20))
    y = (x[:, 7] > 0).astype(np.int64)
    z = Scaler.of(x[:400])(x)
    found = fit(z[:400], np.stack([y[:400], rng.permutation(y[:400])]), np.array([1e-3]), classes=2)
    accuracies = (found.logits(z[400:], 0).argmax(axis=2) == y[400:]).mean(axis=1)
    assert accuracies[0] > 0.95 and abs(accuracies[1] - 0.5) < 0.12


def test_constant_features_change_nothing(rng):
    x = rng.standard_normal((50, 4))
    wide = np.hstack([x, np.full((50, 1), 7.0)])
    assert Scaler.of(wide)(wide)[:, :4] == pytest.approx(Scaler.of(x)(x))
    assert not Scaler.of(wide)(wide + 5)[:, 4].any()
    wide[:, 4] = 1e-8 * rng.standard_normal(50)  # what a layer norm without weight leaves
    assert 0 < Scaler.of(wide)(wide)[:, 4].std() < 1e-6
    assert Scaler.of(wide, weakest=0.0)(wide)[:, 4].std() == pytest.approx(1)
    wide[:, 4] = 0.2 * rng.standard_normal(50)
    assert Scaler.of(wide)(wide)[:, 4].std() == pytest.approx(1)


def test_probes_of_vectors_as_they_are(rng):
    """Standardising is put into the weights; what is constant still counts for nothing."""
    x = np.float32(rng.standard_normal((80, 6)) * np.exp(rng.standard_normal(6)) + 5)
    x[:, 2] = 1
    scaler, y = Scaler.of(x), rng.integers(3, size=80)
    found = fit(scaler(x), np.stack([y, rng.permutation(y)]), PENALTIES, classes=3)
    raw, expected = found.on_raw(scaler), np.empty((2, 80, 3))
    for s in (0, 1):
        expected[s] = scaler(x) @ found.weights[s, 1] + found.biases[s, 1]
    assert raw.logits(x, 1) == pytest.approx(expected, abs=1e-4)
    assert found.logits(scaler(x), 1) == pytest.approx(expected, abs=1e-5)
    assert not raw.weights[:, :, 2].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda z, y: (np.where(np.arange(z.size).reshape(z.shape) == 65, np.nan, z), y), "non-finite .*row 2"),
        (lambda z, y: (z, y * 0 + 3), "fewer than two classes"),
        (lambda z, y: (z, y + 3), r"labels must lie in 0 … 4, got"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted(rng, change, message):
    z, y = change(*planted(rng))
    with pytest.raises(ValueError, match=message):
        fit(z, y[None], PENALTIES, classes=5)
    with pytest.raises(ValueError, match="penalties must be positive"):
        fit(np.ones((4, 2)), np.array([[0, 1, 0, 1]]), np.zeros(1), classes=2)
