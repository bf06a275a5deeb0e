"""RSA: against rsatoolbox and scipy; the Mantel test against drawn permutations."""

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats

from crosslingual.alignment.similarity.dissimilarities import influence, ranks, rsa
from crosslingual.alignment.similarity.estimators import rank_correlation
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.view import Undefined, View


@pytest.fixture
def pair(rng):
    x = rng.normal(size=(25, 6))
    return x, x + 2 * rng.normal(size=(25, 6))


@pytest.mark.parametrize("metric", ["cosine", "correlation", "euclidean"])
def test_definition(pair, metric):
    flat = [scipy.spatial.distance.pdist(side, metric) for side in pair]
    assert rsa(*pair, metric) == pytest.approx(scipy.stats.spearmanr(*flat).statistic, rel=1e-10)


def test_rsatoolbox(pair):
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm, compare

    rdms = [calc_rdm(Dataset(side), method="euclidean") for side in pair]
    theirs = compare(*rdms, method="spearman")
    assert rsa(*pair, "euclidean") == pytest.approx(float(theirs.squeeze()), rel=1e-10)


def test_mantel_test_is_exact(rng, pair):
    x, y = pair
    found = rank_correlation(Matched(View(x), View(y), np.arange(25)))
    drawn = np.array([rsa(x, y[rng.permutation(25)]) for _ in range(4000)])
    assert found.null == pytest.approx(0, abs=1e-12)
    assert drawn.mean() == pytest.approx(0, abs=0.01)
    assert (found.value - found.null) / found.z == pytest.approx(drawn.std(), rel=0.05)


def test_defect_p_value_of_a_correlation(rng):
    """The entries of a distance matrix are not independent: spearmanr's p rejects far too often."""
    rejected = 0
    for _ in range(200):
        x, y = rng.normal(size=(25, 2)), rng.normal(size=(25, 2))
        flat = [scipy.spatial.distance.pdist(side) for side in (x, y)]
        rejected += scipy.stats.spearmanr(*flat, alternative="greater").pvalue < 0.05
    assert rejected / 200 > 0.08


def test_influence_is_leaving_out_to_first_order(rng):
    x = rng.normal(size=(120, 5))
    y = x + rng.normal(size=(120, 5))
    a, b = ranks(View(x)), ranks(View(y))
    left_out = rsa(x, y) - 2 * influence(a, b).sum(axis=0)
    slow = np.array([rsa(np.delete(x, i, 0), np.delete(y, i, 0)) for i in range(120)])
    assert np.corrcoef(left_out, slow)[0, 1] > 0.99
    assert left_out.std() == pytest.approx(slow.std(), rel=0.05)


def test_equal_dissimilarities_have_no_ranks(rng):
    x = rng.normal(size=(8, 3))
    with pytest.raises(Undefined, match="all dissimilarities are equal"):
        rsa(np.eye(8), x)
    with pytest.raises(ValueError, match="metric must be one of cosine, correlation, euclidean"):
        rsa(x, x, "manhattan")


def test_defect_pearson_rdm_declared_translation_invariant(rng, pair):
    """ReSi declares so; only the Euclidean one is."""
    x, y = pair
    shift = 5 * rng.normal(size=6)
    assert rsa(x + shift, y, "euclidean") == pytest.approx(rsa(x, y, "euclidean"), rel=1e-9)
    for metric in ("correlation", "cosine"):
        assert abs(rsa(x + shift, y, metric) - rsa(x, y, metric)) > 0.01
