"""Bitext mining: which pairs of two languages' sentences translate each other, from neighbours alone.

With A(x) the mean cosine of x with its k nearest on the other side, and b = (A(x) + A(y)) / 2, a pair
has the margin `ratio` = cos / b, `distance` = cos - b, `csls` = 2 · distance, or `absolute` = cos.
Only the k nearest of either direction are candidates.
Source: Artetxe & Schwenk 2019, https://arxiv.org/abs/1811.01136.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from ..neighbours.nearest import Nearest, Neighbours
from .options import STRATEGIES

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MinedPairs:
    """Mined pairs, best first: by (-score, source, target)."""

    source: Int64[np.ndarray, "p"]
    target: Int64[np.ndarray, "p"]
    score: Float64[np.ndarray, "p"]

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.score)


def _ratio(cosine: np.ndarray, middle: np.ndarray) -> np.ndarray:
    # where neighbours are no nearer than at a right angle a ratio would rank the worst first
    ratio: np.ndarray = np.divide(cosine, middle, out=np.full_like(middle, -np.inf), where=middle > 0)
    return ratio


Margin = Callable[[np.ndarray, np.ndarray], np.ndarray]
MARGINS: Mapping[str, Margin] = {  # of `options.MARGINS`
    "ratio": _ratio,
    "distance": lambda cosine, middle: cosine - middle,
    "csls": lambda cosine, middle: 2 * (cosine - middle),
    "absolute": lambda cosine, middle: cosine,
}


def check(margin: str, strategy: str) -> None:
    """Raise a ValueError unless both are known."""
    if margin not in MARGINS:
        raise ValueError(f"unknown margin {margin!r}: one of {', '.join(MARGINS)}")
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown strategy {strategy!r}: one of {', '.join(STRATEGIES)}")


def mine_pairs(
    found: Neighbours, *, margin: str = "ratio", strategy: str = "max", extract: int | None = None
) -> MinedPairs:
    """Return the pairs of greatest margin.

    Every sentence proposes the candidate of greatest margin among its `extract` nearest (of equal
    margins the nearest). `forward` keeps what sources propose, `backward` what targets do,
    `intersection` what both do, `union` what either does; `max` takes proposals of both, best first,
    each sentence once.

    Args:
        found: neighbours in both directions; their number is the margin's k.
        margin: a key of MARGINS.
        strategy: one of STRATEGIES.
        extract: how many of the k nearest are candidates; all by default.

    Raises:
        ValueError: an unknown margin or strategy, or as many neighbours as there are sentences.
    """
    check(margin, strategy)
    rows, columns = found.rows, found.columns
    for nearest, others in ((rows, columns), (columns, rows)):
        if nearest.ids.shape[1] >= len(others.ids):
            raise ValueError(
                f"a margin of {nearest.ids.shape[1]} neighbours needs more than that many sentences on "
                f"each side, got {len(rows.ids)} and {len(columns.ids)}"
            )
    forward = _proposals(rows, columns, MARGINS[margin], extract)
    target, source, score = _proposals(columns, rows, MARGINS[margin], extract)
    backward = source, target, score
    if strategy == "forward":
        return _sorted(*forward)
    if strategy == "backward":
        return _sorted(*backward)
    both = _sorted(*(np.concatenate(side) for side in zip(forward, backward, strict=True)))
    wide = len(columns.ids)
    _, first, count = np.unique(both.source * wide + both.target, return_index=True, return_counts=True)
    keep = np.sort(first[count == 2] if strategy == "intersection" else first)
    both = MinedPairs(both.source[keep], both.target[keep], both.score[keep])
    return _one_to_one(both) if strategy == "max" else both


def _proposals(
    nearest: Nearest, other: Nearest, margin: Margin, extract: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (query, candidate, margin) of the best candidate of every query that has one."""
    ids, cosines = nearest.ids[:, :extract], nearest.scores[:, :extract].astype(np.float64)
    own = nearest.scores.mean(axis=1, dtype=np.float64)
    theirs = other.scores.mean(axis=1, dtype=np.float64)
    scores = margin(cosines, (own[:, None] + theirs[ids]) / 2)
    best = scores.argmax(axis=1)[:, None]
    score = np.take_along_axis(scores, best, 1)[:, 0]
    some = np.isfinite(score)
    if not some.all():
        logger.info("%d sentences have no ratio: their neighbours' mean cosine is ≤ 0", (~some).sum())
    return np.flatnonzero(some), np.take_along_axis(ids, best, 1)[some, 0], score[some]


def _sorted(source: np.ndarray, target: np.ndarray, score: np.ndarray) -> MinedPairs:
    order = np.lexsort((target, source, -score))
    return MinedPairs(source[order], target[order], score[order])


def _one_to_one(pairs: MinedPairs) -> MinedPairs:
    """Return pairs, taken greedily from the first, in which no sentence is twice."""
    keep = np.zeros(len(pairs), bool)
    sources: set[int] = set()
    targets: set[int] = set()
    for place, (i, j) in enumerate(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True)):
        if i not in sources and j not in targets:
            sources.add(i)
            targets.add(j)
            keep[place] = True
    return MinedPairs(pairs.source[keep], pairs.target[keep], pairs.score[keep])
