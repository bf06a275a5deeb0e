"""Every architecture is encoded as one text at a time is, or refused in one line."""

import numpy as np
import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.representations.stored import represent
from crosslingual.data import Sentence, Side
from tests.conftest import CHARACTERS, save_tokenizer

# fmt: off
KINDS = (
    "albert", "apertus", "arcee", "bart", "bert",
    "bert-generation", "big_bird", "bigbird_pegasus", "biogpt", "bitnet",
    "blenderbot", "blenderbot-small", "bloom", "camembert", "canine",
    "codegen", "cohere", "cohere2", "convbert", "cpmant",
    "ctrl", "data2vec-text", "deberta", "deberta-v2", "deepseek_v2",
    "deepseek_v3", "diffllama", "distilbert", "doge", "electra",
    "ernie", "ernie4_5", "esm", "eurobert", "exaone4",
    "falcon", "falcon_h1", "falcon_mamba", "flaubert", "fnet",
    "fsmt", "gemma", "gemma2", "gemma3_text", "glm",
    "glm4", "gpt2", "gpt_bigcode", "gpt_neox", "gpt_neox_japanese",
    "gptj", "gpt_oss", "granite", "granitemoe", "helium",
    "hunyuan_v1_dense", "ibert", "jamba", "jetmoe", "led",
    "lfm2", "lilt", "llama", "longformer", "longt5",
    "m2m_100", "mamba", "marian", "mbart", "megatron-bert",
    "mistral", "mixtral", "mobilebert", "modernbert", "modernbert-decoder",
    "mpnet", "mpt", "mra", "mt5", "mvp",
    "nemotron", "nllb-moe", "nystromformer", "olmo", "olmo2",
    "olmo3", "olmoe", "openai-gpt", "opt", "pegasus",
    "pegasus_x", "persimmon", "phi", "phi3", "plbart",
    "prophetnet", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe",
    "recurrent_gemma", "rembert", "roberta", "roberta-prelayernorm", "roformer",
    "rwkv", "seed_oss", "smollm3", "splinter", "squeezebert",
    "stablelm", "starcoder2", "switch_transformers", "t5", "umt5",
    "xglm", "xlm", "xlm-roberta", "xlm-roberta-xl", "xlnet",
    "xmod", "yoso",
)
# fmt: on
# small values of what configurations call their sizes
SIZES = {
    "vocab_size": 4 + len(CHARACTERS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 140,
    "pad_token_id": 0,
    "d_model": 32,
    "n_layer": 2,
    "n_layers": 2,
    "num_layers": 2,
    "n_head": 4,
    "n_heads": 4,
    "num_heads": 4,
    "d_ff": 48,
    "d_inner": 48,
    "dim": 32,
    "hidden_dim": 48,
    "ffn_dim": 48,
    "n_embd": 32,
    "n_positions": 140,
    "n_inner": 48,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "embedding_size": 32,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "d_kv": 8,
    "rotary_dim": 4,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "decoder_start_token_id": 2,
    "num_experts": 2,
    "num_local_experts": 2,
    "emb_dim": 32,
    "attention_window": [8, 8],
    "word_embed_proj_dim": 32,
    "kv_lora_rank": 8,
    "q_lora_rank": 8,
    "moe_intermediate_size": 16,
    "n_routed_experts": 2,
    "num_experts_per_tok": 1,
}  # fmt: skip
TEXTS = ["ab", "abc de", "a bc def ghij", "xyz xyz xyz", "q w e r t y u i o p a s d f"]
SIDE = Side("en", "en", tuple(Sentence(str(i), text) for i, text in enumerate(TEXTS)))


@pytest.fixture(params=KINDS)
def folder(request, tmp_path):
    return save_small(request.param, tmp_path / "m")


def save_small(kind, folder, dtype=torch.float32, layers=2):
    """Save a small random model of a kind of transformers, or skip the test."""
    from transformers import CONFIG_MAPPING, AutoModel

    made = CONFIG_MAPPING[kind]
    known = {*made().to_dict(), *getattr(made, "attribute_map", {})}
    sizes = SIZES | dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), layers)
    try:
        model = AutoModel.from_config(made(**{k: v for k, v in sizes.items() if k in known}))
    except Exception as error:  # a kind whose sizes need more than these names
        pytest.skip(f"no small configuration: {error}")
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.06)
    model.to(dtype).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_vectors_are_those_of_one_text_at_a_time(folder, tmp_path):
    checkpoint = open_checkpoint(folder)
    try:
        found = represent(checkpoint, [SIDE], root=tmp_path / "store")["mean"]
    except ValueError as error:
        assert "\n" not in str(error)
        return
    model, layers = checkpoint.load(), range(checkpoint.layers + 1)
    vectors = found.read(SIDE, layers)
    for row, text in enumerate(TEXTS):
        ids = torch.tensor([checkpoint.tokenizer(text).input_ids])
        with torch.inference_mode():
            output = model(input_ids=ids, output_hidden_states=True)
        for layer, states in enumerate([*output.hidden_states[:-1], output.last_hidden_state]):
            scale = states.float().square().mean().sqrt().item()
            expected = states[0].float().mean(dim=0).numpy()
            assert np.abs(vectors[layer, row] - expected).max() < 1e-5 * max(scale, 1e-6), layer
