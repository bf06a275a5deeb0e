"""FAISS indexes: they agree with `neighbours`, and refuse what is not theirs."""

import numpy as np
import pytest

from crosslingual.alignment.index import build_index, load_index, save_index
from crosslingual.alignment.neighbours import neighbours

ABOUT = {"fingerprint": "f" * 64, "layer": 3, "pooling": "mean", "map": "none"}


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((200, 16), dtype=np.float32), rng.standard_normal(
        (50, 16), dtype=np.float32
    )


@pytest.fixture
def saved(vectors, tmp_path):
    index = build_index(vectors[0], [f"s{i}" for i in range(200)], about=ABOUT)
    save_index(index, tmp_path / "index")
    return tmp_path / "index"


def test_flat_agrees_with_neighbours(vectors, saved):
    found, scores = load_index(saved, expect=ABOUT).search(vectors[1], 5)
    exact = neighbours(vectors[1], vectors[0], 5).rows
    assert np.array_equal(found, exact.ids)
    assert np.abs(scores - exact.scores).max() < 2e-6


def test_ids_and_what_the_vectors_are_survive(saved):
    index = load_index(saved)
    assert index.ids[:2] == ("s0", "s1")
    assert index.about == ABOUT | {"factory": "Flat"}


def test_caller_vectors_stay_as_they_are(vectors):
    before = vectors[0].copy()
    build_index(vectors[0], [str(i) for i in range(200)])
    assert np.array_equal(vectors[0], before)


def test_k_is_clamped(vectors):
    index = build_index(vectors[0][:3], list("abc"))
    assert index.search(vectors[1], 9)[0].shape == (50, 3)


@pytest.mark.parametrize("change", [{"layer": 4}, {"fingerprint": "0"}, {"model": "x"}])
def test_an_index_of_other_vectors_is_refused(saved, change):
    with pytest.raises(ValueError, match="an index of other vectors"):
        load_index(saved, expect=change)


@pytest.mark.parametrize("file", ["index.faiss", "ids.txt"])
def test_damage_is_noticed(saved, file):
    data = bytearray((saved / file).read_bytes())
    data[7] ^= 1
    (saved / file).write_bytes(data)
    with pytest.raises(ValueError, match="does not match its checksum"):
        load_index(saved)


def test_what_is_wrong_is_named(vectors, saved, tmp_path):
    x, y = vectors
    with pytest.raises(ValueError, match="200 vectors but 1 ids"):
        build_index(x, ["a"])
    with pytest.raises(ValueError, match="is no FAISS factory string"):
        build_index(x, [str(i) for i in range(200)], factory="Flatt")
    with pytest.raises(ValueError, match="8 dimensions, the index 16"):
        load_index(saved).search(y[:, :8], 3)
    with pytest.raises(ValueError, match="not finite in 50 rows"):
        load_index(saved).search(y * np.float32("nan"), 3)
    with pytest.raises(OSError, match="there is something already"):
        save_index(load_index(saved), saved)
    with pytest.raises(OSError, match="no index there"):
        load_index(tmp_path / "nothing")


def test_a_missing_neighbour_is_an_error(vectors, rng):
    """An inverted file that probes one list of few vectors returns -1."""
    x = np.repeat(rng.standard_normal((20, 16), dtype=np.float32), 20, axis=0)
    index = build_index(
        x + 0.01 * rng.standard_normal(x.shape, dtype=np.float32),
        [str(i) for i in range(400)],
        factory="IVF10,Flat",
    )
    with pytest.raises(ValueError, match="fewer than 390 neighbours for 50 queries"):
        index.search(vectors[1], 390)
