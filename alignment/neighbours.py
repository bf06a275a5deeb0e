"""Nearest neighbours across two languages: both directions from one pass, exact by definition.

The answer is DEFINED: similarities are float64 dot products of the float32 inputs, normalised in
float64, rounded to float32, and ordered by (-score, index). A zero row has similarity 0 to everything.

float32 products only select candidates, with a certified error bound; whatever the bound leaves open
is computed by the definition. So the answer depends on neither blocks nor threads nor kernels.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from .product import Product, VectorProduct

logger = logging.getLogger(__name__)

BLOCK = 4096  # rows and columns of a block: 64 MB of similarities
SPARE = 5  # candidates beyond k, so that the bound rarely leaves a row open

Pairs = Int64[np.ndarray, "p 2"]


@dataclass(frozen=True, eq=False)
class Nearest:
    """What one direction found: for every query its k nearest, for every gold pair its place."""

    ids: Int64[np.ndarray, "n k"]
    scores: Float32[np.ndarray, "n k"]
    rank: Int64[np.ndarray, "p"]  # candidates of strictly greater score than the gold
    ties: Int64[np.ndarray, "p"]  # other candidates of exactly the gold's score


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Both directions: `rows` are the x's queries among y, `columns` the y's among x."""

    rows: Nearest
    columns: Nearest
    gold: Pairs
    gold_scores: Float32[np.ndarray, "p"]


def neighbours(
    x: Float32[np.ndarray, "n _"], y: Float32[np.ndarray, "m _"], k: int, gold: Pairs | None = None
) -> Neighbours:
    """Return the k nearest of every row among the columns and of every column among the rows.

    Args:
        x: n vectors, in memory or mapped.
        y: m vectors.
        k: how many; clamped, with a note, to what there is.
        gold: pairs (row of x, row of y) that belong together, many-to-many allowed.

    Returns:
        Ids and scores by the definition above, and the exact place of every gold pair among all
        candidates of its row and of its column.

    Raises:
        ValueError: not two matrices of one width, non-finite values, k < 1, a gold pair outside.
    """
    return search(VectorProduct(x, y), k, gold)


def search(product: Product, k: int, gold: Pairs | None = None) -> Neighbours:
    """Return the neighbours of any product of two sides; see `neighbours`."""
    n, m = product.n, product.m
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if k > min(n, m):
        logger.info("k = %d is more than there are; %d and %d are used", k, min(k, m), min(k, n))
    gold = np.zeros((0, 2), np.int64) if gold is None else np.asarray(gold, np.int64).reshape(-1, 2)
    if len(gold) and (gold.min() < 0 or (gold.max(axis=0) >= (n, m)).any()):
        raise ValueError(f"a gold pair lies outside the {n} rows and {m} columns")
    gold_scores = product.exact(gold[:, 0], gold[:, 1])

    top_rows = _Top(n, min(k + SPARE, m))
    top_columns = _Top(m, min(k + SPARE, n))
    by_row = _Places(gold, gold_scores, product, transposed=False)
    by_column = _Places(gold[:, ::-1], gold_scores, product, transposed=True)
    for i in range(0, n, BLOCK):
        rows = slice(i, min(i + BLOCK, n))
        for j in range(0, m, BLOCK):
            columns = slice(j, min(j + BLOCK, m))
            block = product.block(rows, columns)
            top_rows.update(block, rows, j)
            by_row.update(block, rows, columns)
            block = block.t().contiguous()
            top_columns.update(block, columns, i)
            by_column.update(block, columns, rows)
    return Neighbours(
        Nearest(*_settle(top_rows, product, min(k, m), transposed=False), *by_row.result()),
        Nearest(*_settle(top_columns, product, min(k, n), transposed=True), *by_column.result()),
        gold,
        gold_scores,
    )


class _Top:
    """The candidates with the greatest approximate similarity so far, a row each."""

    def __init__(self, n: int, width: int) -> None:
        self.scores = torch.full((n, width), -torch.inf)
        self.ids = torch.full((n, width), -1, dtype=torch.int64)

    def update(self, block: Tensor, rows: slice, offset: int) -> None:
        width = self.scores.shape[1]
        scores, ids = block.topk(min(width, block.shape[1]), dim=1)
        scores = torch.cat([self.scores[rows], scores], dim=1)
        ids = torch.cat([self.ids[rows], ids + offset], dim=1)
        self.scores[rows], order = scores.topk(width, dim=1)
        self.ids[rows] = ids.gather(1, order)


class _Places:
    """The place of every gold pair among the candidates of its query, counted block by block."""

    def __init__(self, gold: Pairs, scores: np.ndarray, product: Product, *, transposed: bool) -> None:
        self.order = np.argsort(gold[:, 0], kind="stable")
        self.queries, self.targets = gold[self.order].T
        self.scores = scores[self.order]
        self.product, self.transposed = product, transposed
        self.greater = np.zeros(len(gold), np.int64)
        self.equal = np.zeros(len(gold), np.int64)

    def update(self, block: Tensor, queries: slice, candidates: slice) -> None:
        start, stop = np.searchsorted(self.queries, (queries.start, queries.stop))
        if start == stop:
            return
        mine = slice(int(start), int(stop))
        local = self.queries[mine] - queries.start
        whole = len(local) == len(block) and bool((local == np.arange(len(block))).all())
        scores = torch.from_numpy(self.scores[mine])[:, None]
        difference = (block if whole else block[torch.from_numpy(local)]) - scores
        bound = self.product.bound
        self.greater[mine] += (difference > bound).sum(dim=1).numpy()
        unclear = (difference.abs_() <= bound).nonzero().numpy()
        pairs, found = unclear[:, 0] + mine.start, unclear[:, 1] + candidates.start
        other = found != self.targets[pairs]
        pairs, found = pairs[other], found[other]
        exact = _exact(self.product, self.queries[pairs], found, transposed=self.transposed)
        n = len(self.scores)
        self.greater += np.bincount(pairs[exact > self.scores[pairs]], minlength=n)
        self.equal += np.bincount(pairs[exact == self.scores[pairs]], minlength=n)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        back = np.argsort(self.order, kind="stable")
        return self.greater[back], self.equal[back]


def _settle(top: _Top, product: Product, k: int, *, transposed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Re-score the candidates by definition and return the k first; complete what stays open."""
    candidates, width = top.ids.numpy(), top.ids.shape[1]
    queries = np.repeat(np.arange(len(candidates)), width)
    exact = _exact(product, queries, candidates.ravel(), transposed=transposed)
    ids, scores = _ordered(candidates, exact.reshape(candidates.shape), k)
    others = product.n if transposed else product.m
    if width < others:
        # what was not selected has at most the least candidate's score, give or take the bound
        possible = top.scores[:, -1].numpy().astype(np.float64) + product.bound
        for query in np.flatnonzero(possible >= scores[:, -1]):
            everyone = np.arange(others)
            exact = _exact(product, np.full(others, query), everyone, transposed=transposed)
            ids[query], scores[query] = (part[0] for part in _ordered(everyone[None], exact[None], k))
    return ids, scores


def _ordered(ids: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((ids, -scores), axis=1)[:, :k]
    return np.take_along_axis(ids, order, 1), np.take_along_axis(scores, order, 1)


def _exact(product: Product, queries: np.ndarray, found: np.ndarray, *, transposed: bool) -> np.ndarray:
    return product.exact(found, queries) if transposed else product.exact(queries, found)
