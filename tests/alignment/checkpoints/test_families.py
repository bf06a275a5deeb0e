"""The table of families: counts of the shapes, ids, what is read of a member."""

import json
import re
from pathlib import Path

import pytest

from crosslingual.alignment.checkpoints.families import FAMILIES, find_member, members_of
from crosslingual.alignment.checkpoints.loading import empty_model, encoder_config
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.checkpoints.sizes import sizes_of

# The shapes of the hub's configurations, apart from the table: kind, then sizes.


def enc(kind, layers, dim, heads, ffn, vocabulary, positions, **more):
    sizes = {"num_hidden_layers": layers, "hidden_size": dim, "num_attention_heads": heads}
    sizes |= {"intermediate_size": ffn, "vocab_size": vocabulary, "max_position_embeddings": positions}
    return kind, sizes | {"type_vocab_size": 2 if kind == "BertConfig" else 1} | more


def dec(kind, layers, dim, heads, kv, ffn, vocabulary, **more):
    sizes = {"num_hidden_layers": layers, "hidden_size": dim, "num_attention_heads": heads}
    sizes |= {"num_key_value_heads": kv, "intermediate_size": ffn, "vocab_size": vocabulary}
    return kind, sizes | more


def mt5(layers, dim, heads, ffn):
    sizes = {"num_layers": layers, "d_model": dim, "num_heads": heads, "d_kv": 64, "d_ff": ffn}
    return "MT5Config", sizes | {"vocab_size": 250112, "feed_forward_proj": "gated-gelu"}


def bloom(layers, dim, heads):
    return "BloomConfig", {
        "n_layer": layers,
        "hidden_size": dim,
        "n_head": heads,
        "vocab_size": 250880,
    }


def xglm(layers, dim, heads, ffn):
    sizes = {"num_layers": layers, "d_model": dim, "attention_heads": heads, "ffn_dim": ffn}
    return "XGLMConfig", sizes | {"vocab_size": 256008, "max_position_embeddings": 2048}


def gemma(layers, dim, heads, kv, ffn, vocabulary, head=256):
    return dec("Gemma3TextConfig", layers, dim, heads, kv, ffn, vocabulary, head_dim=head)


def modern(layers, dim, heads, ffn, vocabulary):
    sizes = {"num_hidden_layers": layers, "hidden_size": dim, "num_attention_heads": heads}
    return "ModernBertConfig", sizes | {"intermediate_size": ffn, "vocab_size": vocabulary}


