"""Pairs (query, candidate) with a value, appended many times: three arrays that grow by doubling.

A list of small tensors would live between the large ones that every block of a product makes and
frees, and leave the heap in pieces that are of no use to anybody.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

PART = 1 << 20  # pairs looked at in one go
_TYPES = (torch.int32, torch.int32, torch.float32)


class PairsFound:
    """Queries, candidates and values of all pairs appended so far."""

    def __init__(self, device: torch.device) -> None:
        """Start without a pair."""
        self._columns = [torch.empty(0, dtype=dtype, device=device) for dtype in _TYPES]
        self._count = 0

    def __len__(self) -> int:
        """Return the number of pairs."""
        return self._count

    def append(self, query: Tensor, candidate: Tensor, value: Tensor) -> None:
        """Add pairs: three tensors of one length, on any device."""
        end = self._count + len(query)
        if end > len(self._columns[0]):
            self._grow(max(end, 2 * len(self._columns[0])))
        for column, more in zip(self._columns, (query, candidate, value), strict=True):
            column[self._count : end] = more
        self._count = end

    def columns(self) -> Sequence[Tensor]:
        """Return queries, candidates and values, as views."""
        return [column[: self._count] for column in self._columns]

    def parts(self) -> Iterator[Sequence[Tensor]]:
        """Yield (query, candidate, value) of at most PART pairs at a time, as views."""
        for start in range(0, self._count, PART):
            yield [column[start : start + PART] for column in self.columns()]

    def keep(self, wanted: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Drop all pairs but those for which `wanted` (query, value) is true, in place and in order."""
        kept = 0
        for part in self.parts():
            which = wanted(part[0], part[2])
            end = kept + int(which.sum())
            for column, old in zip(self._columns, part, strict=True):
                column[kept:end] = old[which]  # never beyond what has been read
            kept = end
        self._count = kept

    def _grow(self, size: int) -> None:
        """Move to arrays of another size."""
        for i, column in enumerate(self._columns):
            larger = torch.empty(size, dtype=column.dtype, device=column.device)
            larger[: self._count] = column[: self._count]
            self._columns[i] = larger
