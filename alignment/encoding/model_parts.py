"""The parts of a model: 0 what lies before the blocks, i block i; and weights put together of two."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .hidden_states import find_blocks, name_in

State = dict[str, Tensor]


def parts_of(model: torch.nn.Module, layers: int) -> dict[str, int]:
    """Return of every tensor of a model which part it is in.

    What comes after the blocks (a final norm) belongs to none.

    Args:
        model: an encoder.
        layers: how many blocks it has.

    Raises:
        ValueError: the blocks cannot be told apart.
    """
    blocks = find_blocks(model, layers)
    if blocks is None:
        raise ValueError("the model's blocks cannot be told apart: it has no one list of them")
    prefix = name_in(model, blocks)
    found, seen = {}, False
    for name in model.state_dict():
        if name.startswith(f"{prefix}."):
            found[name] = int(name.removeprefix(f"{prefix}.").split(".")[0]) + 1
            seen = True
        elif not seen:
            found[name] = 0
    return found


def swapped(
    host: Mapping[str, Tensor],
    guest: Mapping[str, Tensor],
    parts: Mapping[str, int],
    wanted: Sequence[int],
) -> State:
    """Return a host's weights with some parts of a guest's."""
    chosen = set(wanted)
    return {name: guest[name] if parts.get(name) in chosen else tensor for name, tensor in host.items()}
