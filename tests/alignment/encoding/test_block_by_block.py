"""Blocks read from the files one after the other give the bits of the model in memory."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from crosslingual.alignment.checkpoints import checkpoint as module
from crosslingual.alignment.checkpoints import in_files
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.representations.stored import represent
from tests.conftest import CHARACTERS, save_tokenizer

from .test_architectures import KINDS, SIDE, save_small

STREAMED = (
    *("apertus", "bert", "bloom", "cohere", "deberta-v2", "eurobert", "gemma2", "gemma3_text", "gpt2"),
    *("gpt_oss", "llama", "m2m_100", "mbart", "mistral", "mixtral", "modernbert", "olmo2", "phi3"),
    *("qwen3", "qwen3_moe", "rembert", "smollm3", "xglm", "xlm-roberta", "xlm-roberta-xl"),
)
LAYERS = 3
WHOLE_ONLY = {
    "albert": "AlbertModel cannot be computed block by block .its blocks are not one list",
    "mt5": "MT5EncoderModel cannot be computed block by block .its blocks are called in an unknown",
    "fsmt": "FSMTEncoder cannot be computed block by block .layer 0 is not what its block reads",
    "xlnet": "it has weights next to its blocks that belong to no module",
    "mamba": "MambaModel cannot be computed block by block .layer 0 is not what its block reads",
}


def vectors(checkpoint, folder, poolings=("mean", "last"), layers=None):
    found = represent(checkpoint, [SIDE], root=folder, poolings=poolings, layers=layers)
    return {name: found[name].read(SIDE, found[name].available) for name in poolings}


def just_too_small(folder, **options):
    """Open a checkpoint with a byte less than its weights take."""
    size = 4 if options.get("dtype", "float32") == "float32" else 2
    return open_checkpoint(
        folder, memory=(open_checkpoint(folder).parameters * size - 1) / 1e9, **options
    )


def refuse_loading(monkeypatch):
    """Let nothing be loaded whole."""

    def load(*_, **__):
        raise AssertionError("it is loaded whole")

    monkeypatch.setattr(module, "load_model", load)


@pytest.mark.parametrize("kind", STREAMED)
def test_bits_and_fingerprint_are_those_of_the_model_in_memory(kind, tmp_path, monkeypatch):
    folder = save_small(kind, tmp_path / "m", layers=LAYERS)
    whole = open_checkpoint(folder)
    known, expected = whole._identity, vectors(whole, tmp_path / "whole")
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "another"))
    monkeypatch.setattr(in_files, "WHOLE", 0)
    refuse_loading(monkeypatch)
    assert open_checkpoint(folder)._identity == known
    streamed = just_too_small(folder)
    found = vectors(streamed, tmp_path / "streamed")
    assert streamed.block_by_block
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("kind", WHOLE_ONLY)
def test_what_cannot_be_computed_so_is_refused_by_name(kind, tmp_path):
    folder = save_small(kind, tmp_path / "m", layers=LAYERS)
    with pytest.raises(
        ValueError, match=WHOLE_ONLY[kind] + ".*take more `memory`, or `device_map` auto"
    ):
        vectors(just_too_small(folder), tmp_path / "streamed")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", sorted({*KINDS} - {*STREAMED}))
def test_every_other_kind_has_the_same_bits_or_is_refused(kind, tmp_path):
    folder = save_small(kind, tmp_path / "m", layers=LAYERS)
    try:
        expected = vectors(open_checkpoint(folder), tmp_path / "whole")
    except ValueError:
        return  # not in memory, either
    try:
        found = vectors(just_too_small(folder), tmp_path / "streamed")
    except ValueError as error:
        said = str(error)
        assert "cannot be computed block by block" in said or "; take more `memory`" in said
        assert "\n" not in said
        return
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("kind", ["llama", "xlm-roberta", "gemma3_text"])
@pytest.mark.parametrize("saved", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_precisions_of_file_and_computation(kind, saved, dtype, tmp_path, monkeypatch):
    folder = save_small(kind, tmp_path / "m", saved, layers=9)
    expected = vectors(open_checkpoint(folder, dtype=dtype), tmp_path / "whole")
    refuse_loading(monkeypatch)
    found = vectors(just_too_small(folder, dtype=dtype), tmp_path / "streamed")
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_groups_of_shards_and_layers_below_the_last(tmp_path, monkeypatch):
    """With room for one shard at a time blocks are read once for each; blocks above do not run."""
    monkeypatch.setattr("crosslingual.alignment.representations.texts.SHARD_ROWS", 2)
    folder = save_small("llama", tmp_path / "m", layers=LAYERS)
    expected = vectors(open_checkpoint(folder), tmp_path / "whole", layers=(0, 1))
    filled = []
    original = module.Skeleton.filled

    def count(self, block, *rest):
        filled.append(block)
        return original(self, block, *rest)

    monkeypatch.setattr(module.Skeleton, "filled", count)
    with open_checkpoint(folder).skeleton() as skeleton:
        outside, block = skeleton.sizes()
    checkpoint = open_checkpoint(folder, memory=(outside + 2 * block + 1) / 1e9)
    found = vectors(checkpoint, tmp_path / "streamed", layers=(0, 1))
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    tried, padding, shards = [0, 1, 2], [0], [0, 0, 0]
    assert filled == [f"layers.{index}" for index in tried + padding + shards]


def test_a_model_that_fits_is_loaded(tiny_bert):
    checkpoint = open_checkpoint(tiny_bert)
    size = checkpoint.parameters * 4
    assert not checkpoint.block_by_block
    assert not open_checkpoint(tiny_bert, memory=size / 1e9).block_by_block
    assert open_checkpoint(tiny_bert, memory=(size - 1) / 1e9).block_by_block


def test_what_is_free_decides_where_nothing_is_said(tiny_bert, monkeypatch, caplog):
    monkeypatch.setattr(module, "free_memory", lambda device: 1000)
    assert open_checkpoint(tiny_bert).block_by_block
    assert "its blocks are read from the files one after the other" in caplog.text


def test_too_little_for_a_block(tiny_bert, tmp_path):
    with pytest.raises(ValueError, match=r"a block and what lies outside the blocks take .* GB"):
        vectors(open_checkpoint(tiny_bert, memory=1e-6), tmp_path / "store")


@pytest.mark.parametrize("state", [{"random_seed": 1}])
def test_random_weights_are_not_read(tiny_bert, state):
    from dataclasses import replace

    assert not replace(just_too_small(tiny_bert), **state).block_by_block


def test_a_pickle_is_loaded_whole_or_refused(tiny_bert, tmp_path):
    from transformers import AutoModel

    folder = tmp_path / "m"
    folder.mkdir()
    for path in tiny_bert.iterdir():
        if path.suffix != ".safetensors":
            (folder / path.name).write_bytes(path.read_bytes())
    torch.save(AutoModel.from_pretrained(tiny_bert).state_dict(), folder / "pytorch_model.bin")
    small = open_checkpoint(folder, allow_pickle=True, memory=1e-5)
    with pytest.raises(ValueError, match="and its weights are pickled; take more `memory`"):
        vectors(small, tmp_path / "store")


def test_a_block_that_is_given_what_another_returned_is_noticed(tmp_path, monkeypatch):
    """A model that hands a number from block to block: the pass that hands inputs on cannot see it."""
    folder = save_small("llama", tmp_path / "m", layers=LAYERS)
    from transformers.models.llama.modeling_llama import LlamaDecoderLayer

    original = LlamaDecoderLayer.forward
    left = {"mean": torch.zeros(())}

    def forward(self, hidden_states, **kwargs):
        states = original(self, hidden_states, **kwargs)
        left["mean"] = states.mean()
        return states

    def call(self, hidden_states, **kwargs):
        return torch.nn.Module.__call__(self, hidden_states, seen=left["mean"], **kwargs)

    checkpoint = just_too_small(folder)
    monkeypatch.setattr(LlamaDecoderLayer, "forward", forward)
    monkeypatch.setattr(LlamaDecoderLayer, "__call__", call)
    with pytest.raises(ValueError, match="block 2 is called with something that a block before returns"):
        vectors(checkpoint, tmp_path / "store")


LARGE = """
import sys, threading, time
from pathlib import Path
import psutil
import accelerate.hooks, transformers.models.llama.modeling_llama
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.representations.stored import represent
from tests.alignment.encoding.test_architectures import SIDE

