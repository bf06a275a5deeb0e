"""The CCA family: identities, closed forms, published values, saturation, other libraries' defects."""

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.similarity.cca import (
    canonical_correlations,
    deal,
    heldout_cca,
    kept,
    mean_cca,
    mean_squared_cca,
    pwcca,
    ridge_cca,
    svcca,
)
from crosslingual.alignment.similarity.cka import linear_cka
from crosslingual.alignment.similarity.estimators import squared_cca
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.procrustes import procrustes_similarity
from crosslingual.alignment.similarity.view import Undefined, View


@pytest.fixture
def pair(rng):
    x = rng.normal(size=(120, 6))
    return x, x @ rng.normal(size=(6, 9)) + 2 * rng.normal(size=(120, 9))


def slow_correlations(x, y):
    """By the textbook: eigenvalues of Sxx⁻¹ Sxy Syy⁻¹ Syx (fine where the condition is small)."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    m = np.linalg.solve(x.T @ x, x.T @ y) @ np.linalg.solve(y.T @ y, y.T @ x)
    values = np.sort(np.linalg.eigvals(m).real)[::-1]
    return np.sqrt(values[: min(x.shape[1], y.shape[1])])


def test_definition(pair):
    assert canonical_correlations(*pair) == pytest.approx(slow_correlations(*pair), abs=1e-10)
    assert mean_cca(*pair) == pytest.approx(slow_correlations(*pair).mean(), abs=1e-10)
    assert mean_squared_cca(*pair) == pytest.approx((slow_correlations(*pair) ** 2).mean(), abs=1e-10)


def test_linnerud():
    """SAS PROC CANCORR's example."""
    from sklearn.datasets import load_linnerud

    data = load_linnerud()
    assert canonical_correlations(data.data.astype(float), data.target.astype(float)) == pytest.approx(
        [0.795608, 0.200556, 0.072570], abs=1e-6
    )


def test_frets_heads(rng):
    """Mardia, Kent & Bibby's head data, from its correlation matrix: .7885, .0537."""
    matrix = np.array(
        [
            [1, 0.7346, 0.7108, 0.7040],
            [0.7346, 1, 0.6932, 0.7086],
            [0.7108, 0.6932, 1, 0.8392],
            [0.7040, 0.7086, 0.8392, 1],
        ]
    )
    z = rng.normal(size=(25, 4))
    z -= z.mean(axis=0)
    z = np.linalg.qr(z)[0] @ np.linalg.cholesky(matrix).T  # data with exactly this correlation matrix
    assert canonical_correlations(z[:, :2], z[:, 2:]) == pytest.approx([0.7885, 0.0537], abs=2e-4)


def test_cca_zoo(pair):
    from cca_zoo.linear import CCA

    model = CCA(n_components=6).fit(list(pair))
    left, right = model.transform(list(pair))
    theirs = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(6)]
    assert canonical_correlations(*pair) == pytest.approx(theirs, abs=1e-6)


def test_gaussian_closed_form(rng):
    n, scale = 50_000, np.array([4.0, 1.0, 0.25])
    x = rng.normal(size=(n, 3)) * np.sqrt(scale)
    y = x + 0.5 * rng.normal(size=(n, 3))
    assert canonical_correlations(x, y) == pytest.approx(np.sqrt(scale / (scale + 0.25)), abs=0.01)


@pytest.mark.parametrize(("p", "q"), [(12, 9), (20, 19), (15, 4)])
def test_as_many_correlations_are_one_as_the_ranks_exceed(rng, p, q):
    n = 20
    x, y = rng.normal(size=(n, p)), rng.normal(size=(n, q))
    rx, ry = min(p, n - 1), min(q, n - 1)
    values = np.linalg.svd(View(x).basis.u.T @ View(y).basis.u, compute_uv=False)
    assert (values > 1 - 1e-9).sum() == max(0, rx + ry - n + 1)
    if rx + ry > n - 1:
        message = rf"CCA saturates: {rx} \+ {ry} dimensions exceed n - 1 = 19, so {rx + ry - 19} correl"
        for measure in (canonical_correlations, mean_cca, mean_squared_cca, pwcca):
            with pytest.raises(Undefined, match=message):
                measure(x, y)
        assert ridge_cca(x, y) < 1
    else:
        assert mean_cca(x, y) < 1


def test_squared_cca_null_is_exact(rng):
    """Independent data of d dimensions reach d / (n - 1)."""
    x, y = rng.normal(size=(60, 12)), rng.normal(size=(60, 20))
    estimate = squared_cca(Matched(View(x), View(y), np.arange(60)))
    drawn = [mean_squared_cca(x, y[rng.permutation(60)]) for _ in range(2000)]
    assert estimate.null == pytest.approx(20 / 59, rel=1e-12)
    assert np.mean(drawn) == pytest.approx(20 / 59, rel=0.01)
    assert (estimate.value - estimate.null) / estimate.z == pytest.approx(np.std(drawn), rel=0.06)


