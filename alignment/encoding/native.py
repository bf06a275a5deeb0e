"""`native` pooling: the modules that a sentence-transformers folder puts after its transformer.

Read from modules.json: pooling, dense and normalise modules, applied to layer L only. A folder with
any other module is refused, since leaving one out would silently give other vectors.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoints.errors import refusing
from ..checkpoints.folders import Parts, read_settings
from . import pooling
from .pooling import Batch, Pool


def native_pool(parts: Parts, prompt_tokens: Callable[[], int]) -> Pool:
    """Return the pooling of a sentence-transformers folder.

    Args:
        parts: the folder's.
        prompt_tokens: gives the tokens of the prompt, for a folder that leaves it out of the pooling.

    Raises:
        ValueError: the folder has no modules.json, or a module that is not one of those above.
    """
    listing = parts.folder / "modules.json"
    if parts.modules is None:
        raise ValueError(
            f"{parts.folder}: no modules.json, so pooling 'native' is not defined; use mean"
        )
    pool: Pool | None = None
    after: list[Callable[[Tensor], Tensor]] = []
    for kind, place in parts.modules:
        if kind == "Pooling":
            pool = _pooling(place, prompt_tokens)
        elif kind == "Dense":
            after.append(_dense(place))
        elif kind == "Normalize":
            after.append(lambda vectors: torch.nn.functional.normalize(vectors, dim=1))
        else:
            raise ValueError(f"{listing}: pooling 'native' does not know the module {kind}")
    if pool is None:
        raise ValueError(f"{listing}: no pooling module, so pooling 'native' is not defined")
    tokens = pool

    def native(states: Tensor, batch: Batch) -> Tensor:
        vectors = tokens(states, batch)
        for step in after:
            vectors = step(vectors)
        return vectors

    return native


def _mean_sqrt_length(states: Tensor, batch: Batch) -> Tensor:
    return pooling.mean(states, batch) * batch.lengths.sqrt()[:, None]


_MODES: dict[str, Pool] = {
    "cls": pooling.first,
    "cls_token": pooling.first,
    "max": pooling.maximum,
    "max_tokens": pooling.maximum,
    "mean": pooling.mean,
    "mean_tokens": pooling.mean,
    "mean_sqrt_len_tokens": _mean_sqrt_length,
    "weightedmean": pooling.weighted,
    "weightedmean_tokens": pooling.weighted,
    "lasttoken": pooling.last,
}


def _pooling(place: Path, prompt_tokens: Callable[[], int]) -> Pool:
    path = place / "config.json"
    config = read_settings(path)
    mode = config.get("pooling_mode")
    names = [mode] if isinstance(mode, str) else list(mode or [])
    prefix = "pooling_mode_"
    # sentence-transformers joins several modes in this order
    order = (
        "cls_token",
        "max_tokens",
        "mean_tokens",
        "mean_sqrt_len_tokens",
        "weightedmean_tokens",
        "lasttoken",
    )
    names = names or [name for name in order if config.get(prefix + name)]
    unknown = [name for name in names if name not in _MODES]
    if unknown or not names:
        raise ValueError(f"{path}: unknown pooling mode {(unknown or ['(none)'])[0]!r}")
    pools = [_MODES[name] for name in names]
    skipped = 0 if config.get("include_prompt", True) else prompt_tokens()

    def joined(states: Tensor, batch: Batch) -> Tensor:
        if skipped:
            states, batch = states[:, skipped:], _without(batch, skipped)
        return torch.cat([pool(states, batch) for pool in pools], dim=1)

    return joined


def _without(batch: Batch, skipped: int) -> Batch:
    """Return a batch without the first tokens of every text; what is left keeps its places."""
    lengths = batch.lengths - skipped
    if (lengths < 1).any():
        raise ValueError("a text has no token after the prompt; raise `max_length`")
    starts = torch.full_like(lengths, skipped)
    return Batch(batch.ids[:, skipped:], lengths, batch.special[:, skipped:], batch.padded, starts)


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Tanh": torch.tanh,
    "Identity": lambda x: x,
    "ReLU": torch.relu,
    "GELU": torch.nn.functional.gelu,
}


def _dense(place: Path) -> Callable[[Tensor], Tensor]:
    from safetensors.torch import load_file

    config = read_settings(place / "config.json")
    if config.get("module_input_name", "sentence_embedding") != "sentence_embedding":
        raise ValueError(f"{place / 'config.json'}: a dense module of {config['module_input_name']}")
    name = config.get("activation_function", "torch.nn.modules.activation.Tanh").rsplit(".", 1)[-1]
    if name not in _ACTIVATIONS:
        raise ValueError(f"{place / 'config.json'}: unknown activation {name}")
    path = place / "model.safetensors"
    if not path.is_file():
        raise ValueError(f"{path}: no such file; pickled dense modules are not read")
    with refusing(path, "the dense module cannot be read"):
        tensors = load_file(path)
        tensors["linear.weight"]
    weight, bias = tensors["linear.weight"].float(), tensors.get("linear.bias")
    activation = _ACTIVATIONS[name]

    def dense(vectors: Tensor) -> Tensor:
        offset = None if bias is None else bias.to(vectors)
        return activation(torch.nn.functional.linear(vectors, weight.to(vectors), offset))

    return dense
