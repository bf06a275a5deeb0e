"""A checkpoint made ready to encode with: loaded whole, or read block by block where it is too large."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.devices import free_memory, pick_device
from ..checkpoints.errors import first_line, refusing
from .block_by_block import BlockByBlock
from .encode import Batching, Pools, ShardTexts, encode_rows, encode_together
from .hidden_states import ForwardPass, ManyBatches, TakeOf, find_blocks, layer_states
from .pooling import Batch

_OTHERWISE = "take more `memory`, or `device_map` auto"


@dataclass(frozen=True, eq=False)
class Runner:
    """A model, and how batches are run through it."""

    model: Any
    device: torch.device  # where its inputs go
    many: ManyBatches
    one: ForwardPass | None = None  # where the whole model is in memory
    room: int = 0  # else: bytes for the states of batches that are under way together

    def encode(
        self, parts: Sequence[ShardTexts], pools: Pools, batching: Batching
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield the vectors of parts, in their order: pooling name -> (its layers, rows, dim).

        Args:
            parts: the texts.
            pools: pooling name -> (function, layers it is wanted at).
            batching: how they are put into batches.

        Raises:
            MemoryError: a single text does not fit.
        """
        if self.one is None:
            for group in _groups(parts, pools, self.model.config.get_text_config(), self.room):
                yield from encode_together(self.many, group, pools, batching)
            return
        for tokens, rows, words in parts:
            values, budget = encode_rows(self.one, tokens, rows, pools, batching, words)
            batching = replace(batching, budget=budget)
            yield values


@contextmanager
def open_runner(checkpoint: Checkpoint, highest: int) -> Iterator[Runner]:
    """Load a checkpoint, or open its files.

    Args:
        checkpoint: what to run.
        highest: the last layer that is wanted.

    Raises:
        ValueError: the model cannot be loaded, or not be run.
    """
    make = _block_by_block if checkpoint.block_by_block else _whole
    with make(checkpoint, highest) as runner:
        yield runner


@contextmanager
def _whole(checkpoint: Checkpoint, highest: int) -> Iterator[Runner]:
    model = checkpoint.load()
    with ExitStack() as stack:
        with refusing(checkpoint.name, "the model cannot be run"):
            run = stack.enter_context(layer_states(model, checkpoint.layers, highest))

        def many(batches: Sequence[Batch], take: TakeOf) -> None:
            for at, batch in enumerate(batches):
                run(batch, partial(take, at))

        yield Runner(model, next(model.parameters()).device, many, run)


@contextmanager
def _block_by_block(checkpoint: Checkpoint, highest: int) -> Iterator[Runner]:
    device = pick_device(checkpoint.device)
    with checkpoint.skeleton() as skeleton:
        model, (outside, block) = skeleton.model, skeleton.sizes()
        memory = checkpoint.memory or free_memory(device)
        room = memory - outside - 2 * block  # one as it is in the file, and in its dtype
        refused = f"{checkpoint.name}: {type(model).__name__} cannot be computed block by block"
        blocks = find_blocks(model, checkpoint.layers)
        if blocks is None:
            raise ValueError(f"{refused} (its blocks are not one list); {_OTHERWISE}")
        if room <= 0:
            raise ValueError(
                f"{checkpoint.name}: a block and what lies outside the blocks take "
                f"{(memory - room) / 1e9:.1f} GB of {memory / 1e9:.1f} GB of memory; {_OTHERWISE}"
            )
        try:
            run = BlockByBlock(skeleton, blocks, highest, device)
        except ValueError as error:
            raise ValueError(f"{refused} ({first_line(error)}); {_OTHERWISE}") from None
        yield Runner(model, torch.device(device), run, room=room)


def _groups(
    parts: Sequence[ShardTexts], pools: Pools, config: Any, room: int
) -> Iterator[list[ShardTexts]]:
    """Yield as many parts together as fit: their states, and their vectors."""
    width, kept = config.hidden_size, sum(len(layers) for _, layers in pools.values())
    group: list[ShardTexts] = []
    taken = 0
    for part in parts:
        rows = len(part.rows) if part.words is None else int(part.words.counts[part.rows].sum())
        size = 4 * width * (int(part.tokens.counts[part.rows].sum()) + rows * kept)
        if group and taken + size > room:
            yield group
            group, taken = [], 0
        group.append(part)
        taken += size
    if group:
        yield group
