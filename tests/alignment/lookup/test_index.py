"""FAISS indexes: they agree with `neighbours`, and refuse what is not theirs."""

import numpy as np
import pytest

from crosslingual.alignment.lookup import index as module
from crosslingual.alignment.lookup.index import build_index, load_index, save_index
from crosslingual.alignment.lookup.recall import ExactSearch
from crosslingual.alignment.neighbours.exact import neighbours

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


CLUSTERED = 4000


@pytest.fixture
def clustered(rng):
    """Vectors in 40 clusters and queries of the same: what an IVF is for."""
    centres = rng.standard_normal((40, 16), dtype=np.float32)
    sides = [
        centres[rng.integers(0, 40, n)] + 0.5 * rng.standard_normal((n, 16), dtype=np.float32)
        for n in (CLUSTERED, 300)
    ]
    return tuple(sides)


@pytest.mark.parametrize(
    ("factory", "effort"),
    [("Flat", None), ("IVF64,Flat", "nprobe"), ("PCA8,IVF64,Flat", "nprobe"), ("HNSW16", "efSearch")],
)
def test_effort_is_named_by_the_kind_of_index(clustered, factory, effort):
    index = build_index(clustered[0], [str(i) for i in range(CLUSTERED)], factory=factory)
    assert index.effort == effort
    if effort is None:
        with pytest.raises(ValueError, match="Flat searches with no nprobe"):
            index.set_effort(4)


def test_recall_grows_with_effort_to_that_of_a_flat_index(clustered):
    vectors, queries = clustered
    index = build_index(vectors, [str(i) for i in range(CLUSTERED)], factory="IVF64,Flat")
    judge = ExactSearch(index, vectors, queries, 10)
    recalls = [judge.recall(effort).value for effort in (1, 4, 16, 64)]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.9
    assert recalls[-1] == 1
    flat = build_index(vectors, [str(i) for i in range(CLUSTERED)])
    assert ExactSearch(flat, vectors, queries, 10).recall().value == 1


def test_the_least_effort_reaches_the_target_and_one_less_does_not(clustered):
    vectors, queries = clustered
    index = build_index(vectors, [str(i) for i in range(CLUSTERED)], factory="IVF64,Flat")
    judge = ExactSearch(index, vectors, queries, 10)
    found = judge.least_effort(0.95)
    assert found.value >= 0.95
    assert found.effort > 1
    assert judge.recall(found.effort - 1).value < 0.95
    with pytest.raises(ValueError, match="`recall` must lie between 0 and 1"):
        judge.least_effort(1.5)


@pytest.mark.slow
def test_what_compression_lost_no_effort_brings_back(clustered):
    vectors, queries = clustered
    index = build_index(vectors, [str(i) for i in range(CLUSTERED)], factory="IVF16,PQ4")
    with pytest.raises(ValueError, match="reaches recall 0.* at most, not 0.99"):
        ExactSearch(index, vectors, queries, 10).least_effort(0.99)


def test_too_few_found_is_an_error_unless_asked_for(clustered):
    vectors, queries = clustered
    index = build_index(vectors, [str(i) for i in range(CLUSTERED)], factory="IVF256,Flat")
    index.set_effort(1)
    with pytest.raises(ValueError, match="fewer than 100 neighbours for .* raise its nprobe"):
        index.search(queries, 100)
    found, _ = index.search(queries, 100, missing=True)
    assert (found == -1).any()


def test_training_and_filling_in_parts_change_nothing_flat(vectors, monkeypatch):
    whole = build_index(vectors[0], [str(i) for i in range(200)])
    monkeypatch.setattr(module, "ADDED", 7)
    parts = build_index(vectors[0], [str(i) for i in range(200)])
    for one, other in zip(whole.search(vectors[1], 5), parts.search(vectors[1], 5), strict=True):
        assert np.array_equal(one, other)


def test_without_a_gpu_one_is_not_asked_for(vectors):
    import faiss

    if getattr(faiss, "get_num_gpus", int)():
        pytest.skip("there is one")
    with pytest.raises(ValueError, match="FAISS sees no GPU"):
        build_index(vectors[0], [str(i) for i in range(200)], gpu=True)


@pytest.mark.parametrize(
    ("factory", "exact"),
    [
        ("Flat", True),
        ("IDMap,Flat", None),
        ("PCA4,Flat", False),
        ("PCAR4,SQ8", False),
        ("SQ4", False),
        ("SQfp16", False),
        ("PQ4x4", False),
        ("RR8,Flat", False),
        ("IVF4,Flat", False),
        ("HNSW8,Flat", False),
    ],
)
def test_an_index_is_exact_by_what_it_stores(vectors, factory, exact):
    """Only Flat compares a query with every vector as it is; a missing knob says nothing."""
    ids = [f"s{i}" for i in range(200)]
    if exact is None:  # FAISS itself refuses it
        with pytest.raises(ValueError, match="is no FAISS factory string"):
            build_index(vectors[0], ids, factory=factory)
        return
    index = build_index(vectors[0], ids, factory=factory)
    assert index.exact is exact
    found = ExactSearch(index, vectors[0], vectors[0], 10).recall().value
    assert found == 1 if exact else found <= 1


@pytest.mark.parametrize("factory", ["IVF99999999,Flat", "HNSW9999999", "PQ99999999"])
def test_no_room_is_made_for_what_cannot_be(vectors, factory):
    with pytest.raises(ValueError, match="is more than there are vectors"):
        build_index(vectors[0], [f"s{i}" for i in range(200)], factory=factory)
