"""Adapters of PEFT: merged into their base, or refused where a weight would not arrive."""

import logging
from pathlib import Path
from typing import Any

from .errors import refusing

logger = logging.getLogger(__name__)

_PREFIX = "base_model.model."  # of every name in an adapter's file


def merge_adapter(model: Any, adapter: Path, *, allow_pickle: bool) -> Any:
    """Return the model with an adapter's weights merged into its own.

    An adapter may have been trained on the encoder or on the encoder with a head, whose weights are left
    out. Every other weight has to arrive.

    Args:
        model: the base, of transformers.
        adapter: a folder with adapter_config.json and adapter_model.safetensors.
        allow_pickle: read adapter_model.bin where there are no safetensors.

    Raises:
        ValueError: no peft, no weights, a pickle, an adapter that cannot be merged, or weights that do
            not belong to this base.
    """
    try:
        from peft import PeftConfig, get_peft_model, get_peft_model_state_dict
        from peft.utils import set_peft_model_state_dict
    except ImportError:
        raise ValueError(
            f"{adapter}: an adapter needs peft; pip install 'crosslingual[train]'"
        ) from None
    weights = _on_encoder(adapter, _weights(adapter, allow_pickle), model)
    with refusing(adapter, "the adapter cannot be read"):
        config = PeftConfig.from_pretrained(adapter)
    if config.is_prompt_learning:
        raise ValueError(f"{adapter}: a {config.peft_type.value} adapter cannot be merged into its base")
    _target_exactly(config, weights)
    _resize_embeddings(model, weights)
    with refusing(adapter, "the adapter does not fit its base"):
        adapted = get_peft_model(model, config)
        expected = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
        result = set_peft_model_state_dict(adapted, weights)
    for problem, names in (
        ("has no values for", sorted(expected - set(weights))),
        ("has weights that do not belong to its base:", sorted(result.unexpected_keys)),
    ):
        if names:
            raise ValueError(f"{adapter}: the adapter {problem} {len(names)} weights, first {names[0]}")
    with refusing(adapter, "the adapter cannot be merged into its base"):
        return adapted.merge_and_unload(safe_merge=True)


def _weights(adapter: Path, allow_pickle: bool) -> dict[str, Any]:
    path, pickled = adapter / "adapter_model.safetensors", adapter / "adapter_model.bin"
    if path.is_file():
        from safetensors.torch import load_file

        with refusing(path, "the adapter's weights cannot be read"):
            return dict(load_file(path))
    if not pickled.is_file():
        raise ValueError(f"{adapter}: an adapter without weights (no {path.name})")
    if not allow_pickle:
        raise ValueError(
            f"{adapter}: only a pickle ({pickled.name}), which can run code when it is opened; convert "
            "it to safetensors or pass `allow_pickle`"
        )
    import torch

    with refusing(pickled, "the adapter's weights cannot be read"):
        return dict(torch.load(pickled, map_location="cpu", weights_only=True))


def _on_encoder(adapter: Path, weights: dict[str, Any], model: Any) -> dict[str, Any]:
    """Return the weights that belong to the encoder, named as on the encoder alone."""
    children = {name for name, _ in model.named_children()}
    outer = getattr(model, "base_model_prefix", "")
    kept, left = {}, []
    for name, value in weights.items():
        path = name.removeprefix(_PREFIX).replace(".modules_to_save.", ".")
        if ".original_module." in path:
            continue  # the base's own weight
        if outer and outer not in children and path.startswith(f"{outer}."):
            path = path.removeprefix(f"{outer}.")
        if path.split(".")[0] in children:
            kept[_PREFIX + path] = value
        else:
            left.append(path)
    if not kept:
        raise ValueError(
            f"{adapter}: none of the adapter's {len(weights)} weights belongs to the encoder of its base"
            + (f", first {left[0]}" if left else "")
        )
    if left:
        logger.info("%s: %d weights of a head are left out, first %s", adapter, len(left), left[0])
    return kept


def _target_exactly(config: Any, weights: dict[str, Any]) -> None:
    """Name the modules that the weights are of: the config may name them as parts of a larger model."""
    config.task_type, config.inference_mode = None, True
    if getattr(config, "modules_to_save", None):
        config.modules_to_save = None  # heads; the encoder's own are not adapted but replaced
    places = {name.removeprefix(_PREFIX).split(".lora_")[0] for name in weights if ".lora_" in name}
    if places:
        config.target_modules = places
        config.layers_to_transform = config.layers_pattern = config.exclude_modules = None


def _resize_embeddings(model: Any, weights: dict[str, Any]) -> None:
    """Give the model as many token embeddings as the adapter was trained with."""
    table = model.get_input_embeddings()
    names = [name for name, module in model.named_modules() if module is table]
    for name in names:
        saved = weights.get(f"{_PREFIX}{name}.weight")
        if saved is not None and saved.shape[0] != table.weight.shape[0]:
            model.resize_token_embeddings(saved.shape[0], mean_resizing=False)
