"""The store keeps what is committed, notices damage, and shares a folder between processes."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crosslingual.alignment.representations.shard import ShardRows
from crosslingual.alignment.representations.store import Space, Store, key, prune, verify

SPACE = Space("f" * 64, "mean", None, 128, "float32")


def fill(store: Store, texts: list[str], values: np.ndarray, number: int | None = None) -> None:
    counts = np.stack([np.arange(len(texts)), np.zeros(len(texts)), np.ones(len(texts))], axis=1)
    keys = [key(text) for text in texts]
    tokens = [key(text + " in tokens") for text in texts]
    rows = ShardRows(keys, tokens, counts.astype(np.int32))
    store.write(store.next_number() if number is None else number, rows, range(len(values)), values)


@pytest.fixture
def values(rng):
    return rng.standard_normal((3, 5, 4), dtype=np.float32)


@pytest.fixture
def store(tmp_path):
    return Store(SPACE.folder(tmp_path))


def test_what_is_written_is_read_in_any_order(store, values):
    fill(store, list("abcde"), values)
    fill(store, list("fg"), values[:, :2] + 1)
    for one in (store, Store(store.folder)):
        got = one.read(one.places([key(c) for c in "gcaf"]), [2, 0])
        expected = np.stack([values[:, 1] + 1, values[:, 2], values[:, 0], values[:, 0] + 1], axis=1)[
            [2, 0]
        ]
        assert np.array_equal(got, expected)
        assert one.counts(one.places([key("c"), key("g")])).tolist() == [[2, 0, 1], [1, 0, 1]]
        assert one.missing([key("z"), key("a")]) == [key("z")]


def test_the_first_shard_in_name_order_wins(store, values):
    fill(store, list("ab"), values[:, :2] + 5, number=1)
    fill(store, list("ab"), values[:, :2], number=0)
    read_again = Store(store.folder)
    assert np.array_equal(read_again.read(read_again.places([key("a")]), [0])[0], values[0, :1])


def test_unfinished_shards_do_not_count_and_are_pruned(store, values, tmp_path):
    fill(store, list("abcde"), values)
    shard = next(iter(store.shards.values())).path
    shard.rename(shard.with_name(".unfinished-" + shard.name))
    assert Store(store.folder).missing([key("a")]) == [key("a")]
    assert prune(tmp_path) == []  # another process may be writing it
    assert len(prune(tmp_path, older_than=-1.0)) == 1


@pytest.mark.parametrize("file", ["values.npy", "keys.npy", "tokens.npy", "counts.npy", "meta.json"])
def test_one_flipped_byte_is_noticed(store, values, tmp_path, file, caplog):
    fill(store, list("abcde"), values)
    path = next(iter(store.shards.values())).path / file
    data = bytearray(path.read_bytes())
    data[-9] ^= 4
    path.write_bytes(data)
    ((shard, problem),) = verify(tmp_path)
    assert shard == path.parent
    assert problem
    again = Store(store.folder)
    again.drop_damaged([key("a")], [0, 1, 2])
    assert again.missing([key("a")]) == [key("a")]
    assert str(path.parent.name) in caplog.text
    assert len(prune(tmp_path)) == 1


def test_a_truncated_shard_is_noticed(store, values):
    fill(store, list("abcde"), values)
    path = next(iter(store.shards.values())).path / "values.npy"
    os.truncate(path, path.stat().st_size - 40)
    again = Store(store.folder)
    assert again.drop_damaged([key("a")], [0]) == 1


def test_a_store_that_cannot_be_written_is_one_error_and_leaves_nothing(store, values, monkeypatch):
    fill(store, list("ab"), values[:, :2])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device.*`store`"):
        fill(store, list("cde"), values[:, 2:])
    assert len(list(store.folder.iterdir())) == 1
    assert Store(store.folder).missing([key("a"), key("c")]) == [key("c")]


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from crosslingual.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_ends_in_one_line_and_the_next_run_goes_on(tiny_bert, tmp_path):
    arguments = ["score", str(tiny_bert), "--corpus", "pocket", "--store", str(tmp_path / "s")]
    arguments += ["--out", str(tmp_path / "run"), "--languages", "de"]
    full = subprocess.run(
        [sys.executable, "-c", FULL, *arguments], capture_output=True, text=True, check=False
    )
    assert full.returncode == 1
    last = full.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "the store cannot be written (File too large)" in last
    assert not list((tmp_path / "s").rglob(".unfinished*"))
    again = subprocess.run(
        [sys.executable, "-m", "crosslingual", *arguments], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == (-1, -1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_store_is_one_error(store, values, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="cannot be written"):
        fill(store, list("abcde"), values)


def test_a_store_below_a_file_is_one_error(values, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written"):
        fill(Store(SPACE.folder(tmp_path / "file")), list("abcde"), values)


def test_spaces_differ_in_everything_that_decides_a_vector():
    folders = {
        Space("f" * 64, pooling, layers, length, dtype, stored).folder(Path())
        for pooling in ("mean", "max")
        for layers in (None, (0, 2))
        for length in (64, 128)
        for dtype in ("float32", "bfloat16")
        for stored in ("float32", "float16")
    }
    assert len(folders) == 32