SHAPES = {
    "FacebookAI/xlm-roberta-base": enc("XLMRobertaConfig", 12, 768, 12, 3072, 250002, 514),
    "FacebookAI/xlm-roberta-large": enc("XLMRobertaConfig", 24, 1024, 16, 4096, 250002, 514),
    "facebook/xlm-roberta-xl": enc("XLMRobertaXLConfig", 36, 2560, 32, 10240, 250880, 514),
    "facebook/xlm-roberta-xxl": enc("XLMRobertaXLConfig", 48, 4096, 32, 16384, 250880, 514),
    "google/mt5-small": mt5(8, 512, 6, 1024),
    "google/mt5-base": mt5(12, 768, 12, 2048),
    "google/mt5-large": mt5(24, 1024, 16, 2816),
    "google/mt5-xl": mt5(24, 2048, 32, 5120),
    "google/mt5-xxl": mt5(24, 4096, 64, 10240),
    "jhu-clsp/mmBERT-small": modern(22, 384, 6, 1152, 256000),
    "jhu-clsp/mmBERT-base": modern(22, 768, 12, 1152, 256000),
    "EuroBERT/EuroBERT-210m": dec("EuroBertConfig", 12, 768, 12, 12, 3072, 128256),
    "EuroBERT/EuroBERT-610m": dec("EuroBertConfig", 26, 1152, 18, 6, 4096, 128256),
    "EuroBERT/EuroBERT-2.1B": dec("EuroBertConfig", 32, 2304, 18, 6, 6144, 128256),
    "intfloat/multilingual-e5-small": enc("BertConfig", 12, 384, 12, 1536, 250037, 512),
    "intfloat/multilingual-e5-base": enc("XLMRobertaConfig", 12, 768, 12, 3072, 250002, 514),
    "intfloat/multilingual-e5-large": enc("XLMRobertaConfig", 24, 1024, 16, 4096, 250002, 514),
    "Qwen/Qwen3-0.6B": dec("Qwen3Config", 28, 1024, 16, 8, 3072, 151936, head_dim=128),
    "Qwen/Qwen3-1.7B": dec("Qwen3Config", 28, 2048, 16, 8, 6144, 151936, head_dim=128),
    "Qwen/Qwen3-4B": dec("Qwen3Config", 36, 2560, 32, 8, 9728, 151936, head_dim=128),
    "Qwen/Qwen3-8B": dec("Qwen3Config", 36, 4096, 32, 8, 12288, 151936, head_dim=128),
    "Qwen/Qwen3-14B": dec("Qwen3Config", 40, 5120, 40, 8, 17408, 151936, head_dim=128),
    "Qwen/Qwen3-Embedding-0.6B": dec("Qwen3Config", 28, 1024, 16, 8, 3072, 151669, head_dim=128),
    "Qwen/Qwen3-Embedding-4B": dec("Qwen3Config", 36, 2560, 32, 8, 9728, 151665, head_dim=128),
    "Qwen/Qwen3-Embedding-8B": dec("Qwen3Config", 36, 4096, 32, 8, 12288, 151665, head_dim=128),
    "google/gemma-3-270m": gemma(18, 640, 4, 1, 2048, 262144),
    "google/gemma-3-4b-pt": gemma(34, 2560, 8, 4, 10240, 262208),
    "google/gemma-3-12b-pt": gemma(48, 3840, 16, 8, 15360, 262208),
    "google/gemma-3-27b-pt": gemma(62, 5376, 32, 16, 21504, 262208, 128),
    "google/gemma-3-1b-pt": gemma(26, 1152, 4, 1, 6912, 262144),
    "bigscience/bloom-560m": bloom(24, 1024, 16),
    "bigscience/bloom-1b1": bloom(24, 1536, 16),
    "bigscience/bloom-1b7": bloom(24, 2048, 16),
    "bigscience/bloom-3b": bloom(30, 2560, 32),
    "bigscience/bloom-7b1": bloom(30, 4096, 32),
    "facebook/xglm-564M": xglm(24, 1024, 16, 4096),
    "facebook/xglm-1.7B": xglm(24, 2048, 16, 8192),
    "facebook/xglm-2.9B": xglm(48, 2048, 16, 8192),
    "facebook/xglm-4.5B": xglm(48, 2048, 16, 16384),
    "facebook/xglm-7.5B": xglm(32, 4096, 32, 16384),
    "utter-project/EuroLLM-1.7B": dec("LlamaConfig", 24, 2048, 16, 8, 5632, 128000),
    "utter-project/EuroLLM-9B": dec("LlamaConfig", 42, 4096, 32, 8, 12288, 128000),
    "swiss-ai/Apertus-8B-2509": dec("ApertusConfig", 32, 4096, 32, 8, 21504, 131072),
    "swiss-ai/Apertus-70B-2509": dec("ApertusConfig", 80, 8192, 64, 8, 43008, 131072),
    "HuggingFaceTB/SmolLM3-3B": dec("SmolLM3Config", 36, 2048, 16, 4, 11008, 128256),
    "CohereLabs/aya-23-8B": dec("CohereConfig", 32, 4096, 32, 8, 14336, 256000),
    "CohereLabs/aya-expanse-32b": dec("CohereConfig", 40, 8192, 64, 8, 24576, 256000),
    "ibm-granite/granite-embedding-107m-multilingual": enc(
        "XLMRobertaConfig", 6, 384, 12, 1536, 250002, 514
    ),
    "ibm-granite/granite-embedding-278m-multilingual": enc(
        "XLMRobertaConfig", 12, 768, 12, 3072, 250002, 514
    ),
    "ibm-granite/granite-embedding-97m-multilingual-r2": modern(12, 384, 6, 1536, 180000),
    "ibm-granite/granite-embedding-311m-multilingual-r2": modern(22, 768, 12, 1152, 262152),
    "Snowflake/snowflake-arctic-embed-l-v2.0": enc("XLMRobertaConfig", 24, 1024, 16, 4096, 250002, 8194),
    "BAAI/bge-m3": enc("XLMRobertaConfig", 24, 1024, 16, 4096, 250002, 8194),
    "sentence-transformers/LaBSE": enc("BertConfig", 12, 768, 12, 3072, 501153, 512),
    "google-bert/bert-base-multilingual-cased": enc("BertConfig", 12, 768, 12, 3072, 119547, 512),
    "microsoft/mdeberta-v3-base": enc(
        "DebertaV2Config",
        12,
        768,
        12,
        3072,
        251000,
        512,
        type_vocab_size=0,
        relative_attention=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        max_relative_positions=-1,
    ),
}
F2LLM = {
    f"codefuse-ai/F2LLM-v2-{size}": f"Qwen/Qwen3-{size}" for size in ("0.6B", "1.7B", "4B", "8B", "14B")
}
SHAPES |= {member: SHAPES[base] for member, base in F2LLM.items()}
KNOWN = {member.id: (family, member) for family in FAMILIES.values() for member in family.members}


