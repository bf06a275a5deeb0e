"""What is fed to a model for the sentences that a store does not have, and the shards it is cut into.

The plan of a pass is a pure function of the missing texts: sorted by (tokens, descending; hash), cut
greedily into shards. Texts with the same token ids are fed once: they have the same vector, to the bit.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from ...data import Side
from ..checkpoints.checkpoint import Checkpoint
from ..encoding.tokens import Tokens, tokenize
from ..encoding.words import Words, find_words
from .keys import fed
from .store import digest, key

SHARD_TOKENS = 32_768  # never depends on the machine: the cut decides a vector's last bits
SHARD_ROWS = 8_192


class TextRow(NamedTuple):
    """A row of the store."""

    key: bytes  # of its text
    tokens: bytes  # of its token ids
    counts: tuple[int, int, int]  # tokens, whether truncated, unknown tokens


@dataclass(frozen=True, eq=False)
class Texts:
    """Distinct texts to be fed, and of each the rows of the store that come of it.

    They are the texts that have these token ids, or the words that are wanted of it.
    """

    rows: Sequence[Sequence[TextRow]]
    labels: Sequence[str]
    tokens: Tokens
    words: Words | None

    def shards(self) -> Iterator[Int64[np.ndarray, "_"]]:
        """Yield the texts of each shard, longest first; the texts come in the order of their hashes."""
        counts, rows = self.tokens.counts, np.array([len(own) for own in self.rows])
        order = np.lexsort((np.arange(len(counts)), -counts))
        for shard in cut(counts[order], rows[order]):
            yield order[shard]

    def repeated(self, texts: Int64[np.ndarray, "n"]) -> Int64[np.ndarray, "_"]:
        """Return of some texts each as often as rows of the store come of it."""
        return np.repeat(texts, [len(self.rows[text]) for text in texts])

    def of(self, texts: Iterable[int]) -> list[TextRow]:
        """Return the rows of the store that come of some texts."""
        return [row for text in texts for row in self.rows[text]]

    def without(self, texts: Collection[int]) -> "Texts | None":
        """Return all texts but some; nothing where none is left."""
        rest = [text for text in range(len(self.rows)) if text not in texts]
        if not rest:
            return None
        rows, labels = [self.rows[text] for text in rest], [self.labels[text] for text in rest]
        words = None if self.words is None else self.words.take(rest)
        return Texts(rows, labels, self.tokens.take(rest), words)


def texts_of(checkpoint: Checkpoint, lacking: Mapping[bytes, tuple[Side, int]]) -> list[Texts]:
    """Return what is to be fed: the texts wanted whole, then those of which words are wanted."""
    whole: dict[str, list[tuple[bytes, tuple[int, int]]]] = {}
    words: dict[str, list[tuple[bytes, tuple[int, int]]]] = {}
    labels: dict[str, str] = {}
    for one in sorted(lacking):
        side, row = lacking[one]
        text, span = fed(checkpoint.prefix, side.sentences[row])
        labels.setdefault(text, f"{side.language} {side.ids[row]}")
        (whole if span is None else words).setdefault(text, []).append((one, span or (0, 0)))
    parts = []
    for found in (whole, words):
        texts = sorted(found, key=key)
        if not texts:
            continue
        tokens = tokenize(checkpoint.tokenizer, texts, checkpoint.max_length)
        keys = [[one for one, _ in found[text]] for text in texts]
        places = None
        if found is words:
            spans = [[span for _, span in found[text]] for text in texts]
            places = find_words(checkpoint.tokenizer, texts, spans, checkpoint.max_length)
        parts.append(_fed_once(keys, [labels[text] for text in texts], tokens, places))
    return parts


def _fed_once(
    keys: Sequence[Sequence[bytes]], labels: Sequence[str], tokens: Tokens, words: Words | None
) -> Texts:
    """Return the texts with different token ids: of some with the same ids the first is fed."""
    counts = np.stack([tokens.counts, tokens.truncated, tokens.unknown], axis=1).tolist()
    alike: dict[bytes, list[int]] = {}
    for text in range(len(keys)):
        alike.setdefault(tokens.of(text).tobytes(), []).append(text)
    rows: list[list[TextRow]] = []
    for ids, texts in alike.items():
        own = [(text, place) for text in texts for place in range(len(keys[text]))]
        spans = [b"" if words is None else b"word" + words.span(*one) for one in own]
        rows.append(
            [
                TextRow(keys[text][place], digest(ids + span), tuple(counts[text]))
                for (text, place), span in zip(own, spans, strict=True)
            ]
        )
    first = [texts[0] for texts in alike.values()]
    joined = None if words is None else words.join(list(alike.values()))
    return Texts(rows, [labels[text] for text in first], tokens.take(first), joined)


def cut(counts: Int64[np.ndarray, "n"], rows: Int64[np.ndarray, "n"]) -> Iterator[slice]:
    """Cut texts, longest first, into shards of at most SHARD_TOKENS tokens and SHARD_ROWS rows."""
    start, total, sum_rows = 0, 0, 0
    for text, (count, own) in enumerate(zip(counts.tolist(), rows.tolist(), strict=True)):
        if text > start and (total + count > SHARD_TOKENS or sum_rows + own > SHARD_ROWS):
            yield slice(start, text)
            start, total, sum_rows = text, 0, 0
        total, sum_rows = total + count, sum_rows + own
    if len(counts):
        yield slice(start, len(counts))
