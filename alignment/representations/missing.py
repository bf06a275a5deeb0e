"""Encoding what the store does not have: one pass over the missing texts, shard by shard.

The plan of a pass is a pure function of the missing texts: sorted by (tokens, descending; hash), cut
greedily into shards, committed in that order. A run that was killed is continued by the rest of the
same plan, so its bits are those of an undisturbed run on the same machine.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from ...data import Side
from ...data.nearest import closest
from ...data.rows import Columns
from ..checkpoints.checkpoint import Checkpoint
from ..encoding.encode import BATCH_TOKENS, encode_rows
from ..encoding.hidden_states import layer_states
from ..encoding.native import native_pool
from ..encoding.pooling import POOLINGS, Pool
from ..encoding.precision import compare_with_float32
from ..encoding.tokens import Tokens, tokenize
from ..encoding.words import Words, find_words
from ..runs.progress import Tick
from .keys import fed
from .store import Space, Store, describe, key

logger = logging.getLogger(__name__)

SHARD_TOKENS = 32_768  # never depends on the machine: the cut decides a vector's last bits
SHARD_ROWS = 8_192
LARGE = 10e9  # bytes; more than this is announced before it is written


def encode_missing(
    checkpoint: Checkpoint,
    missing: Mapping[bytes, tuple[Side, int]],
    stores: Mapping[str, tuple[Store, Space, Sequence[int]]],
    *,
    batch_tokens: int | None,
    progress: Tick | None,
) -> None:
    """Encode the sentences that some stores do not have, and write them.

    Args:
        checkpoint: the model.
        missing: by key, a side and a row of it that has the sentence.
        stores: by pooling: the store, its space, the layers to keep.
        batch_tokens: padded tokens of a batch; by default fitting the device.
        progress: called after every shard.

    Raises:
        ValueError: an unknown pooling; words with native pooling; a NaN from the model.
        OSError: the store cannot be written.
    """
    if "native" in stores and any(side.sentences[row].context for side, row in missing.values()):
        raise ValueError("words in context have no native pooling; take mean or first")
    pools = {name: (_pool(checkpoint, name), layers) for name, (_, _, layers) in stores.items()}
    places = {name: (store, space) for name, (store, space, _) in stores.items()}
    work = _Work(checkpoint, pools, places, _texts(checkpoint, missing))
    _encode_shards(work, batch_tokens, progress)


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


def _encode_shards(work: _Work, batch_tokens: int | None, progress: Tick | None) -> None:
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
    budget = batch_tokens or BATCH_TOKENS.get(device.type, BATCH_TOKENS["cpu"])
    pad_id = checkpoint.tokenizer.pad_token_id or 0
    options: Columns = {"device": device, "pad_id": pad_id}
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


def _pool(checkpoint: Checkpoint, pooling: str) -> Pool:
    if pooling == "native":
        return native_pool(checkpoint.folder)
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}: {closest(pooling, [*POOLINGS, 'native'])}")
    return POOLINGS[pooling]


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
                f"{len(which)} of {len(own)} sentences, first {labels}; try `dtype` float32"
            )
