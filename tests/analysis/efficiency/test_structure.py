"""By structure: every planted difference is named, before any clock runs."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.analysis.efficiency import measuring
from crosslingual.analysis.efficiency.structure import differences
from crosslingual.analysis.efficiency.subjects import AGAIN, TimedModel, reduced
from tests.conftest import make_tiny

TEXTS = ["a text", "another text of some words"]


@pytest.fixture
def other(tiny_bert, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(tiny_bert, folder)
    return folder


def found(base, other, **options):
    subjects = TimedModel(open_checkpoint(base)), TimedModel(open_checkpoint(other, **options))
    return {one.what: (one.base, one.other) for one in differences(*subjects, TEXTS)}


def edit(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_copy_with_other_weights_is_made_alike(tiny_bert, tmp_path):
    other = make_tiny(tmp_path / "tuned", seed=7)
    assert found(tiny_bert, other) == {}
    base = TimedModel(open_checkpoint(tiny_bert))
    assert not differences(base, TimedModel(base.checkpoint, AGAIN), TEXTS)


def test_a_dtype(tiny_bert, other):
    assert found(tiny_bert, other, dtype="bfloat16") == {"dtype": ("float32", "bfloat16")}


def test_a_head(tiny_bert, other):
    tensors = load_file(other / "model.safetensors")
    tensors["classifier.weight"] = next(iter(tensors.values())).clone()
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    assert found(tiny_bert, other) == {"head in the files, which is not run": ("none", "classifier")}


def test_a_head_of_a_wrapped_encoder(tiny_bert, other):
    """`bert.` in front of the encoder's tensors is no head."""
    tensors = {f"bert.{name}": one for name, one in load_file(other / "model.safetensors").items()}
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})
    assert found(tiny_bert, other) == {}


def test_a_side_of_padding(tiny_bert, other):
    edit(other / "tokenizer_config.json", padding_side="left")
    assert found(tiny_bert, other) == {"side of padding": ("right", "left")}


def test_one_more_token(tiny_bert, other):
    """Another tokenizer on the same body is refused: a ratio would be of tokens."""
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {"type": "Prepend", "prepend": "z "}
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    (what, sides), *rest = found(tiny_bert, other).items()
    assert what == "tokens of the sentences, 2 of 2" and not rest
    assert sides[0] != sides[1]
    with pytest.raises(ValueError, match="has another tokenizer than .* a ratio of their times"):
        measuring.efficiency([tiny_bert, other], languages="de", limit=4)


def test_a_shape(tiny_bert, tmp_path):
    (what, sides), *_ = found(tiny_bert, make_tiny(tmp_path / "wide", intermediate_size=80)).items()
    assert what.startswith("shapes of the encoder, ") and sides[0] != sides[1]


def test_a_form(tiny_bert):
    base = TimedModel(open_checkpoint(tiny_bert))
    (form,) = reduced(base.checkpoint, "int8")
    assert [one.what for one in differences(base, form, TEXTS)] == ["form"]
    with pytest.raises(ValueError, match="`forms`: 'int4': did you mean int8"):
        reduced(base.checkpoint, "int4")
