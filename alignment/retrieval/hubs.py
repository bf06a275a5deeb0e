"""Hubness: are some sentences the neighbours of very many queries, and others of none?

N(j) = how many queries of one language have sentence j of the other among their k nearest; its mean is
k. These say nothing about translations, so re-pairing changes nothing: there is no null. `forward` is
about the target's sentences, that the source's queries find. Source: Radovanović et al. 2010, JMLR 11;
Feldbauer & Flexer 2019, https://doi.org/10.1007/s10115-018-1205-y.

Intervals: the jackknife over queries counts products of three N's variance three times, for the N(j) are
sums over queries; that over what is found does not know that a query's k places hang together. A third
of the one and two thirds of the other cover in simulations of documents: docs/measures.md.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

from ..statistics.deletion import jackknives
from ..statistics.intervals import Interval
from ..statistics.outcomes import Statistic, both_and_mean
from .pairing import Pairing

CELLS = 1 << 22  # counts without a group that are held at once
HUB = 2.0  # a hub is found this many times as often as the mean

Occurrences = Float64[np.ndarray, "r m"]  # N(j) of m sentences, in r variants


def hubness(
    summary: Callable[[Occurrences], Float64[np.ndarray, "r"]], k: int
) -> Callable[[Pairing], list[Statistic]]:
    """Return the measure that sums up how often sentences are among the k nearest of queries."""

    def measure(pairing: Pairing) -> list[Statistic]:
        places = min(k, len(pairing) - 1)
        found = (pairing.found.rows.ids, pairing.found.columns.ids)
        forward, backward = (_of(ids[:, :places], pairing.groups, summary) for ids in found)
        return both_and_mean(forward, backward, _interval)

    return measure


def skewness(counts: Occurrences) -> Float64[np.ndarray, "r"]:
    """Return the skewness E[(N - E N)³] / Var(N)^(3/2) of the k-occurrences: unbounded.

    About 1 / √k where queries choose at random; 0 where all sentences are found as often.
    """
    centred = counts - counts.mean(axis=-1, keepdims=True)
    squares = centred * centred
    spread, cubes = squares.mean(axis=-1), (squares * centred).mean(axis=-1)
    skew: np.ndarray = np.divide(cubes, spread**1.5, out=np.zeros_like(cubes), where=spread > 0)
    return skew


def hub_share(counts: Occurrences) -> Float64[np.ndarray, "r"]:
    """Return the share of all k-nearest places that hubs take, in [0, 1]."""
    hub = counts >= HUB * counts.mean(axis=-1, keepdims=True)
    share: np.ndarray = (counts * hub).sum(axis=-1) / counts.sum(axis=-1)
    return share


def antihub_rate(counts: Occurrences) -> Float64[np.ndarray, "r"]:
    """Return the share of sentences that no query has among its k nearest, in [0, 1)."""
    rate: np.ndarray = (counts == 0).mean(axis=-1)
    return rate


def _interval(value: float, left_out: Float64[np.ndarray, "twice_g"]) -> Interval:
    """Return the interval from the values without each group's queries, then without its found."""
    return jackknives(value, left_out.reshape(2, -1), (1 / 3, 2 / 3))


def _of(
    ids: Int64[np.ndarray, "n k"],
    groups: Int64[np.ndarray, "n"],
    summary: Callable[[Occurrences], Float64[np.ndarray, "r"]],
) -> Float64[np.ndarray, "_"]:
    """Return a summary of the occurrences, then without each group's queries, then without its found."""
    n, k = ids.shape
    count = int(groups.max()) + 1
    whole = np.bincount(ids.ravel(), minlength=n).astype(np.float64)
    found = [summary(whole[None])]
    # some groups at a time: all of them would take groups × sentences
    step = max(1, CELLS // n)
    for start in range(0, count, step):
        mine = (groups >= start) & (groups < start + step)
        cells = np.repeat(groups[mine] - start, k) * n + ids[mine].ravel()
        size = min(step, count - start)
        by_group = np.bincount(cells, minlength=size * n).reshape(size, n)
        found.append(summary(whole - by_group))
    found += [summary(whole[None, groups != group]) for group in range(count)]
    return np.concatenate(found)
