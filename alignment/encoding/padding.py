"""Whether what a model computes of a text depends on the padding of its batch.

In most models padded places are masked out everywhere. In some (FNet, ConvBERT, Nystromformer, YOSO)
they reach the tokens through a Fourier transform, a convolution or landmarks, and a text next to a
longer one has another vector than alone.
"""

import torch
from torch import Tensor

from .hidden_states import ManyBatches
from .pooling import Batch

SHORT, LONG = 7, 96  # tokens of the two texts that are compared
# of a state's norm: rounding is a tenth of this, padding that is seen ten times as much and more
_TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 5e-2, torch.float16: 5e-3}


@torch.inference_mode()
def padding_changes(run: ManyBatches, device: torch.device, longest: int) -> bool:
    """Compare the states of a short text alone with those next to a longer one, at every layer.

    Args:
        run: from `open_runner`.
        device: where the model's inputs go.
        longest: tokens that the model takes.
    """
    width = min(LONG, longest)
    length = min(SHORT, width - 1)
    if length < 1:
        return False  # no batch can be padded
    ids = 5 + torch.arange(width, device=device).repeat(2, 1) % 5  # every vocabulary has these
    ids[1, length:] = 0
    lengths = torch.tensor([width, length], device=device)
    nothing = torch.zeros_like(ids).bool()
    padded = Batch(ids, lengths, nothing, padded=True)
    alone = Batch(ids[1:, :length], lengths[1:], nothing[1:, :length], padded=False)
    found: list[dict[int, Tensor]] = [{}, {}]
    run([padded, alone], lambda at, layer, states: found[at].__setitem__(layer, states.clone()))
    for layer, exact in found[1].items():
        there = found[0][layer][1, :length].float()
        norms = exact[0].float().norm(dim=1)
        if ((there - exact[0].float()).norm(dim=1) > _TOLERANCE[exact.dtype] * norms).any():
            return True
    return False
