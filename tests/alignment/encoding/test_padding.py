"""A vector does not depend on the batch it was computed in, whatever the model."""

import numpy as np
import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.encoding.padding import padding_changes
from crosslingual.alignment.encoding.runner import open_runner
from crosslingual.alignment.representations.stored import represent
from crosslingual.data import Sentence, Side
from tests.conftest import CHARACTERS, save_tokenizer

SIZES = {
    "vocab_size": 4 + len(CHARACTERS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 140,
    "pad_token_id": 0,
}
# models in which padded places reach the others, and models in which they do not
KINDS = {
    "fnet": True,
    "convbert": True,
    "nystromformer": True,
    "yoso": True,
    "bert": False,
    "roberta": False,
    "electra": False,
    "mpnet": False,
    "deberta-v2": False,
    "gpt2": False,
    "llama": False,
}


@pytest.fixture(params=KINDS)
def checkpoint(request, tmp_path):
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    more = {"convbert": {"embedding_size": 32}, "electra": {"embedding_size": 32}}
    config = AutoConfig.for_model(request.param, **SIZES | more.get(request.param, {}))
    model = AutoModel.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(4)  # so that differences show
    model.save_pretrained(tmp_path / "m")
    save_tokenizer(tmp_path / "m")
    return request.param, open_checkpoint(tmp_path / "m")


def test_vectors_are_those_of_a_text_alone(checkpoint, tmp_path, caplog, rng):
    kind, opened = checkpoint
    lengths = [3, 4, 11, 11, 30, 60]
    texts = ["".join(rng.choice(list("abcdefgh "), n)).strip() or "a" for n in lengths]
    side = Side("en", "en", tuple(Sentence(str(i), text) for i, text in enumerate(texts)))
    with open_runner(opened, opened.layers) as runner:
        assert padding_changes(runner.many, runner.device, opened.max_length) == KINDS[kind]
        model = runner.model
    found = represent(opened, [side], root=tmp_path / "s")["mean"].read(side, [0, 1, 2])
    assert ("depends on the padding" in caplog.text) == KINDS[kind]
    for i, text in enumerate(texts):
        ids = torch.tensor([opened.tokenizer(text).input_ids])
        with torch.inference_mode():
            output = model(input_ids=ids, output_hidden_states=True)
        states = [*output.hidden_states[:-1], output.last_hidden_state]
        for layer, one in enumerate(states):
            expected = one[0].mean(dim=0).numpy()
            assert np.abs(found[layer, i] - expected).max() < 1e-5 * max(1, np.abs(expected).max())
