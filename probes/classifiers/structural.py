"""The structural probe: a linear map under which squared distances of words are distances in the tree.

min over B of Σ over sentences of 1/t² Σ_ij | ‖B(h_i - h_j)‖² - d_ij |, d_ij the number of edges between
words i and j. Read as a tree: the least spanning tree of the words by these distances. Source: Hewitt &
Manning 2019, https://aclanthology.org/N19-1419. All distances of a sentence come from its Gram matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path
from torch import Tensor

RANK = 128
BATCH = 32  # sentences
RATE = 1e-2
FLOOR = 1e-3  # of the mean variance: directions of less are not blown up by whitening
EPOCHS = 40  # at most
PATIENCE = 3  # epochs without a better dev loss; the rate is halved after each of them
LENGTHS = range(5, 51)  # of sentences whose Spearman correlations are averaged, length by length


@dataclass(frozen=True, eq=False)
class Trees:
    """Sentences of parsed words, a run of rows each; heads are numbered from 1, 0 is the root."""

    x: Float[np.ndarray, "n d"]
    starts: Int64[np.ndarray, "s_plus_1"]
    heads: Int64[np.ndarray, "n"]
    punctuation: Bool[np.ndarray, "n"]

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.starts) - 1

    def sentence(self, number: int) -> slice:
        """Return the rows of a sentence."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))


@dataclass(frozen=True, eq=False)
class Structural:
    """A fitted probe: squared distances are those of x @ matrix."""

    matrix: Float[np.ndarray, "d r"]
    loss: float  # on dev
    converged: bool  # whether dev's loss had stopped falling

    def distances(self, x: Float[np.ndarray, "t d"]) -> Float[np.ndarray, "t t"]:
        """Return the squared distances of the words of a sentence."""
        y = torch.from_numpy((x - x.mean(axis=0)) @ self.matrix)
        found: np.ndarray = _squared(y[None])[0].numpy()
        return found


def fit_structural(
    train: Trees, dev: Trees, *, rank: int = RANK, seed: int = 0, device: str = "cpu"
) -> Structural:
    """Return the probe that is best on dev.

    Not convex: Adam on whitened vectors, from their distances of right size on; the rate is halved when
    dev's loss does not fall.

    Args:
        train: parsed sentences.
        dev: others.
        rank: r, at most d.
        seed: of the order of batches.
        device: where it is fitted.
    """
    generator = torch.Generator().manual_seed(seed)
    centred = train.x - train.x.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    values, vectors = values[::-1].clip(min=0), vectors[:, ::-1]
    white = (vectors / np.sqrt(values + FLOOR * values.mean() + 1e-30)).astype(np.float32)
    sides = [_padded(side, white, device) for side in (train, dev)]
    x, gold, there = sides[1]
    width = min(rank, len(white))
    size = gold.sum() / (_squared(x[:, :, :width]) * there[:, :, None] * there[:, None]).sum()
    matrix = torch.eye(len(white), width, device=device).requires_grad_()
    optimizer = torch.optim.Adam([matrix], lr=RATE)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    best, least, waited = matrix.detach().clone(), float("inf"), 0
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(train), generator=generator), BATCH):
            optimizer.zero_grad(set_to_none=True)
            _loss(matrix, size, *(part[rows] for part in sides[0])).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            loss = float(_loss(matrix, size, *sides[1]))
        schedule.step(loss)
        if loss < least * (1 - 1e-4):
            best, least, waited = matrix.detach().clone(), loss, 0
        else:
            waited += 1
        if waited == PATIENCE:
            break
    whole = white @ (best * size.sqrt()).cpu().numpy()
    return Structural(whole, least, waited > 0)


def edges_found(
    distances: Float[np.ndarray, "t t"],
    heads: Int64[np.ndarray, "t"],
    punctuation: Bool[np.ndarray, "t"],
) -> Float[np.ndarray, "t"]:
    """Return of each word whether the edge to its head is in the least spanning tree.

    nan where there is no edge to find: the root, punctuation, a word whose head is punctuation. Their
    mean is UUAS. Punctuation is left out of the spanning tree, as in Hewitt and Manning's evaluation.
    """
    found = np.full(len(heads), np.nan)
    words = np.flatnonzero(~punctuation)
    place = np.full(len(heads), -1)
    place[words] = np.arange(len(words))
    # the order of distances decides the tree, so that none need be 0, which would be no edge
    tree = minimum_spanning_tree(distances[np.ix_(words, words)].astype(np.float64) + 1).toarray() > 0
    for word in words:
        head = heads[word] - 1
        if head >= 0 and place[head] >= 0:
            found[word] = tree[place[word], place[head]] | tree[place[head], place[word]]
    return found


