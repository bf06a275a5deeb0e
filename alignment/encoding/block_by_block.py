"""Many batches through a model of which one block at a time is in memory.

Where a block is a function of the states and of arguments that do not depend on the blocks before it
(masks, positions), all batches can pass block i before block i + 1 is read. What a block is called with
is seen in a pass in which every block hands its input on. Whether that holds of a model is found out
once, by a batch that passes the blocks as transformers would have it (`disagreement`).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..checkpoints.errors import first_line
from ..checkpoints.skeleton import Skeleton
from .hidden_states import Reached, TakeOf, forward, name_in
from .pooling import Batch

logger = logging.getLogger(__name__)

FEW = 2  # batches of a check, of which nothing is said
Inner = Callable[[int, "Call"], Any]  # in the place of a block: its index, what it is called with


class Call(NamedTuple):
    """What a block is called with."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def states(self) -> Tensor:
        """(batch, tokens, dim): what the block before returned."""
        states: Tensor = self.args[0] if self.args else self.kwargs["hidden_states"]
        return states

    def of(self, states: Tensor) -> "Call":
        """Return the same with other states."""
        if self.args:
            return Call((states, *self.args[1:]), self.kwargs)
        return Call((), self.kwargs | {"hidden_states": states})


# what a block may return: states, alone or before weights of attention that nobody asked for
FORMS: tuple[Callable[[Tensor], Any], ...] = (
    lambda states: states,
    lambda states: (states,),
    lambda states: (states, None),
)


class BlockByBlock:
    """A forward pass of batches through blocks that are read one after the other."""

    def __init__(
        self, skeleton: Skeleton, blocks: torch.nn.ModuleList, highest: int, device: str
    ) -> None:
        """Bring what lies outside the blocks into memory.

        Args:
            skeleton: the model.
            blocks: its blocks.
            highest: the last layer that is wanted.
            device: where it is computed.

        Raises:
            ValueError: it cannot be computed block by block.
        """
        self.skeleton, self.blocks, self.layers = skeleton, list(blocks), len(blocks)
        self.highest, self.device = highest, device
        path = name_in(skeleton.model, blocks)
        self.names = [f"{path}.{index}" for index in range(self.layers)]
        skeleton.bring(device, path)
        self.form = FORMS[0]
        reason = self._disagreement()
        if reason:
            raise ValueError(reason)

    def __call__(self, batches: Sequence[Batch], take: TakeOf) -> None:
        """Run batches and call `take(batch, i, states)` for i = 0, 1, …, for all batches in turn."""
        calls = [self._calls(batch, self.highest) for batch in batches]
        states = [of_batch[0].states for of_batch in calls]
        for index in range(self.highest + 1):
            if index == self.layers:
                states = [self._last(*both) for both in zip(batches, states, strict=True)]
            for at, one in enumerate(states):
                take(at, index, one)
            if index < self.highest:
                if len(batches) > FEW:
                    logger.info("block %d of %d, %d batches", index + 1, self.highest, len(batches))
                with self.skeleton.filled(self.names[index], self.device):
                    for at, one in enumerate(states):
                        call = calls[at][index].of(one)
                        states[at] = _first(self.blocks[index](*call.args, **call.kwargs))

    def _calls(self, batch: Batch, highest: int, **options: Any) -> list[Call]:
        """Return what blocks are called with, to the highest, in a pass that hands their inputs on."""
        seen: list[Call] = []

        def record(index: int, call: Call) -> Any:
            if index != len(seen):
                raise ValueError("its blocks are not called one after the other")
            seen.append(call)
            if index == highest:
                raise Reached
            return self.form(call.states)

        self._outside(batch, record, **options)
        return seen

    def _last(self, batch: Batch, states: Tensor) -> Tensor:
        """Return what the model makes of the last block's states."""
        last = self.layers - 1
        output = self._outside(
            batch, lambda index, call: self.form(states if index == last else call.states)
        )
        made: Tensor = output.last_hidden_state
        return made

    def _outside(self, batch: Batch, inner: Inner, **options: Any) -> Any:
        """Run the model with something in the place of its blocks."""
        with _replaced(self.blocks, inner):
            try:
                return forward(self.skeleton.model, batch, **options)
            except Reached:
                return None

    @torch.inference_mode()
    def _disagreement(self) -> str:
        """Run a small padded batch as transformers would, and return what is not as it has to be."""
        ids = torch.tensor([[5, 6, 7, 8, 9], [9, 8, 7, 0, 0]], device=self.device)
        lengths = torch.tensor([5, 3], device=self.device)
        batch = Batch(ids, lengths, torch.zeros_like(ids).bool(), padded=True)
        try:
            return self._compare(batch)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError, RuntimeError) as error:
            return f"its blocks are called in an unknown way: {first_line(error)}"

    def _compare(self, batch: Batch) -> str:
        calls = self._handed_on(batch)
        inputs: list[Tensor] = []
        outputs: list[Tensor] = []
        reasons: list[str] = []

        def real(index: int, call: Call) -> Any:
            if not _same(call.of(calls[index].states), calls[index]):
                reasons.append(f"block {index + 1} is called with something that a block before returns")
            if index and not torch.equal(call.states, outputs[-1]):
                reasons.append(f"block {index + 1} does not read what the block before returns")
            with self.skeleton.filled(self.names[index], self.device):
                output = type(self.blocks[index]).forward(self.blocks[index], *call.args, **call.kwargs)
            inputs.append(call.states)
            outputs.append(_first(output))
            return output

        output = self._outside(batch, real, output_hidden_states=True)
        expected = [*output.hidden_states[:-1], output.last_hidden_state]
        if len(outputs) != self.layers or len(expected) != self.layers + 1:
            return "its blocks are not called one after the other"
        made = [*inputs, self._last(batch, outputs[-1])]
        for index, (ours, theirs) in enumerate(zip(made, expected, strict=True)):
            if not torch.equal(ours, theirs):
                reasons.append(f"layer {index} is not what its block reads")
        return reasons[0] if reasons else ""

    def _handed_on(self, batch: Batch) -> list[Call]:
        """Find the form in which the model takes what its blocks return, and return the calls."""
        for form in FORMS:
            self.form = form
            try:
                calls = self._calls(batch, self.layers, output_hidden_states=True)
            except (TypeError, AttributeError, IndexError, ValueError, RuntimeError):
                continue
            if len(calls) == self.layers and all(
                call.states.shape == calls[0].states.shape for call in calls
            ):
                return calls
        raise ValueError("they return more than states")


def _first(output: Any) -> Tensor:
    states: Tensor = output[0] if isinstance(output, tuple | list) else output
    return states


@contextmanager
def _replaced(blocks: Sequence[torch.nn.Module], inner: Inner) -> Iterator[None]:
    """Have the model call something else in the place of its blocks."""

    def stand_in(index: int) -> Callable[..., Any]:
        return lambda *args, **kwargs: inner(index, Call(args, kwargs))

    for index, block in enumerate(blocks):
        block.forward = stand_in(index)
    try:
        yield
    finally:
        for block in blocks:
            del block.forward


def _same(one: Any, other: Any) -> bool:
    """Return whether two blocks are called with the same; what cannot be compared is not."""
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, tuple | list):
        return type(one) is type(other) and len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and list(one) == list(other)
            and all(_same(value, other[key]) for key, value in one.items())
        )
    return one is other or (isinstance(one, str | int | float | bool) and one == other)
