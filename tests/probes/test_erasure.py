"""LEACE: nothing linear is left on its own sample, little is moved, and one-hot labels matter."""

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from crosslingual.probes.erasure import leace, random_eraser

K, D = 6, 12


@pytest.fixture
def planted(rng):
    """Six classes, shifted along five directions, beside what has nothing to do with them."""
    labels = rng.choice(K, size=3000, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    x = rng.standard_normal((3000, D)) @ rng.standard_normal((D, D)) + 2
    return x + 4 * rng.standard_normal((K, D))[labels], labels


def accuracy(x, labels):
    return LogisticRegression(max_iter=2000).fit(x, labels).score(x, labels)


def test_nothing_linear_is_left_on_its_own_sample(planted):
    """The loss of the best probe is that of the frequencies alone."""
    x, labels = planted
    shares = np.bincount(labels) / len(labels)
    entropy = -(shares * np.log(shares)).sum()
    assert accuracy(x, labels) > 0.9
    for shrink in (None, True, False):
        erased = leace(x, labels, K, shrink=shrink)(x)
        covariance = (erased - erased.mean(0)).T @ np.eye(K)[labels] / len(x)
        assert np.abs(covariance).max() < 1e-12
        probe = LogisticRegression(C=1e6, tol=1e-10, max_iter=5000).fit(erased, labels)
        loss = -probe.predict_log_proba(erased)[np.arange(len(labels)), labels].mean()
        assert loss == pytest.approx(entropy, abs=1e-6)
        assert probe.score(erased, labels) == pytest.approx(shares.max())


def test_on_other_rows_the_interval_holds_the_majority(planted):
    """n is well above five times d."""
    x, labels = planted
    eraser = leace(x[:2000], labels[:2000], K)
    probe = LogisticRegression(max_iter=2000).fit(eraser(x[:2000]), labels[:2000])
    right = (probe.predict(eraser(x[2000:])) == labels[2000:]).sum()
    low, high = beta.ppf([0.005, 0.995], [right, right + 1], [1001 - right, 1000 - right])
    assert low <= np.bincount(labels[2000:]).max() / 1000 <= high


def test_integers_would_leave_almost_everything_in(planted):
    """What goes wrong where categories are taken for one number: the negative half."""
    x, labels = planted
    number = (labels - labels.mean())[:, None]
    centred = x - x.mean(0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    inverse, root = (vectors / np.sqrt(values)) @ vectors.T, (vectors * np.sqrt(values)) @ vectors.T
    direction = np.linalg.qr(inverse @ centred.T @ number)[0]
    one = x - centred @ inverse @ direction @ direction.T @ root
    assert accuracy(one, labels) > 0.8 > 0.32 > accuracy(leace(x, labels, K)(x), labels)


def test_random_directions_leave_it_in(planted):
    x, labels = planted
    concept, control = leace(x, labels, K), random_eraser(x, labels, K)
    assert concept.rank == control.rank == K - 1
    assert np.linalg.matrix_rank(np.cov(control(x).T), tol=1e-8) == D - (K - 1)
    assert accuracy(control(x), labels) > accuracy(concept(x), labels) + 0.3
    assert not np.allclose(control(x), random_eraser(x, labels, K, seed=1)(x))


def test_nothing_that_erases_moves_less(planted, rng):
    """Against projecting the concept's directions out, and against what erases more than it must."""
    x, labels = planted
    moved = np.square(leace(x, labels, K)(x) - x).sum()
    means = np.stack([x[labels == k].mean(0) for k in range(K)]) - x.mean(0)
    basis = np.linalg.svd(means)[2][: K - 1]
    projected = x - (x - x.mean(0)) @ basis.T @ basis
    assert accuracy(projected, labels) < 0.32
    assert moved < np.square(projected - x).sum()


def test_erasing_twice_is_erasing_once(planted):
    x, labels = planted
    eraser = leace(x, labels, K)
    once = eraser(x)
    assert eraser(once) == pytest.approx(once, abs=1e-9)
    assert once.mean(0) == pytest.approx(x.mean(0))


def test_features_of_any_size_are_erased(planted):
    """A probe standardises: what a tiny feature tells is gone, too; a constant one changes nothing."""
    x, labels = planted
    tiny = np.hstack([x, 1e-7 * np.eye(K)[labels][:, :3] + 1e-8 * x[:, :3], np.full((len(x), 1), 3.0)])
    erased = leace(tiny, labels, K)(tiny)
    spread = erased.std(0)
    z = (erased - erased.mean(0))[:, spread > 1e-12] / spread[spread > 1e-12]
    assert np.abs(z.T @ np.eye(K)[labels] / len(x)).max() < 1e-8
    assert (erased[:, -1] == 3).all()


def test_with_few_rows_it_is_gone_as_well(rng):
    x, labels = rng.standard_normal((40, 60)), np.arange(40) % 3
    erased = leace(x, labels, 3)(x)
    assert np.abs((erased - erased.mean(0)).T @ np.eye(3)[labels]).max() < 1e-10
    assert np.isfinite(erased).all()


def test_what_cannot_be_erased(planted):
    x, labels = planted
    with pytest.raises(ValueError, match="fewer than two classes: nothing to erase"):
        leace(x, labels * 0, K)
    with pytest.raises(ValueError, match="not finite"):
        leace(np.where(x > 5, np.nan, x), labels, K)
