"""What others' tools read: the projector's two files, a folder for the hub."""

import numpy as np
import pandas as pd
import pytest
import torch
from huggingface_hub import DatasetCard

import crosslingual
from crosslingual.alignment.runs.folder import read_scores
from crosslingual.analysis.tables.projector import projector_files
from crosslingual.cli import main


@pytest.fixture(scope="module")
def vectors(tiny_bert, tmp_path_factory):
    out = tmp_path_factory.mktemp("vectors") / "v"
    options = {"languages": "de,sw", "layers": "0,2", "pooling": "mean,last", "limit": 9}
    return crosslingual.extract(tiny_bert, out=out, **options)


def parsed(files):
    rows = [line.split("\t") for line in files["vectors.tsv"].splitlines()]
    head, *about = [line.split("\t") for line in files["metadata.tsv"].splitlines()]
    return np.array(rows, dtype=np.float64).astype(np.float32), pd.DataFrame(about, columns=head)


@pytest.mark.parametrize(("pooling", "layer"), [("mean", "0"), ("last", "2"), ("mean", "last")])
def test_the_projector_gets_every_vector_to_the_bit(vectors, pooling, layer):
    rows, about = parsed(projector_files(vectors.folder, pooling, layer))
    assert len(rows) == len(about) == 3 * 9
    for language in ("de", "sw", "en"):
        own = (about["language"] == language).to_numpy()
        expected = vectors.layer(0 if layer == "0" else 2, language, pooling)
        assert np.array_equal(rows[own], expected)
        assert about["id"][own].tolist() == vectors.ids(language)
    assert set(about["corpus"]) == {"pocket/test"}


def test_the_projector_refuses(vectors, tmp_path, capsys):
    with pytest.raises(ValueError, match="`layer` 1 is not there: 0, 2"):
        projector_files(vectors.folder, "", "1")
    out = str(tmp_path / "p")
    for line, said in (
        (
            ["export", str(vectors.folder), "--projector", out, "--csv", "x.csv"],
            "goes with nothing else",
        ),
        (["export", str(tmp_path), "--projector", out], "no .npy files there"),
        (["export", str(vectors.folder)], "name what to write: --latex"),
    ):
        assert main(line) == 1
        assert said in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "p").exists()
    assert main(["export", str(vectors.folder), "--layer", "2", "--projector", out]) == 0
    assert {path.name for path in (tmp_path / "p").iterdir()} == {"vectors.tsv", "metadata.tsv"}


def test_a_folder_for_the_hub(tiny_bert, tmp_path, capsys):
    """Its scores are the run's, its card is one that the hub's library reads, no place of ours is in it."""
    run, out = tmp_path / "run", tmp_path / "hub"
    crosslingual.score(tiny_bert, languages="de,sw", measures="accuracy,mrr", limit=20, out=run)
    assert main(["export", str(run), "--hub-folder", str(out)]) == 0
    table, ours = read_scores(out), read_scores(run)
    assert table["value"].tolist() == ours["value"].tolist()
    assert set(table["checkpoint"]) == {"/".join(tiny_bert.parts[-2:])}
    card = DatasetCard.load(out / "README.md")
    assert card.data.to_dict()["configs"] == [{"config_name": "scores", "data_files": "scores.parquet"}]
    assert set(card.data.language) == {"de", "en", "sw"}
    text = (out / "README.md").read_text()
    assert str(tiny_bert) not in text and str(tmp_path) not in text
    provenance = run / "provenance.json"
    provenance.write_text(provenance.read_text().replace('"torch": "', '"torch": "0.'))
    last = ours[(ours["measure"] == "accuracy") & (ours["direction"] == "mean")]
    best = last.groupby("layer")["value"].mean().idxmax()
    value = last[(last["layer"] == best) & (last["source"] == "de")]["value"].iloc[0]
    assert f"| de-en | {value:.3f} " in text
    assert main(["export", str(run), "--hub-folder", str(out)]) == 0  # ours is replaced
    assert f"torch 0.{torch.__version__}" in (out / "README.md").read_text()
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "thesis.tex").write_text("x")
    assert main(["export", str(run), "--hub-folder", str(stranger)]) == 1
    assert "was not made here" in capsys.readouterr().err.splitlines()[-1]
    assert (stranger / "thesis.tex").is_file()
