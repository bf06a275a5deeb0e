"""What is opened, what is refused, and what decides the fingerprint."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from tests.conftest import save_tokenizer, tiny_config


def load_tensors(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def save_tensors(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    from safetensors.torch import save_file

    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture
def copy(tiny_bert, tmp_path):
    return Path(shutil.copytree(tiny_bert, tmp_path / "copy"))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_fingerprint_ignores_what_computes_nothing(tiny_bert, copy):
    edit(
        copy / "config.json",
        _name_or_path="elsewhere",
        transformers_version="4.8",
        architectures=["X"],
        use_cache=False,
    )
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    tokenizer["truncation"] = {
        "direction": "Right",
        "max_length": 9,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert open_checkpoint(copy).fingerprint == open_checkpoint(tiny_bert).fingerprint


def test_fingerprint_ignores_heads_and_file_layout(tmp_path):
    from transformers import BertForSequenceClassification

    for name, seed, size in (("a", 0, "5GB"), ("b", 1, "20KB")):
        torch.manual_seed(7)
        model = BertForSequenceClassification(tiny_config(num_labels=2))
        torch.nn.init.normal_(model.classifier.weight, generator=torch.Generator().manual_seed(seed))
        model.save_pretrained(tmp_path / name, max_shard_size=size)
        save_tokenizer(tmp_path / name)
    assert len(list((tmp_path / "b").glob("*.safetensors"))) > 1
    first, second = (open_checkpoint(tmp_path / name).fingerprint for name in "ab")
    assert first == second


@pytest.mark.parametrize("what", ["weight", "config", "tokenizer"])
def test_fingerprint_changes_with_what_computes(tiny_bert, copy, what):
    if what == "weight":
        tensors = load_tensors(copy)
        tensors["encoder.layer.1.output.dense.bias"][3] += 1e-6
        save_tensors(copy, tensors)
    if what == "config":
        edit(copy / "config.json", hidden_act="relu")
    if what == "tokenizer":
        tokenizer = json.loads((copy / "tokenizer.json").read_text())
        tokenizer["normalizer"] = {"type": "Lowercase"}
        (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert open_checkpoint(copy).fingerprint != open_checkpoint(tiny_bert).fingerprint


def test_fingerprint_is_remembered_until_a_file_changes(copy, monkeypatch):
    from crosslingual.alignment.checkpoints import checkpoint as module

    first = open_checkpoint(copy).fingerprint
    monkeypatch.setattr(module.Checkpoint, "load", lambda *a, **k: pytest.fail("hashed again"))
    assert open_checkpoint(copy).fingerprint == first
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    with pytest.raises(pytest.fail.Exception, match="hashed again"):
        _ = open_checkpoint(copy).fingerprint


def test_a_missing_encoder_weight_is_an_error(copy):
    tensors = load_tensors(copy)
    del tensors["encoder.layer.2.output.dense.weight"]
    save_tensors(copy, tensors)
    with pytest.raises(
        ValueError, match=r"has no values for 1 encoder weights, first encoder\.layer\.2\.output"
    ):
        open_checkpoint(copy).load()


def test_a_weight_of_another_shape_is_an_error(copy):
    tensors = load_tensors(copy)
    tensors["encoder.layer.2.output.dense.bias"] = torch.zeros(7)
    save_tensors(copy, tensors)
    with pytest.raises(ValueError, match="cannot be loaded|wrong shape"):
        open_checkpoint(copy).load()


def test_a_missing_pooler_is_not_an_error_and_none_is_made(tiny_bert):
    assert not any("pooler" in name for name, _ in open_checkpoint(tiny_bert).load().named_parameters())


def test_a_pickle_is_refused_unless_allowed(copy):
    torch.save(load_tensors(copy), copy / "pytorch_model.bin")
    expected = open_checkpoint(copy).load().state_dict()
    (copy / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"only a pickle \(pytorch_model.bin\).*`allow_pickle`"):
        open_checkpoint(copy).load()
    found = open_checkpoint(copy, allow_pickle=True).load().state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_dtype_is_the_one_named_whatever_the_file_has(copy):
    save_tensors(copy, {name: tensor.half() for name, tensor in load_tensors(copy).items()})
    edit(copy / "config.json", dtype="float16")
    assert {p.dtype for p in open_checkpoint(copy).load().parameters()} == {torch.float32}
    low = open_checkpoint(copy, dtype="bfloat16").load()
    assert {p.dtype for p in low.parameters()} == {torch.bfloat16}
    with pytest.raises(ValueError, match="unknown `dtype` 'float8'"):
        open_checkpoint(copy, dtype="float8")


def test_max_length_comes_from_the_flag_then_the_folder_then_the_limits(copy, minilm):
    assert open_checkpoint(minilm).max_length == 256  # sentence_bert_config.json; its tokenizer says 512
    assert open_checkpoint(copy).max_length == 128  # the tokenizer's; positions are 140
    assert open_checkpoint(copy, max_length=17).max_length == 17
    with pytest.raises(ValueError, match="`max_length` 141 is not between 1 and the 140 positions"):
        _ = open_checkpoint(copy, max_length=141).max_length


def test_roberta_positions_begin_after_the_padding_index(tmp_path):
    from transformers import XLMRobertaModel

    XLMRobertaModel(
        tiny_config("XLMRobertaConfig", pad_token_id=1, max_position_embeddings=66)
    ).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.max_length == 64
    ids = torch.full((1, 64), 5)
    assert checkpoint.load()(input_ids=ids).last_hidden_state.isfinite().all()


def test_an_adapter_is_merged_into_its_base(tiny_bert, tmp_path):
    import peft
    from transformers import AutoModel

    torch.manual_seed(5)
    config = peft.LoraConfig(r=2, target_modules=["query"], init_lora_weights=False)
    tuned = peft.get_peft_model(AutoModel.from_pretrained(tiny_bert, add_pooling_layer=False), config)
    tuned.save_pretrained(tmp_path / "adapter")
    edit(tmp_path / "adapter" / "adapter_config.json", base_model_name_or_path=str(tiny_bert))
    found = open_checkpoint(tmp_path / "adapter")
    ids = torch.arange(5, 15)[None]
    with torch.inference_mode():
        ours = found.load()(input_ids=ids).last_hidden_state
        theirs = tuned.eval()(input_ids=ids).last_hidden_state
        base = open_checkpoint(tiny_bert).load()(input_ids=ids).last_hidden_state
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert not torch.allclose(ours, base, atol=1e-4)
    assert found.fingerprint != open_checkpoint(tiny_bert).fingerprint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no checkpoint there"),
        ("nowhere/at/all", "no such folder, and not a hub id"),
        ("no-such-model-anywhere", "neither a folder nor to be had from the hub"),
    ],
)
def test_what_is_no_checkpoint_is_named(tmp_path, name, message):
    with pytest.raises((ValueError, OSError), match=message):
        open_checkpoint(tmp_path if not name else name)


def test_a_folder_without_tokenizer_is_named(tmp_path):
    from transformers import BertModel

    BertModel(tiny_config()).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="no tokenizer there"):
        _ = open_checkpoint(tmp_path).fingerprint


def test_encoder_of_an_encoder_decoder(tmp_path):
    """T5 and mT5 load as encoders; a model without an encoder class of its own gives its encoder."""
    from transformers import M2M100Config, M2M100Model, T5Config, T5Model

    shape = {"d_model": 32, "vocab_size": 150, "pad_token_id": 0}
    t5 = T5Model(T5Config(d_kv=8, d_ff=48, num_layers=3, num_heads=4, **shape))
    m2m = M2M100Model(
        M2M100Config(
            encoder_layers=2, decoder_layers=1, encoder_attention_heads=4, decoder_attention_heads=4,
            encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=64, **shape,
        )
    )  # fmt: skip
    ids = torch.arange(5, 15)[None]
    for name, model, layers in (("t5", t5, 3), ("m2m", m2m, 2)):
        model.eval().save_pretrained(tmp_path / name)
        save_tokenizer(tmp_path / name)
        checkpoint = open_checkpoint(tmp_path / name)
        assert checkpoint.layers == layers
        with torch.inference_mode():
            ours = checkpoint.load()(input_ids=ids).last_hidden_state
            theirs = model.get_encoder()(input_ids=ids).last_hidden_state
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_file_that_changes_while_it_is_hashed_is_hashed_again(tiny_bert, tmp_path, monkeypatch):
    """What was hashed is remembered for the files as they were before."""
    from crosslingual.alignment.checkpoints import checkpoint as module

    folder = tmp_path / "copy"
    shutil.copytree(tiny_bert, folder)
    calls, original = [], module.hash_folder

    def hash_and_touch(*arguments):
        calls.append(1)
        found = original(*arguments)
        if len(calls) == 1:
            (folder / "crosslingual.json").write_text("{}")
        return found

    monkeypatch.setattr(module, "hash_folder", hash_and_touch)
    for expected in (1, 2, 2):
        assert open_checkpoint(folder).fingerprint
        assert len(calls) == expected
