"""Tokens are what the tokenizer gives for a text alone."""

import numpy as np
import pytest
from transformers import AutoTokenizer

from crosslingual.alignment.encoding.tokens import tokenize


def test_ids_offsets_and_counts(minilm):
    tokenizer = AutoTokenizer.from_pretrained(minilm)
    texts = ["A sentence.", "слово 漢字", "long " * 50, "x"]
    tokens = tokenize(tokenizer, texts, 20)
    for i, text in enumerate(texts):
        alone = tokenizer(text, truncation=True, max_length=20)["input_ids"]
        assert tokens.ids[tokens.offsets[i] : tokens.offsets[i + 1]].tolist() == alone
        assert tokens.unknown[i] == alone.count(tokenizer.unk_token_id)
        first, last = tokens.special[tokens.offsets[i]], tokens.special[tokens.offsets[i + 1] - 1]
        assert first
        assert last
    assert tokens.truncated.tolist() == [False, False, True, False]
    assert tokens.counts.tolist() == np.diff(tokens.offsets).tolist()


def test_baked_in_padding_and_truncation_are_switched_off(minilm):
    """MiniLM's tokenizer.json pads and truncates to 128."""
    tokenizer = AutoTokenizer.from_pretrained(minilm)
    tokenizer.backend_tokenizer.enable_padding(length=128)
    tokenizer.backend_tokenizer.enable_truncation(5)
    assert tokenize(tokenizer, ["one two three four five six seven"], 256).counts.tolist() == [9]


def test_a_text_without_tokens_is_refused(tmp_path):
    from tests.conftest import save_tokenizer

    save_tokenizer(tmp_path, special=False)
    with pytest.raises(ValueError, match="leaves nothing of ''"):
        tokenize(AutoTokenizer.from_pretrained(tmp_path), ["a", ""], 16)
