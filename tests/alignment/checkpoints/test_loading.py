"""What is loaded is decided by reading what would be loaded, and what cannot be is one line."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from tests.alignment.checkpoints.test_checkpoint import load_tensors, save_tensors


@pytest.fixture
def copy(tiny_bert, tmp_path):
    return Path(shutil.copytree(tiny_bert, tmp_path / "copy"))


def settings(folder: Path, name: str, **changes: object) -> None:
    path = folder / name
    known = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(known | changes))


class Planted:
    """A pickle that writes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("decoy", [False, True])
def test_an_index_that_names_a_pickle_is_refused(copy, tmp_path, decoy):
    """Safetensors of another name next to it change nothing: transformers reads what the index names."""
    tensors = load_tensors(copy)
    torch.save(Planted(tmp_path / "opened"), copy / "weights.bin")
    (copy / "model.safetensors").rename(copy / ("decoy.safetensors" if decoy else "x.txt"))
    index = {"metadata": {}, "weight_map": dict.fromkeys(tensors, "weights.bin")}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=r"names weights\.bin, a pickle.*`allow_pickle`"):
        open_checkpoint(copy).load()
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    "name", ["../other.safetensors", "/etc/other.safetensors", "missing.safetensors"]
)
def test_an_index_names_files_of_its_folder(copy, name):
    tensors = load_tensors(copy)
    (copy / "model.safetensors").rename(copy.parent / "other.safetensors")
    index = {"weight_map": dict.fromkeys(tensors, name)}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match="outside the folder|no such file, though"):
        open_checkpoint(copy).load()


