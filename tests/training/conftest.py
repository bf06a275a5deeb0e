"""A small encoder with a real word-piece tokenizer: two blocks, quick to train."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tokenizer(minilm):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(minilm)


@pytest.fixture(scope="session")
def little(tmp_path_factory, tokenizer) -> Path:
    """The folder of an encoder that can be trained in seconds."""
    folder = tmp_path_factory.mktemp("little") / "little"
    new_encoder(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def new_encoder(tokenizer, seed=0, dropout=0.0):
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    return BertModel(config, add_pooling_layer=False)
