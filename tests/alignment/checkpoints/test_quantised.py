"""Quantised checkpoints: what transformers loads of them, their identity, their distance to the original."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers import AutoModel, LlamaConfig, LlamaModel

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.checkpoints.options import LoadOptions
from crosslingual.alignment.representations.stored import represent
from crosslingual.cli import main
from crosslingual.data import Sentence, Side

CHARACTERS = [chr(97 + i) for i in range(26)]
PIECES = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), *CHARACTERS, "▁"]
HEADS, KEYS, BLOCKS = 4, 2, 2
TEXTS = ("a b c", "cab", "d e f g" * 9)
SIDE = Side("en", "en", tuple(Sentence(str(i), text) for i, text in enumerate(TEXTS)))


def write_gguf(path, model, kind):
    """Write a Llama as llama.cpp's converter does; `kind` is how its matrices are stored."""
    gguf = pytest.importorskip("gguf")
    config, writer = model.config, gguf.GGUFWriter(path, "llama")
    writer.add_block_count(BLOCKS)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEYS)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(len(PIECES))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, BLOCKS)
    for key, tensor in model.state_dict().items():
        stem, end = f"model.{key}".rsplit(".", 1)
        value = tensor.numpy()
        for projection, heads in (("q_proj", HEADS), ("k_proj", KEYS)):
            if projection in key:  # halves of a head side by side, not one after the other
                value = value.reshape(heads, 2, -1, value.shape[1]).swapaxes(1, 2).reshape(value.shape)
        name = f"{names.get_name(stem)}.{end}"
        if value.ndim == 2 and "token_embd" not in name:
            stored = getattr(gguf.GGMLQuantizationType, kind)
            writer.add_tensor(name, gguf.quants.quantize(value, stored), raw_dtype=stored)
        else:
            writer.add_tensor(name, value)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(PIECES)
    writer.add_token_scores([0.0] * len(PIECES))
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * (len(PIECES) - 259))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """`original`, a folder; next to it the same as F32 and as 8-bit GGUF files."""
    from transformers import AutoTokenizer

    place = tmp_path_factory.mktemp("quantised")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(PIECES),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=BLOCKS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEYS,
        max_position_embeddings=128,
    )
    model = LlamaModel(config).eval()
    write_gguf(place / "exact.gguf", model, "F32")
    write_gguf(place / "small.gguf", model, "Q8_0")
    model.save_pretrained(place / "original")
    AutoTokenizer.from_pretrained(place, gguf_file="exact.gguf").save_pretrained(place / "original")
    return place


def encoded(checkpoint, root):
    found = represent(checkpoint, [SIDE], root=root)["mean"]
    return found.read(SIDE, range(BLOCKS + 1)), json.loads(
        (found.store.folder / "about.json").read_text()
    )


def test_gguf_of_float32_is_its_original(files, tmp_path):
    exact, _ = encoded(open_checkpoint(files / "exact.gguf"), tmp_path)
    original, _ = encoded(open_checkpoint(files / "original"), tmp_path)
    assert np.allclose(exact, original, rtol=1e-5, atol=1e-6)


def test_gguf_of_eight_bits_is_compared_with_its_original(files, tmp_path):
    checkpoint = open_checkpoint(files / "small.gguf", original=str(files / "original"))
    found, about = encoded(checkpoint, tmp_path)
    original, _ = encoded(checkpoint.original, tmp_path)
    assert np.array_equal(found[0], original[0]) and not np.allclose(found[1], original[1], rtol=1e-4)
    cosines = (
        (found * original).sum(2) / np.linalg.norm(found, axis=2) / np.linalg.norm(original, axis=2)
    )
    said = about["against_original"]
    assert said["fingerprint"] == checkpoint.original.fingerprint != checkpoint.fingerprint
    assert said["least_cosine"] == pytest.approx(cosines.min(1), abs=2e-6)
    assert 0.99 < min(said["least_cosine"]) < 1 - 1e-6


def test_files_of_one_folder_are_told_apart(files):
    """Also when their identity is remembered: all files are the folder's."""
    for _ in range(2):
        exact, small = (open_checkpoint(files / f"{name}.gguf") for name in ("exact", "small"))
        assert exact.fingerprint != small.fingerprint
        assert exact.parameters == small.parameters == open_checkpoint(files / "original").parameters
    assert (exact.label, exact.layers, exact.max_length, exact.norm) == ("exact", BLOCKS, 128, "pre")


