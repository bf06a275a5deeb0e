"""Ridge against scikit-learn's; what a perceptron reads that no linear probe does."""

import numpy as np
import pytest
from scipy.special import softmax

from crosslingual.probes.classifiers.families import FAMILIES, PENALTIES, Sample, mlp, ridge


def sample(rng, n=300, d=12, k=4, sets=3):
    x = (rng.standard_normal((n + 100, d)) * np.exp(rng.standard_normal(d)) + 2).astype(np.float32)
    y = (x @ rng.standard_normal((d, k)) + rng.gumbel(size=(n + 100, k))).argmax(axis=1)
    labels = np.stack([y, *(rng.permutation(y) for _ in range(sets - 1))])
    return Sample(x[:n], labels[:, :n], x[n:], labels[:, n:], k)


def test_ridge_is_scikit_learns(rng):
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    given = sample(rng)
    found = ridge(given)
    scaler = StandardScaler().fit(given.x.astype(np.float64))
    errors = []
    for penalty in PENALTIES:
        theirs = [
            Ridge(alpha=penalty * 300).fit(scaler.transform(given.x), np.eye(4)[one])
            for one in given.sets
        ]
        guesses = np.stack([one.predict(scaler.transform(given.x_dev)) for one in theirs])
        errors.append(np.square(guesses[0] - np.eye(4)[given.dev[0]]).mean())
        if penalty == found.setting:
            assert found.logits(given.x_dev) == pytest.approx(guesses, abs=1e-5)
    assert found.setting == PENALTIES[int(np.argmin(errors))]
    assert found.loss == pytest.approx(min(errors), rel=1e-5)


def test_a_perceptron_does_not_know_of_its_controls(rng):
    x = rng.standard_normal((700, 6)).astype(np.float32)
    y = (x[:, 0] > rng.standard_normal(700)).astype(np.int64)
    sets = np.stack([y, *(rng.permutation(y) for _ in range(4))])
    alone, beside = (
        FAMILIES["mlp"](Sample(x[:400], some[:, :400], x[400:550], some[:, 400:550], 2))
        for some in (sets[:1], sets)
    )
    assert alone.logits(x[550:])[0] == pytest.approx(beside.logits(x[550:], 1)[0], abs=1e-3)


def test_a_perceptron_reads_what_is_not_linear(rng):
    x = rng.standard_normal((2000, 5)).astype(np.float32)
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.int64)
    given = Sample(x[:1200], y[None, :1200], x[1200:1600], y[None, 1200:1600], 2)
    right = {
        name: (family(given).logits(x[1600:])[0].argmax(axis=1) == y[1600:]).mean()
        for name, family in FAMILIES.items()
    }
    assert right["mlp"] > 0.9 and max(right["linear"], right["ridge"]) < 0.6
    again, other = mlp(given).logits(x[:5]), mlp(Sample(*list(vars(given).values())[:5], seed=1))
    assert np.array_equal(again, mlp(given).logits(x[:5])), "the same seed, the same bits"
    assert not np.allclose(again, other.logits(x[:5]))


@pytest.mark.parametrize("name", ["linear", "ridge"])
def test_sets_do_not_choose_for_the_first(rng, name):
    """Whatever else is fitted beside, the first set's probe is the same."""
    given = sample(rng)
    alone = Sample(given.x, given.sets[:1], given.x_dev, given.dev[:1], 4)
    one, many = FAMILIES[name](alone), FAMILIES[name](given)
    assert one.setting == many.setting and one.loss == pytest.approx(many.loss, rel=1e-3)
    sure = [softmax(side.logits(given.x_dev)[0], axis=1) for side in (one, many)]
    assert sure[0] == pytest.approx(sure[1], abs=1e-2)
