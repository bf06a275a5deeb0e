"""One direction of a pairing: what the queries of one language found in the other.

And what would be if a whole document were not there: its sentences leave as queries and as candidates.
An interval over documents needs that, for a document's sentences come before the translations of other
documents' queries together, too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from ..lazy_property import lazy
from ..neighbours.nearest import Nearest
from ..statistics.deletion import mean_without
from ..statistics.grouping import are_documents, group_sums
from ..statistics.outcomes import Outcome, TooFewSentences
from .pairing import GoldRank, Pairing, in_parts

Found = Int64[np.ndarray, "n"]  # a candidate of each query, -1: none
Credit = Callable[[int], Float[np.ndarray, "n"]]  # of n candidates: by the number of wrong ones ahead
Without = Callable[[], Float[np.ndarray, "g"]]  # the means without each document
# a value per sentence, its null, and its means without each document where these can be known
Scored = tuple[Float[np.ndarray, "n"], float, Without | None]


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction of a pairing."""

    pairing: Pairing
    nearest: Nearest
    other: Nearest  # how the candidates see the queries
    place: GoldRank
    classes: Int64[np.ndarray, "n"]  # of the candidates
    strata: Int64[np.ndarray, "n"]
    backward: bool

    @property
    def groups(self) -> Int64[np.ndarray, "n"]:
        """The document of each sentence."""
        return self.pairing.groups

    @property
    def choices(self) -> Int64[np.ndarray, "n"]:
        """How many sentences each query may be re-paired with."""
        sizes: np.ndarray = np.bincount(self.strata)[self.strata]
        return sizes

    @property
    def found(self) -> Found:
        """The nearest candidate of each query."""
        return self.nearest.ids[:, 0]

    @lazy
    def second(self) -> Found:
        """What each query would find without the document of what it found; -1: nothing is left."""
        others = self.groups[self.nearest.ids] != self.groups[self.found][:, None]
        ids = np.take_along_axis(self.nearest.ids, others.argmax(axis=1)[:, None], 1)[:, 0]
        # documents with more sentences than neighbours were kept
        unsure = np.flatnonzero(~others.any(axis=1))
        for queries in in_parts(unsure, len(self.classes)):
            left = self.groups != self.groups[self.found[queries]][:, None]
            scores = np.where(left, self.scores(queries), -np.inf)
            ids[queries] = np.where(left.any(axis=1), scores.argmax(axis=1), -1)
        return ids

    def scores(self, queries: Int64[np.ndarray, "q"]) -> Float[np.ndarray, "q n"]:
        """Return the cosines of some queries with all candidates."""
        everything, product = np.arange(len(self.classes)), self.pairing.product
        if self.backward:
            return product.exact_block(everything, queries).T
        return product.exact_block(queries, everything)

    def hits(self, found: Found) -> Float[np.ndarray, "n"]:
        """Return 1 where the class of what was found is that of the translation."""
        right: np.ndarray = (self.classes[found] == self.classes) & (found >= 0)
        return right.astype(np.float64)

    def without(
        self, values: Float[np.ndarray, "n"], moved: Float[np.ndarray, "n"]
    ) -> Float[np.ndarray, "g"]:
        """Return the mean without each document; a query gets `moved` where what it found leaves."""
        left_out: np.ndarray = mean_without(
            values, self.groups, [(self.groups[self.found], moved - values)]
        )
        return left_out

    def discounted_without(
        self, discount: Callable[[Int64[np.ndarray, "n"]], Float[np.ndarray, "n"]]
    ) -> Float[np.ndarray, "g"]:
        """Return the mean credit without each document, of a credit by how many find a candidate."""
        groups, n = self.groups, len(self.groups)
        left_out = np.full(int(groups.max()) + 1, np.nan)
        for group in range(len(left_out) if len(left_out) > 1 else 0):
            queries = np.flatnonzero(groups != group)
            found = np.where(groups[self.found] == group, self.second, self.found)[queries]
            credits = discount(np.bincount(found[found >= 0], minlength=n))[found]
            left_out[group] = (credits * (found == queries)).mean()
        return left_out

    def credited_without(self, credit: Credit) -> Float[np.ndarray, "g"]:
        """Return the mean credit for the place of the translation without each document.

        Wrong candidates of the document no longer come before it. Texts identical to the translation,
        of which any is right, stay right where their document leaves.
        """
        sizes = np.bincount(self.groups)
        left = len(self.groups) - sizes
        tables = {int(n): _table(credit, int(n)) for n in np.unique(left)}
        first = np.array([tables[int(n)][0] if len(tables[int(n)]) else np.nan for n in left])
        behind = np.flatnonzero(self.place.rank + self.place.ties)
        ahead_of_none = len(self.groups) - len(behind)
        sums = first * (ahead_of_none - sizes + np.bincount(self.groups[behind], minlength=len(sizes)))
        for queries in in_parts(behind, len(self.classes)):
            rank, ties = self._places_without(queries)
            gone = self.groups[queries][:, None] == np.arange(len(sizes))
            for n, table in tables.items():
                some = left == n
                if len(table):
                    places = (np.where(gone, 0, part)[:, some] for part in (rank, ties))
                    sums[some] += (credited(table, *places) * ~gone[:, some]).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):  # a single document leaves nothing
            means: np.ndarray = sums / left
        return means

    def _places_without(
        self, queries: Int64[np.ndarray, "q"]
    ) -> tuple[Int64[np.ndarray, "q g"], Int64[np.ndarray, "q g"]]:
        """Return how many wrong candidates are ahead of some queries' translation, and as good."""
        scores, right = self.scores(queries), self.classes == self.classes[queries][:, None]
        best = np.where(right, scores, -np.inf).max(axis=1)[:, None]

        def less(wrong: Bool[np.ndarray, "q n"], count: Int64[np.ndarray, "n"]) -> np.ndarray:
            gone = group_sums((wrong & ~right).T.astype(np.float64), self.groups).T
            left: np.ndarray = count[queries][:, None] - gone.astype(np.int64)
            return left

        return less(scores > best, self.place.rank), less(scores == best, self.place.ties)


