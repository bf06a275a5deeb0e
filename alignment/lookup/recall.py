"""What an approximate index misses, measured against exact neighbours on a sample of the queries."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from ..neighbours.exact import neighbours
from .index import Index

SAMPLE = 1000  # queries
MOST = 1 << 16  # of an effort


@dataclass(frozen=True)
class Recall:
    """The share of the k nearest that an index finds, and at what effort."""

    value: float
    k: int
    sample: int
    effort: int | None
    parameter: str | None  # what the effort is of: nprobe, efSearch


def sample_of(queries: Float32[np.ndarray, "n d"], seed: int = 0) -> Float32[np.ndarray, "s d"]:
    """Return at most SAMPLE of the queries, in their order."""
    chosen = np.random.default_rng(seed).permutation(len(queries))[:SAMPLE]
    sample: np.ndarray = queries[np.sort(chosen)]
    return sample


class ExactSearch:
    """The exact neighbours of some queries, to hold an index against at several efforts."""

    def __init__(
        self,
        index: Index,
        vectors: Float32[np.ndarray, "m d"],
        queries: Float32[np.ndarray, "s d"],
        k: int,
    ) -> None:
        """Search exactly once.

        Args:
            index: of the vectors.
            vectors: in the order of its ids.
            queries: a sample.
            k: how many neighbours.

        Raises:
            ValueError: as many vectors as the index has are needed.
        """
        if len(vectors) != len(index.ids):
            raise ValueError(f"the index has {len(index.ids)} rows, there are {len(vectors)} vectors")
        self._index, self._queries = index, queries
        self._exact = neighbours(queries, vectors, k).rows.ids

    def recall(self, effort: int | None = None) -> Recall:
        """Return the recall at an effort, which stays set; None: as the index is."""
        if effort is not None:
            self._index.set_effort(effort)
        n, k = self._exact.shape
        found, _ = self._index.search(self._queries, k, missing=True)
        hits = (found[:, :, None] == self._exact[:, None, :]).any(axis=1)
        return Recall(float(hits.mean()), k, n, effort, self._index.effort)

    def least_effort(self, target: float) -> Recall:
        """Set and return the least effort whose recall reaches a target.

        Recall is taken to grow with effort: it is doubled until the target is reached, then bisected.

        Raises:
            ValueError: a target outside (0, 1], an index without effort, or no effort that reaches it.
        """
        if not 0 < target <= 1:
            raise ValueError(f"`recall` must lie between 0 and 1, got {target}")
        low, high = 0, 1
        found = self.recall(high)
        while found.value < target:
            low, high = high, 2 * high
            if high > MOST:
                raise ValueError(
                    f"{self._index.about['factory']} reaches recall {found.value:.4f} at most, "
                    f"not {target}"
                )
            found = self.recall(high)
        while high - low > 1:
            middle = (low + high) // 2
            tried = self.recall(middle)
            if tried.value >= target:
                high, found = middle, tried
            else:
                low = middle
        self._index.set_effort(high)
        return found
