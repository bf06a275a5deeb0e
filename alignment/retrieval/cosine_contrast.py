"""Contrast measures: how far translations stand out among the cosines of all pairs.

s_ij is the cosine of source i and target j; matched pairs are i = j. Unlike a retrieval accuracy these
do not depend on the number of candidates.
"""

import numpy as np
from jaxtyping import Float

from ..statistics.deletion import jackknife
from ..statistics.outcomes import Outcome, Statistic
from .direction import over_documents
from .pairing import Pairing

Numbers = np.ndarray | np.floating


def contrast(pairing: Pairing) -> list[Outcome]:
    """Mean cosine of translations minus the mean cosine of all other pairs.

    A value in [-2, 2], 0 in expectation under re-pairing (exactly). Per sentence: s_ii minus the mean
    over the rest of its row (forward), its column (backward), the average of the two (mean).
    """
    moments, n = pairing.moments, len(pairing)
    matched = moments.matched
    forward = matched - (moments.row_sums - matched) / (n - 1)
    backward = matched - (moments.column_sums - matched) / (n - 1)
    null = 0.0
    if pairing.strata.any():
        sums = pairing.stratum_sums
        within = float((sums / np.bincount(pairing.strata)).sum())
        null = (n * within - float(moments.row_sums.sum())) / (n * (n - 1))
    without = over_documents(pairing, lambda: _contrast_without(pairing))
    return [
        Outcome("forward", forward, null, without),
        Outcome("backward", backward, null, without),
        Outcome("mean", (forward + backward) / 2, null, without),
    ]


def _contrast_without(pairing: Pairing) -> Float[np.ndarray, "g"]:
    """Return the contrast without the rows and columns of each group."""
    m, groups = pairing.moments, pairing.groups
    by_row, by_column, own = (
        np.bincount(groups, weights=part) for part in (m.row_sums, m.column_sums, m.matched)
    )
    n = len(pairing) - np.bincount(groups)
    total, matched = m.row_sums.sum() - by_row - by_column + pairing.blocks[0], m.matched.sum() - own
    with np.errstate(invalid="ignore", divide="ignore"):  # a single document leaves nothing
        result: np.ndarray = (matched - (total - matched) / (n - 1)) / n
    return result


def matched_cosine(pairing: Pairing) -> list[Outcome]:
    """Mean cosine of translations, in [-1, 1].

    Null: the mean cosine of all re-pairable pairs, exactly. Where all vectors lie in a narrow cone it is
    near 1, and the measure with it: alone it says nothing.
    """
    moments, n = pairing.moments, len(pairing)
    if pairing.strata.any():
        null = float((pairing.stratum_sums / np.bincount(pairing.strata)).sum() / n)
    else:
        null = float(moments.row_sums.sum() / n**2)
    return [Outcome("both", moments.matched, null)]


def dprime(pairing: Pairing) -> list[Statistic]:
    """Sensitivity index d' = (μ₁ - μ₀) / sqrt((σ₁² + σ₀²) / 2) of matched against other pairs.

    μ₁, σ₁² are mean and variance (divisor n) of s_ii, μ₀, σ₀² those of the n² - n other cosines.
    Unbounded; 0 where the two means agree, nan where no cosine differs from another. Under re-pairing
    the numerator's expectation is exactly 0. Source: Green & Swets 1966.
    """
    m, groups = pairing.moments, pairing.groups
    count = int(groups.max()) + 1

    def total(per_row: np.ndarray) -> Float[np.ndarray, "g"]:
        return np.bincount(groups, weights=per_row, minlength=count)

    size = np.bincount(groups).astype(np.float64)
    within, within_squares = pairing.blocks
    row_squares, column_squares = m.squares
    all_sum, all_squares = m.row_sums.sum(), row_squares.sum()
    # what is left when the rows and columns of a group go: inclusion and exclusion
    left = {
        "n": len(pairing) - size,
        "matched": m.matched.sum() - total(m.matched),
        "matched_squares": (m.matched**2).sum() - total(m.matched**2),
        "sum": all_sum - total(m.row_sums) - total(m.column_sums) + within,
        "squares": all_squares - total(row_squares) - total(column_squares) + within_squares,
    }
    whole = np.array(
        [len(pairing), m.matched.sum(), (m.matched**2).sum(), all_sum, all_squares], dtype=np.float64
    )
    null = float("nan") if pairing.strata.any() else 0.0
    value = float(_dprime(*whole))
    return [Statistic("both", value, jackknife(value, _dprime(*left.values())), null)]


def _dprime(
    n: Numbers,
    matched: Numbers,
    matched_squares: Numbers,
    sums: Numbers,
    squares: Numbers,
) -> Float[np.ndarray, "..."]:
    """Return d' from sums over the matched and over all pairs."""
    others = n * n - n
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_1, mean_0 = matched / n, (sums - matched) / others
        variance_1 = matched_squares / n - mean_1**2
        variance_0 = (squares - matched_squares) / others - mean_0**2
        spread = np.maximum(variance_1 + variance_0, 0) / 2
        # rounding leaves about 1e-16 where all cosines are equal; d' is not defined there
        return np.where(spread > 1e-14, (mean_1 - mean_0) / np.sqrt(spread), np.nan)