def test_only_pickles_and_nothing_are_said(copy):
    torch.save({}, copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    (copy / "decoy.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match=r"only a pickle \(pytorch_model\.bin\)"):
        open_checkpoint(copy).load()
    (copy / "pytorch_model.bin").unlink()
    with pytest.raises(ValueError, match="no weights there"):
        open_checkpoint(copy).load()


def test_weights_of_blocks_that_the_configuration_leaves_out(copy):
    settings(copy, "config.json", num_hidden_layers=2)
    with pytest.raises(
        ValueError, match=r"of blocks that its config\.json leaves out, first .*layer\.2"
    ):
        open_checkpoint(copy).load()


def test_integers_are_no_weights(copy):
    save_tensors(copy, {name: (10 * one).to(torch.int8) for name, one in load_tensors(copy).items()})
    with pytest.raises(ValueError, match="weights are integers, first"):
        open_checkpoint(copy).load()


def test_a_tokenizer_without_vocabulary(copy):
    path = copy / "tokenizer.json"
    whole = json.loads(path.read_text())
    special = {
        name: number for name, number in whole["model"]["vocab"].items() if name[:1] == "[" < name
    }
    whole["model"]["vocab"] = special
    path.write_text(json.dumps(whole))
    with pytest.raises(ValueError, match="its tokenizer has no vocabulary"):
        _ = open_checkpoint(copy).tokenizer


def test_a_tokenizer_larger_than_the_embeddings(copy):
    from crosslingual.alignment.representations.stored import represent
    from crosslingual.data import Sentence, Side

    path = copy / "tokenizer.json"
    whole = json.loads(path.read_text())
    whole["model"]["vocab"]["z"] = 4000
    path.write_text(json.dumps(whole))
    side = Side("en", "en", (Sentence("1", "a zebra"),))
    with pytest.raises(ValueError, match="gives id 4000, the model has embeddings of"):
        represent(open_checkpoint(copy), [side], root=copy / "store")


BAD = {
    "pointer": lambda folder: (folder / "model.safetensors").write_text(
        "version https://git-lfs\noid x\n"
    ),
    "cut": lambda folder: (folder / "model.safetensors").write_bytes(
        (folder / "model.safetensors").read_bytes()[:5000]
    ),
    "flash": lambda folder: settings(folder, "config.json", attn_implementation="flash_attention_2"),
    "gptq": lambda folder: settings(
        folder, "config.json", quantization_config={"quant_method": "gptq", "bits": 4}
    ),
    "activation": lambda folder: settings(folder, "config.json", hidden_act="no_such"),
    "padding": lambda folder: settings(folder, "config.json", pad_token_id=99999),
    "text": lambda folder: settings(folder, "config.json", max_position_embeddings="140"),
    "heads": lambda folder: settings(folder, "config.json", num_attention_heads=0),
    "layers": lambda folder: settings(folder, "config.json", num_hidden_layers=-1),
    "kind": lambda folder: settings(folder, "config.json", model_type="no_such"),
    "list": lambda folder: (folder / "config.json").write_text("[1]"),
    "deep": lambda folder: (folder / "config.json").write_text("[" * 100000),
    "tokenizer": lambda folder: (folder / "tokenizer.json").write_text("{}"),
    "modules": lambda folder: (folder / "modules.json").write_text('{"a": 1}'),
    "outside": lambda folder: (folder / "modules.json").write_text('[{"type": "x", "path": "../.."}]'),
    "length": lambda folder: settings(folder, "sentence_bert_config.json", max_seq_length=-5),
    "prompt": lambda folder: settings(
        folder, "config_sentence_transformers.json", prompts={}, default_prompt_name="query"
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_loaded_is_one_line(copy, kind, command):
    BAD[kind](copy)
    done = command(
        "score", copy, "--languages", "de", "--limit", "8", "--layers", "last", "--out", "run"
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [line.startswith("error: ") for line in done.stderr.splitlines()].count(True) == 1
    assert str(copy) in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "module._orig_mod."])
def test_weights_of_a_wrapped_model(tiny_bert, copy, wrapper):
    """As saved from data-parallel or compiled models: the same fingerprint."""
    save_tensors(copy, {wrapper + name: one for name, one in load_tensors(copy).items()})
    assert open_checkpoint(copy).fingerprint == open_checkpoint(tiny_bert).fingerprint


def text_and_images(kind):
    import transformers

    from tests.conftest import CHARACTERS

    text = {"num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
    text |= {"vocab_size": 4 + len(CHARACTERS), "eos_token_id": 2, "bos_token_id": 1}
    images = {
        "num_hidden_layers": 2,
        "hidden_size": 16,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    images |= {"image_size": 28, "patch_size": 14}
    if kind == "gemma3":
        more = {"num_key_value_heads": 2, "head_dim": 8}
        return transformers.Gemma3Config(
            text_config=text | more, vision_config=images, mm_tokens_per_image=4
        )
    if kind == "llava":
        return transformers.LlavaConfig(
            text_config=transformers.LlamaConfig(**text),
            vision_config=transformers.CLIPVisionConfig(**images),
        )
    return transformers.CLIPConfig(text_config=text, vision_config=images)


@pytest.mark.parametrize("kind", ["gemma3", "llava", "clip"])
@pytest.mark.filterwarnings("ignore")
def test_of_a_model_for_images_the_part_for_text_is_loaded(kind, tmp_path):
    from transformers import AutoModel

    from tests.conftest import save_tokenizer

    torch.manual_seed(0)
    whole = AutoModel.from_config(text_and_images(kind)).eval()
    whole.save_pretrained(tmp_path / "m")
    save_tokenizer(tmp_path / "m")
    opened = open_checkpoint(tmp_path / "m")
    model = opened.load()
    assert not any("vision" in name for name, _ in model.named_modules())
    assert opened.layers == 3 and not any(one.is_meta for one in model.parameters())
    assert opened.parameters == sum(one.numel() for one in model.parameters())
    text = whole.text_model if kind == "clip" else whole
    ids = torch.tensor([[5, 6, 7, 2]])
    with torch.inference_mode():
        assert torch.equal(model(input_ids=ids).last_hidden_state, text(input_ids=ids).last_hidden_state)


@pytest.fixture
def sentencepiece_only(tmp_path):
    """A folder as of google/mt5-small: spiece.model, no tokenizer.json."""
    import io

    from transformers import MT5Config, MT5EncoderModel

    trainer = pytest.importorskip("sentencepiece").SentencePieceTrainer
    made = io.BytesIO()
    lines = (f"ein kleiner Satz {i} von vielen Worten" for i in range(200))
    trainer.train(
        sentence_iterator=lines, model_writer=made, vocab_size=60, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        hard_vocab_limit=False, minloglevel=9,
    )  # fmt: skip
    folder = tmp_path / "mt5"
    sizes = {"num_layers": 2, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_heads": 4, "vocab_size": 200}
    MT5EncoderModel(MT5Config(**sizes)).save_pretrained(folder)
    (folder / "spiece.model").write_bytes(made.getvalue())
    settings(folder, "tokenizer_config.json", tokenizer_class="T5Tokenizer", extra_ids=0)
    return folder


def test_a_tokenizer_of_sentencepiece_only(sentencepiece_only, monkeypatch):
    from sentencepiece import SentencePieceProcessor

    exact = SentencePieceProcessor(model_file=str(sentencepiece_only / "spiece.model"))
    text = "ein kleiner Satz mit Worten"
    ids = open_checkpoint(sentencepiece_only).tokenizer(text).input_ids
    assert ids == [*exact.encode(text), exact.eos_id()]
    monkeypatch.setattr("crosslingual.alignment.checkpoints.tokenizers.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"spiece.model only; pip install 'crosslingual\[sentencepiece"):
        open_checkpoint(sentencepiece_only).tokenizer  # noqa: B018
