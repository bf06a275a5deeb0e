"""Token vectors that align languages before any encoder is trained.

Translations are one document. A truncated SVD of the document × token matrix (log of counts × inverse
document frequency) gives tokens that occur in the same documents similar vectors, in whatever language:
latent semantic analysis across languages (Dumais et al. 1997). A sentence is the mean of its tokens'
vectors; training these means against the other translations of a batch does the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float32
from sklearn.utils.extmath import randomized_svd
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from ..training.injection import infonce
from .recipe import TrainingSettings
from .text import Row


@dataclass(frozen=True)
class Pieces:
    """The rows of a text as piece ids: for each row, language -> ids without special tokens."""

    rows: Sequence[Mapping[str, Sequence[int]]]
    size: int  # of the vocabulary

    @classmethod
    def of(cls, rows: Sequence[Row], tokenizer: PreTrainedTokenizerFast) -> "Pieces":
        """Return the pieces of rows of text."""
        encoded = [
            {
                tag: tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
                for tag, text in row.texts.items()
            }
            for row in rows
        ]
        return cls(encoded, len(tokenizer))

    def log_shares(self) -> Float32[np.ndarray, "v"]:
        """Return the logarithm of each piece's share of the text; every piece counts once more."""
        flat = np.concatenate([np.asarray(ids, np.int64) for row in self.rows for ids in row.values()])
        counts = np.bincount(flat, minlength=self.size) + 1
        shares: np.ndarray = np.log(counts / counts.sum()).astype(np.float32)
        return shares

    def most_languages(self) -> "Pieces":
        """Return the rows in at least 3 of 4 of the languages: the axes of others would be of few."""
        least = 0.75 * max(map(len, self.rows))
        return Pieces([row for row in self.rows if len(row) >= least], self.size)


def svd_vectors(pieces: Pieces, width: int, seed: int = 0) -> Float32[np.ndarray, "v d"]:
    """Return a vector for every piece; 0 for one that does not occur.

    Singular values are left out: the leading axes would otherwise be all there is. Rows of the matrix
    have length 1, so that a long document does not count more than a short one.

    Args:
        pieces: see `Pieces.most_languages`.
        width: d, at most the number of rows.
        seed: of the randomised SVD.
    """
    ids = [[i for part in row.values() for i in part] for row in pieces.rows]
    places = np.repeat(np.arange(len(ids)), [len(row) for row in ids])
    flat = np.concatenate([np.asarray(row, np.int64) for row in ids])
    shape = len(ids), pieces.size
    counts = scipy.sparse.csr_array((np.ones(len(flat)), (places, flat)), shape=shape)
    counts.sum_duplicates()
    weight = np.log((1 + len(ids)) / (1 + (counts > 0).sum(axis=0)))
    counts.data = np.log1p(counts.data)
    matrix = counts @ scipy.sparse.diags_array(weight)
    lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    matrix = scipy.sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ matrix
    _, _, axes = randomized_svd(matrix.tocsr(), width, n_iter=4, random_state=seed)
    found: np.ndarray = (weight[:, None] * axes.T).astype(np.float32)
    return found


def refine(
    vectors: Float32[np.ndarray, "v d"], pieces: Pieces, settings: TrainingSettings, seed: int
) -> Float32[np.ndarray, "v d"]:
    """Return the vectors after training means of them: translations above all others of a batch.

    Pieces are dropped at random, so that no single one carries a sentence.

    Args:
        vectors: to begin with.
        pieces: rows with at least two languages are trained on.
        settings: see `recipe`.
        seed: of pairs and of what is dropped.
    """
    table = torch.nn.Parameter(torch.from_numpy(vectors / np.sqrt(np.square(vectors).mean())))
    optimizer = torch.optim.Adam([table], lr=settings.vector_rate, fused=True)
    rng = np.random.default_rng(seed)
    rows = [[np.asarray(part) for part in row.values()] for row in pieces.rows if len(row) > 1]
    batch = min(settings.vector_batch, len(rows))

    def means(texts: Sequence[np.ndarray]) -> torch.Tensor:
        kept = []
        for ids in texts:
            some = ids[rng.random(len(ids)) >= settings.dropped]
            kept.append(some if len(some) else ids)
        starts = np.cumsum([0, *map(len, kept[:-1])])
        flat = torch.from_numpy(np.concatenate(kept))
        return functional.embedding_bag(flat, table, torch.from_numpy(starts), mode="mean")

    for step in range(settings.vector_steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.vector_rate * (1 - step / settings.vector_steps)
        chosen = rng.choice(len(rows), batch, replace=False)
        pairs = [rng.choice(len(rows[row]), 2, replace=False) for row in chosen]
        sides = [
            means([rows[row][pair[side]] for row, pair in zip(chosen, pairs, strict=True)])
            for side in (0, 1)
        ]
        loss = contrast(sides[0], sides[1], settings.temperature)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    found: np.ndarray = table.detach().numpy()
    return found


def contrast(x: torch.Tensor, y: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the InfoNCE loss of rows that translate each other, by their cosines."""
    return infonce(functional.normalize(x) @ functional.normalize(y).T / temperature)
