"""`native` pooling: the modules that a sentence-transformers folder puts after its transformer.

Read from modules.json: pooling, dense and normalise modules, applied to layer L only. A folder with
any other module is refused, since leaving one out would silently give other vectors.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ...data.rows import Columns
from . import pooling
from .pooling import Batch, Pool


def native_pool(folder: Path) -> Pool:
    """Return the pooling of a sentence-transformers folder.

    Raises:
        ValueError: the folder has no modules.json, or a module that is not one of those above.
    """
    listing = folder / "modules.json"
    if not listing.is_file():
        raise ValueError(f"{folder}: no modules.json, so pooling 'native' is not defined; use mean")
    pool: Pool | None = None
    after: list[Callable[[Tensor], Tensor]] = []
    for module in json.loads(listing.read_text("utf-8"))[1:]:  # the first is the transformer
        kind = module["type"].rsplit(".", 1)[-1]
        place = folder / module["path"]
        if kind == "Pooling":
            pool = _pooling(place)
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


def _pooling(place: Path) -> Pool:
    path = place / "config.json"
    config: Columns = json.loads(path.read_text("utf-8"))
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
    if len(pools) == 1:
        return pools[0]
    return lambda states, batch: torch.cat([pool(states, batch) for pool in pools], dim=1)


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "Tanh": torch.tanh,
    "Identity": lambda x: x,
    "ReLU": torch.relu,
    "GELU": torch.nn.functional.gelu,
}


def _dense(place: Path) -> Callable[[Tensor], Tensor]:
    from safetensors.torch import load_file

    config = json.loads((place / "config.json").read_text("utf-8"))
    name = config.get("activation_function", "torch.nn.modules.activation.Tanh").rsplit(".", 1)[-1]
    if name not in _ACTIVATIONS:
        raise ValueError(f"{place / 'config.json'}: unknown activation {name}")
    path = place / "model.safetensors"
    if not path.is_file():
        raise ValueError(f"{path}: no such file; pickled dense modules are not read")
    tensors = load_file(path)
    weight, bias = tensors["linear.weight"].float(), tensors.get("linear.bias")
    activation = _ACTIVATIONS[name]

    def dense(vectors: Tensor) -> Tensor:
        offset = None if bias is None else bias.to(vectors)
        return activation(torch.nn.functional.linear(vectors, weight.to(vectors), offset))

    return dense
