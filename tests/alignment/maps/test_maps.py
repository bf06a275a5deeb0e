"""Maps: what they do to the vectors, and to nothing else."""

import numpy as np
import pytest

from crosslingual.alignment.maps.table import (
    IN_SAMPLE,
    check_fit,
    check_in_sample,
    choose_map,
    in_sample,
)
from crosslingual.alignment.similarity.cka import debiased_linear_cka


@pytest.fixture
def sides(rng):
    x = rng.normal(size=(60, 8)).astype(np.float32)
    return x + 5, x + rng.normal(size=(60, 8)).astype(np.float32)


def test_standardise(sides):
    x, y = sides
    x = x.copy()
    x[:, 3] = 0.1  # constant, and 0.1 is not exact
    for side in in_sample("standardise", x, y):
        assert side.dtype == np.float32
        assert side.mean(axis=0) == pytest.approx(np.zeros(8), abs=1e-6)
    standardised = in_sample("standardise", x, y)[0]
    assert standardised.std(axis=0) == pytest.approx(np.r_[np.ones(3), 0, np.ones(4)], abs=1e-5)


def test_without_outliers_takes_the_same_dimensions_of_both(sides):
    x, y = (side.copy() for side in sides)
    x[:, 5] *= 100
    y[:, 2] += 1000  # large on one side only is large
    a, b = in_sample("without-outliers@2", x, y)
    keep = [0, 1, 3, 4, 6, 7]
    assert (a == x[:, keep]).all() and (b == y[:, keep]).all()
    assert in_sample("without-outliers@1", x, y)[0].shape == (60, 7)
    with pytest.raises(ValueError, match="without-outliers@8 leaves none of 8 dimensions"):
        choose_map("without-outliers@8")(x, y)
    with pytest.raises(ValueError, match="sides of one width, got 8 and 7"):
        choose_map("without-outliers@1")(x, y[:, :7])


def test_both_undo_an_outlier_dimension(rng):
    """One shared dimension of scale 64 makes independent data look alike; the maps see through it."""
    x, y = (rng.normal(size=(300, 32)).astype(np.float32) for _ in range(2))
    x[:, 9] = y[:, 9] = 64 * rng.normal(size=300)
    assert debiased_linear_cka(x, y) > 0.95
    for name in ("standardise", "without-outliers@1"):
        assert debiased_linear_cka(*in_sample(name, x, y)) < 0.1


def test_a_map_is_fitted_on_what_it_is_given_and_applied_to_the_rest(sides):
    x, y = sides
    for name in ("centre", "standardise", "subspace@2", "without-outliers@2", "procrustes", "ridge"):
        fitted = choose_map(name)(x[:40], y[:40])
        whole, some = fitted(x, y), fitted(x[40:], y[40:])
        for a, b in zip(whole, some, strict=True):
            assert a.dtype == np.float32
            np.testing.assert_allclose(a[40:], b, rtol=0, atol=1e-6)  # a row does not see the others
    fitted = choose_map("centre")(x[:40], y[:40])
    assert fitted(x, y)[0][:40].mean(axis=0) == pytest.approx(np.zeros(8), abs=1e-6)
    assert np.abs(fitted(x, y)[0].mean(axis=0)).max() > 1e-3


def test_subspace_is_what_pca_leaves(sides):
    from sklearn.decomposition import PCA

    for side, found in zip(sides, in_sample("subspace@3", *sides), strict=True):
        pca = PCA(3).fit(side.astype(np.float64))
        expected = side - pca.inverse_transform(pca.transform(side.astype(np.float64)))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert np.linalg.matrix_rank(found, tol=1e-3) == 5
    with pytest.raises(ValueError, match="subspace@8 leaves nothing of 60 vectors of 8 dimensions"):
        in_sample("subspace@8", *sides)


def test_procrustes_is_scipys(sides):
    from scipy.linalg import orthogonal_procrustes

    x, y = sides
    a, b = (side.astype(np.float64) - side.mean(axis=0, dtype=np.float64) for side in sides)
    rotation, _ = orthogonal_procrustes(a, b)
    mapped, target = in_sample("procrustes", x, y)
    np.testing.assert_allclose(mapped, a @ rotation, atol=1e-5)
    np.testing.assert_allclose(target, b, atol=1e-6)


