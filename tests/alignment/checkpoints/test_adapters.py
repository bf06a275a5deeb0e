"""Every weight of an adapter arrives in the encoder, or the adapter is refused."""

import json
import shutil

import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from tests.conftest import make_tiny, save_tokenizer

peft = pytest.importorskip("peft")
IDS = torch.arange(5, 15)[None]


def states(checkpoint):
    with torch.inference_mode():
        return checkpoint.load()(input_ids=IDS).last_hidden_state


def save(model, folder, base, **config):
    """Adapt a model with random weights, save the adapter, and return the merged model."""
    torch.manual_seed(1)
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(**{"r": 2, "target_modules": ["query"]} | config)
    )
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 9)
    adapted.peft_config["default"].base_model_name_or_path = str(base)
    adapted.save_pretrained(folder)
    return adapted.merge_and_unload().eval()


@pytest.fixture
def with_head(tiny_bert, tmp_path):
    """An adapter that was trained under a classifier, and what it does to the encoder."""
    from transformers import BertForSequenceClassification

    model = BertForSequenceClassification.from_pretrained(tiny_bert)
    merged = save(model, tmp_path / "adapter", tiny_bert, task_type="SEQ_CLS")
    with torch.inference_mode():
        expected = merged.bert(input_ids=IDS).last_hidden_state
    return tmp_path / "adapter", expected


def edit(adapter, change):
    from safetensors.torch import load_file, save_file

    path = adapter / "adapter_model.safetensors"
    save_file(change(load_file(path)), path)


def test_an_adapter_of_a_model_with_a_head_is_applied(with_head, tiny_bert):
    adapter, expected = with_head
    assert torch.allclose(states(open_checkpoint(adapter)), expected, atol=1e-5)
    assert not torch.allclose(expected, states(open_checkpoint(tiny_bert)), atol=1e-2)


def test_names_of_modules_within_a_larger_model(tiny_bert, tmp_path):
    """`target_modules` may name modules from the top of a model that has the encoder inside."""
    from transformers import BertForMaskedLM

    model = BertForMaskedLM.from_pretrained(tiny_bert)
    names = [f"bert.encoder.layer.{i}.attention.self.value" for i in range(2)]
    merged = save(model, tmp_path / "adapter", tiny_bert, target_modules=names)
    with torch.inference_mode():
        expected = merged.bert(input_ids=IDS).last_hidden_state
    assert torch.allclose(states(open_checkpoint(tmp_path / "adapter")), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda w: {k: v for k, v in w.items() if "layer.1" not in k or "lora_A" in k},
            "no values for 1",
        ),
        (
            lambda w: {k.replace("layer.2", "layer.7"): v for k, v in w.items()},
            "do(es)? not (fit|belong)",
        ),
        (lambda w: {k.replace(".bert.", ".vision."): v for k, v in w.items()}, "none of the adapter's"),
        (
            lambda w: {k: v[..., :1] if "lora_A" in k else v for k, v in w.items()},
            "does not fit its base",
        ),
    ],
)
def test_weights_that_do_not_arrive_are_an_error(with_head, change, message):
    adapter, _ = with_head
    edit(adapter, lambda weights: {k: v.contiguous() for k, v in change(weights).items()})
    with pytest.raises(ValueError, match=message):
        open_checkpoint(adapter).load()


def test_no_weights_no_base_and_pickles_are_said(with_head, tiny_bert):
    adapter, expected = with_head
    path = adapter / "adapter_model.safetensors"
    from safetensors.torch import load_file

    torch.save(load_file(path), adapter / "adapter_model.bin")
    path.unlink()
    with pytest.raises(ValueError, match=r"only a pickle \(adapter_model\.bin\).*`allow_pickle`"):
        open_checkpoint(adapter).load()
    assert torch.allclose(states(open_checkpoint(adapter, allow_pickle=True)), expected, atol=1e-5)
    (adapter / "adapter_model.bin").unlink()
    with pytest.raises(ValueError, match="an adapter without weights"):
        open_checkpoint(adapter).load()
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": None}))
    with pytest.raises(ValueError, match="the base is not known"):
        open_checkpoint(adapter)
    (adapter / "adapter_config.json").write_text(
        json.dumps(config | {"base_model_name_or_path": str(adapter)})
    )
    with pytest.raises(ValueError, match="is an adapter, too"):
        open_checkpoint(adapter)


def test_virtual_tokens_cannot_be_merged(tiny_bert, tmp_path):
    from transformers import AutoModel

    config = peft.PromptTuningConfig(num_virtual_tokens=2, task_type="FEATURE_EXTRACTION")
    model = peft.get_peft_model(AutoModel.from_pretrained(tiny_bert, add_pooling_layer=False), config)
    model.peft_config["default"].base_model_name_or_path = str(tiny_bert)
    model.save_pretrained(tmp_path / "adapter")
    with pytest.raises(ValueError, match="PROMPT_TUNING adapter cannot be merged|none of the adapter's"):
        open_checkpoint(tmp_path / "adapter").load()


@pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`")
def test_its_own_tokenizer_and_resized_embeddings_are_read(tiny_bert, tmp_path):
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(tiny_bert, add_pooling_layer=False)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    tokenizer.add_tokens(["<new>"])
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    merged = save(model, tmp_path / "adapter", tiny_bert, modules_to_save=["word_embeddings"])
    tokenizer.save_pretrained(tmp_path / "adapter")
    opened = open_checkpoint(tmp_path / "adapter")
    assert len(opened.tokenizer) == len(tokenizer)
    ids = torch.tensor([[5, len(tokenizer) - 1, 6]])
    with torch.inference_mode():
        ours = opened.load()(input_ids=ids).last_hidden_state
        assert torch.allclose(ours, merged(input_ids=ids).last_hidden_state, atol=1e-5)


def test_another_base_is_another_checkpoint(tmp_path):
    """What is remembered of an adapter holds for the base that it had then."""
    from transformers import AutoModel

    base = make_tiny(tmp_path / "base")
    save(AutoModel.from_pretrained(base, add_pooling_layer=False), tmp_path / "adapter", base)
    before = open_checkpoint(tmp_path / "adapter").fingerprint
    assert open_checkpoint(tmp_path / "adapter").fingerprint == before
    shutil.copytree(make_tiny(tmp_path / "other", seed=7), base, dirs_exist_ok=True)
    save_tokenizer(base)
    assert open_checkpoint(tmp_path / "adapter").fingerprint != before