folder, store, memory = sys.argv[1:]
process, peak, going = psutil.Process(), [0], [True]
before = process.memory_info().rss

def watch():
    while going:
        peak[0] = max(peak[0], process.memory_info().rss - before)
        time.sleep(0.002)

threading.Thread(target=watch, daemon=True).start()
start = time.monotonic()
checkpoint = open_checkpoint(folder, memory=float(memory))
vectors = represent(checkpoint, [SIDE], root=Path(store))["mean"].read(SIDE, range(checkpoint.layers + 1))
print(checkpoint.fingerprint, vectors.tobytes().hex(), time.monotonic() - start, peak[0])
"""


@pytest.mark.slow
def test_a_model_of_gigabytes_takes_a_fifth_of_its_memory(tmp_path, monkeypatch):
    """24 blocks, 1.6 GB: the same fingerprint and bits, less than a fifth of the memory, twice the time."""
    from transformers import AutoModel, LlamaConfig

    torch.manual_seed(0)
    sizes = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
    sizes["vocab_size"] = 4 + len(CHARACTERS)
    model = AutoModel.from_config(LlamaConfig(**sizes, num_attention_heads=16, pad_token_id=0))
    weights = 4 * sum(weight.numel() for weight in model.parameters())
    model.save_pretrained(tmp_path / "m", max_shard_size="400MB")
    save_tokenizer(tmp_path / "m")
    del model
    found = {}
    for memory in (100.0, 0.2):
        monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / f"home{memory}"))
        done = subprocess.run(
            [sys.executable, "-c", LARGE, tmp_path / "m", tmp_path / f"store{memory}", str(memory)],
            check=True,
            capture_output=True,
            text=True,
        )
        found[memory] = done.stdout.split()
    whole, streamed = found[100.0], found[0.2]
    assert weights > 1.5e9
    assert streamed[:2] == whole[:2]
    assert float(streamed[2]) < 2 * float(whole[2])
    assert int(streamed[3]) < weights / 5 < int(whole[3])


def test_what_cannot_stay_in_its_files_is_loaded_to_be_hashed(tiny_bert, tmp_path, monkeypatch):
    expected = open_checkpoint(tiny_bert).fingerprint
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "another"))
    monkeypatch.setattr(in_files, "WHOLE", 0)

    def refuse(*_):
        raise ValueError("no device map for it")

    monkeypatch.setattr(module, "open_skeleton", refuse)
    assert open_checkpoint(tiny_bert).fingerprint == expected


def test_an_adapter_is_loaded_whole_or_refused(tiny_bert, tmp_path, monkeypatch):
    peft = pytest.importorskip("peft")
    from transformers import AutoModel

    settings = peft.LoraConfig(r=2, target_modules=["query"])
    made = peft.get_peft_model(AutoModel.from_pretrained(tiny_bert), settings)
    made.save_pretrained(tmp_path / "adapter")
    opened = open_checkpoint(tmp_path / "adapter", memory=1e-5)
    with pytest.raises(ValueError, match="and an adapter is merged with the whole of its base"):
        vectors(opened, tmp_path / "store")
