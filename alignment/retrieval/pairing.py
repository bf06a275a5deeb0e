"""A pairing: what every measure of one bitext at one layer is computed from.

Both directions' neighbours, the classes of identical texts, and the moments of the similarities. It is
made once from vectors (or from a similarity matrix, for the surface floor) and shared by all measures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Float, Float32, Float64, Int64

from ...data.surface import similarity_blocks
from ..neighbours.nearest import Nearest, Neighbours, Product
from ..neighbours.unit_vectors import unit_sides
from ..statistics.grouping import are_documents, members_of
from .moments import Moments, moments_of

SURFACE_ROWS = 1024  # texts whose n-gram similarities are multiplied at once
ROWS = 256  # queries whose similarities with everything are held at once,
CELLS = ROWS * 20_000  # of larger corpora fewer, with no more similarities than this
K = 10  # neighbours kept at least: what was found instead is reported behind up to this many duplicates


@dataclass(frozen=True, eq=False)
class GoldRank:
    """How many wrong candidates are ahead of a query's best right one, and how many as good."""

    rank: Int64[np.ndarray, "n"]
    ties: Int64[np.ndarray, "n"]


@dataclass(frozen=True, eq=False)
class Pairing:
    """Row i of the source belongs to row i of the target."""

    found: Neighbours
    product: Product  # of the two sides: similarities by definition
    moments: Moments
    places: tuple[
        "GoldRank", "GoldRank"
    ]  # of each query's translation among wrong candidates, both ways
    source_class: Int64[np.ndarray, "n"]  # identical texts have one number
    target_class: Int64[np.ndarray, "n"]
    groups: Int64[np.ndarray, "n"]
    blocks: tuple[Float[np.ndarray, "g"], Float[np.ndarray, "g"]]  # sums of s, s² within groups
    within: tuple[Int64[np.ndarray, "n"], Int64[np.ndarray, "n"]]  # nearest of the own group, both ways
    strata: Int64[np.ndarray, "n"]  # within which the null re-pairs
    stratum_sums: Float[np.ndarray, "t"]  # of s within strata

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.groups)


def in_parts(queries: Int64[np.ndarray, "q"], candidates: int) -> Iterator[Int64[np.ndarray, "p"]]:
    """Yield some queries in parts whose similarities with all candidates are held at once."""
    step = max(1, min(ROWS, CELLS // candidates))
    for start in range(0, len(queries), step):
        yield queries[start : start + step]


def pair_vectors(
    x: Float32[np.ndarray, "n d"],
    y: Float32[np.ndarray, "n d"],
    *,
    classes: tuple[np.ndarray, np.ndarray],
    groups: Int64[np.ndarray, "n"],
    strata: Int64[np.ndarray, "n"] | None = None,
    neighbours: int = K,
) -> Pairing:
    """Return the pairing of two row-aligned sets of vectors; the null re-pairs within strata."""
    from ..neighbours.product import VectorProduct

    product = VectorProduct(*unit_sides(x, y))
    a, b = product.x, product.y
    moments = moments_of(a, b)
    return _pairing(
        product, moments, classes, groups, strata, lambda rows: a[rows] @ b[rows].T, neighbours
    )


def pair_surface(
    x: scipy.sparse.csr_array,
    y: scipy.sparse.csr_array,
    *,
    classes: tuple[np.ndarray, np.ndarray],
    groups: Int64[np.ndarray, "n"] | None = None,
    neighbours: int = K,
) -> Pairing:
    """Return the pairing of sparse vectors with unit rows; without groups each row is its own."""
    from ..neighbours.product import MatrixProduct

    s = np.empty((x.shape[0], y.shape[0]), np.float32)
    for some, block in similarity_blocks(x, y, SURFACE_ROWS):
        s[some] = block

    def sums(subscripts: str, *factors: np.ndarray) -> Float64[np.ndarray, "n"]:
        total: np.ndarray = np.einsum(subscripts, *factors, dtype=np.float64)  # no float64 copy
        return total

    moments = Moments(
        s.diagonal().astype(np.float64),
        sums("ij->i", s),
        sums("ij->j", s),
        lambda: (sums("ij,ij->i", s, s), sums("ij,ij->j", s, s)),
    )
    groups = np.arange(len(s)) if groups is None else groups
    return _pairing(
        MatrixProduct(s),
        moments,
        classes,
        groups,
        None,
        lambda rows: s[np.ix_(rows, rows)].astype(np.float64),
        neighbours,
    )


def _pairing(
    product: Product,
    moments: Moments,
    classes: tuple[np.ndarray, np.ndarray],
    groups: Int64[np.ndarray, "n"],
    strata: Int64[np.ndarray, "n"] | None,
    block: Callable[[np.ndarray], np.ndarray],
    neighbours: int,
) -> Pairing:
    from ..neighbours.exact import search

    rows = np.arange(product.n)
    found = search([product], max(K, neighbours), np.stack([rows, rows], axis=1))
    within = rows.copy(), rows.copy()
    if not are_documents(groups):  # every sentence its own group: the block is one cosine
        sums = moments.matched[np.argsort(groups)]
        blocks = sums, sums**2
    else:
        parts = []
        for members in members_of(groups):
            part = block(members)
            parts.append((part.sum(), (part**2).sum()))
            part = part.astype(np.float32)  # as similarities are defined
            within[0][members] = members[part.argmax(axis=1)]
            within[1][members] = members[part.argmax(axis=0)]
        blocks = tuple(np.array(parts).T)
    strata = np.zeros(product.n, np.int64) if strata is None else strata
    whole = np.array([moments.row_sums.sum()])
    by_stratum = [block(members).sum() for members in members_of(strata)] if strata.any() else whole
    return Pairing(
        found,
        product,
        moments,
        (
            _place(product, found.rows, classes[1], transposed=False),
            _place(product, found.columns, classes[0], transposed=True),
        ),
        *classes,
        groups=groups,
        blocks=blocks,
        within=within,
        strata=strata,
        stratum_sums=np.asarray(by_stratum),
    )


def _place(
    product: Product, nearest: Nearest, classes: Int64[np.ndarray, "n"], *, transposed: bool
) -> GoldRank:
    """Return the places of the translations, where all candidates of their class are right.

    Of a class of one that is what was found already. Words of one type have different vectors in
    different sentences, and the best of them counts.
    """
    rank, ties = nearest.rank.copy(), nearest.ties.copy()
    shared = np.flatnonzero(np.bincount(classes)[classes] > 1)
    everything = np.arange(len(classes))
    for queries in in_parts(shared, len(classes)):
        if transposed:
            scores = product.exact_block(everything, queries).T
        else:
            scores = product.exact_block(queries, everything)
        right = classes[queries][:, None] == classes
        best = np.where(right, scores, -np.inf).max(axis=1)[:, None]
        rank[queries] = ((scores > best) & ~right).sum(axis=1)
        ties[queries] = ((scores == best) & ~right).sum(axis=1)
    return GoldRank(rank, ties)