def test_condition_of_ten_million(rng):
    """Y = X W with condition 1e7: the covariance route gives 'correlations' of 1.295, or nan."""
    x = rng.normal(size=(500, 20)) * np.logspace(0, -7, 20)
    y = x @ rng.normal(size=(20, 20))
    values = canonical_correlations(x, y)
    assert values.max() <= 1
    assert values[:18].min() > 0.9999


def test_one_column_is_the_absolute_correlation(rng):
    x, y = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    assert mean_cca(x, y) == pytest.approx(abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]), rel=1e-10)


def test_orthonormal_inputs(rng):
    """With all singular values 1, CKA is the mean squared correlation, Procrustes the mean."""
    x, y = (View(rng.normal(size=(80, 5))).basis.u for _ in range(2))
    assert linear_cka(x, y) == pytest.approx(mean_squared_cca(x, y), rel=1e-10)
    assert procrustes_similarity(x, y) == pytest.approx(mean_cca(x, y), rel=1e-10)


class TestSvcca:
    def test_keeps_by_squared_singular_values_of_centred_data(self, rng):
        u = np.linalg.qr(np.c_[np.ones(50), rng.normal(size=(50, 4))])[0][:, 1:]
        x = 100 + u * np.array([10.0, 3.0, 1.0, 0.1])  # variance shares .908, .082, .009, .0001
        assert kept(View(x).basis, 0.95) == 2
        assert kept(View(x).basis, 0.995) == 3
        assert kept(View(x).basis, 1.0) == 4
        assert kept(View(x).basis, 0.5) == 2, "at least 2"
        assert kept(View(x).basis, 3) == 3
        for wrong in (0, 1.5, -1, 0.0):
            with pytest.raises(ValueError, match="keep must be a share"):
                kept(View(x).basis, wrong)

    def test_is_cca_of_the_principal_components(self, pair):
        x, y = pair
        pcs = [side @ np.linalg.svd(side - side.mean(0))[2][:3].T for side in (x, y)]
        assert svcca(x, y, 3) == pytest.approx(mean_cca(*pcs), rel=1e-10)
        assert svcca(x, y, 1.0) == pytest.approx(mean_cca(x, y), rel=1e-10)

    def test_defect_threshold_times_total_variance(self, rng):
        """ReSi, repsim/measures/cca.py: 50 components of equal variance became 1."""
        for scale in (1.0, 0.1, 30.0):
            assert kept(View(scale * rng.normal(size=(4000, 50))).basis, 0.99) in (49, 50)

    def test_defect_offset_dimension(self, rng):
        """anatome distance.py:108: uncentred, an offset made 60 components 0, and nan."""
        x = rng.normal(size=(400, 60))
        shifted = x + 1e3 * np.eye(60)[0]
        assert kept(View(shifted).basis, 0.99) == kept(View(x).basis, 0.99)
        assert svcca(shifted, x) == pytest.approx(svcca(x, x), rel=1e-9)

    def test_defect_randomised(self, rng):
        """platonic-rep: X against its own columns in another order gave .455, .488, .494."""
        x = rng.normal(size=(300, 40))
        assert svcca(x, x[:, rng.permutation(40)]) == pytest.approx(1, abs=1e-10)


class TestPwcca:
    def slow(self, x, y):
        """The paper's formula on the side x."""
        x = x - x.mean(axis=0)
        ux, uy = View(x).basis.u, View(y).basis.u
        p, rho, _ = np.linalg.svd(ux.T @ uy, full_matrices=False)
        alpha = np.abs((ux @ p).T @ x).sum(axis=1)
        return (alpha * rho).sum() / alpha.sum()

    def test_both_ways(self, pair):
        x, y = pair
        assert pwcca(x, y, "x") == pytest.approx(self.slow(x, y), rel=1e-10)
        assert pwcca(x, y, "y") == pytest.approx(self.slow(y, x), rel=1e-10)
        assert pwcca(x, y) == pytest.approx((self.slow(x, y) + self.slow(y, x)) / 2, rel=1e-10)
        assert pwcca(x, y, "x") != pytest.approx(pwcca(x, y, "y"), abs=1e-3)
        assert pwcca(x, y, "x") == pytest.approx(pwcca(y, x, "y"), rel=1e-10)
        with pytest.raises(ValueError, match="weights must be"):
            pwcca(x, y, "both")

    def test_invariances(self, rng, pair):
        x, y = pair
        q = np.linalg.qr(rng.normal(size=(6, 6)))[0]
        w = rng.normal(size=(9, 9))
        assert pwcca(x, y @ w + 5, "x") == pytest.approx(pwcca(x, y, "x"), rel=1e-9), "affine on y"
        assert pwcca(3 * x[:, ::-1] + 5, y, "x") == pytest.approx(pwcca(x, y, "x"), rel=1e-9)
        assert abs(pwcca(x @ q, y, "x") - pwcca(x, y, "x")) > 1e-4, (
            "even a rotation moves the weighted side"
        )

    def test_defect_translation(self, pair):
        """google/svcca pwcca.py:42: a translation by 5 moved .490 to .585."""
        x, y = pair
        assert pwcca(x + 5, y + 5) == pytest.approx(pwcca(x, y), rel=1e-10)

    def test_defect_widths(self, pair):
        """google/svcca pwcca.py:50: acts1 in the branch of Y raised an IndexError."""
        x, y = pair
        assert 0 < pwcca(y, x) < 1


