"""What computing below float32 costs: a few sentences in both, and how far their vectors agree."""

import logging
from dataclasses import replace

import numpy as np
import torch

from ...data.rows import Columns
from ..checkpoints.checkpoint import Checkpoint
from .encode import Batching, Pools, ShardTexts, highest_of
from .runner import Runner, open_runner
from .tokens import Tokens

logger = logging.getLogger(__name__)

COMPARED = 256  # sentences that are also encoded in float32


def compare_with_float32(
    checkpoint: Checkpoint,
    runner: Runner,
    tokens: Tokens,
    pools: Pools,
    batching: Batching,
) -> dict[str, Columns]:
    """Encode some texts, short and long, in the checkpoint's dtype and in float32.

    Args:
        checkpoint: its dtype is not float32.
        runner: the forward pass in that dtype.
        tokens: all texts.
        pools: as for `Runner.encode`.
        batching: as for `Runner.encode`.

    Returns:
        For each pooling the mean and the least cosine between the two, layer by layer.
    """
    if checkpoint.dtype == "bfloat16" and batching.device.type == "cpu" and not native_bfloat16():
        logger.warning("this processor has no bfloat16 products: float32 is faster here")
    order = np.argsort(-tokens.counts, kind="stable")
    rows = order[np.linspace(0, len(order) - 1, min(COMPARED, len(order))).astype(np.int64)]
    part = ShardTexts(tokens, rows)
    (low,) = runner.encode([part], pools, batching)
    with open_runner(replace(checkpoint, dtype="float32"), highest_of(pools)) as exactly:
        (exact,) = exactly.encode([part], pools, batching)
    compared = {}
    for name in pools:
        norms = np.linalg.norm(low[name], axis=2) * np.linalg.norm(exact[name], axis=2)
        cosines = (low[name] * exact[name]).sum(axis=2) / np.maximum(norms, 1e-30)
        compared[name] = {
            "sentences": len(rows),
            "mean_cosine": [round(float(c), 6) for c in cosines.mean(axis=1)],
            "least_cosine": [round(float(c), 6) for c in cosines.min(axis=1)],
        }
        logger.info("%s against float32: cosine at least %.5f", checkpoint.dtype, cosines.min())
    return compared


def native_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 numbers by itself."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
