"""Representations that lie in a store: what it has is read, what it does not have is encoded first."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int32

from ...data import Side
from ..checkpoints.checkpoint import Checkpoint
from ..runs.progress import Tick
from ..runs.shares import SharePending, parse_share, share_of
from .keys import sentence_key
from .store import Space, Store, StoredRows

logger = logging.getLogger(__name__)

KEPT = 64 << 20  # bytes of vectors that are read once


@runtime_checkable
class Representations(Protocol):
    """Vectors of sentences, layer by layer: from a model through the store, or given."""

    @property
    def available(self) -> tuple[int, ...]:
        """The layers there are."""

    @property
    def last(self) -> int:
        """L."""

    def read(self, side: Side, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of a side at some layers."""

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return tokens, truncated, unknown tokens of each sentence (zeros where not known)."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Representations that lie in a store."""

    store: Store
    prefix: str
    last: int
    available: tuple[int, ...]
    _known: dict[Side, StoredRows] = field(default_factory=dict)  # a side is read layer by layer
    _read: dict[tuple[Side, tuple[int, ...]], np.ndarray] = field(default_factory=dict)

    def read(self, side: Side, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of a side at some layers; what is read first is kept, as far as it fits.

        So is the target of many bitexts, which are read one after the other.
        """
        key = side, tuple(layers)
        found = self._read.get(key)
        if found is None:
            found = self.store.read(self._places(side), layers)
            kept = list(self._read.values())  # at once: other threads may be reading, too
            if found.nbytes + sum(one.nbytes for one in kept) <= KEPT:
                found.flags.writeable = False
                self._read[key] = found
        return found

    def chunks(
        self, side: Side, layers: Sequence[int], rows: int
    ) -> Iterator[Float32[np.ndarray, "layers n dim"]]:
        """Yield the vectors of a side that may be larger than memory, so many sentences at a time."""
        keys = [sentence_key(self.prefix, sentence) for sentence in side.sentences]
        for start in range(0, len(keys), rows):
            yield self.store.read(self.store.places(keys[start : start + rows]), layers)

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return tokens, truncated, unknown tokens of each sentence."""
        return self.store.counts(self._places(side))

    def _places(self, side: Side) -> StoredRows:
        if side not in self._known:
            keys = [sentence_key(self.prefix, sentence) for sentence in side.sentences]
            self._known[side] = self.store.places(keys)
        return self._known[side]


def represent(
    checkpoint: Checkpoint,
    sides: Sequence[Side],
    *,
    root: Path,
    poolings: Sequence[str] = ("mean",),
    layers: Sequence[int] | None = None,
    store_dtype: str = "float32",
    batch_tokens: int | None = None,
    progress: Tick | None = None,
) -> dict[str, Stored]:
    """Make sure that every sentence of some sides is in the store, and return how to read it.

    Args:
        checkpoint: the model.
        sides: whose sentences.
        root: the root of the store.
        poolings: names of `POOLINGS`, or "native" (layer L only).
        layers: what to keep; None for all layers, which later runs can draw on.
        store_dtype: "float32" or "float16" on disk.
        batch_tokens: padded tokens of a batch; by default fitting the device.
        progress: called after every shard.

    Raises:
        ValueError: an unknown pooling, a layer out of range, a NaN from the model.
        OSError: the store cannot be written.
    """
    spaces = {name: _space(checkpoint, name, layers, store_dtype, root) for name in poolings}
    stores = {name: Store(space.folder(root)) for name, space in spaces.items()}
    wanted = {
        name: space.layers or tuple(range(checkpoint.layers + 1)) for name, space in spaces.items()
    }
    asked = [(side, row) for side in sides for row in range(len(side.texts))]
    first: dict[bytes, tuple[Side, int]] = {}
    for side, row in asked:
        first.setdefault(sentence_key(checkpoint.prefix, side.sentences[row]), (side, row))
    for name, store in stores.items():
        store.drop_damaged(first, wanted[name])
    lacking: dict[bytes, None] = {}
    for store in stores.values():
        lacking |= dict.fromkeys(store.missing(first))
    logger.info(
        "sentences: %s asked, %s distinct, %s to encode",
        f"{len(asked):,}",
        f"{len(first):,}",
        f"{len(lacking):,}",
    )
    if not lacking and checkpoint.original is not None:
        logger.warning(
            "%s: its vectors are in the store already, and not compared with %s; take another `store`",
            *(checkpoint.name, checkpoint.original.name),
        )
    if lacking:
        from .missing import encode_missing  # torch takes a second: not for what is stored

        encode_missing(
            checkpoint,
            {one: first[one] for one in lacking},
            {name: (stores[name], spaces[name], wanted[name]) for name in poolings},
            batch_tokens=batch_tokens,
            progress=progress,
        )
    return {
        name: Stored(stores[name], checkpoint.prefix, checkpoint.layers, wanted[name])
        for name in poolings
    }


def encode_share(
    encode: Callable[[Sequence[Side]], Mapping[str, Stored]],
    prefix: str,
    sides: Sequence[Side],
    part: str,
) -> None:
    """Encode the sentences of one share of some sides: those whose keys say so.

    Args:
        encode: encodes what is missing of some sides.
        prefix: what the model reads before every sentence.
        sides: all of them.
        part: the share, as 2/8; nothing is done where it is empty.

    Raises:
        SharePending: sentences of others' shares are missing.
    """
    share = parse_share(part)
    if share is None:
        return
    keys: set[bytes] = set()
    shared = []
    for side in sides:
        keyed = [(sentence_key(prefix, one), one) for one in side.sentences]
        keys.update(key for key, _ in keyed)
        own = tuple(one for key, one in keyed if share_of(key, share.of) == share.number)
        shared.append(replace(side, sentences=own))
    stores = [Store(one.store.folder) for one in encode(shared).values()]  # as others left them
    left = {key for store in stores for key in store.missing(keys)}
    if left:
        raise SharePending(
            f"share {part} is encoded; {len(left):,} of {len(keys):,} sentences are not yet: the last "
            "share goes on, or the same command without `share`"
        )


def _space(
    checkpoint: Checkpoint,
    pooling: str,
    layers: Sequence[int] | None,
    store_dtype: str,
    root: Path,
) -> Space:
    """Return the space to use: the one with all layers where it exists, else just those asked for."""
    shared = (checkpoint.max_length, checkpoint.dtype, store_dtype)
    if pooling == "native":
        return Space(checkpoint.fingerprint, pooling, (checkpoint.layers,), *shared)
    every = Space(checkpoint.fingerprint, pooling, None, *shared)
    if layers is None or set(layers) == set(range(checkpoint.layers + 1)):
        return every
    if every.folder(root).is_dir():
        return every
    return Space(checkpoint.fingerprint, pooling, tuple(sorted(set(layers))), *shared)