def test_gguf_from_the_hub(files, tmp_path, monkeypatch):
    """One file of many; in the hub's cache it is a link to a file of another name."""
    import huggingface_hub

    asked = []

    def snapshot_download(name, *, revision, allow_patterns, dry_run=False):
        asked.append((name, tuple(allow_patterns)))
        here = tmp_path / "cache" / ("c" * 40)
        here.mkdir(parents=True, exist_ok=True)
        for file in allow_patterns:
            if (files / file).is_file() and not (here / file).exists():
                shutil.copy(files / file, tmp_path / "cache" / "blob")
                (here / file).symlink_to(tmp_path / "cache" / "blob")
        return [] if dry_run else str(here)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    found = open_checkpoint("o/some-GGUF/small.gguf")
    assert set(asked) == {("o/some-GGUF", ("small.gguf",))} and found.revision == "c" * 40
    assert found.fingerprint == open_checkpoint(files / "small.gguf").fingerprint
    with pytest.raises(OSError, match=r"o/some-GGUF: it has no other.gguf"):
        open_checkpoint("o/some-GGUF/other.gguf")


def test_what_is_no_original(files, tiny_bert, tmp_path):
    checkpoint = open_checkpoint(files / "small.gguf", original=str(tiny_bert))
    with pytest.raises(ValueError, match=r"has 2 layers of width 64 .* not made of .*, which has 3, 32"):
        represent(checkpoint, [SIDE], root=tmp_path)


def test_an_original_is_of_no_use_where_all_is_stored(files, tmp_path, caplog):
    encoded(open_checkpoint(files / "small.gguf"), tmp_path)
    encoded(open_checkpoint(files / "small.gguf", original=str(files / "original")), tmp_path)
    assert "not compared with" in caplog.text


def test_damaged_files_are_one_line(files, tmp_path, capsys):
    whole = (files / "small.gguf").read_bytes()
    for name, content in (("empty", b""), ("cut", whole[: len(whole) // 2]), ("text", b"hello" * 99)):
        (tmp_path / f"{name}.gguf").write_bytes(content)
        assert main(["score", str(tmp_path / f"{name}.gguf"), "--out", str(tmp_path / "out")]) == 1
        said = capsys.readouterr().err
        assert f"error: {tmp_path}" in said and "Traceback" not in said
    with pytest.raises(ValueError, match="no checkpoint there .*; name its file cut.gguf"):
        open_checkpoint(tmp_path)
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(ValueError, match="neither a folder nor a GGUF file"):
        open_checkpoint(tmp_path / "note.txt")


@pytest.fixture(scope="module")
def int8(files):
    """The original's matrices as torchao's 8-bit integers."""
    pytest.importorskip("torchao")
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    how = TorchAoConfig(Int8WeightOnlyConfig())
    model = AutoModel.from_pretrained(files / "original", quantization_config=how, dtype=torch.float32)
    folder = files / "int8"
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(files / "original" / name, folder / name)
    return folder


def test_torchao(int8, files, tmp_path):
    """Loaded as transformers loads it; hashed as it lies in the file; as large as its original."""
    checkpoint = open_checkpoint(int8, original=str(files / "original"))
    found, about = encoded(checkpoint, tmp_path)
    model = AutoModel.from_pretrained(int8, dtype=torch.float32).eval()
    ids = checkpoint.tokenizer(SIDE.texts[0], return_tensors="pt")
    with torch.inference_mode():
        states = model(**ids, output_hidden_states=True).hidden_states
    expected = torch.stack([one[0].mean(0) for one in states])
    assert np.allclose(found[:, 0], expected, rtol=1e-5, atol=1e-6)
    assert 0.99 < min(about["against_original"]["least_cosine"]) < 1 - 1e-6
    original = open_checkpoint(files / "original")
    assert checkpoint.parameters == original.parameters
    assert checkpoint.fingerprint != original.fingerprint


def test_the_fingerprint_of_integers(int8, tmp_path):
    """A copy has the same, one changed byte another."""
    shutil.copytree(int8, tmp_path / "copy")
    assert open_checkpoint(tmp_path / "copy").fingerprint == open_checkpoint(int8).fingerprint
    path = tmp_path / "copy" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert open_checkpoint(tmp_path / "copy").fingerprint != open_checkpoint(int8).fingerprint


def test_a_library_that_is_not_there_is_named(files, tmp_path):
    """Without gguf, the line to install it."""
    code = (
        "import sys; sys.modules['gguf'] = None\n"
        "from crosslingual.cli import main\n"
        f"sys.exit(main(['score', {str(files / 'exact.gguf')!r}, '--out', {str(tmp_path)!r}]))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "pip install 'crosslingual[quantised]'" in ended.stderr


def test_original_is_an_option_of_opening():
    assert LoadOptions(original="o/base").opening()["original"] == "o/base"
