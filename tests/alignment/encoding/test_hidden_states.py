"""Layers seen by hooks are the hidden states that transformers returns, on every architecture."""

import logging

import pytest
import torch

from crosslingual.alignment.encoding.hidden_states import find_blocks, layer_states
from crosslingual.alignment.encoding.pooling import Batch
from tests.conftest import tiny_config

SMALL = {"head_dim": 8, "num_key_value_heads": 2}
ARCHITECTURES = {
    "Bert": ("BertConfig", {}),
    "XLMRoberta": ("XLMRobertaConfig", {"pad_token_id": 1}),
    "XLMRobertaXL": ("XLMRobertaXLConfig", {"pad_token_id": 1}),
    "DistilBert": ("DistilBertConfig", {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48}),
    "Electra": ("ElectraConfig", {"embedding_size": 16}),
    "DebertaV2": ("DebertaV2Config", {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}),
    "ModernBert": ("ModernBertConfig", {"global_attn_every_n_layers": 2, "local_attention": 4}),
    "GPT2": ("GPT2Config", {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 140}),
    "Llama": ("LlamaConfig", {"num_key_value_heads": 2}),
    "Qwen2": ("Qwen2Config", {"num_key_value_heads": 2}),
    "Gemma2": ("Gemma2Config", SMALL | {"sliding_window": 4}),
    "Bloom": ("BloomConfig", {"n_layer": 3, "n_head": 4}),
    "XGLM": ("XGLMConfig", {"d_model": 32, "num_layers": 3, "attention_heads": 4, "ffn_dim": 48}),
    "T5": ("T5Config", {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 3, "num_heads": 4}),
    "MT5": ("MT5Config", {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 3, "num_heads": 4}),
    "Albert": ("AlbertConfig", {"embedding_size": 16}),
}


def model_of(name: str) -> tuple[torch.nn.Module, int]:
    from transformers import AutoModel, AutoModelForTextEncoding

    torch.manual_seed(3)
    kind, changes = ARCHITECTURES[name]
    config = tiny_config(kind, **changes)
    factory = AutoModelForTextEncoding if config.is_encoder_decoder else AutoModel  # type: ignore[attr-defined]
    return factory.from_config(config).eval(), config.num_hidden_layers  # type: ignore[attr-defined]


def a_batch(model: torch.nn.Module) -> Batch:
    pad = model.config.pad_token_id or 0  # type: ignore[union-attr]
    ids = torch.randint(5, 60, (4, 11), generator=torch.Generator().manual_seed(1))
    lengths = torch.tensor([11, 9, 4, 1])
    ids[torch.arange(11)[None] >= lengths[:, None]] = pad
    return Batch(ids, lengths, torch.zeros_like(ids).bool(), padded=True)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_layers_are_the_hidden_states(name, caplog):
    model, layers = model_of(name)
    batch = a_batch(model)
    seen: dict[int, torch.Tensor] = {}
    with (
        caplog.at_level(logging.INFO),
        torch.inference_mode(),
        layer_states(model, layers) as run,
    ):
        run(batch, lambda i, states: seen.__setitem__(i, states.clone()))
    with torch.inference_mode():
        output = model(
            input_ids=batch.ids, attention_mask=batch.attended.long(), output_hidden_states=True
        )
    expected = [*output.hidden_states[:-1], output.last_hidden_state]
    assert list(seen) == list(range(layers + 1)) == list(range(len(expected)))
    attended = batch.attended
    for i, states in enumerate(expected):
        scale = states[attended].pow(2).mean().sqrt()
        assert (seen[i] - states)[attended].abs().max() <= 1e-5 * scale
    assert (find_blocks(model, layers) is None) == (name == "Albert")
    assert ("output_hidden_states" in caplog.text) == (name == "Albert")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_blocks_above_the_highest_layer_do_not_run(name):
    """The layers below have the same bits; the last one still has the norm that comes after the blocks."""
    model, layers = model_of(name)
    ran = []
    for index, block in enumerate(find_blocks(model, layers) or ()):
        block.register_forward_hook(lambda *_, index=index: ran.append(index))
    found = []
    for highest in range(layers + 1):
        seen: dict[int, torch.Tensor] = {}
        with torch.inference_mode(), layer_states(model, layers, highest) as run:
            ran.clear()
            run(a_batch(model), lambda i, states, seen=seen: seen.__setitem__(i, states.clone()))
        found.append(seen)
        if name != "Albert":  # its one block is run through output_hidden_states
            assert list(seen) == list(range(highest + 1)) and ran == list(range(highest))
    whole = found[-1]
    assert list(whole) == list(range(layers + 1))
    for seen in found:
        assert all(torch.equal(states, whole[i]) for i, states in seen.items())


def test_hooks_are_gone_afterwards():
    model, layers = model_of("Bert")
    with layer_states(model, layers):
        pass
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_a_block_that_reads_something_else_is_noticed(caplog):
    """A model whose second block is fed twice its hidden state: hooks are not to be trusted."""
    model, layers = model_of("Bert")
    block = model.encoder.layer[1]
    original = block.forward
    block.forward = lambda states, *a, **k: original(states, *a, **k)
    block.register_forward_pre_hook(lambda _, args: (args[0] * 2, *args[1:]))
    with caplog.at_level(logging.INFO), layer_states(model, layers) as run:
        seen = []
        run(a_batch(model), lambda i, states: seen.append(i))
    assert "does not read hidden state 1" in caplog.text
    assert seen == list(range(layers + 1))


def test_an_error_of_the_consumer_does_not_stick():
    model, layers = model_of("Bert")
    with layer_states(model, layers) as run:
        with pytest.raises(RuntimeError, match="consumer"):
            run(a_batch(model), lambda i, states: (_ for _ in ()).throw(RuntimeError("consumer")))
        seen = []
        run(a_batch(model), lambda i, states: seen.append(bool(states.isfinite().all())))
    assert all(seen)
