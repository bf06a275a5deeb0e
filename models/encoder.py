"""An encoder of the family before it is trained: XLM-R's shape, with token vectors that mean something.

LayerNorm gives all tokens one length, but how much a token counts in a mean is its length. So two
dimensions take up what a token's vector is shorter than the longest, and their gain is 0: what comes out
has the lengths of the token vectors. In the layers above a constant in the same two dimensions does the
same for the sum that is normalised. With small output projections, every layer begins as the mean of
token vectors, nearly, and learns what is better.
"""

import math

import numpy as np
import torch
from jaxtyping import Float32
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

from .recipe import Size
from .vocabulary import FIRST_PIECE

SLOTS = 2  # dimensions that take up a token's missing length
CONSTANT = 4.0  # their size above the embeddings, in lengths of a token: the greater, the more exact
CUT = 0.999  # the quantile of lengths above which vectors are cut to it
SPREAD = 0.05  # root mean square of the token vectors, which predict tokens, too
STILL = 0.02  # factor on what would disturb them at first: places, output projections


def make_encoder(
    size: Size, tokenizer: PreTrainedTokenizerFast, vectors: Float32[np.ndarray, "v d"], longest: int
) -> XLMRobertaForMaskedLM:
    """Return an encoder whose layers all begin as (nearly) its token vectors; draws from torch's seed.

    Args:
        size: its size.
        tokenizer: ids 0 … v - 1.
        vectors: of the tokens.
        longest: input in tokens, of a sentence or a pair.
    """
    config = XLMRobertaConfig(
        vocab_size=len(vectors),
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.inner,
        max_position_embeddings=longest + 2,  # XLM-R counts places from 2
        type_vocab_size=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=1e-5,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        attn_implementation="eager",  # of short batches the fastest on a CPU, backwards
    )
    model = XLMRobertaForMaskedLM(config)
    with torch.no_grad():
        embeddings = model.roberta.embeddings
        embeddings.word_embeddings.weight.copy_(_filled(vectors))
        embeddings.position_embeddings.weight.mul_(STILL)
        embeddings.token_type_embeddings.weight.zero_()
        _open(embeddings.LayerNorm)
        for layer in model.roberta.encoder.layer:
            for output in (layer.attention.output, layer.output):
                output.dense.weight.mul_(STILL)
                _open(output.LayerNorm, output.dense)
    return model


def _filled(vectors: Float32[np.ndarray, "v d"]) -> torch.Tensor:
    """Return vectors of one length and of mean 0, the first dimensions taking up the difference."""
    x = torch.from_numpy(vectors).clone()
    x[:FIRST_PIECE] = 0
    x[:, :SLOTS] = 0
    x[:, SLOTS:] -= x[:, SLOTS:].mean(dim=1, keepdim=True)
    lengths = x.norm(dim=1)
    longest = torch.quantile(lengths[lengths > 0], CUT)
    x *= (longest / lengths.clamp(min=longest))[:, None]
    missing = ((1.05 * longest) ** 2 - x.square().sum(dim=1)).div(2).sqrt()
    x[:, 0], x[:, 1] = missing, -missing
    return x * (SPREAD * math.sqrt(x.shape[1]) / (1.05 * longest))


def _open(norm: torch.nn.LayerNorm, dense: torch.nn.Linear | None = None) -> None:
    """Let lengths through a LayerNorm: gain 0 in the slots, and above a layer a constant there."""
    width = len(norm.weight)
    norm.weight[:SLOTS] = 0
    if dense is not None:
        constant = CONSTANT * math.sqrt(width)
        dense.bias[0], dense.bias[1] = constant, -constant
        norm.weight[SLOTS:] = math.sqrt(1 + 2 * CONSTANT**2)


def lengthen(model: XLMRobertaForMaskedLM, longest: int) -> XLMRobertaForMaskedLM:
    """Return a model with room for a longer input; places that were never trained add nothing."""
    settings = {**model.config.to_dict(), "max_position_embeddings": longest + 2}
    longer = XLMRobertaForMaskedLM(XLMRobertaConfig.from_dict(settings))
    state = model.state_dict()
    name = "roberta.embeddings.position_embeddings.weight"
    state[name] = torch.nn.functional.pad(state[name], (0, 0, 0, longest + 2 - len(state[name])))
    longer.load_state_dict(state)
    return longer.eval()


def keep_slots(model: XLMRobertaForMaskedLM) -> None:
    """Keep the slots' gain at 0 while the model is trained."""
    for name, parameter in model.named_parameters():
        if name.endswith("LayerNorm.weight") and "lm_head" not in name:
            parameter.register_hook(_without_slots)


def _without_slots(gradient: torch.Tensor) -> torch.Tensor:
    gradient = gradient.clone()
    gradient[:SLOTS] = 0
    return gradient
