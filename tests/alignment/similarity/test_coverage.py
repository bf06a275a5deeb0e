"""Intervals cover, nulls reject as often as they say: simulations, slow.

Truth is the mean of the measure over fresh draws of the same n: what the estimator estimates, its bias of
n included.
"""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.view import Undefined, View

NAMES = [name for name, measure in MEASURES.items() if measure.estimate is not None]
# where all would take hours: the default of each family, and in-sample CCA where it is defined
DEFAULTS = [measure.name for measure in MEASURES.defaults() if measure.estimate is not None]
SHAPES = [
    (200, 64, NAMES),
    (1000, 64, [*DEFAULTS, "mean_cca"]),
    (200, 768, [*DEFAULTS, "linear_cka", "rbf_cka", "debiased_rbf_cka", "anc_abs"]),
]
TRUTH, REPLICATES, BLOCK = 2000, 400, 20


def drawn(n: int, d: int, rng: np.random.Generator, correlation: float = 0.6) -> tuple[View, View]:
    x = rng.normal(size=(n, d))
    y = correlation * x + np.sqrt(1 - correlation**2) * rng.normal(size=(n, d))
    return View(x), View(y, "y")


def values(name: str, x: View, y: View) -> float:
    try:
        return MEASURES[name].value(x, y)
    except Undefined:
        return np.nan


def truths(job: tuple[int, int, list[str], int]) -> np.ndarray:
    n, d, names, seed = job
    rng = np.random.default_rng([seed, 1])
    with threadpool_limits(1):
        return np.array(
            [
                [values(name, *pair) for name in names]
                for pair in (drawn(n, d, rng) for _ in range(BLOCK))
            ]
        )


def intervals(job: tuple[int, int, list[str], int]) -> np.ndarray:
    """Return (replicates, measures, 2), nan where there is no interval."""
    n, d, names, seed = job
    rng = np.random.default_rng([seed, 2])
    found = np.full((BLOCK, len(names), 2), np.nan)
    with threadpool_limits(1):
        for row in found:
            matched = Matched(*drawn(n, d, rng), groups=np.arange(n), seed=int(rng.integers(2**32)))
            for i, name in enumerate(names):
                try:
                    estimate = MEASURES[name].estimate(matched)
                except Undefined:
                    continue
                row[i] = (*estimate.ends,)
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("n", "d", "names"), SHAPES)
def test_intervals_cover_the_truth(pool, n, d, names):
    """95 % intervals cover in at least 92 %, at most half as wide again as ± 1.96 Monte-Carlo SD."""
    jobs = [(n, d, names, seed) for seed in range(TRUTH // BLOCK)]
    sample = np.concatenate(list(pool.map(truths, jobs)))
    found = np.concatenate(list(pool.map(intervals, jobs[: REPLICATES // BLOCK])))
    truth, spread = sample.mean(axis=0), sample.std(axis=0)
    failures, seen = [], 0
    for i, name in enumerate(names):
        low, high = found[:, i].T
        if np.isnan(truth[i]) or np.isnan(low).any():
            continue
        seen += 1
        covered = float(((low <= truth[i]) & (truth[i] <= high)).mean())
        ratio = float(np.median(high - low) / (2 * 1.96 * spread[i]))
        print(f"{n:5d} {d:4d} {name:22s} truth {truth[i]:.4f} covers {covered:.3f} width {ratio:.2f}")
        if covered < 0.92 or ratio > 1.5:
            failures.append((name, covered, ratio))
    assert seen >= len(DEFAULTS)
    assert not failures


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_permutation_tests_reject_as_often_as_they_say(name):
    """Of independent data, p ≤ α in at most α + 3 sqrt(α (1-α) / R) of R samples."""
    if name in ("mean_cca", "mean_squared_cca", "svcca@0.99", "pwcca"):
        n, d = 100, 12
    else:
        n, d = 60, 80
    rng, count = np.random.default_rng(8), 1000
    p = np.empty(count)
    with threadpool_limits(1):
        for i in range(count):
            matched = Matched(
                *drawn(n, d, rng, correlation=0.0), groups=np.arange(n), seed=i, intervals=False
            )
            p[i] = MEASURES[name].estimate(matched).p
    assert np.isfinite(p).all()
    for alpha in (0.01, 0.05, 0.1):
        assert (p <= alpha).mean() <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / count), alpha
