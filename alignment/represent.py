"""Texts to representations: what the store has is read, what it lacks is encoded in one pass.

The plan of a pass is a pure function of the missing texts: sorted by (tokens, descending; hash), cut
greedily into shards, committed in that order. A run that was killed is continued by the rest of the
same plan, so its bits are those of an undisturbed run on the same machine.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int32, Int64

from ..data import Sentence, Side
from ..data.languages import nearest
from .checkpoint import Checkpoint
from .encode import BUDGET, encode_rows
from .native import native_pool
from .pooling import POOLINGS, Pool
from .precision import compare_with_float32
from .states import layer_states
from .store import Places, Space, Store, describe, key
from .tokens import Tokens, tokenize

logger = logging.getLogger(__name__)

SHARD_TOKENS = 32_768  # never depends on the machine: the cut decides a vector's last bits
SHARD_ROWS = 8_192
KEPT = 64 << 20  # bytes of vectors that are read once
LARGE = 10e9  # bytes; more than this is announced before it is written

Progress = Callable[[int, int], None]  # done, of how many


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
    _known: dict[Side, Places] = field(default_factory=dict)  # a side is read layer by layer
    _read: dict[tuple[Side, tuple[int, ...]], np.ndarray] = field(default_factory=dict)

    def read(self, side: Side, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of a side at some layers; what is read first is kept, as far as it fits.

        So is the target of many bitexts, which are read one after the other.
        """
        key = side, tuple(layers)
        found = self._read.get(key)
        if found is None:
            found = self.store.read(self._places(side), layers)
            if found.nbytes + sum(kept.nbytes for kept in self._read.values()) <= KEPT:
                found.flags.writeable = False
                self._read[key] = found
        return found

    def counts(self, side: Side) -> Int32[np.ndarray, "n 3"]:
        """Return tokens, truncated, unknown tokens of each sentence."""
        return self.store.counts(self._places(side))

    def _places(self, side: Side) -> Places:
        if side not in self._known:
            keys = [_key(self.prefix, sentence) for sentence in side.sentences]
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
    budget: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Stored]:
    """Make sure that every sentence of some sides is in the store, and return how to read it.

    Args:
        checkpoint: the model.
        sides: whose sentences.
        root: the root of the store.
        poolings: names of `POOLINGS`, or "native" (layer L only).
        layers: what to keep; None for all layers, which later runs can draw on.
        store_dtype: "float32" or "float16" on disk.
        budget: padded tokens of a batch; by default fitting the device.
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
        first.setdefault(_key(checkpoint.prefix, side.sentences[row]), (side, row))
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
    if lacking:
        keys = sorted(lacking)
        sentences = [side.sentences[row] for side, row in map(first.__getitem__, keys)]
        texts, spans = zip(*(_fed(checkpoint.prefix, one) for one in sentences), strict=True)
        words = any(span is not None for span in spans)
        if words and "native" in poolings:
            raise ValueError("words in context have no native pooling; take mean or first")
        work = _Work(
            checkpoint,
            {name: (_pool(checkpoint, name), wanted[name]) for name in poolings},
            {name: (stores[name], spaces[name]) for name in poolings},
            keys,
            [f"{side.language} {side.ids[row]}" for side, row in map(first.__getitem__, keys)],
            tokenize(checkpoint.tokenizer, texts, checkpoint.max_length, spans if words else None),
        )
        _encode_missing(work, budget, progress)
    return {
        name: Stored(stores[name], checkpoint.prefix, checkpoint.layers, wanted[name])
        for name in poolings
    }


def _fed(prefix: str, sentence: Sentence) -> tuple[str, tuple[int, int] | None]:
    """Return what a model is fed for a sentence, or for a word in its context, and where the word is."""
    if sentence.context is None:
        return prefix + sentence.text, None
    text, start, end = sentence.context
    return prefix + text, (len(prefix) + start, len(prefix) + end)


def _key(prefix: str, sentence: Sentence) -> bytes:
    text, span = _fed(prefix, sentence)
    return key(text if span is None else f"{text}\0{span[0]}:{span[1]}")


@dataclass(frozen=True, eq=False)
class _Work:
    checkpoint: Checkpoint
    pools: Mapping[str, tuple[Pool, Sequence[int]]]
    stores: Mapping[str, tuple[Store, Space]]
    keys: Sequence[bytes]
    labels: Sequence[str]
    tokens: Tokens


def cut(counts: Int64[np.ndarray, "n"]) -> Iterator[slice]:
    """Cut texts, longest first, into shards of at most SHARD_TOKENS tokens and SHARD_ROWS rows."""
    start, total = 0, 0
    for row, count in enumerate(counts):
        if row > start and (total + count > SHARD_TOKENS or row - start == SHARD_ROWS):
            yield slice(start, row)
            start, total = row, 0
        total += int(count)
    if len(counts):
        yield slice(start, len(counts))


def _encode_missing(work: _Work, budget: int | None, progress: Progress | None) -> None:
    """Encode what is missing, shard by shard; a shard is written while the next is computed."""
    checkpoint, tokens = work.checkpoint, work.tokens
    order = np.lexsort((np.arange(len(work.keys)), -tokens.counts))  # the keys are sorted already
    shards = list(cut(tokens.counts[order]))
    logger.info(
        "loading %s (%s, at most %d tokens)", checkpoint.name, checkpoint.dtype, checkpoint.max_length
    )
    model = checkpoint.load()
    device = next(model.parameters()).device
    _announce_size(work)
    budget = budget or BUDGET.get(device.type, BUDGET["cpu"])
    pad_id = checkpoint.tokenizer.pad_token_id or 0
    options: dict[str, Any] = {"device": device, "pad_id": pad_id}
    numbers = {name: store.next_number() for name, (store, _) in work.stores.items()}
    with layer_states(model, checkpoint.layers) as run, ThreadPoolExecutor(1) as writer:
        for store, space in work.stores.values():
            describe(store.folder, space, {"checkpoint": checkpoint.name})
        if checkpoint.dtype != "float32":
            compared = compare_with_float32(
                checkpoint, run, tokens, work.pools, budget=budget, **options
            )
            for name, (store, space) in work.stores.items():
                describe(store.folder, space, {"against_float32": compared[name]})
        writing: Future[None] | None = None
        for at, shard in enumerate(shards):
            rows = order[shard]
            values, budget = encode_rows(run, tokens, rows, work.pools, budget=budget, **options)
            _refuse_non_finite(work, rows, values)
            if writing is not None:
                writing.result()
            writing = writer.submit(_commit, work, rows, values, {n: numbers[n] + at for n in numbers})
            if progress is not None:
                progress(shard.stop, len(order))
        if writing is not None:
            writing.result()


def _commit(
    work: _Work,
    rows: Int64[np.ndarray, "n"],
    values: Mapping[str, np.ndarray],
    numbers: Mapping[str, int],
) -> None:
    tokens = work.tokens
    counts = np.stack([tokens.counts[rows], tokens.truncated[rows], tokens.unknown[rows]], axis=1)
    for name, (store, space) in work.stores.items():
        store.write(
            numbers[name],
            [work.keys[row] for row in rows],
            counts.astype(np.int32),
            work.pools[name][1],
            values[name].astype(space.store_dtype, copy=False),
        )


def _space(
    checkpoint: Checkpoint,
    pooling: str,
    layers: Sequence[int] | None,
    store_dtype: str,
    root: Path,
) -> Space:
    """Return the space to use: the one with all layers where it exists, else just those asked for."""
    if pooling not in (*POOLINGS, "native"):
        raise ValueError(f"unknown pooling {pooling!r}: {nearest(pooling, [*POOLINGS, 'native'])}")
    shared = (checkpoint.max_length, checkpoint.dtype, store_dtype)
    if pooling == "native":
        return Space(checkpoint.fingerprint, pooling, (checkpoint.layers,), *shared)
    every = Space(checkpoint.fingerprint, pooling, None, *shared)
    if layers is None or set(layers) == set(range(checkpoint.layers + 1)):
        return every
    if every.folder(root).is_dir():
        return every
    return Space(checkpoint.fingerprint, pooling, tuple(sorted(set(layers))), *shared)


def _pool(checkpoint: Checkpoint, pooling: str) -> Pool:
    return native_pool(checkpoint.folder) if pooling == "native" else POOLINGS[pooling]


def _announce_size(work: _Work) -> None:
    width = work.checkpoint.config.get_text_config().hidden_size
    size = sum(
        len(work.keys) * len(layers) * width * np.dtype(work.stores[name][1].store_dtype).itemsize
        for name, (_, layers) in work.pools.items()
    )
    say = logger.warning if size > LARGE else logger.info
    say("the store grows by %.2f GB", size / 1e9)


def _refuse_non_finite(
    work: _Work, rows: Int64[np.ndarray, "n"], values: Mapping[str, np.ndarray]
) -> None:
    for name, array in values.items():
        bad: np.ndarray = ~np.isfinite(array).all(axis=2)
        if bad.any():
            layer = int(np.flatnonzero(bad.any(axis=1))[0])
            which = np.flatnonzero(bad[layer])
            labels = ", ".join(work.labels[rows[i]] for i in which[:3])
            raise ValueError(
                f"{work.checkpoint.name}: layer {work.pools[name][1][layer]} ({name}) is not finite for "
                f"{len(which)} of {len(rows)} sentences, first {labels}; try --dtype float32"
            )
