"""Which candidates can be among the k nearest: running thresholds over the blocks of a product.

The candidates of a block are cut into tiles. The best of every tile is a lower bound on a nearest
neighbour, and the k-th greatest of them, over all tiles seen so far, is what a candidate must reach to
matter still. Only tiles that reach it are looked into: selection costs two maxima a block, where a
top-k costs half a product. The same runs over rows and over columns.

A query with too many candidates that the bound cannot tell apart is left open, for its memory's sake.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from .pairs_found import PairsFound

KEPT = 1 << 24  # candidates kept at once, roughly
LOWEST, PADDING = -1e30, -2e30  # below any similarity; below that, what fills up the last tile


@dataclass(eq=False)
class Candidates:
    """One direction: what n queries have found so far, and what they still look for."""

    n: int
    others: int  # among which they look
    k: int
    rounding: float
    device: torch.device
    least: Tensor = field(init=False)  # (n, k): the greatest lower bounds on distinct candidates
    slack: Tensor = field(init=False)  # (n,): the greatest so far
    open: Tensor = field(init=False)  # (n,): given up
    _found: PairsFound = field(init=False)
    _most: int = field(init=False)  # pairs before those that fell behind are dropped

    def __post_init__(self) -> None:
        """Start with nothing found."""
        self.least = torch.full((self.n, self.k), -torch.inf, device=self.device)
        self.slack = torch.zeros(self.n, device=self.device)
        self.open = torch.zeros(self.n, dtype=torch.bool, device=self.device)
        self._found, self._most = PairsFound(self.device), KEPT

    def update(
        self, block: Tensor, axis: int, queries: slice, first: int, tile: int, slack: Tensor
    ) -> None:
        """Look through a block.

        Args:
            block: approximate similarities; the candidates' number is a multiple of `tile`, filled up
                with PADDING.
            axis: the axis of the candidates.
            queries: which they are.
            first: the number of the first candidate.
            tile: how many candidates make a tile; every n-th, for maxima along an axis are fast
                where the numbers that are compared do not lie side by side.
            slack: of each query over this block.
        """
        count = block.shape[axis] // tile
        tiles = block.view(tile, count, -1) if axis == 0 else block.view(len(block), tile, count)
        best = _greatest(tiles, axis)
        if axis == 0:
            tiles, best = tiles.permute(2, 0, 1), best.t()
        best = best.float()
        low = best - self.rounding * best.abs() - slack[:, None]
        least = self.least[queries]
        better = (low.amax(1) > least[:, -1]).nonzero(as_tuple=True)[0]
        least[better] = torch.cat([least[better], low[better]], dim=1).topk(self.k, dim=1).values
        self.slack[queries] = torch.maximum(self.slack[queries], slack)
        floor = self._floor(least[:, -1], slack)
        floor.clamp_(min=LOWEST)[self.open[queries]] = torch.inf
        # among negative numbers `best` may be any: see _greatest
        reaching = (best >= floor[:, None]) | ((best <= 0) & (floor <= 0)[:, None])
        crowded = reaching.sum(1) > max(8 * self.k, best.shape[1] // 2)
        if crowded.any():
            self.open[queries] |= crowded
            reaching &= ~crowded[:, None]
        query, number = reaching.nonzero(as_tuple=True)
        values = tiles[query, :, number].float()
        hit, place = (values >= floor[query, None]).nonzero(as_tuple=True)
        query, number = query[hit], number[hit]
        candidate = place * best.shape[1] + number + first
        self._found.append(query + queries.start, candidate, values[hit, place])
        if len(self._found) > self._most:
            self._drop(KEPT // (2 * self.n))
            self._most = max(KEPT, 2 * len(self._found))  # else the next block would drop again

    def _floor(self, least: Tensor, slack: Tensor) -> Tensor:
        """Return the v from which on v + rounding |v| + slack reaches `least`."""
        floor = least - slack
        return torch.where(floor >= 0, floor / (1 + self.rounding), floor / (1 - self.rounding))

    def _drop(self, most: int) -> None:
        """Keep what still reaches what its query looks for; give up queries with more than `most`.

        A thirty-second of all candidates costs as much as to search them all exhaustively.
        """
        floor = self._floor(self.least[:, -1], self.slack)
        count = torch.zeros(self.n, dtype=torch.int64, device=self.device)
        for query, _, value in self._found.parts():
            count += query[value >= floor[query]].bincount(minlength=self.n)
        self.open |= count > max(16 * self.k, min(most, self.others // 32))
        floor[self.open] = torch.inf
        self._found.keep(lambda query, value: value >= floor[query])

    def join(self, other: "Candidates") -> None:
        """Add what the same queries found among other candidates."""
        device = self.device
        least = torch.cat([self.least, other.least.to(device)], dim=1)
        self.least = least.topk(self.k, dim=1).values
        self.slack = torch.maximum(self.slack, other.slack.to(device))
        self.open |= other.open.to(device)
        for part in other._found.parts():
            self._found.append(*part)

    def settled(
        self,
    ) -> tuple[Int64[np.ndarray, "c"], Int64[np.ndarray, "c"], Bool[np.ndarray, "n"]]:
        """Return pairs (query, candidate) that hold the k nearest of every query but the open ones.

        Queries ascend. What the tiles' bests left is judged again by the candidates' k-th greatest
        lower bound.
        """
        self._drop(self.others)
        query, candidate, value = (column.cpu().numpy() for column in self._found.columns())
        slack, rest = self.slack.cpu().numpy(), self.rounding * np.abs(value)
        order = np.lexsort((rest - value, query))
        query, candidate, value, rest = query[order], candidate[order], value[order], rest[order]
        start = np.searchsorted(query, np.arange(self.n))
        closed = ~self.open.cpu().numpy()
        least: Float[np.ndarray, "n"] = np.full(self.n, np.inf)
        kth = start[closed] + self.k - 1
        least[closed] = value[kth] - rest[kth] - slack[closed]
        keep = value + rest + slack[query] >= least[query]
        return query[keep].astype(np.int64), candidate[keep].astype(np.int64), ~closed


def _greatest(tiles: Tensor, axis: int) -> Tensor:
    """Return the greatest value of every tile if it is positive, else any that is not.

    Positive floats are ordered like the integers of the same bits, whose maxima are several times as
    fast to take in bfloat16; negative floats are negative integers.
    """
    whole = {torch.bfloat16: torch.int16, torch.float32: torch.int32}[tiles.dtype]
    return tiles.view(whole).amax(axis).view(tiles.dtype)