def chain(heads: Int64[np.ndarray, "t"], punctuation: Bool[np.ndarray, "t"]) -> Float[np.ndarray, "t"]:
    """Return what `edges_found` does for the tree that joins each word to the next: the floor."""
    places = np.cumsum(~punctuation).astype(np.float64)
    return edges_found(np.square(places[:, None] - places), heads, punctuation)


def tree_distances(heads: Int64[np.ndarray, "t"]) -> Float[np.ndarray, "t t"]:
    """Return the number of edges between each two words.

    Raises:
        ValueError: heads that are no tree.
    """
    if not ((heads >= 0) & (heads <= len(heads))).all():
        raise ValueError(f"the heads of {len(heads)} words are no tree: {heads.tolist()}")
    children = np.flatnonzero(heads > 0)
    graph = np.zeros((len(heads), len(heads)))
    graph[children, heads[children] - 1] = 1
    found: np.ndarray = shortest_path(graph, directed=False, unweighted=True)
    if not np.isfinite(found).all() or len(children) != len(heads) - 1:
        raise ValueError(f"the heads of {len(heads)} words are no tree: {heads.tolist()}")
    return found


def spearman(probe: Structural, trees: Trees) -> float:
    """Return the rank correlation of distances: means over words, sentences of a length, lengths."""
    import scipy.stats  # when needed: it takes half a second

    by_length: dict[int, list[float]] = {}
    for number in range(len(trees)):
        rows = trees.sentence(number)
        length = rows.stop - rows.start
        if length in LENGTHS:
            gold, guess = tree_distances(trees.heads[rows]), probe.distances(trees.x[rows])
            ranks = [scipy.stats.rankdata(side, axis=1) for side in (gold, guess)]
            ranks = [one - one.mean(axis=1, keepdims=True) for one in ranks]
            norms = np.sqrt(np.square(ranks[0]).sum(axis=1) * np.square(ranks[1]).sum(axis=1))
            products = (ranks[0] * ranks[1]).sum(axis=1)
            by_length.setdefault(length, []).append(float((products / np.maximum(norms, 1e-12)).mean()))
    if not by_length:
        return float("nan")
    return float(np.mean([np.mean(some) for some in by_length.values()]))


def _padded(trees: Trees, white: np.ndarray, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return whitened vectors (s, t, d), tree distances (s, t, t) and which words there are (s, t)."""
    lengths = np.diff(trees.starts)
    x = np.zeros((len(trees), lengths.max(), white.shape[1]), np.float32)
    gold = np.zeros((len(trees), lengths.max(), lengths.max()), np.float32)
    for number, length in enumerate(lengths):
        rows = trees.sentence(number)
        x[number, :length] = (trees.x[rows] - trees.x[rows].mean(axis=0)) @ white
        gold[number, :length, :length] = tree_distances(trees.heads[rows])
    there = np.arange(lengths.max())[None, :] < lengths[:, None]
    return tuple(torch.from_numpy(part).to(device) for part in (x, gold, there))  # type: ignore[return-value]


def _squared(y: Tensor) -> Tensor:
    """Return (s, t, t) squared distances by the Gram matrix."""
    squares = y.square().sum(dim=2)
    return (squares[:, :, None] + squares[:, None] - 2 * y @ y.transpose(1, 2)).clamp(min=0)


def _loss(matrix: Tensor, size: Tensor, x: Tensor, gold: Tensor, there: Tensor) -> Tensor:
    both = there[:, :, None] & there[:, None]
    apart = (size * _squared(x @ matrix) - gold).abs() * both
    return (apart.sum(dim=(1, 2)) / both.sum(dim=(1, 2))).mean()


def starts_of(sentences: Sequence[object]) -> Int64[np.ndarray, "s_plus_1"]:
    """Return where runs of equal values begin, and their end."""
    new = [i for i in range(len(sentences)) if i == 0 or sentences[i] != sentences[i - 1]]
    return np.array([*new, len(sentences)], np.int64)