def sides(pairing: Pairing) -> tuple[Direction, Direction]:
    """Return both directions of a pairing: forward, backward."""
    rows, columns, (first, second) = pairing.found.rows, pairing.found.columns, pairing.places
    strata = pairing.strata
    return (
        Direction(pairing, rows, columns, first, pairing.target_class, strata, backward=False),
        Direction(pairing, columns, rows, second, pairing.source_class, strata, backward=True),
    )


def both_ways(pairing: Pairing, score: Callable[[Direction], Scored]) -> list[Outcome]:
    """Score both directions and their mean."""
    forward, backward = (
        Outcome(name, values, null, over_documents(pairing, without))
        for name, (values, null, without) in zip(
            ("forward", "backward"), map(score, sides(pairing)), strict=True
        )
    )
    values, null = (forward.sentences + backward.sentences) / 2, (forward.null + backward.null) / 2

    def mean() -> Float[np.ndarray, "g"]:
        left, right = forward.left_out, backward.left_out
        assert left is not None and right is not None  # what one direction knows the other does
        both: np.ndarray = (left + right) / 2
        return both

    return [forward, backward, Outcome("mean", values, null, forward.without and mean)]


def over_documents(pairing: Pairing, without: Without | None) -> Without | None:
    """Return what gives the means without each document; None where every sentence is its own."""
    return without if are_documents(pairing.groups) else None


def mutually_without(
    both: tuple[Direction, Direction],
    now: tuple[np.ndarray, np.ndarray],
    then: tuple[np.ndarray, np.ndarray],
) -> Float[np.ndarray, "g"]:
    """Return the share of mutual hits without each document.

    Args:
        both: forward and backward.
        now: of either, whether a query is right.
        then: whether it would be without the document of what it found.
    """
    groups = both[0].groups
    one, other = (groups[side.found] for side in both)
    mutual = now[0] * now[1]
    first = np.where(one == other, then[0] * then[1], then[0] * now[1]) - mutual
    second = np.where(one == other, 0.0, now[0] * then[1] - mutual)
    left_out: np.ndarray = mean_without(mutual, groups, [(one, first), (other, second)])
    return left_out


def credited(
    table: Float[np.ndarray, "n"], rank: Int64[np.ndarray, "..."], ties: Int64[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """Return each query's mean credit over the places it shares, credits by rank."""
    sums = np.concatenate([[0.0], np.cumsum(table)])
    shared: np.ndarray = (sums[rank + ties + 1] - sums[rank]) / (ties + 1)
    return shared


def _table(credit: Credit, n: int) -> Float[np.ndarray, "_"]:
    """Return the credits among n candidates; none where these are too few."""
    try:
        return credit(n) if n else np.zeros(0)
    except TooFewSentences:
        return np.zeros(0)
