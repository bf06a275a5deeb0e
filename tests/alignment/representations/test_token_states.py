"""States of tokens that a server wrote, a file a sentence, are pooled to what the model's would be."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.representations.opening import open_vectors
from crosslingual.alignment.representations.stored import represent
from crosslingual.data import load
from tests.verbs import score


@pytest.fixture(scope="module")
def folder(tiny_bert, tmp_path_factory):
    """All layers of 20 sentences, as vLLM's extract_hidden_states writes them."""
    folder = tmp_path_factory.mktemp("states")
    opened = open_checkpoint(tiny_bert)
    model = opened.load()
    (bitext,) = load("pocket", languages="de", limit=20)
    for side in (bitext.source, bitext.target):
        (folder / side.language).mkdir()
        for name, text in zip(side.ids, side.texts, strict=True):
            row = opened.tokenizer(text, truncation=True, max_length=opened.max_length).input_ids
            ids = torch.tensor([row])
            with torch.inference_mode():
                states = torch.stack(model(ids, output_hidden_states=True).hidden_states, dim=2)[0]
            made = {"hidden_states": states.contiguous(), "token_ids": ids[0]}
            save_file(made, folder / side.language / f"{name}.safetensors")
    return folder


@pytest.mark.parametrize("pooling", ["mean", "first", "last", "max", "weighted", "mean-but-first"])
def test_poolings_are_those_of_the_model(folder, tiny_bert, tmp_path, pooling):
    (bitext,) = load("pocket", languages="de", limit=20)
    given = open_vectors(folder).of(pooling)
    sides = [bitext.source, bitext.target]
    stored = represent(open_checkpoint(tiny_bert), sides, root=tmp_path, poolings=[pooling])[pooling]
    for side in sides:
        ours, expected = given.read(side, given.available), stored.read(side, given.available)
        assert np.abs(ours - expected).max() < 1e-5
        assert given.counts(side)[:, 0].tolist() == stored.counts(side)[:, 0].tolist()


def test_they_are_scored(folder, tiny_bert, caplog):
    options = {"languages": "de", "measures": "accuracy,mrr", "limit": 20, "pooling": "mean,last"}
    found, expected = (score(one, "pocket", **options) for one in (f"vectors:{folder}", tiny_bert))
    assert np.abs(found["value"] - expected["value"]).max() < 1e-6
    assert "the last layer of vLLM's states is before the final norm" in caplog.text


def copied(folder, tmp_path):
    import shutil

    return shutil.copytree(folder, tmp_path / "copy")


def test_numbers_of_layers_are_read(folder, tmp_path):
    copy = copied(folder, tmp_path)
    (copy / "layers").write_text("4, 8, 12, 24\n")
    assert open_vectors(copy).available == (4, 8, 12, 24)
    table = score(f"vectors:{copy}", "pocket", languages="de", measures="accuracy", limit=20, layers="8")
    assert set(table["layer"]) == {8}
    for wrong in ("1,2", "4,3,2,1", "x", "-1,0,1,2"):
        (copy / "layers").write_text(wrong)
        with pytest.raises(ValueError, match="no list of layers"):
            score(f"vectors:{copy}", "pocket", languages="de", measures="accuracy", limit=20)


def test_what_is_wrong_is_one_line(folder, tmp_path):
    copy = copied(folder, tmp_path)
    first = sorted((copy / "de").iterdir())[0]
    whole = load_file(first)
    options = {"languages": "de", "measures": "accuracy", "limit": 20}
    for made, message in (
        (whole | {"token_ids": whole["token_ids"][:-1]}, "no states of tokens .*and as many token_ids"),
        ({"hidden_states": whole["hidden_states"]}, "no states of tokens"),
        (
            whole | {"hidden_states": whole["hidden_states"][:, :2].contiguous()},
            r"has 4 layers, .*safetensors 2",
        ),
        (whole | {"hidden_states": whole["hidden_states"] * torch.nan}, "is not finite"),
    ):
        save_file(made, first)
        with pytest.raises(ValueError, match=message):
            score(f"vectors:{copy}", "pocket", **options)
    first.unlink()
    with pytest.raises(ValueError, match=r"1 of 20 files are not there, first .*safetensors"):
        score(f"vectors:{copy}", "pocket", **options)
    with pytest.raises(ValueError, match="neither a folder fr nor fr"):
        score(f"vectors:{copy}", "pocket", **options | {"languages": "fr"})
    with pytest.raises(ValueError, match="states of tokens have the poolings"):
        score(f"vectors:{folder}", "pocket", **options, pooling="mean-content")
