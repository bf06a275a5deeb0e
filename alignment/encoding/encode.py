"""Encoding: one forward pass, every layer, every pooling.

Rows come sorted by length, so a batch is hardly padded, and are cut into batches by a budget of padded
tokens, not by a number of sentences. Vectors are pooled in float32 as each layer is produced.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from .hidden_states import ForwardPass, ManyBatches, Take
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


Pools = Mapping[str, tuple[Pool, Sequence[int]]]  # name -> (function, layers it is wanted at)


class ShardTexts(NamedTuple):
    """Some texts that are encoded one after the other."""

    tokens: Tokens  # of all texts
    rows: Int64[np.ndarray, "n"]  # which of them, longest first
    words: Words | None = None  # what is pooled of each, instead of the whole


def encode_rows(
    run: ForwardPass,
    tokens: Tokens,
    rows: Int64[np.ndarray, "n"],
    pools: Pools,
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
    pooled = _Pooled(ShardTexts(tokens, rows, words), pools)
    device, budget = batching.device, batching.budget
    start = 0
    while start < len(rows):
        stop = batch_end(tokens.counts, rows, start, budget, batching.equal_lengths)
        try:
            batch, take = pooled.batch(start, stop, batching)
            with torch.inference_mode():
                run(batch, take)
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
        start = stop
    return pooled.vectors(device), budget


@torch.inference_mode()
def encode_together(
    run: ManyBatches, parts: Sequence[ShardTexts], pools: Pools, batching: Batching
) -> list[dict[str, Float32[np.ndarray, "layers rows dim"]]]:
    """Return the vectors of several parts, of which all batches pass one block before the next.

    The batches are those of `encode_rows`.

    Args:
        run: from `open_runner`.
        parts: the texts.
        pools: as for `encode_rows`.
        batching: how they are put into batches.
    """
    pooled = [_Pooled(part, pools) for part in parts]
    made: list[tuple[Batch, Take]] = []
    for of_part in pooled:
        counts, rows, start = of_part.part.tokens.counts, of_part.part.rows, 0
        while start < len(rows):
            stop = batch_end(counts, rows, start, batching.budget, batching.equal_lengths)
            made.append(of_part.batch(start, stop, batching))
            start = stop
    run([batch for batch, _ in made], lambda at, layer, states: made[at][1](layer, states))
    return [of_part.vectors(batching.device) for of_part in pooled]


class _Pooled:
    """The vectors of a part, filled batch by batch and layer by layer, in any order."""

    def __init__(self, part: ShardTexts, pools: Pools) -> None:
        self.part, self.pools = part, pools
        each = np.ones_like(part.rows) if part.words is None else part.words.counts[part.rows]
        self.ends = np.cumsum([0, *each])
        self.results: dict[str, Tensor] = {}

    def batch(self, start: int, stop: int, batching: Batching) -> tuple[Batch, Take]:
        """Return some of the texts as a batch, and what takes its states."""
        rows = self.part.rows[start:stop]
        batch = make_batch(self.part.tokens, rows, batching.pad_id, batching.device)
        view = None if self.part.words is None else WordBatch.of(batch, self.part.words, rows)
        seen = batch if view is None else view.batch
        place = slice(int(self.ends[start]), int(self.ends[stop]))

        def take(layer: int, states: Tensor) -> None:
            wanted = {name: pool for name, (pool, layers) in self.pools.items() if layer in layers}
            if wanted and view is not None:
                states = view.states(states)
            for name, pool in wanted.items():
                self._put(name, layer, place, pool(states, seen.to(states.device)), batching.device)

        return batch, take

    def _put(self, name: str, layer: int, place: slice, pooled: Tensor, device: torch.device) -> None:
        layers = self.pools[name][1]
        if name not in self.results:
            shape = (len(layers), int(self.ends[-1]), pooled.shape[1])
            self.results[name] = torch.empty(shape, dtype=torch.float32, pin_memory=pooled.is_cuda)
        target = self.results[name][layers.index(layer), place]
        target.copy_(pooled, non_blocking=pooled.device == device)

    def vectors(self, device: torch.device) -> dict[str, np.ndarray]:
        """Return for each pooling (its layers, sentences or words, dim)."""
        if device.type == "cuda":
            torch.cuda.synchronize(device)  # copies run during the next batch
        return {name: values.numpy() for name, values in self.results.items()}


def highest_of(pools: Pools) -> int:
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
