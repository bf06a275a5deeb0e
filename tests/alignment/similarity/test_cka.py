"""CKA: identities, closed forms, published numbers, and the defects of other libraries by name."""

from itertools import permutations

import numpy as np
import pytest
import torch

from crosslingual.alignment.similarity.cka import (
    Deletions,
    MinibatchCKA,
    debiased_linear_cka,
    leave_groups_out,
    linear_cka,
    rbf_cka,
)
from crosslingual.alignment.similarity.estimators import linear
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.view import Undefined, View
from crosslingual.alignment.statistics.centring import double_centre, u_centre


@pytest.fixture
def pair(rng):
    x = rng.normal(size=(40, 7))
    return x, x @ rng.normal(size=(7, 5)) + rng.normal(size=(40, 5))


def slow_cka(x, y):
    """By the definition, with a centring matrix."""
    n = len(x)
    h = np.eye(n) - 1 / n
    k, l = h @ x @ x.T @ h, h @ y @ y.T @ h
    return np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))


def song_hsic(k, l):
    """HSIC₁, Song et al. 2012, eq. 5."""
    n, ones = len(k), np.ones(len(k))
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    return (
        np.trace(k @ l)
        + (ones @ k @ ones) * (ones @ l @ ones) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (ones @ k @ l @ ones)
    ) / (n * (n - 3))


def slow_debiased(x, y):
    k, l = x @ x.T, y @ y.T
    return song_hsic(k, l) / np.sqrt(song_hsic(k, k) * song_hsic(l, l))


def pr(x):
    values = np.linalg.eigvalsh(np.cov(x.T))
    return values.sum() ** 2 / (values**2).sum()


@pytest.mark.parametrize("d", [3, 100])
def test_feature_and_gram_forms_are_the_definition(rng, d):
    x, y = rng.normal(size=(40, d)), rng.normal(size=(40, 6))
    assert linear_cka(x, y) == pytest.approx(slow_cka(x, y), rel=1e-10)
    assert debiased_linear_cka(x, y) == pytest.approx(slow_debiased(x, y), rel=1e-10)


def test_u_centring_is_song(pair):
    x, y = pair
    k, l, n = x @ x.T, y @ y.T, len(x)
    assert np.vdot(u_centre(k), u_centre(l)) / (n * (n - 3)) == pytest.approx(song_hsic(k, l), rel=1e-12)
    assert u_centre(k).sum(axis=0) == pytest.approx(np.zeros(n), abs=1e-10)
    assert not u_centre(k).diagonal().any()


def test_null_mean_and_z_over_all_permutations(rng):
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 4))
    orders = [list(order) for order in permutations(range(6))]
    every = np.array([linear_cka(x, y[order]) for order in orders])
    estimate = linear(debiased=False)(Matched(View(x), View(y), np.arange(6)))
    assert estimate.null == pytest.approx(every.mean(), rel=1e-12)
    assert estimate.null == pytest.approx(np.sqrt(pr(x) * pr(y)) / 5, rel=1e-12)
    assert estimate.z == pytest.approx((linear_cka(x, y) - every.mean()) / every.std(), rel=1e-9)
    debiased = [debiased_linear_cka(x, y[order]) for order in orders]
    assert np.mean(debiased) == pytest.approx(0, abs=1e-12)


def test_variance_is_kazi_aouals_formula(rng):
    """The variance of the RV coefficient (Kazi-Aoual et al. 1995), by its own formula."""
    n = 12
    x, y = rng.normal(size=(n, 5)), rng.exponential(size=(n, 30))

    def tau_beta(x):
        w = double_centre(x @ x.T)
        beta = np.trace(w) ** 2 / (w**2).sum()
        inner = n * (n + 1) * (w.diagonal() ** 2).sum() / (w**2).sum() - (n - 1) * (beta + 2)
        return (n - 1) / ((n - 3) * (n - 1 - beta)) * inner, beta

    (tx, bx), (ty, by) = tau_beta(x), tau_beta(y)
    variance = 2 * (n - 1 - bx) * (n - 1 - by) / ((n + 1) * (n - 1) ** 2 * (n - 2))
    variance *= 1 + (n - 3) / (2 * n * (n - 1)) * tx * ty
    found = linear(debiased=False)(Matched(View(x), View(y), np.arange(n)))
    assert (found.value - found.null) / found.z == pytest.approx(np.sqrt(variance), rel=1e-10)


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize(
    "groups", [np.arange(20), np.repeat([3, 0, 1, 2, 4], 4), np.r_[np.zeros(5), np.arange(1, 16)]]
)
def test_leaving_groups_out_is_computing_without_them(rng, debiased, groups):
    x = rng.normal(size=(20, 6))
    y = x + rng.normal(size=(20, 6))
    groups = groups.astype(np.int64)
    measure = debiased_linear_cka if debiased else linear_cka
    found = leave_groups_out(*(Deletions(View(side).gram, groups, debiased=debiased) for side in (x, y)))
    slow = [measure(x[groups != g], y[groups != g]) for g in range(groups.max() + 1)]
    assert found == pytest.approx(slow, rel=1e-9)


