"""The jackknife: the value without each group in turn.

For statistics that are no means, and for all where documents are known. Never the bootstrap for
statistics of pairs: a sentence drawn twice would be its own perfect neighbour.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Float64, Int64

from .centring import MINIMUM, u_centre
from .grouping import are_documents, by_group
from .intervals import LEVEL, NO_INTERVAL, Interval, around


def mean_without(
    outcomes: Float[np.ndarray, "n"],
    groups: Int64[np.ndarray, "n"],
    changes: Iterable[tuple[Int64[np.ndarray, "n"], Float[np.ndarray, "n"]]] = (),
) -> Float64[np.ndarray, "g"]:
    """Return the mean outcome without each group; nan where nothing is left.

    Args:
        outcomes: of each sentence.
        groups: 0 … G - 1.
        changes: pairs of a group and what is added to each sentence's outcome if that group leaves.
    """
    sizes = np.bincount(groups)
    sums = outcomes.sum() - np.bincount(groups, weights=outcomes)
    for group, change in changes:
        others = group != groups  # who leaves has no outcome that could change
        sums += np.bincount(group[others], weights=change[others], minlength=len(sizes))
    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = sums / (len(groups) - sizes)
    return means


def jackknife(
    value: float, left_out: Float[np.ndarray, "g"], *, twice: float = 0.0, level: float = LEVEL
) -> Interval:
    """Return value ± t · SE with SE² = (G-1)/G Σ (θ_g - θ̄)² - `twice`, t of G - 1 degrees of freedom.

    Source: Efron & Stein 1981, The jackknife estimate of variance.

    Args:
        value: of all groups.
        left_out: the values without each group.
        twice: variance that the jackknife counts twice; see `twice_counted`.
        level: of the interval.

    Returns:
        The interval; nan with fewer than 2 groups, or where a left-out value is none.
    """
    count = len(left_out)
    if count < 2 or not np.isfinite(left_out).all():
        return NO_INTERVAL
    influences = (left_out.mean() - left_out) * ((count - 1) / count)
    variance = count / (count - 1) * float(influences @ influences)
    if twice and variance:  # the part counted twice is at most half
        influences *= np.sqrt(max(1 - twice / variance, 0.5))
    return around(value, influences, level, count)


def jackknives(
    value: float, left_out: Float[np.ndarray, "s g"], shares: Sequence[float], *, level: float = LEVEL
) -> Interval:
    """Return value ± t · SE where SE² is a weighted sum of several jackknives' variances.

    Args:
        value: of all groups.
        left_out: a row per jackknife: the values without each group.
        shares: how much of each counts.
        level: of the interval.
    """
    parts = [jackknife(value, row).influences for row in left_out]
    known = [
        part * np.sqrt(share) for part, share in zip(parts, shares, strict=True) if part is not None
    ]
    if len(known) < len(parts):
        return NO_INTERVAL
    count = left_out.shape[1]
    # so that k / (k - 1) Σ u² of all of them is the sum of the variances
    moves = np.concatenate(known)
    moves *= np.sqrt((len(moves) - 1) / len(moves) * count / (count - 1))
    return around(value, moves, level, count)


def of_equal_size(
    value: float, left_out: Float[np.ndarray, "g"], groups: Int64[np.ndarray, "n"]
) -> Float64[np.ndarray, "g"]:
    """Return the values without each group, less what comes of how many sentences are left.

    A statistic that depends on the number of sentences, θ + b / n in expectation, differs without a
    large group and without a small one for that alone, which is no error. b is n times the jackknife's
    estimate of bias for groups of unequal sizes m, θ - (G θ - Σ (1 - m/n) θ_g).
    Source: Busing, Meijer & van der Leeden 1999, Delete-m jackknife for unequal m, eq. 6.
    """
    n, sizes = len(groups), np.bincount(groups)
    bias = value - (len(sizes) * value - ((1 - sizes / n) * left_out).sum())
    with np.errstate(invalid="ignore", divide="ignore"):  # a single group leaves nothing
        result: np.ndarray = left_out - bias * sizes / (n - sizes)
    return result


def twice_counted(influence: Float[np.ndarray, "n n"]) -> float:
    """Return the variance that the jackknife of a statistic of pairs of sentences counts twice.

    A statistic Σ_ij w_ij of pairs varies by its row effects (each sentence's mean pair) and by what is
    left of w without them. The jackknife doubles the latter, 2 Σ_{i≠j} w°_ij², which dominates where
    n < d. Source: Efron & Stein 1981, section 3.

    Args:
        influence: w, symmetric.
    """
    if len(influence) < MINIMUM:
        return 0.0
    rest = u_centre(influence)
    return float(2 * np.vdot(rest, rest))


def pair_jackknife(
    value: float,
    influence: Float[np.ndarray, "n n"],
    groups: Int64[np.ndarray, "n"],
    *,
    share: float = 1.0,
) -> Interval:
    """Return the jackknife interval of a statistic of pairs, from its influence function alone.

    Without a group the value moves by what its pairs contribute, as a share of the pairs that are left.
    Over documents nothing is taken off: their sizes and contents differ, and what differs so between
    pairs of documents looks like what is counted twice.

    Args:
        value: of all sentences.
        influence: what every ordered pair contributes; sums to 0.
        groups: 0 … G - 1, the group of each sentence.
        share: of what is counted twice that is taken off, of single sentences. All of it presumes that
            pairs are independent but for their row effects; in neighbourhoods they hang together.
    """
    blocks, n = by_group(influence, groups), len(groups)
    gone = 2 * blocks.sum(axis=0) - blocks.diagonal()
    if not are_documents(groups):
        return jackknife(value, value - gone, twice=share * twice_counted(influence))
    left = n - np.bincount(groups).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # a single document leaves nothing
        return jackknife(value, value - gone * (n * (n - 1)) / (left * (left - 1)))
