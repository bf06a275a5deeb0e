"""Numbers for groups and texts: equal names have equal numbers."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64


def group_numbers(groups: Sequence[str] | None, n: int) -> Int64[np.ndarray, "n"]:
    """Return a number 0 … G - 1 for each row's group; every row is its own where none is known.

    >>> group_numbers(["b", "a", "b"], 3).tolist()
    [1, 0, 1]
    """
    if groups is None:
        return np.arange(n)
    return np.unique(np.asarray(groups, dtype=object), return_inverse=True)[1].astype(np.int64)


def text_classes(texts: Sequence[str]) -> Int64[np.ndarray, "n"]:
    """Return a number for each text, the same for identical ones."""
    return np.unique(np.asarray(texts, dtype=object), return_inverse=True)[1].astype(np.int64)