def test_procrustes_leaves_alone_what_it_has_not_seen(rng):
    """Ten sentences span nine directions; across to them the map is centring and nothing else."""
    x = rng.normal(size=(10, 40)).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    fitted = choose_map("procrustes")(x, (x @ turn).astype(np.float32))
    mean = x.mean(axis=0)
    moved = fitted((np.eye(40, dtype=np.float32) + mean), x)[0]
    np.testing.assert_allclose(moved @ moved.T, np.eye(40), atol=1e-5)  # all of it is one rotation
    seen, y = x - mean, (x @ turn) - (x @ turn).mean(axis=0)
    np.testing.assert_allclose(fitted(x, x)[0], y, atol=1e-4)
    both = np.linalg.svd(np.vstack([seen, y]))[2][18:]  # directions in neither side's sentences
    assert len(both) == 22
    np.testing.assert_allclose(fitted((both + mean).astype(np.float32), x)[0], both, atol=1e-4)


def test_procrustes_between_widths(rng):
    wide = rng.normal(size=(200, 12)).astype(np.float32)
    narrow = wide[:, :5].copy()
    for x, y in ((wide, narrow), (narrow, wide)):
        a, b = in_sample("procrustes", x, y)
        assert a.shape == b.shape
        assert (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b) > 0.6


@pytest.mark.parametrize("n", [30, 200])
def test_ridge_is_scikit_learns(rng, n):
    from sklearn.linear_model import RidgeCV

    from crosslingual.alignment.maps.linear import PENALTIES

    x = (rng.normal(size=(n, 12)) * np.logspace(0, -2, 12)).astype(np.float32)
    y = (x @ rng.normal(size=(12, 7)) + 0.3 * rng.normal(size=(n, 7)) + 4).astype(np.float32)
    centred = x - x.mean(axis=0, dtype=np.float64)
    eigenvalue = float((np.linalg.svd(centred)[1] ** 2).mean())
    oracle = RidgeCV(alphas=PENALTIES * eigenvalue, alpha_per_target=False).fit(x, y)
    new = rng.normal(size=(50, 12)).astype(np.float32)
    mapped, _ = choose_map("ridge")(x, y)(new, new[:, :7])
    np.testing.assert_allclose(mapped + y.mean(axis=0), oracle.predict(new), atol=2e-5)
    assert 0 < np.searchsorted(PENALTIES * eigenvalue, oracle.alpha_) < len(PENALTIES) - 1


def test_maps_of_constant_vectors_are_zero(rng):
    x, y = np.ones((20, 4), np.float32), rng.normal(size=(20, 4)).astype(np.float32)
    for name in ("centre", "standardise", "procrustes", "ridge"):
        assert not in_sample(name, x, y)[0].any()


def test_names():
    for wrong in ("center", "without-outliers", "without-outliers@0", "subspace@x", "procrustes@2"):
        with pytest.raises(ValueError, match=f"unknown map '{wrong}'"):
            choose_map(wrong)
    check_fit("none", "")
    check_fit("ridge", "ntrex")
    with pytest.raises(ValueError, match="the map centre is fitted: name a bitext with `map_fit`"):
        check_fit("centre", "")
    check_in_sample("centre", IN_SAMPLE)
    with pytest.raises(
        ValueError, match="ridge is fitted on a bitext; here each language is taken by itself"
    ):
        check_in_sample("ridge", IN_SAMPLE)
    with pytest.raises(ValueError, match="fitted on the measured sentences: `map_fit` in-sample"):
        check_in_sample("centre", "ntrex")


def test_pairs_are_needed_by_maps_that_pair(rng):
    with pytest.raises(ValueError, match="translations row by row, got 9 and 8 rows"):
        choose_map("ridge")(*(rng.normal(size=(n, 4)).astype(np.float32) for n in (9, 8)))
