"""How large a model is: all of its parameters, and those of its body.

Vocabulary is not scale: of XLM-R base, 192 of 278 million parameters are its embedding matrix. The body
is what is left without embeddings of tokens and without towers for images or sound; of experts only as
many count as look at a token.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

_TOWERS = ("vision", "visual", "audio")  # in names of modules
_VOCABULARIES = ("vocab_size", "vocab_size_per_layer_input")
_ACTIVE = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_k")
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")

# Absolute positions of these start after the padding index, so fewer remain for tokens.
_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"}


class Sizes(NamedTuple):
    """Numbers of parameters."""

    parameters: int
    parameters_body: int


def sizes_of(model: "torch.nn.Module", config: Any) -> Sizes:
    """Return the numbers of parameters of an encoder; a shared parameter counts once.

    Args:
        model: the encoder.
        config: its configuration, of transformers.
    """
    import torch

    text = config.get_text_config()
    vocabularies = {getattr(text, name, None) for name in _VOCABULARIES}
    embeddings = {
        id(module.weight)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Embedding)
        and module.num_embeddings in vocabularies
        and "position" not in name
    }
    table = embeddings_of(model)
    if table is not None:
        embeddings.add(id(table.weight))
    active, experts = _first(text, _ACTIVE), _first(text, _EXPERTS)
    share = active / experts if active and experts else 1.0
    total, body = 0, 0.0
    for name, parameter in model.named_parameters():
        total += parameter.numel()
        if id(parameter) in embeddings or any(tower in name for tower in _TOWERS):
            continue
        body += parameter.numel() * (share if ".experts." in name else 1.0)
    return Sizes(total, round(body))


def embeddings_of(model: Any) -> Any:
    """Return a model's embeddings of tokens; None where it has none (CANINE hashes its characters)."""
    try:
        return model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None


def _first(config: Any, names: tuple[str, ...]) -> int | None:
    """Return the first of some settings that a configuration has."""
    return next((value for name in names if isinstance(value := getattr(config, name, None), int)), None)


def positions_of(config: Any) -> int | None:
    """Return how many tokens have a position; None where there is no limit."""
    positions = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    if positions is None or positions <= 0:  # relative positions (T5) or -1 (XLNet): no limit
        return None
    if config.model_type in _OFFSET_POSITIONS:
        return int(positions) - int(config.pad_token_id or 0) - 1
    return int(positions)
