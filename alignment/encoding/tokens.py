"""Texts into token ids: all of them at once, in the tokenizer's own threads, without padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int32, Int64

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHUNK = 4096  # texts whose encodings are held at once


@dataclass(frozen=True, eq=False)
class Tokens:
    """Token ids of n texts, one after the other; text i has ids[offsets[i] : offsets[i + 1]]."""

    ids: Int32[np.ndarray, "total"]
    special: Bool[np.ndarray, "total"]  # added by the tokenizer: [CLS], [SEP], <s> …
    offsets: Int64[np.ndarray, "n_plus_1"]
    truncated: Bool[np.ndarray, "n"]  # longer than the model takes
    unknown: Int32[np.ndarray, "n"]  # how many ids are the unknown token

    @property
    def counts(self) -> Int64[np.ndarray, "n"]:
        """Tokens of each text."""
        return np.diff(self.offsets)

    def of(self, text: int) -> Int32[np.ndarray, "t"]:
        """Return the token ids of one text."""
        ids: np.ndarray = self.ids[self.offsets[text] : self.offsets[text + 1]]
        return ids

    def take(self, texts: Sequence[int]) -> "Tokens":
        """Return the tokens of some of the texts."""
        offsets = np.concatenate([[0], np.cumsum(self.counts[list(texts)])]).astype(np.int64)
        where = np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in texts])
        return Tokens(
            self.ids[where],
            self.special[where],
            offsets,
            self.truncated[list(texts)],
            self.unknown[list(texts)],
        )


def tokenize(
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[str],
    max_length: int,
) -> Tokens:
    """Return the tokens of texts as the model is fed them, cut at `max_length`.

    Args:
        tokenizer: the checkpoint's.
        texts: whole, with prefix.
        max_length: in tokens, special ones included.

    Raises:
        ValueError: a text without any token (its characters are all dropped by the tokenizer); no room
            for any between the special ones.
    """
    added = tokenizer.num_special_tokens_to_add()
    if max_length <= added:
        raise ValueError(
            f"`max_length` {max_length} leaves no room for a text: {added} special tokens come with it"
        )
    ids: list[np.ndarray] = []
    special: list[np.ndarray] = []
    truncated: list[bool] = []
    for start in range(0, len(texts), CHUNK):
        chunk = list(texts[start : start + CHUNK])
        for text, (row, mask, cut) in zip(chunk, _encode(tokenizer, chunk, max_length), strict=True):
            if not row:
                raise ValueError(f"the tokenizer leaves nothing of {text!r}; remove the sentence")
            ids.append(np.asarray(row, dtype=np.int32))
            special.append(np.asarray(mask, dtype=bool))
            truncated.append(cut)
    offsets = np.zeros(len(ids) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in ids], out=offsets[1:])
    flat = np.concatenate(ids) if ids else np.zeros(0, dtype=np.int32)
    unknown_id = tokenizer.unk_token_id
    hits = np.zeros(len(flat) + 1, dtype=np.int64)
    if unknown_id is not None:
        np.cumsum(flat == unknown_id, out=hits[1:])
    return Tokens(
        ids=flat,
        special=np.concatenate(special) if special else np.zeros(0, dtype=bool),
        offsets=offsets,
        truncated=np.asarray(truncated, dtype=bool),
        unknown=np.diff(hits[offsets]).astype(np.int32),
    )


def _encode(
    tokenizer: "PreTrainedTokenizerBase", texts: list[str], max_length: int
) -> list[tuple[list[int], list[int], bool]]:
    """Return (ids, special-token mask, truncated) of each text."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:  # a tokenizer in Python: slower, the same result
        whole = tokenizer(texts, truncation=False, padding=False, return_attention_mask=False)
        cut = tokenizer(
            texts,
            truncation=True,
            max_length=max_length,
            padding=False,
            return_attention_mask=False,
            return_special_tokens_mask=True,
        )
        return [
            (row, mask, len(full) > len(row))
            for row, mask, full in zip(
                cut["input_ids"], cut["special_tokens_mask"], whole["input_ids"], strict=True
            )
        ]
    backend.no_padding()  # baked-in settings of tokenizer.json must not leak in
    backend.enable_truncation(max_length, direction=tokenizer.truncation_side)
    return [
        (encoding.ids, encoding.special_tokens_mask, bool(encoding.overflowing))
        for encoding in backend.encode_batch_fast(texts)
    ]
