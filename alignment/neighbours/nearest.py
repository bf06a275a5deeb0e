"""What a search is of, and what it finds; importing it does not load torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

if TYPE_CHECKING:
    import torch
    from torch import Tensor

GoldPairs = Int64[np.ndarray, "p 2"]


@runtime_checkable
class Product(Protocol):
    """Similarities of n rows with m columns: |exact - offset - block| ≤ rounding |block| + slack."""

    n: int
    m: int
    offset: float
    rounding: float
    device: "torch.device"
    dtype: "torch.dtype"

    def block(self, rows: slice, columns: slice, out: "Tensor") -> "Tensor":
        """Fill `out` with approximate similarities less the offset, and return it."""

    def slack(self, rows: slice, columns: slice) -> "tuple[Tensor, Tensor]":
        """Return each row's slack over all of these columns, and each column's over these rows."""

    def exact(
        self, rows: Int64[np.ndarray, "p"], columns: Int64[np.ndarray, "p"]
    ) -> Float32[np.ndarray, "p"]:
        """Return the similarities of pairs by definition."""

    def exact_block(self, rows: slice | np.ndarray, columns: slice | np.ndarray) -> np.ndarray:
        """Return the similarities of all rows with all columns by definition."""


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
    gold: GoldPairs
    gold_scores: Float32[np.ndarray, "p"]