class TestRidge:
    def test_is_ridge_cca(self, pair):
        x, y = (side - side.mean(axis=0) for side in pair)
        kx, ky = (0.1 * np.linalg.svd(side, compute_uv=False) ** 2 for side in (x, y))
        lx = np.linalg.cholesky(x.T @ x + kx.mean() * np.eye(6))
        ly = np.linalg.cholesky(y.T @ y + ky.mean() * np.eye(9))
        whitened = np.linalg.solve(lx, x.T @ y) @ np.linalg.inv(ly).T
        assert ridge_cca(x, y, 0.1) == pytest.approx(
            np.linalg.svd(whitened, compute_uv=False).mean(), rel=1e-10
        )

    def test_without_ridge_is_cca(self, pair):
        assert ridge_cca(*pair, ridge=0.0) == pytest.approx(mean_cca(*pair), rel=1e-10)
        assert ridge_cca(*pair, ridge=10.0) < ridge_cca(*pair, ridge=0.1)
        with pytest.raises(ValueError, match="must not be negative"):
            ridge_cca(*pair, ridge=-1.0)


class TestHeldout:
    def slow(self, x, y, plan):
        """By the book: fit on the training rows' SVD, correlate on the others."""
        found = []
        for row in plan:
            for fold in range(row.max() + 1):
                train, test = row != fold, row == fold
                sides = []
                for side in (x, y):
                    mean = side[train].mean(axis=0)
                    u, s, vt = np.linalg.svd(side[train] - mean, full_matrices=False)
                    sides.append((u, (side[test] - mean) @ vt.T / s))
                p, _, qt = np.linalg.svd(sides[0][0].T @ sides[1][0], full_matrices=False)
                a, b = sides[0][1] @ p, sides[1][1] @ qt.T
                found += [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(a.shape[1])]
        return np.mean(found)

    def test_definition(self, rng, pair):
        x, y = pair
        groups = np.repeat(np.arange(40), 3)
        plan = deal(groups, 5, 2, np.random.default_rng(3))
        found = heldout_cca(x, y, components=None, repeats=2, groups=groups, seed=3)
        assert found == pytest.approx(self.slow(x, y, plan), rel=1e-9)

    def test_null_is_zero_where_in_sample_it_is_not(self, rng):
        x, y = rng.normal(size=(600, 60)), rng.normal(size=(600, 60))
        assert mean_cca(x, y) == pytest.approx(0.268, abs=0.02)
        assert heldout_cca(x, y, components=None) == pytest.approx(0, abs=0.02)

    def test_documents_stay_together(self, rng):
        groups = rng.integers(0, 30, 200)
        for row in deal(groups, 5, 4, rng):
            assert all(len(set(row[groups == g])) == 1 for g in set(groups))
            assert np.bincount(row).min() > 20

    def test_shared_document_noise_is_not_alignment(self, rng):
        """Sentences that repeat within documents leak across folds of sentences, not of documents."""
        groups = np.repeat(np.arange(30), 6)
        x, y = (rng.normal(size=(30, 8))[groups] + 0.1 * rng.normal(size=(180, 8)) for _ in range(2))
        leaking = heldout_cca(x, y, components=None, groups=np.arange(180))
        honest = heldout_cca(x, y, components=None, groups=groups)
        assert leaking > 0.3
        assert abs(honest) < 0.25

    def test_refusals(self, rng):
        x, y = rng.normal(size=(40, 25)), rng.normal(size=(40, 25))
        with pytest.raises(Undefined, match="the training part of held-out CCA saturates: 20"):
            heldout_cca(x, y)
        with pytest.raises(Undefined, match="needs at least 2 groups"):
            heldout_cca(x, y, groups=np.zeros(40, np.int64))

    def test_values_do_not_depend_on_global_state(self, pair):
        np.random.seed(1)  # noqa: NPY002
        first = heldout_cca(*pair, components=4)
        np.random.seed(2)  # noqa: NPY002
        assert heldout_cca(*pair, components=4) == first


@pytest.mark.parametrize("name", ["mean_cca", "svcca@0.99", "pwcca", "ridge_cca@0.1", "heldout_cca@20"])
def test_drawn_null_is_that_of_shuffled_data(rng, name):
    x, y = rng.normal(size=(120, 20)), rng.normal(size=(120, 21))
    estimate = MEASURES[name].estimate(Matched(View(x), View(y), np.arange(120)))
    drawn = [MEASURES[name].value(View(x), View(y[rng.permutation(120)])) for _ in range(40)]
    assert estimate.null == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(19) + 0.01)
    assert estimate.ends.low < estimate.value < estimate.ends.high
