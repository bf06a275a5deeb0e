"""The place of every gold pair among the candidates of its query, counted block by block."""

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from .nearest import GoldPairs, Product


class GoldRanks:
    """One direction: how many candidates score above each gold pair, and how many the same."""

    def __init__(
        self, gold: GoldPairs, scores: Float32[np.ndarray, "p"], product: Product, *, transposed: bool
    ) -> None:
        """Start with nothing counted.

        Args:
            gold: pairs (query, candidate).
            scores: theirs, by definition.
            product: of both sides; its rounding must be 0, for a rounded block leaves too much open.
            transposed: the queries are the product's columns.
        """
        self._order = np.argsort(gold[:, 0], kind="stable")
        self._queries, self._targets = gold[self._order].T
        self._scores = scores[self._order]
        self._product, self._transposed = product, transposed
        self._greater = np.zeros(len(gold), np.int64)
        self._equal = np.zeros(len(gold), np.int64)

    def update(self, block: Tensor, queries: slice, first: int, slack: Tensor) -> None:
        """Count in a block of similarities less the product's offset; see `Candidates.update`."""
        start, stop = np.searchsorted(self._queries, (queries.start, queries.stop))
        if start == stop:
            return
        mine = slice(int(start), int(stop))
        local = torch.from_numpy(self._queries[mine] - queries.start)
        scores = torch.from_numpy(self._scores[mine].astype(np.float64) - self._product.offset)
        difference = block[local] - scores.float()[:, None]
        bound = slack[local, None]
        self._greater[mine] += (difference > bound).sum(dim=1).numpy()
        unclear = (difference.abs_() <= bound).nonzero().numpy()
        pairs, found = unclear[:, 0] + mine.start, unclear[:, 1] + first
        other = found != self._targets[pairs]
        pairs, found = pairs[other], found[other]
        sides = (self._queries[pairs], found)
        exact = self._product.exact(*(sides[::-1] if self._transposed else sides))
        n = len(self._scores)
        self._greater += np.bincount(pairs[exact > self._scores[pairs]], minlength=n)
        self._equal += np.bincount(pairs[exact == self._scores[pairs]], minlength=n)

    def result(self) -> tuple[Int64[np.ndarray, "p"], Int64[np.ndarray, "p"]]:
        """Return the counts of greater and of equal scores, in the order of the gold pairs."""
        back = np.argsort(self._order, kind="stable")
        return self._greater[back], self._equal[back]
