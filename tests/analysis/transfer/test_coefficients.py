"""Correlations are those of SciPy, and their intervals hold where cells share languages and checkpoints."""

import numpy as np
import pytest
import scipy.stats

from crosslingual.analysis.transfer.coefficients import POINTS, Cells, correlation, weighted


def crossed(rng, checkpoints, languages, r, shares):
    """Two numbers correlated by r, each a sum of a part of the checkpoint, of the language, of the cell."""
    x, y = np.zeros((2, checkpoints, languages))
    for share, shape in zip(
        shares, ((checkpoints, 1), (1, languages), (checkpoints, languages)), strict=True
    ):
        first, other = rng.standard_normal((2, *shape))
        x += np.sqrt(share) * first
        y += np.sqrt(share) * (r * first + np.sqrt(1 - r * r) * other)
    return cells(x, y)


def cells(x, y, covariates=None):
    checkpoint, language = np.indices(x.shape)
    count = x.size
    extra = np.zeros((count, 0)) if covariates is None else covariates.reshape(count, -1)
    return Cells(x.ravel(), y.ravel(), checkpoint.ravel(), language.ravel(), extra)


@pytest.mark.parametrize("kind", ["pearson", "spearman"])
def test_it_is_scipys(rng, kind):
    one = crossed(rng, 3, 9, 0.5, (0.3, 0.3, 0.4))
    found = correlation(one, kind=kind)
    theirs = getattr(scipy.stats, f"{kind}r")(one.x, one.y).statistic
    assert found.value == pytest.approx(theirs, abs=1e-12)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.least <= found.value <= found.most


def test_weights_are_as_if_rows_were_repeated(rng):
    x, y = rng.standard_normal((2, 20))
    often = rng.integers(0, 4, 20)
    ones = np.ones((20, 1))
    expected = np.corrcoef(np.repeat(x, often), np.repeat(y, often))[0, 1]
    assert weighted(x, y, ones, often.astype(float)) == pytest.approx(expected, abs=1e-12)


def test_a_partial_correlation_is_that_of_residuals(rng):
    """What only a covariate makes go together is gone; with it in, it is there."""
    z = rng.standard_normal((1, 200))
    x, y = z + 0.5 * rng.standard_normal((2, 1, 200))
    one = cells(x, y, z)
    assert correlation(one).low > 0.5
    found = correlation(one, partial=True)
    assert found.low < 0 < found.high
    design = np.stack([np.ones(200), z[0]], axis=1)
    rest = [v[0] - design @ np.linalg.lstsq(design, v[0], rcond=None)[0] for v in (x, y)]
    assert found.value == pytest.approx(np.corrcoef(*rest)[0, 1], abs=1e-12)


def test_left_out_is_without_a_whole_language_or_checkpoint(rng):
    one = crossed(rng, 2, 8, 0.5, (0.2, 0.3, 0.5))
    found = correlation(one)
    without = []
    for factor in (one.checkpoint, one.language):
        for value in np.unique(factor):
            kept = factor != value
            without.append(np.corrcoef(one.x[kept], one.y[kept])[0, 1])
    assert (found.least, found.most) == pytest.approx((min(without), max(without)))


def test_few_points_and_constants_have_only_a_note(rng):
    x, y = rng.standard_normal((2, 1, POINTS - 1))
    assert np.isnan(correlation(cells(x, y)).value) and "fewer than 8" in correlation(cells(x, y)).note
    same = correlation(cells(np.ones((1, 12)), rng.standard_normal((1, 12))))
    assert np.isnan(same.value) and same.note == "all the same: no correlation"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("replicates", [30, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("checkpoints", "languages", "r", "shares"),
    [(6, 11, 0.6, (0.3, 0.4, 0.3)), (1, 20, 0.6, (0.0, 0.0, 1.0)), (6, 11, 0.0, (0.2, 0.6, 0.2))],
)
def test_intervals_cover(replicates, checkpoints, languages, r, shares):
    """In .92 and more, also where languages and checkpoints have parts of their own."""
    rng = np.random.default_rng(3)
    found = [correlation(crossed(rng, checkpoints, languages, r, shares)) for _ in range(replicates)]
    covered = np.mean([one.low <= r <= one.high for one in found])
    assert covered >= 0.92 - 2 * np.sqrt(0.92 * 0.08 / replicates)


def test_as_if_cells_were_independent_it_would_not_cover():
    """Fisher's interval over single cells, where languages have parts of their own."""
    rng, covered = np.random.default_rng(3), []
    for _ in range(200):
        one = crossed(rng, 6, 11, 0.0, (0.0, 0.9, 0.1))
        span = scipy.stats.pearsonr(one.x, one.y).confidence_interval()
        covered.append(span.low <= 0 <= span.high)
    assert np.mean(covered) < 0.75