def test_every_family_has_its_facts():
    assert len(FAMILIES) >= 20
    for family in FAMILIES.values():
        assert family.objective in ("mlm", "clm", "span", "rtd", "contrastive")
        assert family.verified and family.languages and family.longest > 0
        assert len({member.id for member in family.members}) == len(family.members)
        for member in family.members:
            assert member.norm in ("pre", "post", "both")
            assert re.fullmatch(r"[\w-]+/[\w.-]+|pocket-\w+", member.id)


@pytest.mark.parametrize("checkpoint", SHAPES)
def test_counts_are_those_of_the_shape(checkpoint):
    import transformers

    kind, sizes = SHAPES[checkpoint]
    config = getattr(transformers, kind)(**sizes)
    model = empty_model(Path("nowhere"), config)
    found, part = sizes_of(model, config), encoder_config(config)
    _, member = KNOWN[checkpoint]
    shape = part.num_hidden_layers, part.hidden_size, config.vocab_size
    assert (member.blocks, member.dim, member.vocabulary) == shape
    assert (member.parameters, member.parameters_body) == found


def test_a_count_without_a_shape_has_no_body():
    """What was not counted here is a total of others' metadata; built-in models are opened below."""
    for checkpoint, (family, member) in KNOWN.items():
        if checkpoint not in SHAPES and family.name != "pocket":
            assert member.parameters_body is None


def test_the_built_in_family_is_what_is_built_in():
    for member in members_of("pocket"):
        opened = open_checkpoint(member.id)
        assert (member.parameters, member.parameters_body) == (opened.parameters, opened.parameters_body)
        assert member.blocks == opened.layers
        assert (opened.norm, opened.objective) == ("post", "contrastive")


def test_members_come_by_size():
    assert [member.id for member in members_of("xlm-r")][::3] == [
        "FacebookAI/xlm-roberta-base",
        "facebook/xlm-roberta-xxl",
    ]
    assert find_member("intfloat/multilingual-e5-base")[1].prompt == "query: "
    assert find_member("nobody/nothing") is None
    with pytest.raises(ValueError, match="unknown family 'xlmr': did you mean xlm-r"):
        members_of("xlmr")


def test_norm_and_objective_of_a_folder(tiny_bert, tmp_path):
    import shutil

    opened = open_checkpoint(tiny_bert)
    heads = json.loads((tiny_bert / "config.json").read_text())["architectures"]
    assert opened.norm == "post" and opened.objective == ("mlm" if "ForMaskedLM" in heads[0] else "")
    folder = Path(shutil.copytree(tiny_bert, tmp_path / "m"))
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"architectures": ["BertForMaskedLM"]}))
    assert open_checkpoint(folder).objective == "mlm"
