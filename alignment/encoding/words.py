"""Words in their sentences: one pass over a sentence, a vector for each of its words asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from .pooling import Batch
from .tokens import CHUNK

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, eq=False)
class Words:
    """Which tokens make up each word; those of text i are offsets[i] … offsets[i + 1] - 1."""

    offsets: Int64[np.ndarray, "texts_plus_1"]
    starts: Int64[np.ndarray, "w"]
    stops: Int64[np.ndarray, "w"]

    def of(self, rows: Int64[np.ndarray, "b"]) -> Int64[np.ndarray, "_"]:
        """Return the words of some texts, text by text."""
        return np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in rows])

    def span(self, text: int, word: int) -> bytes:
        """Return from which token to which a word of a text goes, as bytes."""
        at = int(self.offsets[text]) + word
        return b"".join(places[at].tobytes() for places in (self.starts, self.stops))

    def join(self, texts: Sequence[Sequence[int]]) -> "Words":
        """Return the words of several texts as those of one, for each group of texts."""
        which = [self.of(np.array(group)) for group in texts]
        offsets = np.concatenate([[0], np.cumsum([len(one) for one in which])]).astype(np.int64)
        every = np.concatenate(which)
        return Words(offsets, self.starts[every], self.stops[every])

    def take(self, texts: Sequence[int]) -> "Words":
        """Return the words of some of the texts."""
        return self.join([[text] for text in texts])

    @property
    def counts(self) -> Int64[np.ndarray, "texts"]:
        """Words of each text."""
        return np.diff(self.offsets)


@dataclass(frozen=True, eq=False)
class WordBatch:
    """The words of a batch as a batch of their own: what a pooling sees is a word's tokens."""

    rows: Tensor  # (words, 1) of the batch
    places: Tensor  # (words, width) tokens of that row
    batch: Batch

    @staticmethod
    def of(batch: Batch, words: Words, rows: Int64[np.ndarray, "b"]) -> "WordBatch":
        """Return the view of the words of the texts `rows`, which the batch holds."""
        device, which = batch.ids.device, words.of(rows)
        starts, lengths = words.starts[which], words.stops[which] - words.starts[which]
        own = np.repeat(np.arange(len(rows)), words.counts[rows])
        steps = np.minimum(np.arange(lengths.max())[None, :], lengths[:, None] - 1)
        at = torch.from_numpy(own[:, None]).to(device)
        places = torch.from_numpy(starts[:, None] + steps).to(device)
        inner = Batch(
            batch.ids[at, places],
            torch.from_numpy(lengths).to(device),
            batch.special[at, places],
            padded=bool(lengths.min() < lengths.max()),
            starts=torch.from_numpy(starts).to(device),
        )
        return WordBatch(at, places, inner)

    def states(self, states: Tensor) -> Tensor:
        """Return (words, width, dim) of the batch's states (batch, tokens, dim)."""
        return states[self.rows.to(states.device), self.places.to(states.device)]


def find_words(
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[str],
    spans: Sequence[Sequence[tuple[int, int]]],
    max_length: int,
) -> Words:
    """Return the tokens that overlap each word.

    Args:
        tokenizer: the checkpoint's, just used to `tokenize`: it still cuts at `max_length`.
        texts: whole, with prefix.
        spans: characters (from, to) of each word of each text.
        max_length: in tokens, for the message.

    Raises:
        ValueError: a word without any token: it lies behind the cut, or the tokenizer drops it; a
            tokenizer that does not know its offsets.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError("words in context need a tokenizer that knows its offsets (a fast one)")
    found: list[np.ndarray] = []
    for start in range(0, len(texts), CHUNK):
        chunk = slice(start, start + CHUNK)
        encodings = backend.encode_batch(list(texts[chunk]))
        for text, asked, encoding in zip(texts[chunk], spans[chunk], encodings, strict=True):
            begin, end = np.array(encoding.offsets).T
            first, last = np.array(asked, np.int64).T[:, :, None]
            overlaps: np.ndarray = (begin < last) & (end > first) & (end > begin)
            lost = np.flatnonzero(~overlaps.any(axis=1))
            if len(lost):
                word = text[slice(*asked[lost[0]])]
                if not encoding.overflowing:
                    raise ValueError(
                        f"the tokenizer drops the word {word!r} in {text[:40]!r}…; leave it out"
                    )
                raise ValueError(
                    f"none of the first {max_length} tokens is of the word {word!r} in "
                    f"{text[:40]!r}…; raise `max_length` or leave the sentence out"
                )
            width = overlaps.shape[1]
            found.append(np.stack([overlaps.argmax(axis=1), width - overlaps[:, ::-1].argmax(axis=1)]))
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([one.shape[1] for one in found], out=offsets[1:])
    starts, stops = np.concatenate(found, axis=1)
    return Words(offsets, starts, stops)