def test_google_notebook():
    """Kornblith et al.'s notebook, seed 1337."""
    state = np.random.RandomState(1337)
    x = state.randn(100, 10)
    y = state.randn(100, 10) + x
    assert linear_cka(x, y) == pytest.approx(0.55761, abs=5e-6)
    assert debiased_linear_cka(x, y) == pytest.approx(0.51346, abs=5e-6)
    assert rbf_cka(x, y, bandwidth=0.5) == pytest.approx(0.65483, abs=5e-6)
    assert rbf_cka(x, y, bandwidth=0.5, median="off-diagonal") == pytest.approx(0.65401, abs=5e-6)


@pytest.mark.parametrize(("n", "published"), [(32, 0.198), (64, 0.114), (128, 0.056), (256, 0.029)])
def test_bias_of_independent_data(rng, n, published):
    """The table of MONAI's pull request 9129 (d = 8)."""
    found = np.mean([linear_cka(rng.normal(size=(n, 8)), rng.normal(size=(n, 8))) for _ in range(60)])
    assert found == pytest.approx(published, rel=0.12)
    debiased = np.mean(
        [debiased_linear_cka(rng.normal(size=(n, 8)), rng.normal(size=(n, 8))) for _ in range(60)]
    )
    assert abs(debiased) < 0.25 * published


