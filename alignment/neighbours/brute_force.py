"""The nearest neighbours of some queries by the definition itself, block by block.

For the queries whose candidates no approximate product can tell apart: sentences that occur a thousand
times, zero vectors, vectors that are all equal.
"""

import numpy as np
from jaxtyping import Float32, Int64

from .nearest import Product

QUERIES, CANDIDATES = 1024, 4096  # of a block: 32 MB in float64


def exhaustive(
    product: Product, queries: Int64[np.ndarray, "q"], k: int, *, transposed: bool
) -> tuple[Int64[np.ndarray, "q k"], Float32[np.ndarray, "q k"]]:
    """Return the k nearest candidates of every query, by (-score, id).

    Args:
        product: of two sides.
        queries: rows, or columns if transposed.
        k: how many; no more than there are.
        transposed: columns look among rows.
    """
    ids = np.empty((len(queries), k), np.int64)
    scores = np.empty((len(queries), k), np.float32)
    count = product.n if transposed else product.m
    for start in range(0, len(queries), QUERIES):
        part = slice(start, start + QUERIES)
        some = queries[part]
        best_ids = np.empty((len(some), 0), np.int64)
        best = np.empty((len(some), 0), np.float32)
        for first in range(0, count, CANDIDATES):
            candidates = slice(first, min(first + CANDIDATES, count))
            if transposed:
                block = product.exact_block(candidates, some).T
            else:
                block = product.exact_block(some, candidates)
            found = _greatest(block, min(k, block.shape[1]))
            best_ids = np.concatenate([best_ids, found + first], axis=1)
            best = np.concatenate([best, np.take_along_axis(block, found, 1)], axis=1)
            order = np.lexsort((best_ids, -best), axis=1)[:, :k]
            best_ids = np.take_along_axis(best_ids, order, 1)
            best = np.take_along_axis(best, order, 1)
        ids[part], scores[part] = best_ids, best
    return ids, scores


def _greatest(block: Float32[np.ndarray, "q c"], k: int) -> Int64[np.ndarray, "q k"]:
    """Return the places of the k greatest of every row; of equal ones the first."""
    width = block.shape[1]
    kth = np.partition(block, width - k, axis=1)[:, width - k, None]
    chosen = block >= kth
    many = chosen.sum(axis=1) > k
    if many.any():  # of the equal ones at the end, the first
        above, equal = (block > kth)[many], (block == kth)[many]
        room = k - above.sum(axis=1, keepdims=True)
        chosen[many] = above | (equal & (equal.cumsum(axis=1) <= room))
    return np.nonzero(chosen)[1].reshape(len(block), k)
