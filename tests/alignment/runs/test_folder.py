"""A finished cell has all of its files, as they were written; else it is computed again."""

import shutil

import pytest

from crosslingual import retention
from crosslingual.alignment.runs.files import Damaged
from crosslingual.alignment.runs.folder import PARTS, read_cells, read_scores
from tests.verbs import score

DAMAGE = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "flipped": lambda path: path.write_bytes(
        path.read_bytes()[:99] + bytes([path.read_bytes()[99] ^ 4]) + path.read_bytes()[100:]
    ),
}


OPTIONS = {"languages": "de,sw", "measures": "accuracy,linear_cka", "limit": 40, "layers": "last"}


@pytest.fixture(scope="module")
def finished(tiny_bert, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    score(tiny_bert, "pocket", store=folder / "s", out=folder / "run", **OPTIONS)
    return folder


@pytest.fixture
def run(tiny_bert, finished, tmp_path):
    """A finished run in tmp_path/run, and what the same command does then."""
    shutil.copytree(finished / "run", tmp_path / "run")
    return lambda: score(tiny_bert, "pocket", store=finished / "s", out=tmp_path / "run", **OPTIONS)


@pytest.mark.parametrize("part", [*PARTS, "checksums"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cell_is_computed_again(run, tmp_path, part, damage, caplog):
    folder = tmp_path / "run"
    paths = sorted(
        (folder / "cells").glob("*.json") if part == "checksums" else (folder / part).glob("*.parquet")
    )
    assert len(paths) == 2
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    DAMAGE[damage](paths[0])
    if (part, damage) != ("checksums", "missing"):  # without checksums it is not finished
        with pytest.raises(Damaged, match="run the command that made it once more"):
            list(read_cells(folder))
        with pytest.raises(Damaged):
            retention(folder, folder)
    caplog.clear()
    run()
    assert {path: path.read_bytes() for path in folder.rglob("*.parquet")} == before
    said = [one for one in caplog.messages if "computed again" in one]
    assert len(said) == (0 if (part, damage) == ("checksums", "missing") else 1)
    assert len(list(read_cells(folder))) == 2


def test_a_damaged_score_table_is_refused_and_written_again(run, tmp_path):
    path = tmp_path / "run" / "scores.parquet"
    data = path.read_bytes()
    for damage in ("empty", "cut", "flipped"):
        DAMAGE[damage](path)
        with pytest.raises(Damaged, match=r"scores\.parquet is damaged"):
            read_scores(tmp_path / "run")
        run()
        assert path.read_bytes() == data


def test_strangers_tables_are_refused_in_one_line(run, tmp_path):
    table = read_scores(tmp_path / "run")
    path = tmp_path / "other.parquet"
    bad = {
        "no column 'value'": table.drop(columns="value"),
        "no row": table.iloc[:0],
        "a row without checkpoint": table.assign(corpus=None),
        "no score table": table.assign(layer="x"),
        "grids of `compare`, not scores": table.assign(other_layer=0),
    }
    for message, one in bad.items():
        one.to_parquet(path)
        with pytest.raises(ValueError, match=message):
            read_scores(path)