def test_gaussian_closed_form(rng):
    n, scale = 20_000, 1 / np.arange(1, 9)
    x = rng.normal(size=(n, 8)) * np.sqrt(scale)
    q, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    y = x @ q + 0.5 * rng.normal(size=(n, 8))
    truth = (scale**2).sum() / np.sqrt((scale**2).sum() * ((scale + 0.25) ** 2).sum())
    assert linear_cka(x, y) == pytest.approx(truth, abs=0.01)
    assert debiased_linear_cka(x, y) == pytest.approx(truth, abs=0.01)
    half = rng.permutation(n)[: n // 2]
    y[half] = y[rng.permutation(half)]  # half of the pairs shuffled: a quarter is left
    assert debiased_linear_cka(x, y) == pytest.approx(truth / 4, abs=0.01)


def test_one_column_is_the_squared_correlation(rng):
    x, y = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    assert linear_cka(x, y) == pytest.approx(np.corrcoef(x[:, 0], y[:, 0])[0, 1] ** 2, rel=1e-10)


def test_rbf_becomes_linear(pair):
    x, y = pair
    assert rbf_cka(x, y, bandwidth=200.0) == pytest.approx(linear_cka(x, y), abs=1e-4)
    assert rbf_cka(x, y, bandwidth=200.0, debiased=True) == pytest.approx(
        debiased_linear_cka(x, y), abs=1e-4
    )
    assert abs(rbf_cka(x, y, bandwidth=0.5) - linear_cka(x, y)) > 0.01


def test_ckatorch(pair):
    from ckatorch.core import cka_base

    pair = tuple(side[:39] for side in pair)  # odd: torch's median is the lower of two
    x, y = map(torch.from_numpy, pair)
    for debiased, ours in ((False, linear_cka), (True, debiased_linear_cka)):
        theirs = cka_base(x, y, unbiased=debiased, method="fro_norm")
        assert ours(*pair) == pytest.approx(float(theirs), rel=1e-10)
    theirs = cka_base(x, y, kernel="rbf", threshold=0.7)
    assert rbf_cka(*pair, bandwidth=0.7) == pytest.approx(float(theirs), rel=1e-10)


class TestMinibatch:
    def test_one_batch_is_the_whole(self, pair):
        assert MinibatchCKA().update(*pair).value == pytest.approx(debiased_linear_cka(*pair), rel=1e-12)

    def test_order_of_batches_does_not_matter(self, rng):
        x = rng.normal(size=(60, 5))
        y = x + rng.normal(size=(60, 5))
        cuts = [slice(0, 20), slice(20, 47), slice(47, 60)]
        one, other = MinibatchCKA(), MinibatchCKA()
        for part in cuts:
            one.update(x[part], y[part])
        for part in cuts[::-1]:
            other.update(x[part], y[part])
        assert one.value == pytest.approx(other.value, rel=1e-12)
        assert one.n == 60

    def test_sums_first_ratio_last(self, rng):
        """Nguyen et al. 2021: truth .2; averaged ratios (and the last batch alone) are elsewhere."""
        n, d = 4096, 64
        x = rng.normal(size=(n, d))
        y = np.sqrt(0.2) * x + np.sqrt(0.8) * rng.normal(size=(n, d))
        streamed, ratios = MinibatchCKA(), []
        for start in range(0, n, 16):
            part = slice(start, start + 16)
            streamed.update(x[part], y[part])
            ratios.append(debiased_linear_cka(x[part], y[part]))
        assert streamed.value == pytest.approx(0.2, abs=0.03)
        assert debiased_linear_cka(x, y) == pytest.approx(0.2, abs=0.01)

    def test_defect_only_the_last_batch_counted(self, rng):
        """ckatorch 1.0.3, cka.py:241: every batch overwrites the one before."""
        x = rng.normal(size=(20, 5))
        y = x + rng.normal(size=(20, 5))
        streamed = MinibatchCKA()
        for start, stop in ((0, 8), (8, 16), (16, 20)):
            streamed.update(x[start:stop], y[start:stop])
        assert streamed.value != pytest.approx(debiased_linear_cka(x[16:], y[16:]), abs=1e-3)

    def test_needs_a_batch_of_four(self):
        with pytest.raises(ValueError, match="no batch was given"):
            _ = MinibatchCKA().value
        with pytest.raises(ValueError, match="x has 3 sentences; at least 4 are needed"):
            MinibatchCKA().update(np.eye(3), np.eye(3))


class TestDefects:
    """What published code gets wrong (docs/measures.md), none of it here."""

    def test_epsilon_in_the_denominator(self, rng):
        """platonic-rep metrics.py:118: CKA(X, X) = .01 for features of scale .03."""
        x = rng.normal(size=(50, 8))
        for scale in (1.0, 0.1, 0.03, 1e-6):
            assert debiased_linear_cka(scale * x, scale * x) == pytest.approx(1, abs=1e-12)

    def test_norms_of_the_other_side(self, rng):
        """xsim analysis/anatome.py:229: debiased norms from x·y row sums made CKA(X, X) 9e-11."""
        x, y = rng.normal(size=(50, 8)), 5 + rng.normal(size=(50, 12))
        assert debiased_linear_cka(x, x) == pytest.approx(1)
        assert debiased_linear_cka(x, y) == pytest.approx(slow_debiased(x, y), abs=1e-12)

    def test_unbiased_that_is_biased(self, pair):
        """ckatorch core.cka_base(method="hsic", unbiased=True) returns the biased value."""
        assert debiased_linear_cka(*pair) < linear_cka(*pair) - 0.01

    def test_diagonal_vector_subtracted_by_broadcasting(self, pair):
        """dmarx/cka_pytorch #2: K - diag(K) takes a vector from every row; HSIC(K, K) went negative."""
        x, _ = pair
        assert song_hsic(x @ x.T, x @ x.T) > 0
        assert debiased_linear_cka(x, x) == pytest.approx(1)

    def test_bootstrap_finds_alignment_in_independent_data(self, rng):
        """Sentences drawn twice match themselves: the reason for the jackknife."""
        x, y = rng.normal(size=(150, 64)), rng.normal(size=(150, 64))
        boot = [debiased_linear_cka(x[rows], y[rows]) for rows in rng.integers(0, 150, (20, 150))]
        assert np.mean(boot) > 0.2
        found = linear(debiased=True)(Matched(View(x), View(y), np.arange(150)))
        assert found.ends.low < found.value < 0.1


def test_outlier_dimension_lifts_cka_debiased_or_not(rng):
    """One shared dimension of scale 16: both near 1, standardised near 0."""
    x, y = rng.normal(size=(300, 64)), rng.normal(size=(300, 64))
    x[:, 0] = y[:, 0] = 16 * rng.normal(size=300)
    assert debiased_linear_cka(x, y) > 0.6
    assert debiased_linear_cka(x / x.std(axis=0), y / y.std(axis=0)) < 0.1


def test_negative_and_constant(rng):
    values = [debiased_linear_cka(rng.normal(size=(8, 4)), rng.normal(size=(8, 4))) for _ in range(50)]
    assert min(values) < 0
    x = rng.normal(size=(8, 4))
    for constant in (np.full((8, 4), 3.7), np.tile(rng.normal(size=4).astype(np.float32), (8, 1))):
        with pytest.raises(Undefined, match="y is constant over the sentences"):
            linear_cka(x, constant)


def test_bad_input(rng):
    x = rng.normal(size=(8, 4))
    with pytest.raises(ValueError, match="must hold the same sentences row by row, got 8 and 7 rows"):
        linear_cka(x, x[:7])
    with pytest.raises(ValueError, match="y has 2 non-finite values, first in row 3"):
        bad = x.copy()
        bad[3, 1], bad[5, 0] = np.nan, np.inf
        debiased_linear_cka(x, bad)
    with pytest.raises(ValueError, match="x has 3 sentences; at least 4 are needed"):
        linear_cka(x[:3], x[:3])
    with pytest.raises(ValueError, match="half of the sentence pairs coincide"):
        rbf_cka(np.repeat([[0.0], [1.0]], [7, 1], axis=0), x)
    with pytest.raises(ValueError, match="median must be"):
        rbf_cka(x, x, median="mean")
