"""Nearest neighbours across two languages: both directions from one pass, exact by definition.

The answer is DEFINED: similarities are float64 dot products of the float32 inputs, normalised in
float64, rounded to float32, and ordered by (-score, index). A zero row has similarity 0 to everything.

A product in bfloat16 (where the processor multiplies that natively) or float32 only selects candidates,
with a certified error bound; they are scored by the definition. So the answer depends on neither
blocks nor threads nor kernels nor devices.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float32, Int64

from .brute_force import exhaustive
from .candidates import PADDING, Candidates
from .gold_ranks import GoldRanks
from .nearest import GoldPairs, Nearest, Neighbours, Product
from .product import DTYPES, VectorProduct, whole_sums
from .unit_vectors import unit_sides

logger = logging.getLogger(__name__)

TILE = 64
BLOCK = {"cpu": (4096, 4096), "cuda": (16384, 16384)}  # rows and columns of a block: whole tiles

Layers = Sequence[np.ndarray] | Float32[np.ndarray, "layers _ _"]


def neighbours(
    x: Float32[np.ndarray, "n _"],
    y: Float32[np.ndarray, "m _"],
    k: int,
    gold: GoldPairs | None = None,
    *,
    dtype: str = "auto",
    devices: Sequence[str] = (),
) -> Neighbours:
    """Return the k nearest of every row among the columns and of every column among the rows.

    Args:
        x: n vectors, in memory or mapped.
        y: m vectors.
        k: how many; clamped, with a note, to what there is.
        gold: pairs (row of x, row of y) that belong together, many-to-many allowed.
        dtype: of the product that selects candidates: float32, bfloat16, or auto: bfloat16 where it
            is native and no gold is ranked. It decides the time, not the answer.
        devices: cpu, cuda:0, …; several share the rows. By default every CUDA device, else the CPU;
            gold is ranked on the CPU.

    Returns:
        Ids and scores by the definition above, and the exact place of every gold pair among all
        candidates of its row and of its column.

    Raises:
        ValueError: not two matrices of one width, non-finite values, k < 1, a gold pair outside, an
            unknown dtype, gold with bfloat16.
    """
    devices = tuple(devices) or (default_devices() if gold is None else ("cpu",))
    if dtype == "auto":
        dtype = "bfloat16" if gold is None and native_bfloat16(devices) else "float32"
        logger.debug("candidates by a %s product on %s", dtype, ", ".join(devices))
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be auto, {' or '.join(DTYPES)}, got {dtype!r}")
    if gold is not None and dtype == "bfloat16":
        raise ValueError("ranks of gold pairs need a float32 product; leave dtype at auto")
    sides = unit_sides(x, y)
    products = [VectorProduct(*sides, dtype=dtype, device=device) for device in devices]
    return search(products, k, gold)


def neighbours_of_layers(xs: Layers, ys: Layers, k: int) -> Iterator[Neighbours]:
    """Yield the neighbours of layer after layer; see `neighbours`."""
    for x, y in zip(xs, ys, strict=True):
        yield neighbours(x, y, k)


def default_devices() -> tuple[str, ...]:
    """Return every CUDA device, or the CPU."""
    return tuple(f"cuda:{i}" for i in range(torch.cuda.device_count())) or ("cpu",)


def native_bfloat16(devices: Sequence[str]) -> bool:
    """Return whether all devices multiply bfloat16 faster than float32."""
    return all(
        torch.cuda.is_bf16_supported(including_emulation=False)
        if torch.device(device).type == "cuda"
        else torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        for device in devices
    )


def search(products: Sequence[Product], k: int, gold: GoldPairs | None = None) -> Neighbours:
    """Return the neighbours by any product of two sides, the same on every device; see `neighbours`."""
    product = products[0]
    n, m = product.n, product.m
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if k > min(n, m):
        logger.info("k = %d is more than there are; %d and %d are used", k, min(k, m), min(k, n))
    gold = np.zeros((0, 2), np.int64) if gold is None else np.asarray(gold, np.int64).reshape(-1, 2)
    if len(gold) and (gold.min() < 0 or (gold.max(axis=0) >= (n, m)).any()):
        raise ValueError(f"a gold pair lies outside the {n} rows and {m} columns")
    gold_scores = product.exact(gold[:, 0], gold[:, 1])
    by_row = GoldRanks(gold, gold_scores, product, transposed=False)
    by_column = GoldRanks(gold[:, ::-1], gold_scores, product, transposed=True)

    shares = list(pairwise(np.linspace(0, n, len(products) + 1).astype(int).tolist()))
    on_cuda = any(one.device.type == "cuda" for one in products)
    with whole_sums() if on_cuda else nullcontext(), ThreadPoolExecutor() as threads:
        others = [
            threads.submit(_pass, *rest, k, by_row, by_column)
            for rest in zip(products[1:], shares[1:], strict=True)
        ]
        rows, columns = _pass(product, shares[0], k, by_row, by_column)
    for more_rows, more_columns in (other.result() for other in others):
        rows.join(more_rows)
        columns.join(more_columns)
    return Neighbours(
        Nearest(*_settle(rows, product, transposed=False), *by_row.result()),
        Nearest(*_settle(columns, product, transposed=True), *by_column.result()),
        gold,
        gold_scores,
    )


def _pass(
    product: Product, share: tuple[int, int], k: int, by_row: GoldRanks, by_column: GoldRanks
) -> tuple[Candidates, Candidates]:
    """Look through some rows of the product, once for both directions."""
    n, m = product.n, product.m
    rows = Candidates(n, m, min(k, m), product.rounding, product.device)
    columns = Candidates(m, n, min(k, n), product.rounding, product.device)
    height, width = BLOCK[product.device.type]
    # one block's room for all: to give memory back and take it again costs more than the maxima
    room = torch.empty(height * width, dtype=product.dtype, device=product.device)
    for r, row_tile in _spans(*share, height, k):
        for c, column_tile in _spans(0, m, width, k):
            h, w = r.stop - r.start, c.stop - c.start
            padded = -(-h // row_tile) * row_tile, -(-w // column_tile) * column_tile
            tiled = room[: padded[0] * padded[1]].view(padded)
            tiled[h:], tiled[:, w:] = PADDING, PADDING
            block = product.block(r, c, tiled[:h, :w])
            row_slack, column_slack = product.slack(r, c)
            rows.update(tiled[:h], 1, r, c.start, column_tile, row_slack)
            columns.update(tiled[:, :w], 0, c, r.start, row_tile, column_slack)
            by_row.update(block, r, c.start, row_slack)
            by_column.update(block.t(), c, r.start, column_slack)
    return rows, columns


def _spans(start: int, stop: int, size: int, k: int) -> list[tuple[slice, int]]:
    """Return blocks and their tiles' width: so narrow that there are many more tiles than neighbours."""
    tile = TILE
    while tile > 1 and (stop - start) // tile < 8 * k:
        tile //= 2
    return [(slice(i, min(i + size, stop)), tile) for i in range(start, stop, size)]


def _settle(
    candidates: Candidates, product: Product, *, transposed: bool
) -> tuple[Int64[np.ndarray, "n k"], Float32[np.ndarray, "n k"]]:
    """Score the candidates by definition and return the k first; search the open exhaustively."""
    n, k = candidates.n, candidates.k
    ids, scores = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
    query, candidate, is_open = candidates.settled()
    exact = product.exact(candidate, query) if transposed else product.exact(query, candidate)
    order = np.lexsort((candidate, -exact, query))
    first = np.searchsorted(query, np.flatnonzero(~is_open))[:, None] + np.arange(k)
    ids[~is_open], scores[~is_open] = candidate[order][first], exact[order][first]
    if is_open.any():
        logger.debug("%d of %d queries are searched exhaustively", is_open.sum(), n)
        ids[is_open], scores[is_open] = exhaustive(
            product, np.flatnonzero(is_open), k, transposed=transposed
        )
    return ids, scores
