"""Groups of sentences: 0 … G - 1 for each, documents where they are known, else single sentences."""

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int64


def are_documents(groups: Int64[np.ndarray, "n"]) -> bool:
    """Return whether groups are more than single sentences."""
    return int(groups.max()) + 1 < len(groups)


def group_sums(
    rows: Float[np.ndarray, "n c"], groups: Int64[np.ndarray, "n"]
) -> Float[np.ndarray, "g c"]:
    """Sum the rows of each group; where each is one row, they are the rows themselves."""
    n = len(groups)
    if np.array_equal(groups, np.arange(n)):
        return rows
    shape = int(groups.max()) + 1, n
    chosen = scipy.sparse.csr_array((np.ones(n), (groups, np.arange(n))), shape=shape)
    sums: np.ndarray = chosen @ rows
    return sums


def by_group(
    matrix: Float[np.ndarray, "n n"], groups: Int64[np.ndarray, "n"]
) -> Float[np.ndarray, "g g"]:
    """Sum a matrix over the rows and columns of each group."""
    by_row = group_sums(matrix, groups)
    return group_sums(by_row.T, groups).T


def members_of(groups: Int64[np.ndarray, "n"]) -> list[Int64[np.ndarray, "_"]]:
    """Return the rows of each group, ascending."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.cumsum(np.bincount(groups))[:-1])
