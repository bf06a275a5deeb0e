"""LoRA by peft: adapters while training, plain weights in what is saved."""

import copy
import warnings
from typing import Any

from .recipe import Lora


def with_adapters(encoder: Any, lora: Lora) -> Any:
    """Return the encoder with low-rank adapters; nothing else of it will be trained.

    Raises:
        ValueError: no such layers.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise ValueError("lora needs peft; pip install 'crosslingual[train]'") from None

    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets) or None,
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            return get_peft_model(encoder, config)
    except ValueError as error:
        raise ValueError(f"lora: {' '.join(str(error).split())}; name its targets") from None


def plain(encoder: Any) -> Any:
    """Return the encoder without adapters: a merged copy, or itself."""
    merge = getattr(encoder, "merge_and_unload", None)
    return encoder if merge is None else copy.deepcopy(encoder).merge_and_unload()
