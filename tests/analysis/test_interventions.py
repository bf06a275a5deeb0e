"""Swaps: what was damaged is found where it is, and putting the same in changes no bit."""

import pytest
import torch
from transformers import AutoModel

from crosslingual import locate
from crosslingual.alignment.encoding.model_parts import parts_of, swapped
from crosslingual.analysis.interventions import mixed
from tests.conftest import make_tiny
from tests.verbs import score


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("base") / "base", seed=3, num_hidden_layers=4)


def damaged(base, folder, block):
    """The same model with one block that forgets what it was given."""
    model = AutoModel.from_pretrained(base)
    with torch.no_grad():
        norm = model.encoder.layer[block - 1].output.LayerNorm
        norm.weight[:], norm.bias[:] = 0.0, 1.0
    model.save_pretrained(folder)
    for path in base.glob("tokenizer*"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("block", [1, 3])
def test_a_damaged_block_is_found(base, tmp_path, block):
    tuned = damaged(base, tmp_path / "tuned", block)
    found = locate(base, tuned, languages="de,ru", sentences=40)
    means = found.table[found.table["layer"] == 4].groupby(["host", "kind", "put_in"])["value"].mean()
    whole, broken = means["base", "none", "nothing"], means["tuned", "none", "nothing"]
    assert broken < whole - 0.02
    for part in range(5):
        restored = means["tuned", "only", str(part)]
        assert (
            restored == pytest.approx(whole)
            if part == block
            else restored == pytest.approx(broken, abs=0.02)
        )
        assert means["tuned", "up to", str(part)] == pytest.approx(
            whole if part >= block else broken, abs=0.02
        )
        lost = means["base", "only", str(part)]
        assert lost == pytest.approx(broken) if part == block else lost == pytest.approx(whole)


def test_the_same_put_in_changes_no_bit(base):
    found = locate(base, base, languages="de", sentences=30)
    values = found.table.pivot_table(index=["host", "kind", "put_in"], columns="layer", values="value")
    assert (values == values.iloc[0]).all(axis=None)
    state = AutoModel.from_pretrained(base).state_dict()
    copy = {name: tensor.clone() for name, tensor in state.items()}
    for again in (
        swapped(state, copy, parts_of(AutoModel.from_pretrained(base), 4), range(3)),
        mixed(state, copy, 0.3),
    ):
        assert all(torch.equal(again[name], tensor) for name, tensor in state.items())


def test_without_a_swap_it_is_the_score(base, tmp_path):
    found = locate(base, base, languages="de", sentences=50).table
    table = score(base, "pocket", languages="de", limit=50, measures="accuracy", store=tmp_path)
    expected = table[table["direction"] == "mean"].sort_values("layer")["value"].tolist()
    plain = found[(found["kind"] == "none") & (found["host"] == "tuned")]["value"].tolist()
    assert plain == pytest.approx(expected, abs=1e-12)


def test_every_tensor_is_in_one_part(base):
    model = AutoModel.from_pretrained(base)
    parts = parts_of(model, 4)
    assert set(parts.values()) == {0, 1, 2, 3, 4}
    assert {name for name, part in parts.items() if part == 0} == {
        name for name in model.state_dict() if name.startswith("embeddings.")
    }


def test_other_shapes_are_refused(base, tmp_path):
    other = make_tiny(tmp_path / "other", num_hidden_layers=3)
    with pytest.raises(ValueError, match="other shapes: blocks cannot be swapped"):
        locate(base, other, languages="de", sentences=10)
    with pytest.raises(ValueError, match="`tuned` is missing"):
        locate(base)
    with pytest.raises(ValueError, match="needs one-to-one gold"):
        locate(base, base, corpus="words", data_dir=words(tmp_path))


def words(folder):
    (folder / "words").mkdir()
    text = "".join(f"word{i}\twort{i}\n" for i in range(20))
    for part in ("train.freq.1k", "test.freq.2k"):
        (folder / "words" / f"yacle.{part}.en-de.tsv").write_text(text)
    return folder


def test_the_command(base, tmp_path, command):
    tuned = damaged(base, tmp_path / "tuned", 2)
    done = command(
        "locate", base, tuned, "--languages", "de", "--sentences", 30, "--out", tmp_path / "o"
    )
    assert done.returncode == 0, done.stderr
    assert "the fine-tuned, with the base's part alone" in done.stdout and "mixed, share" in done.stdout
    assert (tmp_path / "o" / "interventions.parquet").is_file()
