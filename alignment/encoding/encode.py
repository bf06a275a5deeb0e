"""Encoding: one forward pass, every layer, every pooling.

Rows come sorted by length, so a batch is hardly padded, and are cut into batches by a budget of padded
tokens, not by a number of sentences. Vectors are pooled in float32 as each layer is produced.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from .hidden_states import ForwardPass
from .pooling import Batch, Pool
from .tokens import Tokens
from .words import WordBatch, Words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

# Padded tokens of a batch. On a CPU a batch's activations should stay in its caches: with 384 to 1,024
# dimensions a thousand tokens are as fast per token as it gets. A GPU wants enough to fill it.
BATCH_TOKENS = {"cpu": 1024, "cuda": 16384}


@dataclass(frozen=True)
class Batching:
    """How texts are put into batches."""

    device: torch.device  # where the model's inputs go
    pad_id: int  # token id to pad with
    budget: int  # padded tokens of a batch; halved as often as memory runs out
    equal_lengths: bool = False  # never pad, for a model whose vectors depend on it

    @staticmethod
    def of(
        device: torch.device,
        tokenizer: "PreTrainedTokenizerBase",
        budget: int | None = None,
        equal_lengths: bool = False,
    ) -> "Batching":
        """Return the batching for a tokenizer, by default with the budget that suits the device."""
        usual = BATCH_TOKENS.get(device.type, BATCH_TOKENS["cpu"])
        return Batching(device, tokenizer.pad_token_id or 0, budget or usual, equal_lengths)


def encode_rows(
    run: ForwardPass,
    tokens: Tokens,
    rows: Int64[np.ndarray, "n"],
    pools: Mapping[str, tuple[Pool, Sequence[int]]],
    batching: Batching,
    words: Words | None = None,
) -> tuple[dict[str, Float32[np.ndarray, "layers rows dim"]], int]:
    """Return the vectors of some texts, and the budget that fitted into memory.

    Args:
        run: from `states.layer_states`.
        tokens: all texts' tokens.
        rows: which texts, longest first.
        pools: pooling name -> (function, layers it is wanted at).
        batching: how they are put into batches.
        words: what is pooled of each text, instead of the whole.

    Returns:
        Pooling name -> array (its layers, len(rows), dim), rows in the given order, or the words of
        each; the last budget.

    Raises:
        MemoryError: a single text does not fit.
    """
    results: dict[str, Tensor] = {}
    device, budget = batching.device, batching.budget
    ends = np.cumsum([0, *(np.ones_like(rows) if words is None else words.counts[rows])])
    start = 0
    while start < len(rows):
        stop = batch_end(tokens.counts, rows, start, budget, batching.equal_lengths)
        try:
            batch = make_batch(tokens, rows[start:stop], batching.pad_id, device)
            view = None if words is None else WordBatch.of(batch, words, rows[start:stop])
            pooled = _run_batch(run, batch, view, pools)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            if stop - start == 1:
                length = int(tokens.counts[rows[start]])
                raise MemoryError(f"a single text of {length} tokens does not fit") from error
            budget = max(1, min(budget, (stop - start) * int(tokens.counts[rows[start]])) // 2)
            logger.warning("out of memory; going on with batches of %d tokens", budget)
            if device.type == "cuda":
                torch.cuda.empty_cache()
            continue
        for name, part in pooled.items():
            if name not in results:
                shape = (part.shape[0], int(ends[-1]), part.shape[2])
                results[name] = torch.empty(shape, dtype=torch.float32, pin_memory=part.is_cuda)
            results[name][:, ends[start] : ends[stop]].copy_(part, non_blocking=True)
        start = stop
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # the copies above run during the next batch
    return {name: values.numpy() for name, values in results.items()}, budget


def highest_of(pools: Mapping[str, tuple[Pool, Sequence[int]]]) -> int:
    """Return the highest layer that some poolings are wanted at."""
    return max(layer for _, layers in pools.values() for layer in layers)


def make_batch(tokens: Tokens, rows: Int64[np.ndarray, "b"], pad_id: int, device: torch.device) -> Batch:
    """Return the texts `rows` as a batch, padded on the right."""
    lengths = tokens.counts[rows]
    width = int(lengths.max())
    places = np.arange(width)
    inside = places[None, :] < lengths[:, None]
    where = np.where(inside, tokens.offsets[rows][:, None] + places[None, :], 0)
    ids = np.where(inside, tokens.ids[where], pad_id).astype(np.int64)
    return Batch(
        torch.from_numpy(ids).to(device, non_blocking=True),
        torch.from_numpy(lengths).to(device, non_blocking=True),
        torch.from_numpy(tokens.special[where] & inside).to(device, non_blocking=True),
        padded=bool(lengths.min() < width),
    )


@torch.inference_mode()
def _run_batch(
    run: ForwardPass,
    batch: Batch,
    view: WordBatch | None,
    pools: Mapping[str, tuple[Pool, Sequence[int]]],
) -> dict[str, Tensor]:
    seen = batch if view is None else view.batch
    parts: dict[str, list[Tensor]] = {name: [] for name in pools}

    def take(layer: int, states: Tensor) -> None:
        wanted = {name: pool for name, (pool, layers) in pools.items() if layer in layers}
        if wanted and view is not None:
            states = view.states(states)
        for name, pool in wanted.items():
            parts[name].append(pool(states, _on(seen, states.device)).to(batch.ids.device))

    run(batch, take)
    return {name: torch.stack(layers) for name, layers in parts.items()}


def _on(batch: Batch, device: torch.device) -> Batch:
    """Return the batch on the device of a layer (models may be spread over several)."""
    if batch.ids.device == device:
        return batch
    return Batch(
        batch.ids.to(device),
        batch.lengths.to(device),
        batch.special.to(device),
        batch.padded,
        None if batch.starts is None else batch.starts.to(device),
    )


def batch_end(
    counts: np.ndarray, rows: np.ndarray, start: int, budget: int, equal_lengths: bool = False
) -> int:
    """Return where the batch that begins at `start` ends: its first text, the longest, sets the width.

    It ends early where texts of the same length fill a third of it: without padding no mask is needed,
    which is worth more than a full batch.
    """
    width = int(counts[rows[start]])
    stop = min(len(rows), start + max(1, budget // width))
    same = int((counts[rows[start:stop]] == width).sum())
    return start + same if equal_lengths or 3 * same >= stop - start else stop


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
