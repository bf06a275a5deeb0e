"""Grids: every cell is the pair's own call, whatever the route, the budget, the order."""

from collections.abc import Sequence

import numpy as np
import pytest

from crosslingual.alignment.grids import all_pairs as module
from crosslingual.alignment.grids.all_pairs import grid
from crosslingual.alignment.grids.work import MEMORY, Computation
from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.view import View

NAMES = [name for name, measure in MEASURES.items() if measure.value is not None]
STACKED = [
    "linear_cka",
    "debiased_linear_cka",
    "mean_squared_cca",
    "rbf_cka",
    "debiased_rbf_cka",
    "rsa",
    "mutual_knn@10",
]


@pytest.fixture
def sides(rng):
    x = rng.normal(size=(90, 12))
    left = [x, x + rng.normal(size=x.shape), rng.normal(size=x.shape).astype(np.float32)]
    return left, [x @ rng.normal(size=(12, 12)), 3 + rng.normal(size=x.shape)]


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_is_the_pairs_call(name, sides):
    left, right = sides
    found = grid(name, left, right)
    assert found.value.shape == (3, 2)
    assert found.n == 90
    for i, x in enumerate(left):
        for j, y in enumerate(right):
            one = MEASURES[name].estimate(Matched(View(x), View(y), np.arange(90)))
            assert found.value[i, j] == pytest.approx(one.value, abs=1e-8)
            assert found.null[i, j] == pytest.approx(one.null, abs=1e-8)
            if name != "mutual_knn@10":  # exact here, drawn there
                assert found.z[i, j] == pytest.approx(one.z, rel=1e-6)
            assert found.p[i, j] == pytest.approx(one.p, abs=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_within_one_list(name, sides):
    left = [*sides[0], *sides[1]]
    found = grid(name, left, null=False)
    assert found.value == pytest.approx(found.value.T, abs=1e-10)
    best = grid(name, left[:1], left[:1], null=False).value[0, 0]
    # a distance of 0 is the root of a rounding error: half of the digits
    assert found.value[0, 0] == pytest.approx(best, abs=1e-7)
    if name != "ridge_cca@0.1":
        assert found.value.diagonal() == pytest.approx(np.full(5, MEASURES[name].best), abs=1e-6)
    assert np.isnan(found.z).all() and np.isnan(found.low).all()
    order = [3, 0, 4, 1, 2]
    shuffled = grid(name, [left[i] for i in order], null=False)
    assert shuffled.value == pytest.approx(found.value[np.ix_(order, order)], abs=1e-10)


@pytest.mark.parametrize("name", STACKED)
def test_budget_changes_nothing(name, sides):
    left, right = sides
    whole = grid(name, left, right)
    # a row of five matrices is 90 · 5 · 8 bytes: some dozen parts
    small = grid(name, left, right, computation=Computation(memory=5 * 90 * 8 * 10))
    for column in ("value", "null", "z", "p"):
        assert getattr(small, column) == pytest.approx(getattr(whole, column), abs=1e-10, nan_ok=True)


@pytest.mark.parametrize("name", ["linear_cka", "debiased_linear_cka", "mean_squared_cca"])
def test_products_of_features_are_the_same(name, rng, monkeypatch):
    x = rng.normal(size=(300, 5)) + 4
    left, right = (
        [x, x + rng.normal(size=x.shape)],
        [x @ rng.normal(size=(5, 5)), rng.normal(size=(300, 5))],
    )
    assert module.Work(left, right).prefers_features(MEMORY, null=False)
    monkeypatch.setattr(module.Work, "prefers_features", lambda *_: True)
    by_features = grid(name, left, right)
    monkeypatch.setattr(module.Work, "prefers_features", lambda *_: False)
    by_product = grid(name, left, right)
    for column in ("value", "null", "z", "p"):
        assert getattr(by_features, column) == pytest.approx(
            getattr(by_product, column), rel=1e-7, abs=1e-9
        )


def test_intervals_are_the_scores(sides, rng):
    left, right = sides
    groups = np.repeat(np.arange(30), 3)
    found = grid("debiased_linear_cka", left, right, intervals=True, groups=groups)
    one = MEASURES["debiased_linear_cka"].estimate(Matched(View(left[1]), View(right[0]), groups))
    assert (found.low[1, 0], found.high[1, 0]) == pytest.approx((*one.ends,))
    assert (found.low <= found.value).all() and (found.value <= found.high).all()


def test_float32_is_within_its_bound(sides):
    left, right = sides
    double = grid("debiased_linear_cka", left, right)
    single = grid("debiased_linear_cka", left, right, computation=Computation(precision="float32"))
    difference = np.abs(single.value - double.value).max()
    assert 0 < difference <= single.bound < 1e-3
    assert double.bound == 0
    with pytest.raises(ValueError, match="precision must be float64 or float32, got 'half'"):
        grid("linear_cka", left, computation=Computation(precision="half"))


def test_representations_are_read_an_item_at_a_time(sides):
    class Lazy(Sequence):
        def __init__(self, items):
            self.items, self.reads = items, 0

        def __len__(self):
            return len(self.items)

        def __getitem__(self, i):
            self.reads += 1
            return self.items[i]

    lazy = Lazy(sides[0])
    found = grid("debiased_linear_cka", lazy)
    assert found.value == pytest.approx(grid("debiased_linear_cka", sides[0]).value)
    assert lazy.reads


def test_a_constant_representation_leaves_the_others(sides):
    left, right = sides
    for name in ("debiased_linear_cka", "procrustes_similarity", "rbf_cka", "anc"):
        found = grid(name, [left[0], np.ones((90, 12)), left[1]], right)
        assert np.isnan(found.value[1]).all()
        assert np.isfinite(found.value[[0, 2]]).all()
        assert any("left representation 1 is constant" in note for note in found.notes)


def test_saturated_cells_say_so(rng):
    left = [rng.normal(size=(30, 20)), rng.normal(size=(30, 5))]
    found = grid("mean_squared_cca", left)
    assert np.isnan(found.value[0, 0]) and np.isfinite(found.value[0, 1])
    assert any("n - 1 = 29" in note for note in found.notes)
    found = grid("mean_cca", left)
    assert np.isnan(found.value[0, 0]) and any("CCA saturates" in note for note in found.notes)


def test_permutations_make_the_maximum_a_test(rng):
    """The largest of many null cells is not a discovery; a real one stays one."""
    noise = [rng.normal(size=(40, 6)) for _ in range(12)]
    found = module.family_wise("debiased_linear_cka", noise[:6], noise[6:], draws=99, seed=1)
    assert found.shape == (6, 6)
    alone = grid("debiased_linear_cka", noise[:6], noise[6:]).p
    assert alone.min() < 0.1 < found.min() + 0.1
    assert (found >= alone - 0.1).all(), "no cell becomes easier"
    real = module.family_wise("debiased_linear_cka", noise[:2], [noise[0], noise[5]], draws=99, seed=1)
    assert real[0, 0] == pytest.approx(0.01)


class TestBadInput:
    def test_different_n(self, rng):
        with pytest.raises(ValueError, match=r"got 20 and 19 rows \(right representation 0\)"):
            grid("linear_cka", [rng.normal(size=(20, 3))], [rng.normal(size=(19, 3))])

    def test_not_finite(self, rng):
        x = rng.normal(size=(20, 3))
        with pytest.raises(
            ValueError, match="left representation 1 has 1 non-finite values, first in row 0"
        ):
            grid("linear_cka", [x, np.where(x == x[0, 0], np.inf, x)])

    def test_budget(self, rng):
        x = rng.normal(size=(500, 20))
        with pytest.raises(ValueError, match=r"more than the memory of 0.00 GB; raise `memory`"):
            grid("rbf_cka", [x] * 4, computation=Computation(memory=10_000))
        with pytest.raises(ValueError, match=r"4 representations of 500 x 20 take .* raise `memory`"):
            grid("mean_cca", [x] * 4, computation=Computation(memory=10_000))

    def test_unknown_measure(self, rng):
        with pytest.raises(
            ValueError,
            match="'accuracy' cannot be computed as a grid: choose one of debiased_linear_cka",
        ):
            grid("accuracy", [rng.normal(size=(20, 3))])

    def test_no_representation(self):
        with pytest.raises(ValueError, match="at least one representation"):
            grid("linear_cka", [])

    def test_widths(self, rng):
        found = grid("anc", [rng.normal(size=(20, 3))], [rng.normal(size=(20, 4))])
        assert np.isnan(found.value).all() and "the widths differ: 3 and 4" in found.notes[0]


@pytest.mark.gpu
def test_cuda_agrees(sides):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA")
    left, right = sides
    assert grid(
        "linear_cka", left, right, computation=Computation(device="cuda")
    ).value == pytest.approx(grid("linear_cka", left, right).value)
