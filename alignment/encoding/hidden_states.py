"""Every layer of one forward pass, handed on as it is produced.

A layer is the input of block i (i < L), seen by a forward pre-hook, and for L what the model returns,
after a final norm if it has one. Nothing is kept, so a pass needs the memory of a few states, not of
L + 1. Where a model's blocks cannot be found (ALBERT shares one), or where the hooks do not see what
`output_hidden_states` returns, that is used instead, with a note.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor

from .pooling import Batch

logger = logging.getLogger(__name__)

Take = Callable[[int, Tensor], None]
ForwardPass = Callable[[Batch, Take], None]
TakeOf = Callable[[int, int, Tensor], None]  # which batch, layer, states
ManyBatches = Callable[[Sequence[Batch], TakeOf], None]

# hooks and hidden_states are the same tensors computed by the same kernels; this is for kernels that
# are not deterministic, relative to the layer's root mean square
_TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2, torch.float16: 2e-3}


@contextmanager
def layer_states(
    model: torch.nn.Module, layers: int, highest: int | None = None
) -> Iterator[ForwardPass]:
    """Give a function that runs a batch and calls `take(i, states)` for i = 0, 1, … in order.

    Args:
        model: an encoder or decoder of transformers, in evaluation mode.
        layers: L, its number of blocks.
        highest: the last layer that is wanted, L by default; the blocks above do not run.
    """
    highest = layers if highest is None else highest
    blocks = find_blocks(model, layers)
    if blocks is None:
        yield _fallback(model, layers, "its blocks are not one list")
        return
    take: Take | None = None  # None in forward passes outside `run`, which are not ours

    def see(index: int) -> Callable[..., None]:
        def hook(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if take is not None:
                take(index, args[0] if args else kwargs["hidden_states"])
                if index == highest:
                    raise Reached

        return hook

    handles = [
        block.register_forward_pre_hook(see(i), with_kwargs=True)
        for i, block in enumerate(blocks[: highest + 1])
    ]

    def run(batch: Batch, consumer: Take) -> None:
        nonlocal take
        take = consumer
        try:
            with suppress(Reached):
                consumer(layers, forward(model, batch).last_hidden_state)
        finally:
            take = None

    try:
        reason = _disagreement(model, layers, highest, run)
        yield _fallback(model, layers, reason) if reason else run
    finally:
        for handle in handles:
            handle.remove()


class Reached(Exception):
    """The layer is there: the blocks above it need not run."""


def states_at(encoder: torch.nn.Module, layer: int, layers: int, inputs: dict[str, Tensor]) -> Tensor:
    """Return the states of a layer (b, t, d), with their graph; what is above does not run."""
    if layer == layers:
        states: Tensor = encoder(**inputs).last_hidden_state
        return states
    blocks = find_blocks(encoder, layers)
    if blocks is None:
        states = encoder(**inputs, output_hidden_states=True).hidden_states[layer]
        return states
    found: list[Tensor] = []

    def stop(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found.append(args[0] if args else kwargs["hidden_states"])
        raise Reached

    handle = blocks[layer].register_forward_pre_hook(stop, with_kwargs=True)
    try:
        with suppress(Reached):
            encoder(**inputs)
    finally:
        handle.remove()
    return found[0]


def find_blocks(model: torch.nn.Module, layers: int) -> torch.nn.ModuleList | None:
    """Return the model's blocks: its one outermost ModuleList of length L, if there is just one."""
    found: list[tuple[str, torch.nn.ModuleList]] = []
    for name, module in model.named_modules():
        inside = any(name.startswith(outer + ".") for outer, _ in found)
        if isinstance(module, torch.nn.ModuleList) and len(module) == layers and not inside:
            found.append((name, module))
    return found[0][1] if len(found) == 1 else None


def name_in(model: torch.nn.Module, part: torch.nn.Module) -> str:
    """Return the name that a part of a model has in it."""
    return next(str(name) for name, module in model.named_modules() if module is part)


def forward(model: torch.nn.Module, batch: Batch, **options: Any) -> Any:
    """Run a batch through a model of transformers; without padding there is no mask."""
    mask = batch.attended.long() if batch.padded else None
    return model(input_ids=batch.ids, attention_mask=mask, **options)


def _fallback(model: torch.nn.Module, layers: int, reason: str) -> ForwardPass:
    logger.info("reading layers through output_hidden_states, which takes more memory: %s", reason)

    def run(batch: Batch, take: Take) -> None:
        output = forward(model, batch, output_hidden_states=True)
        _check_shapes(batch, layers, output)
        for index, states in enumerate(output.hidden_states[:-1]):
            take(index, states)
        take(layers, output.last_hidden_state)

    return run


def _check_shapes(batch: Batch, layers: int, output: Any) -> None:
    """Raise a ValueError where the layers are not L + 1 arrays of one width, a state a token."""
    states = output.hidden_states
    if states is None or len(states) != layers + 1:
        raise ValueError(
            f"the model returns {len(states or ())} hidden states where its configuration promises "
            f"{layers + 1}; its layers cannot be numbered"
        )
    shapes = [tuple(one.shape) for one in (*states[:-1], output.last_hidden_state)]
    if len(set(shapes)) > 1 or shapes[0][:2] != tuple(batch.ids.shape):
        raise ValueError(
            f"the model's layers have the shapes {shapes[0]} to {shapes[-1]} for {batch.ids.shape[1]} "
            "tokens: layers of different widths or lengths cannot be compared"
        )


@torch.inference_mode()
def _disagreement(model: torch.nn.Module, layers: int, highest: int, run: ForwardPass) -> str:
    """Compare hooks with `output_hidden_states` on a small padded batch; return what differs."""
    device = next(model.parameters()).device
    ids = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 0, 0]], device=device)
    batch = Batch(ids, torch.tensor([5, 3], device=device), torch.zeros_like(ids).bool(), True)
    seen: dict[int, Tensor] = {}
    try:
        run(batch, lambda index, states: seen.__setitem__(index, states.float().clone()))
        expected = forward(model, batch, output_hidden_states=True).hidden_states
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        return f"its blocks are called in an unknown way ({error})"
    if sorted(seen) != list(range(highest + 1)) or len(expected) != layers + 1:
        return "its blocks are not called one after the other"
    hooked = range(min(highest + 1, layers))  # L itself is what the model returns
    if any(seen[index].shape != expected[index].shape for index in hooked):
        return "its blocks read states of another shape"
    if len({states.shape for states in seen.values()}) > 1:
        return "its layers are of different widths"
    attended = batch.attended
    for index in hooked:
        theirs = expected[index].float()[attended]
        scale = theirs.pow(2).mean().sqrt()
        if (seen[index][attended] - theirs).abs().max() > _TOLERANCE[expected[index].dtype] * scale:
            return f"its block {index + 1} does not read hidden state {index}"
    return ""
