"""Texts to representations: what the store has is read, what it lacks is encoded in one pass.

The plan of a pass is a pure function of the missing texts: sorted by (tokens, descending; hash), cut
greedily into shards, committed in that order. A run that was killed is continued by the rest of the
same plan, so its bits are those of an undisturbed run on the same machine.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int32, Int64

from ..data import Sentence, Side
from ..data.languages import nearest
from .bars import Progress as Progress
from .checkpoint import Checkpoint
from .encode import BUDGET, encode_rows
from .native import native_pool
from .pooling import POOLINGS, Pool
from .precision import compare_with_float32
from .states import layer_states
from .store import Places, Space, Store, describe, key
from .tokens import Tokens, tokenize
from .words import Words, find_words

logger = logging.getLogger(__name__)

SHARD_TOKENS = 32_768  # never depends on the machine: the cut decides a vector's last bits
SHARD_ROWS = 8_192
KEPT = 64 << 20  # bytes of vectors that are read once
LARGE = 10e9  # bytes; more than this is announced before it is written


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
            kept = list(self._read.values())  # at once: other threads may be reading, too
            if found.nbytes + sum(one.nbytes for one in kept) <= KEPT:
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
        asked_of = map(first.__getitem__, lacking)
        if "native" in poolings and any(side.sentences[row].context for side, row in asked_of):
            raise ValueError("words in context have no native pooling; take mean or first")
        pools = {name: (_pool(checkpoint, name), wanted[name]) for name in poolings}
        places = {name: (stores[name], spaces[name]) for name in poolings}
        parts = _texts(checkpoint, {one: first[one] for one in lacking})
        _encode_missing(_Work(checkpoint, pools, places, parts), budget, progress)
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
class _Texts:
    """Distinct texts to be fed, and of each the rows of the store that come of it: itself, or words."""

    keys: Sequence[Sequence[bytes]]
    labels: Sequence[str]
    tokens: Tokens
    words: Words | None

    def shards(self) -> Iterator[Int64[np.ndarray, "_"]]:
        """Yield the texts of each shard, longest first; the texts come in the order of their hashes."""
        counts, rows = self.tokens.counts, np.array([len(keys) for keys in self.keys])
        order = np.lexsort((np.arange(len(counts)), -counts))
        for shard in cut(counts[order], rows[order]):
            yield order[shard]

    def repeated(self, rows: Int64[np.ndarray, "n"]) -> Int64[np.ndarray, "_"]:
        """Return of some texts each as often as rows of the store come of it."""
        return np.repeat(rows, [len(self.keys[row]) for row in rows])


@dataclass(frozen=True, eq=False)
class _Work:
    checkpoint: Checkpoint
    pools: Mapping[str, tuple[Pool, Sequence[int]]]
    stores: Mapping[str, tuple[Store, Space]]
    parts: Sequence[_Texts]


def _texts(checkpoint: Checkpoint, lacking: Mapping[bytes, tuple[Side, int]]) -> list[_Texts]:
    """Return what is to be fed: the texts wanted whole, then those of which words are wanted."""
    whole: dict[str, list[tuple[bytes, tuple[int, int]]]] = {}
    words: dict[str, list[tuple[bytes, tuple[int, int]]]] = {}
    labels: dict[str, str] = {}
    for one in sorted(lacking):
        side, row = lacking[one]
        text, span = _fed(checkpoint.prefix, side.sentences[row])
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
        parts.append(_Texts(keys, [labels[text] for text in texts], tokens, places))
    return parts


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


def _encode_missing(work: _Work, budget: int | None, progress: Progress | None) -> None:
    """Encode what is missing, shard by shard; a shard is written while the next is computed."""
    checkpoint = work.checkpoint
    shards = [(texts, rows) for texts in work.parts for rows in texts.shards()]
    count, done = sum(len(rows) for _, rows in shards), 0
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
                checkpoint, run, work.parts[0].tokens, work.pools, budget=budget, **options
            )
            for name, (store, space) in work.stores.items():
                describe(store.folder, space, {"against_float32": compared[name]})
        writing: Future[None] | None = None
        for at, (texts, rows) in enumerate(shards):
            values, budget = encode_rows(
                run, texts.tokens, rows, work.pools, budget=budget, words=texts.words, **options
            )
            _refuse_non_finite(work, texts, rows, values)
            if writing is not None:
                writing.result()
            place = {name: number + at for name, number in numbers.items()}
            writing = writer.submit(_commit, work, texts, rows, values, place)
            done += len(rows)
            if progress is not None:
                progress(done, count)
        if writing is not None:
            writing.result()


def _commit(
    work: _Work,
    texts: _Texts,
    rows: Int64[np.ndarray, "n"],
    values: Mapping[str, np.ndarray],
    numbers: Mapping[str, int],
) -> None:
    tokens = texts.tokens
    keys = [one for row in rows for one in texts.keys[row]]
    own = texts.repeated(rows)
    counts = np.stack([tokens.counts[own], tokens.truncated[own], tokens.unknown[own]], axis=1)
    for name, (store, space) in work.stores.items():
        store.write(
            numbers[name],
            keys,
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
    count = sum(len(keys) for texts in work.parts for keys in texts.keys)
    size = sum(
        count * len(layers) * width * np.dtype(work.stores[name][1].store_dtype).itemsize
        for name, (_, layers) in work.pools.items()
    )
    say = logger.warning if size > LARGE else logger.info
    say("the store grows by %.2f GB", size / 1e9)


def _refuse_non_finite(
    work: _Work, texts: _Texts, rows: Int64[np.ndarray, "n"], values: Mapping[str, np.ndarray]
) -> None:
    own = texts.repeated(rows)
    for name, array in values.items():
        bad: np.ndarray = ~np.isfinite(array).all(axis=2)
        if bad.any():
            layer = int(np.flatnonzero(bad.any(axis=1))[0])
            which = np.flatnonzero(bad[layer])
            labels = ", ".join(texts.labels[own[i]] for i in which[:3])
            raise ValueError(
                f"{work.checkpoint.name}: layer {work.pools[name][1][layer]} ({name}) is not finite for "
                f"{len(which)} of {len(own)} sentences, first {labels}; try --dtype float32"
            )
