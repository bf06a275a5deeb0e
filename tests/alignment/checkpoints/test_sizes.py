"""Numbers of parameters, against what configurations say."""

import pytest
import torch
from transformers import (
    AutoModel,
    BertConfig,
    Gemma3nTextConfig,
    MixtralConfig,
    T5Config,
    T5EncoderModel,
)

from crosslingual.alignment.checkpoints.sizes import sizes_of


def bert(vocabulary):
    return BertConfig(
        vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )  # fmt: skip


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_body_does_not_grow_with_the_vocabulary():
    sizes = []
    for vocabulary in (100, 1000):
        config = bert(vocabulary)
        model = AutoModel.from_config(config, add_pooling_layer=False)
        sizes.append(sizes_of(model, config))
        assert sizes[-1].parameters == count(model)
        assert sizes[-1].parameters_body == count(model) - vocabulary * 32
    assert sizes[0].parameters_body == sizes[1].parameters_body
    assert sizes[1].parameters - sizes[0].parameters == 900 * 32


def test_a_shared_embedding_counts_once():
    config = T5Config(vocab_size=100, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    model = T5EncoderModel(config)
    assert sizes_of(model, config) == (count(model), count(model) - 100 * 32)


def test_of_experts_those_count_that_look_at_a_token():
    config = MixtralConfig(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=8, num_experts_per_tok=2,
    )  # fmt: skip
    model = AutoModel.from_config(config)
    experts = 2 * 8 * 3 * 32 * 64
    assert sizes_of(model, config).parameters_body == count(model) - 100 * 32 - experts * 3 // 4


def test_embeddings_of_every_layer_are_no_body():
    config = Gemma3nTextConfig(
        vocab_size=100, vocab_size_per_layer_input=100, hidden_size=32, hidden_size_per_layer_input=8,
        intermediate_size=64, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        num_kv_shared_layers=2, laurel_rank=4, activation_sparsity_pattern=[0.0] * 4,
    )  # fmt: skip
    model = AutoModel.from_config(config)
    assert sizes_of(model, config).parameters_body == count(model) - 100 * 32 - 100 * 4 * 8


@pytest.mark.parametrize("tower", ["vision_tower", "audio_tower"])
def test_towers_for_images_are_no_body(tower):
    config = bert(100)
    model = AutoModel.from_config(config)
    before = sizes_of(model, config)
    setattr(model, tower, torch.nn.Linear(5, 5))
    after = sizes_of(model, config)
    assert (after.parameters - before.parameters, after.parameters_body) == (30, before.parameters_body)


def test_a_model_without_an_embedding_matrix_is_all_body():
    """CANINE hashes characters: there is no vocabulary to leave out."""
    from transformers import CanineConfig, CanineModel

    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
    }
    config = CanineConfig(**sizes, num_hash_buckets=64)
    model = CanineModel(config, add_pooling_layer=False)
    total = sum(weight.numel() for weight in model.parameters())
    assert sizes_of(model, config) == (total, total)
