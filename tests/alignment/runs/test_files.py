"""Our own files: whole or not there, and one changed bit is noticed."""

import os
import shutil

import pandas as pd
import pytest

from crosslingual.alignment.runs import files
from crosslingual.alignment.runs.files import (
    Damaged,
    own_folder,
    read_json,
    read_parquet,
    read_table,
    remove_folder,
    seal,
    write_bytes,
    write_json,
    write_parquet,
    write_table,
)

TABLE = pd.DataFrame({"value": [0.5, 0.25], "name": ["ä", "b"]})


def flipped(data: bytes) -> list[bytes]:
    """Return all copies of some bytes with one bit changed."""
    return [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        for at in range(len(data))
        for bit in range(8)
    ]


def test_json_comes_back_and_no_changed_bit_changes_it(tmp_path):
    value = {"text": "ä", "list": [1, 2.5, None], "nested": {"a": True}, "cost": {"seconds": 2}}
    path = tmp_path / "a.json"
    write_json(path, value | {"cost": seal(value["cost"])})
    assert read_json(path) == value
    for data in flipped(path.read_bytes()):
        path.write_bytes(data)
        try:
            assert read_json(path) == value
        except Damaged as error:
            assert str(path) in str(error)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"null", b"[" * 9999, b"\xff\xfe", b'{"checksum": 1}']
)
def test_what_we_did_not_write_is_damaged(tmp_path, data):
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(Damaged, match=r"a\.json is damaged"):
        read_json(path)


def test_a_table_comes_back_and_no_changed_bit_changes_it(tmp_path):
    path = tmp_path / "t.parquet"
    expected = write_parquet(TABLE, path)
    data = path.read_bytes()
    pd.testing.assert_frame_equal(read_parquet(path, expected), TABLE)
    for bad in (*flipped(data)[::7], data[:-1], data[: len(data) // 2], b""):
        path.write_bytes(bad)
        with pytest.raises(Damaged):
            read_parquet(path, expected)


def test_the_tables_of_a_folder_know_their_checksums(tmp_path):
    write_table(tmp_path, "one", TABLE)
    write_table(tmp_path, "two", TABLE)
    for name in ("one", "two"):
        pd.testing.assert_frame_equal(read_table(tmp_path / f"{name}.parquet"), TABLE)
    write_parquet(TABLE * 2, tmp_path / "one.parquet")
    with pytest.raises(Damaged, match=r"one\.parquet is damaged .* once more"):
        read_table(tmp_path / "one.parquet")
    (tmp_path / "strange").mkdir()
    write_parquet(TABLE, tmp_path / "strange" / "one.parquet")
    assert len(read_table(tmp_path / "strange" / "one.parquet")) == 2, "of somebody else: no checksum"


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path, monkeypatch):
    write_bytes(tmp_path / "a", b"old")

    def full(self: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match=r"a cannot be written \(No space left on device\)"):
        write_bytes(tmp_path / "a", b"new")
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_only_folders_of_our_own_are_removed(tmp_path):
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    own_folder(mine)
    (mine / "file").write_text("x")
    own_folder(mine)
    assert os.listdir(mine) == [files.MARK], "ours is emptied"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("x")
    link = tmp_path / "link"
    link.symlink_to(mine)
    for place in (theirs, theirs / "thesis.tex", link):
        for act in (own_folder, remove_folder):
            with pytest.raises(OSError, match="not made here"):
                act(place)
    assert (theirs / "thesis.tex").exists() and mine.exists()
    remove_folder(mine)
    remove_folder(mine)
    assert not mine.exists()


def test_a_removal_that_was_stopped_goes_on(tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    own_folder(mine)
    for name in ("a", "z"):
        (mine / name).mkdir()
        (mine / name / "file").touch()
    real, removed = shutil.rmtree, []

    def stopped(path):
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        real(path)

    monkeypatch.setattr(files.shutil, "rmtree", stopped)
    with pytest.raises(KeyboardInterrupt):
        remove_folder(mine)
    assert removed and mine.is_dir()
    monkeypatch.undo()
    remove_folder(mine)
    assert not mine.exists()
