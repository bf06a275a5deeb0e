"""A sentence-transformers folder is fed and pooled as it says, and that is in its fingerprint."""

import json
import shutil

import numpy as np
import pytest

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.representations.stored import represent
from crosslingual.data import Sentence, Side
from tests.conftest import make_tiny

TEXTS = ["Ein SATZ", "noch ein viel LÄNGERER Satz mit Wörtern", "x", "a b c " * 30, "Zug"]
SIDE = Side("de", "de", tuple(Sentence(str(i), text) for i, text in enumerate(TEXTS)))


def write(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.fixture
def folder(tmp_path):
    made = make_tiny(tmp_path / "st")
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling")]
    write(
        made / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(kinds)
        ],
    )
    write(made / "1_Pooling" / "config.json", pooling())
    write(made / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    return made


def pooling(**more):
    return {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True} | more


def change_tokenizer(folder, **changes):
    path = folder / "tokenizer_config.json"
    write(path, json.loads(path.read_text()) | changes)


def prompted(folder, **more):
    about = {"prompts": {"query": "query: "}, "default_prompt_name": "query"}
    write(folder / "config_sentence_transformers.json", about)
    if more:
        write(folder / "1_Pooling" / "config.json", pooling(**more))


def old_layout(folder):
    """The transformer in a folder of its own, as the first releases saved it."""
    (folder / "0_Transformer").mkdir()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != "modules.json":
            path.rename(folder / "0_Transformer" / path.name)
    listing = json.loads((folder / "modules.json").read_text())
    listing[0]["path"] = "0_Transformer"
    write(folder / "modules.json", listing)


WAYS = {
    "as it is": lambda folder: None,
    "lower-cased": lambda folder: write(
        folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": True}
    ),
    "prompt": prompted,
    "prompt left out": lambda folder: prompted(folder, include_prompt=False),
    "prompt left out of weights": lambda folder: prompted(
        folder,
        include_prompt=False,
        pooling_mode_mean_tokens=False,
        pooling_mode_weightedmean_tokens=True,
    ),
    "cut on the left": lambda folder: change_tokenizer(folder, truncation_side="left"),
    "short": lambda folder: write(folder / "sentence_bert_config.json", {"max_seq_length": 9}),
    "old layout": old_layout,
    "first token": lambda folder: write(
        folder / "1_Pooling" / "config.json",
        pooling(pooling_mode_mean_tokens=False, pooling_mode_cls_token=True),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_what_sentence_transformers_encodes(folder, tmp_path, way):
    from sentence_transformers import SentenceTransformer

    WAYS[way](folder)
    opened = open_checkpoint(folder)
    ours = represent(opened, [SIDE], root=tmp_path / "store", poolings=["native"])["native"]
    theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    assert np.abs(ours.read(SIDE, [3])[0] - theirs).max() < 1e-5


def test_every_way_has_a_key_of_its_own(tmp_path_factory):
    """Whatever changes a vector changes the place where it is stored."""
    places, vectors = {}, {}
    for way, change in WAYS.items():
        made = folder.__wrapped__(tmp_path_factory.mktemp("way"))
        change(made)
        opened = open_checkpoint(made)
        found = represent(opened, [SIDE], root=made / "store", poolings=["native"])["native"]
        key = (found.store.folder.relative_to(made / "store"), opened.prefix)
        places[way], vectors[way] = key, found.read(SIDE, [3])[0]
    for one in WAYS:
        for other in WAYS:
            if np.abs(vectors[one] - vectors[other]).max() > 1e-6:
                assert places[one] != places[other], (one, other)
    assert places["as it is"] == places["old layout"], "the same model in another layout"


def test_a_length_above_the_positions_is_theirs(folder, tmp_path):
    write(folder / "sentence_bert_config.json", {"max_seq_length": 5000})
    opened = open_checkpoint(folder)
    assert opened.max_length == 140
    found = represent(opened, [SIDE], root=tmp_path / "store")["mean"]
    assert found.counts(SIDE)[:, :2].tolist()[3] == [140, 1]


def test_a_prefix_takes_the_place_of_the_default_prompt(folder, caplog):
    prompted(folder)
    assert open_checkpoint(folder).prefix == "query: "
    assert "the default prompt of the folder" in caplog.text
    assert open_checkpoint(folder, prefix="").prefix == ""
    assert open_checkpoint(folder, prefix="passage: ").prefix == "passage: "


def test_prompts_that_nobody_asked_for_are_named(folder, caplog):
    """A folder with prompts and no default one: sentence-transformers takes none, and we say so."""
    about = {"prompts": {"query": "query: ", "document": "passage: ", "none": ""}}
    write(folder / "config_sentence_transformers.json", about)
    assert open_checkpoint(folder).prefix == ""
    assert "('query: ', 'passage: ') and read without one" in caplog.text
    caplog.clear()
    assert open_checkpoint(folder, prefix="").prefix == ""
    assert open_checkpoint(folder, prefix="query: ").prefix == "query: "
    assert not caplog.text


def test_a_changed_module_is_another_checkpoint(folder):
    before = open_checkpoint(folder).fingerprint
    write(folder / "1_Pooling" / "config.json", pooling(pooling_mode_cls_token=True))
    assert open_checkpoint(folder).fingerprint != before
    shutil.rmtree(folder / "1_Pooling")
    (folder / "modules.json").unlink()
    assert open_checkpoint(folder).fingerprint != before
