"""Encoding what the store does not have: one pass over the missing texts, shard by shard.

Shards are committed in the order of the plan (see `texts`). A run that was killed is continued by the
rest of the same plan, so its bits are those of an undisturbed run on the same machine. What a store has
of the same token ids already is copied.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from ...data import Side
from ...data.nearest import closest
from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.errors import refusing
from ..checkpoints.sizes import embeddings_of
from ..encoding.encode import Batching, ShardTexts, highest_of
from ..encoding.native import native_pool
from ..encoding.padding import padding_changes
from ..encoding.pooling import POOLINGS, Pool
from ..encoding.precision import compare_with
from ..encoding.runner import open_runner
from ..encoding.tokens import tokenize
from ..runs.progress import Tick
from .shard import ShardRows
from .store import Space, Store, StoredRows, describe, grouped
from .texts import SHARD_ROWS, TextRow, Texts, texts_of

logger = logging.getLogger(__name__)

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
    work = _Work(checkpoint, pools, places, texts_of(checkpoint, missing))
    work = _copy_known(work)
    if work.parts:
        _encode_shards(work, batch_tokens, progress)


@dataclass(frozen=True, eq=False)
class _Work:
    checkpoint: Checkpoint
    pools: Mapping[str, tuple[Pool, Sequence[int]]]
    stores: Mapping[str, tuple[Store, Space]]
    parts: Sequence[Texts]
    known: Mapping[str, Mapping[bytes, tuple[str, int]]] = field(default_factory=dict)  # token ids


def _copy_known(work: _Work) -> _Work:
    """Write the vectors of texts whose token ids all stores have already; return the rest."""
    asked = [row.tokens for part in work.parts for rows in part.rows for row in rows]
    known = {
        name: store.with_tokens(asked, work.pools[name][1]) for name, (store, _) in work.stores.items()
    }
    everywhere = set.intersection(*(set(places) for places in known.values()))
    rest = []
    for part in work.parts:
        copied = [i for i, rows in enumerate(part.rows) if all(one.tokens in everywhere for one in rows)]
        rows = part.of(copied)
        for start in range(0, len(rows), SHARD_ROWS):
            chunk = rows[start : start + SHARD_ROWS]
            for name, (store, space) in work.stores.items():
                layers = work.pools[name][1]
                values = store.read(_places(chunk, known[name]), layers)
                values = values.astype(space.store_dtype, copy=False)
                store.write(store.next_number(), _shard_rows(chunk), layers, values)
        rest.append(part.without(set(copied)))
    return replace(work, parts=[part for part in rest if part is not None], known=known)


def _places(rows: Sequence[TextRow], known: Mapping[bytes, tuple[str, int]]) -> StoredRows:
    """Return where the vectors of the token ids of some rows lie; of those that are known."""
    return grouped((at, *known[row.tokens]) for at, row in enumerate(rows) if row.tokens in known)


def _shard_rows(rows: Sequence[TextRow]) -> ShardRows:
    counts = np.array([row.counts for row in rows], dtype=np.int32)
    return ShardRows([row.key for row in rows], [row.tokens for row in rows], counts)


def _encode_shards(work: _Work, batch_tokens: int | None, progress: Tick | None) -> None:
    """Encode what is missing, shard by shard; a shard is written while the next is computed."""
    checkpoint = work.checkpoint
    shards = [(texts, rows) for texts in work.parts for rows in texts.shards()]
    count, done = sum(len(rows) for _, rows in shards), 0
    logger.info(
        "loading %s (%s, at most %d tokens)", checkpoint.name, checkpoint.dtype, checkpoint.max_length
    )
    with (
        open_runner(checkpoint, highest_of(work.pools)) as runner,
        ThreadPoolExecutor(1) as writer,
    ):
        _refuse_unknown_ids(work, runner.model)
        _announce_size(work)
        numbers = {name: store.next_number() for name, (store, _) in work.stores.items()}
        with refusing(checkpoint.name, "the model cannot be run"):
            never_pad = padding_changes(runner.many, runner.device, checkpoint.max_length)
        batching = Batching.of(runner.device, checkpoint.tokenizer, batch_tokens, never_pad)
        if never_pad:
            logger.warning(
                "%s: what it computes of a text depends on the padding, so that only texts of equal "
                "length share a batch",
                checkpoint.name,
            )
        for store, space in work.stores.values():
            describe(store.folder, space, {"checkpoint": checkpoint.name})
        exact = checkpoint.compared_with
        if exact is not None:
            tokens = work.parts[0].tokens
            compared = compare_with(exact, checkpoint, runner, tokens, work.pools, batching)
            against = "against_original" if checkpoint.original else "against_float32"
            for name, (store, space) in work.stores.items():
                describe(store.folder, space, {against: compared[name]})
        writing: Future[None] | None = None
        parts = [ShardTexts(texts.tokens, rows, texts.words) for texts, rows in shards]
        encoded = runner.encode(parts, work.pools, batching)
        for at, ((texts, rows), values) in enumerate(zip(shards, encoded, strict=True)):
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
    texts: Texts,
    rows: Int64[np.ndarray, "n"],
    values: Mapping[str, np.ndarray],
    numbers: Mapping[str, int],
) -> None:
    own = texts.of(rows.tolist())
    for name, (store, space) in work.stores.items():
        layers, stored = work.pools[name][1], values[name].astype(space.store_dtype, copy=False)
        if texts.words is None and len(own) > len(rows):
            stored = np.repeat(stored, [len(texts.rows[row]) for row in rows], axis=1)
        known = _places(own, work.known[name])
        if known:
            which = np.concatenate([mine for mine, _ in known.values()])
            stored[:, which] = store.read(known, layers)[:, which]
        store.write(numbers[name], _shard_rows(own), layers, stored)


def _pool(checkpoint: Checkpoint, pooling: str) -> Pool:
    if pooling == "native":
        return native_pool(checkpoint.parts, lambda: _prompt_tokens(checkpoint))
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}: {closest(pooling, [*POOLINGS, 'native'])}")
    return POOLINGS[pooling]


def _refuse_unknown_ids(work: _Work, model: Any) -> None:
    """Raise a ValueError where the tokenizer gives ids for which the model has no embedding."""
    table = embeddings_of(model)
    greatest = max(int(texts.tokens.ids.max()) for texts in work.parts)
    if isinstance(table, torch.nn.Embedding) and greatest >= table.num_embeddings:
        raise ValueError(
            f"{work.checkpoint.name}: the tokenizer gives id {greatest}, the model has embeddings of "
            f"{table.num_embeddings} tokens; they do not belong together"
        )


def _prompt_tokens(checkpoint: Checkpoint) -> int:
    """Return the tokens of the prefix, with those before it, as sentence-transformers counts them."""
    if not checkpoint.prefix:
        return 0
    tokenizer = checkpoint.tokenizer
    ids = tokenize(tokenizer, [checkpoint.prefix], checkpoint.max_length).ids
    return len(ids) - int(ids[-1] in tokenizer.all_special_ids)


def _announce_size(work: _Work) -> None:
    width = work.checkpoint.config.get_text_config().hidden_size
    count = sum(len(rows) for texts in work.parts for rows in texts.rows)
    size = sum(
        count * len(layers) * width * np.dtype(work.stores[name][1].store_dtype).itemsize
        for name, (_, layers) in work.pools.items()
    )
    say = logger.warning if size > LARGE else logger.info
    say("the store grows by %.2f GB", size / 1e9)


def _refuse_non_finite(
    work: _Work, texts: Texts, rows: Int64[np.ndarray, "n"], values: Mapping[str, np.ndarray]
) -> None:
    own = rows if texts.words is None else texts.repeated(rows)
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
