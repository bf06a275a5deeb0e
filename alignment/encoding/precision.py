"""What fewer bits cost: a few sentences in both precisions, and how far their vectors agree."""

import logging

import numpy as np
import torch

from ...data.rows import Columns
from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.loading import encoder_config
from .encode import Batching, Pools, ShardTexts, highest_of
from .runner import Runner, open_runner
from .tokens import Tokens

logger = logging.getLogger(__name__)

COMPARED = 256  # sentences that are also encoded by the other


def compare_with(
    other: Checkpoint,
    checkpoint: Checkpoint,
    runner: Runner,
    tokens: Tokens,
    pools: Pools,
    batching: Batching,
) -> dict[str, Columns]:
    """Encode some texts, short and long, by a checkpoint and by what it approximates.

    Args:
        other: the same in float32, or what it was quantised from.
        checkpoint: the approximation.
        runner: its forward pass.
        tokens: all texts.
        pools: as for `Runner.encode`.
        batching: as for `Runner.encode`.

    Returns:
        For each pooling the mean and the least cosine between the two, layer by layer.

    Raises:
        ValueError: their layers, widths or numbers of tokens are not equal.
    """
    own, others = ((one.layers, *_shape(one)) for one in (checkpoint, other))
    if own != others:
        raise ValueError(
            f"{checkpoint.name} has {own[0]} layers of width {own[1]} and {own[2]} tokens; it was not "
            f"made of {other.name}, which has {others[0]}, {others[1]} and {others[2]}"
        )
    if checkpoint.dtype == "bfloat16" and batching.device.type == "cpu" and not native_bfloat16():
        logger.warning("this processor has no bfloat16 products: float32 is faster here")
    order = np.argsort(-tokens.counts, kind="stable")
    rows = order[np.linspace(0, len(order) - 1, min(COMPARED, len(order))).astype(np.int64)]
    part = ShardTexts(tokens, rows)
    (low,) = runner.encode([part], pools, batching)
    with open_runner(other, highest_of(pools)) as exactly:
        (exact,) = exactly.encode([part], pools, batching)
    compared = {}
    for name in pools:
        norms = np.linalg.norm(low[name], axis=2) * np.linalg.norm(exact[name], axis=2)
        cosines = (low[name] * exact[name]).sum(axis=2) / np.maximum(norms, 1e-30)
        compared[name] = {
            "checkpoint": other.name,
            "fingerprint": other.fingerprint,
            "sentences": len(rows),
            "mean_cosine": [round(float(c), 6) for c in cosines.mean(axis=1)],
            "least_cosine": [round(float(c), 6) for c in cosines.min(axis=1)],
        }
        logger.info(
            "%s (%s) against %s (float32): cosine at least %.5f",
            *(checkpoint.name, checkpoint.dtype, other.name, cosines.min()),
        )
    return compared


def _shape(checkpoint: Checkpoint) -> tuple[int, int]:
    """Return the width of a model, and how many tokens it knows."""
    config = encoder_config(checkpoint.config)
    return int(config.hidden_size), int(config.vocab_size)


def native_bfloat16() -> bool:
    """Return whether this processor multiplies bfloat16 numbers by itself."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
