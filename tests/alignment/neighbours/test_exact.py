"""Every path gives the neighbours by definition, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crosslingual.alignment.neighbours import brute_force, candidates, pairs_found
from crosslingual.alignment.neighbours import exact as module
from crosslingual.alignment.neighbours import unit_vectors as units
from crosslingual.alignment.neighbours.exact import neighbours, neighbours_of_layers, search
from crosslingual.alignment.neighbours.product import MatrixProduct, VectorProduct


def definition(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Float64 dot products of rows normalised in float64, rounded to float32; zero rows give 0."""
    unit = []
    for side in (x, y):
        wide = side.astype(np.float64)
        norms = np.sqrt(np.einsum("nd,nd->n", wide, wide))
        unit.append(wide / np.where(norms == 0, 1, norms)[:, None])
    return np.stack(
        [np.einsum("nd,nd->n", unit[1], np.broadcast_to(u, y.shape)) for u in unit[0]]
    ).astype(np.float32)


def by_sorting(s: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    ids = np.stack([np.lexsort((np.arange(len(row)), -row))[:k] for row in s])
    return ids, np.take_along_axis(s, ids, 1)


def assert_defined(x: np.ndarray, y: np.ndarray, k: int, gold: np.ndarray) -> None:
    s = definition(x, y)
    ranked = neighbours(x, y, k, gold)
    for found in (ranked, *(neighbours(x, y, k, dtype=dtype) for dtype in ("float32", "bfloat16"))):
        for nearest, matrix in ((found.rows, s), (found.columns, s.T)):
            ids, scores = by_sorting(matrix, k)
            assert np.array_equal(nearest.ids, ids)
            assert np.array_equal(nearest.scores, scores)
    for nearest, matrix, pairs in ((ranked.rows, s, gold), (ranked.columns, s.T, gold[:, ::-1])):
        own = matrix[pairs[:, 0], pairs[:, 1]]
        row = matrix[pairs[:, 0]]
        assert np.array_equal(nearest.rank, (row > own[:, None]).sum(1))
        assert np.array_equal(nearest.ties, (row == own[:, None]).sum(1) - 1)
    assert np.array_equal(ranked.gold_scores, s[gold[:, 0], gold[:, 1]])


def hostile(name: str, rng: np.random.Generator, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    x, y = rng.standard_normal((2, n, 24), dtype=np.float32)
    if name == "near-duplicates":
        y = np.repeat(y[: n // 10], 10, axis=0)
        y *= 1 + 1e-7 * rng.standard_normal((n, 1), dtype=np.float32)
    if name == "clusters":
        x, y = (side[:5].repeat(n // 5, 0) + 1e-3 * rng.permutation(side) for side in (x, y))
    if name == "cone":
        x, y = x * 0.1 + 3, y * 0.1 + 3
    if name == "one huge dimension":
        x[:, 3] *= 3000
        y[:, 3] *= 3000
    if name == "equal rows":
        x[::3], y[::2] = x[0], y[0]
    if name == "all equal":
        x[:], y[:] = x[0], x[0]
    if name == "zero rows":
        x[::4], y[::5] = 0, 0
    if name == "tiny and large":
        x, y = x * 1e-30, y * 1e30
    return x, y


HOSTILE = [
    "near-duplicates",
    "clusters",
    "cone",
    "one huge dimension",
    "equal rows",
    "all equal",
    "zero rows",
    "tiny and large",
]


@pytest.mark.parametrize("name", ["random", *HOSTILE])
def test_neighbours_are_those_of_the_definition(rng, name):
    x, y = hostile(name, rng)
    gold = np.stack([np.arange(60), rng.permutation(60)], axis=1)
    assert_defined(x, y, 5, gold)


@pytest.mark.parametrize("name", ["random", *HOSTILE])
def test_many_tiles(rng, name):
    """700 candidates are 10 tiles and more; the sides are of unequal size."""
    x, y = hostile(name, rng, n=700)
    assert_defined(x[:333], y, 2, np.zeros((0, 2), np.int64))


@pytest.mark.parametrize(("n", "m"), [(16, 17), (67, 131), (129, 577)])
@pytest.mark.parametrize("k", [1, 2])
def test_what_fills_the_last_tile_is_nobodys_neighbour(rng, n, m, k):
    """Even where every similarity is negative, some far below any cosine."""
    s = -(10 ** rng.uniform(-3, 3, (n, m))).astype(np.float32)
    found = search([MatrixProduct(s)], k)
    for nearest, matrix in ((found.rows, s), (found.columns, s.T)):
        assert np.array_equal(nearest.ids, by_sorting(matrix, k)[0])


@pytest.mark.parametrize("name", ["random", *HOSTILE])
def test_blocks_threads_and_memory_do_not_matter(rng, name, monkeypatch):
    x, y = hostile(name, rng)
    gold = np.stack([np.arange(60)] * 2, axis=1)
    monkeypatch.setattr(module, "BLOCK", {"cpu": (17, 19)})
    monkeypatch.setattr(units, "KEPT", 0)
    monkeypatch.setattr(units, "BLOCK", 7)
    monkeypatch.setattr(units, "PAIRS", 11)
    monkeypatch.setattr(candidates, "KEPT", 300)
    monkeypatch.setattr(pairs_found, "PART", 50)
    monkeypatch.setattr(brute_force, "QUERIES", 5)
    monkeypatch.setattr(brute_force, "CANDIDATES", 7)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            assert_defined(x, y, 4, gold)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_devices_share_the_rows(rng, dtype):
    x, y = hostile("equal rows", rng)
    alone, shared = (neighbours(x, y, 3, dtype=dtype, devices=["cpu"] * count) for count in (1, 7))
    for side in ("rows", "columns"):
        assert np.array_equal(getattr(alone, side).ids, getattr(shared, side).ids)
        assert np.array_equal(getattr(alone, side).scores, getattr(shared, side).scores)


def signs(d: int, rng: np.random.Generator) -> np.ndarray:
    """Vectors of ±1 whose mean is 0: nothing is centred away, every number is 1/√d."""
    some = rng.choice(np.float32([-1, 1]), (30, d))
    return np.concatenate([some, -some])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["random", "rounded inputs", "rounded sums", *HOSTILE])
def test_no_product_is_further_off_than_it_says(rng, dtype, name):
    """Negative half: the bound is not idle; bfloat16 comes near it where roundings do not cancel.

    1/√254 lies in the middle between two numbers of bfloat16. 1/√1024 is one of them, but sums of it
    have up to ten bits, two more than bfloat16.
    """
    if name.startswith("rounded"):
        x = signs(254 if name == "rounded inputs" else 1024, rng)
        y = x * np.where(np.arange(x.shape[1]) < 255, -1, 1) if name == "rounded sums" else x
    else:
        x, y = hostile(name, rng, 700)
    product = VectorProduct(*units.unit_sides(x, y.astype(np.float32)), dtype=dtype)
    everything = slice(0, len(x)), slice(0, len(y))
    room = torch.empty(len(x), len(y), dtype=product.dtype)
    block = product.block(*everything, room).double().numpy()
    row, column = (slack.double().numpy() for slack in product.slack(*everything))
    off = np.abs(product.exact_block(*everything) - product.offset - block)
    bound = product.rounding * np.abs(block) + np.minimum(row[:, None], column)
    assert (off <= bound).all()
    if dtype == "bfloat16" and name.startswith("rounded"):
        assert (off / bound).max() > (0.95 if name == "rounded sums" else 0.6)


SMALL = {
    "n": st.integers(1, 12),
    "m": st.integers(1, 12),
    "d": st.integers(1, 6),
    "k": st.integers(1, 4),
    "values": st.integers(1, 3),
    "seed": st.integers(0, 2**32 - 1),
}


def small_integers(n: int, m: int, d: int, k: int, values: int, seed: int) -> None:
    """Few distinct values make ties, zero rows and equal rows common; gold is many-to-many."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-values, values + 1, (n, d)).astype(np.float32)
    y = rng.integers(-values, values + 1, (m, d)).astype(np.float32)
    p = int(rng.integers(0, 2 * n))
    gold = np.stack([rng.integers(0, n, p), rng.integers(0, m, p)], axis=1)
    assert_defined(x, y, min(k, n, m), gold)


test_small_integers_with_many_ties = settings(max_examples=200, deadline=None)(
    given(**SMALL)(small_integers)
)
test_thousands_of_them = pytest.mark.slow(
    settings(max_examples=5000, deadline=None)(given(**SMALL)(small_integers))
)


def test_memory_maps_and_rows_of_any_length(rng, tmp_path):
    x, y = rng.standard_normal((2, 40, 8), dtype=np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_defined(mapped, y * np.float32(7.5), 3, np.zeros((0, 2), np.int64))


def test_k_is_clamped(rng):
    x, y = rng.standard_normal((3, 4), dtype=np.float32), rng.standard_normal((5, 4), dtype=np.float32)
    found = neighbours(x, y, 9)
    assert found.rows.ids.shape == (3, 5)
    assert found.columns.ids.shape == (5, 3)


def test_a_given_matrix_is_searched_like_vectors(rng):
    s = rng.integers(0, 4, (30, 30)).astype(np.float32)
    gold = np.stack([np.arange(30)] * 2, axis=1)
    found = search([MatrixProduct(s)], 5, gold)
    ids, scores = by_sorting(s, 5)
    assert np.array_equal(found.rows.ids, ids)
    assert np.array_equal(found.rows.scores, scores)
    assert np.array_equal(found.columns.rank, (s > s.diagonal()).sum(0))


def test_faiss_finds_the_same_neighbours(rng):
    """Negative half: it does so on separated data only; on near-ties its order is its kernel's."""
    import faiss

    x, y = rng.standard_normal((2, 500, 32), dtype=np.float32)
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y)]
    index = faiss.IndexFlatIP(32)
    index.add(unit[1])
    scores, ids = index.search(unit[0], 4)
    found = neighbours(x, y, 4)
    assert np.array_equal(found.rows.ids, ids)
    assert np.abs(found.rows.scores - scores).max() < 2e-6


@pytest.mark.parametrize(
    ("x", "y", "k", "gold", "message"),
    [
        (np.ones((3, 2)), np.ones((3, 4)), 1, None, "one width"),
        (np.ones((0, 2)), np.ones((3, 2)), 1, None, "must have rows"),
        (np.ones((3, 2)), np.ones((3, 2)), 0, None, "k must be at least 1"),
        (np.full((3, 2), np.nan), np.ones((3, 2)), 1, None, "x is not finite in 3 rows"),
        (np.ones((3, 2)), np.ones((3, 2)), 1, [[0, 3]], "outside the 3 rows and 3 columns"),
    ],
)
def test_what_is_wrong_is_named(x, y, k, gold, message):
    with pytest.raises(ValueError, match=message):
        neighbours(
            x.astype(np.float32), y.astype(np.float32), k, None if gold is None else np.array(gold)
        )


@pytest.mark.slow
def test_real_vectors_of_every_layer(minilm, real_data, tmp_path):
    """all-MiniLM on NTREX de and Tatoeba deu, all layers: ids and scores by definition."""
    from crosslingual.alignment.checkpoints.opening import open_checkpoint
    from crosslingual.alignment.representations.stored import represent
    from crosslingual.data import load

    checkpoint = open_checkpoint(minilm)
    for corpus, language in (("ntrex", "de"), ("tatoeba", "deu")):
        (bitext,) = load(corpus, data_dir=real_data, languages=language)
        vectors = represent(checkpoint, [bitext.source, bitext.target], root=tmp_path)["mean"]
        for layer in vectors.available:
            x, y = (vectors.read(side, [layer])[0] for side in (bitext.source, bitext.target))
            s = definition(x, y)
            for dtype in ("float32", "bfloat16"):
                found = neighbours(x, y, 4, dtype=dtype)
                for nearest, matrix in ((found.rows, s), (found.columns, s.T)):
                    ids, scores = by_sorting(matrix, 4)
                    assert np.array_equal(nearest.ids, ids)
                    assert np.array_equal(nearest.scores, scores)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("name", ["random", *HOSTILE])
def test_a_gpu_finds_the_same(rng, name):
    x, y = hostile(name, rng, 700)
    alone = neighbours(x, y, 4, devices=["cpu"])
    for dtype in ("float32", "bfloat16"):
        for devices in (["cuda:0"], ["cuda:0", "cuda:0", "cpu"]):
            found = neighbours(x, y, 4, dtype=dtype, devices=devices)
            for side in ("rows", "columns"):
                assert np.array_equal(getattr(found, side).ids, getattr(alone, side).ids)
                assert np.array_equal(getattr(found, side).scores, getattr(alone, side).scores)


def test_layers_come_one_after_another(rng):
    xs, ys = rng.standard_normal((2, 3, 40, 8), dtype=np.float32)
    for layer, found in enumerate(neighbours_of_layers(xs, ys, 3)):
        assert np.array_equal(found.rows.ids, neighbours(xs[layer], ys[layer], 3).rows.ids)


def test_gold_is_not_ranked_by_a_rounded_product(rng):
    x = rng.standard_normal((5, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="ranks of gold pairs need a float32 product"):
        neighbours(x, x, 1, np.array([[0, 0]]), dtype="bfloat16")
    with pytest.raises(ValueError, match="dtype must be auto, float32 or bfloat16"):
        neighbours(x, x, 1, dtype="float16")
