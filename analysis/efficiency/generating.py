"""Reading and writing: a sentence is read at once (prefill), then written a token at a time (decode).

Its own tokens are written, whatever the model would rather say: all models write the same, and a
language takes as many steps as its sentences have tokens. A step is whole: the blocks, with the states
of earlier tokens kept, the matrix that scores the vocabulary, and the best of the scores.
"""

from typing import Any

import torch
from torch import Tensor

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.2, torch.float16: 3e-2}  # of the states' size


def output_matrix(model: torch.nn.Module) -> Tensor:
    """Return a matrix that scores the vocabulary (words x width): the input's where both are one.

    Else it is random, of that shape: the head is not loaded, and what it takes does not depend on it.

    Args:
        model: a decoder of transformers, without its head.
    """
    config: Any = model.config
    embedding: Tensor = model.get_input_embeddings().weight  # type: ignore[operator]
    width = int(config.get_text_config().hidden_size)
    if getattr(config.get_text_config(), "tie_word_embeddings", False) and embedding.shape[1] == width:
        return embedding
    return torch.randn(len(embedding), width, dtype=embedding.dtype, device=embedding.device)


def prefill(model: Any, ids: Tensor, words: Tensor) -> Any:
    """Read tokens at once; return the states that are kept for the next ones.

    Args:
        model: a decoder.
        ids: 1 x tokens.
        words: of `output_matrix`.
    """
    found = model(input_ids=ids, use_cache=True)
    _next_word(found.last_hidden_state, words)
    return found.past_key_values


def decode(model: Any, ids: Tensor, kept: Any, words: Tensor) -> None:
    """Write tokens, one after the other.

    Args:
        model: a decoder.
        ids: 1 x tokens, that are written.
        kept: of `prefill`; longer afterwards.
        words: of `output_matrix`.
    """
    for at in range(ids.shape[1]):
        found = model(input_ids=ids[:, at : at + 1], past_key_values=kept, use_cache=True)
        kept = found.past_key_values
        _next_word(found.last_hidden_state, words)


def check_decoder(model: Any, ids: Tensor, name: str) -> None:
    """Refuse a model that does not write: with kept states it gives other ones than all at once.

    Args:
        model: of transformers.
        ids: 1 x tokens, of at least two.
        name: of the model, for the message.

    Raises:
        ValueError: it keeps no states, or a token sees those after it.
    """
    refusal = f"{name} does not write: {{}}; the scenario generate is for decoders"
    whole = model(input_ids=ids).last_hidden_state[:, 1:]
    try:
        first = model(input_ids=ids[:, :1], use_cache=True)
    except (TypeError, ValueError):  # encoders that do not know the option, or refuse it
        first = None
    if getattr(first, "past_key_values", None) is None:
        raise ValueError(refusal.format("it keeps no states of earlier tokens"))
    rest = model(input_ids=ids[:, 1:], past_key_values=first.past_key_values, use_cache=True)
    error = (rest.last_hidden_state - whole).float().norm() / whole.float().norm()
    if not float(error) <= TOLERANCE.get(whole.dtype, 0.2):
        raise ValueError(refusal.format(f"with kept states it gives others (by {float(error):.0%})"))


def _next_word(states: Tensor, words: Tensor) -> int:
    """Return the best word after the last token; a caller waits for it, to decide whether to stop."""
    return int((states[:, -1] @ words.T).argmax())
