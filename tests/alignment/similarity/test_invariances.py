"""Every measure × every transformation: what is declared holds, and what is not declared does not."""

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.view import Undefined, View

NAMES = [name for name, measure in MEASURES.items() if measure.value is not None]
Q = np.linalg.qr(np.random.default_rng(5).normal(size=(6, 6)))[0]
W = np.random.default_rng(6).normal(size=(6, 6)) + 2 * np.eye(6)
TRANSFORMATIONS = {
    "rotation": lambda x: x @ Q,
    "neuron permutation": lambda x: x[:, [3, 1, 5, 0, 2, 4]],
    "isotropic scaling": lambda x: 7.5 * x,
    "translation": lambda x: x + np.array([3.0, -1, 0, 2, 5, -4]),
    "neuron scaling": lambda x: x * np.array([1, 2, 0.3, 4, 0.5, 1.5]),
    "linear map": lambda x: x @ W,
    "sign flips": lambda x: x * np.array([1, -1, 1, -1, -1, 1]),
}


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(11)
    x = rng.normal(size=(80, 6)) * np.array([2, 1, 1, 0.7, 0.5, 0.5])
    return x, x + 0.8 * rng.normal(size=(80, 6))


def measure(name, x, y):
    return MEASURES[name].value(View(x), View(y))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_table(name, transformation, pair):
    x, y = pair
    turned = TRANSFORMATIONS[transformation]
    before = measure(name, x, y)
    after = [measure(name, turned(x), y), measure(name, x, turned(y))]
    declared = MEASURES[name].invariances
    if transformation in declared:
        assert after == pytest.approx([before] * 2, abs=1e-9)
    elif transformation == "sign flips" and {"rotation", "linear map"} & declared:
        assert after == pytest.approx([before] * 2, abs=1e-9), "a rotation among others"
    elif transformation == "sign flips" and name == "pwcca":
        assert after == pytest.approx([before] * 2, abs=1e-9), "its weights are absolute"
    elif name == "heldout_cca@20" and transformation in ("neuron scaling", "linear map"):
        pytest.skip("of six dimensions all components are kept, which makes it affine-invariant")
    elif name == "svcca@0.99" and transformation in ("neuron scaling", "linear map"):
        pytest.skip("likewise where 99 % of the variance is all of it")
    else:
        assert max(abs(value - before) for value in after) > 1e-4


@pytest.mark.parametrize("name", ["heldout_cca@20", "svcca@0.99"])
def test_truncation_is_not_affine_invariant(name, rng):
    """The other half of what the table skips."""
    x = rng.normal(size=(400, 40)) * np.logspace(0, -2, 40)
    y = x + 0.3 * rng.normal(size=(400, 40)) * np.logspace(0, -2, 40)
    assert abs(measure(name, x * np.logspace(-2, 0, 40), y) - measure(name, x, y)) > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_swapping_sides_and_shuffling_pairs_together(name, pair, rng):
    x, y = pair
    before = measure(name, x, y)
    assert "swap" in MEASURES[name].invariances
    assert measure(name, y, x) == pytest.approx(before, abs=1e-12)
    order = rng.permutation(len(x))
    tolerance = 0.05 if name.startswith("heldout") else 1e-10  # folds are dealt to rows
    assert measure(name, x[order], y[order]) == pytest.approx(before, abs=tolerance)
    assert abs(measure(name, x, y[order]) - before) > 0.01, "shuffling one side destroys it"


@pytest.mark.parametrize("name", NAMES)
def test_perfect_agreement_is_best(name, pair):
    x, y = pair
    found = measure(name, x, x)
    if name == "ridge_cca@0.1":
        assert measure(name, x, y) < found < 1
    else:
        assert found == pytest.approx(MEASURES[name].best, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_scale_and_offset_sweeps_in_float32(name, rng):
    """Scales 1e-6 … 1e6 and offsets 0 … 1e4 leave a score where it was, to 1e-6."""
    # eighths, so that an offset of 1e4 is exact in float32
    x = np.round(8 * rng.normal(size=(100, 6))) / 8
    y = np.round(8 * (x + rng.normal(size=(100, 6)))) / 8
    before = measure(name, x, y)
    for scale in (1e-6, 1e-3, 1e3, 1e6):
        scaled = (np.float32(scale) * x.astype(np.float32)).astype(np.float32)
        assert measure(name, scaled, y.astype(np.float32)) == pytest.approx(before, abs=1e-6)
    if "translation" in MEASURES[name].invariances:
        for offset in (1, 100, 1e4):
            moved = (x + offset).astype(np.float32)
            assert measure(name, moved, (y - offset).astype(np.float32)) == pytest.approx(
                before, abs=1e-6
            )


@pytest.mark.parametrize("name", NAMES)
def test_float32_against_float64(name, rng):
    x = rng.normal(size=(100, 8))
    y = x + rng.normal(size=(100, 8))
    assert measure(name, x.astype(np.float32), y.astype(np.float32)) == pytest.approx(
        measure(name, x, y), abs=2e-6
    )


@pytest.mark.parametrize("name", NAMES)
def test_degenerate_input(name, rng):
    """Duplicates have a value; n < 4, nan, a constant side have an error, never a number."""
    x = rng.normal(size=(40, 5))
    x[10:20] = x[:10]
    y = x + rng.normal(size=x.shape)
    assert np.isfinite(measure(name, x, y))
    with pytest.raises(ValueError, match="at least 4 are needed"):
        measure(name, x[:3], y[:3])
    with pytest.raises(ValueError, match="non-finite"):
        measure(name, np.where(np.arange(40)[:, None] == 3, np.nan, x), y)
    if name not in ("mutual_knn@10", "jaccard_knn@10"):  # all are neighbours then, by index
        with pytest.raises(ValueError, match="constant|equal"):
            measure(name, np.ones_like(x), y)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "groups", [np.zeros(60, np.int64), np.repeat([0, 1], [58, 2]), np.r_[np.zeros(56), 1:5].astype(int)]
)
def test_few_groups_have_a_value_and_no_false_interval(name, groups, pair):
    """One document, or one that is nearly all: no warning, no interval of width 0."""
    x, y = (side[:60] for side in pair)
    try:
        found = MEASURES[name].estimate(Matched(View(x), View(y, "y"), groups))
    except Undefined:
        assert name.startswith("heldout")
        return
    assert np.isfinite(found.value)
    if groups.max() == 0:
        assert np.isnan([*found.ends]).all()
    else:
        assert np.isnan(found.ends.low) or found.ends.low < found.ends.high


@pytest.mark.parametrize("name", NAMES)
def test_many_sentences_are_refused_or_done_without_square_matrices(name, rng):
    x = rng.normal(size=(150, 6))
    y = x + rng.normal(size=x.shape)
    matched = Matched(View(x, largest=149), View(y, largest=149), np.arange(150))
    if MEASURES[name].family in ("neighbourhood", "rsa") or "rbf" in name:
        with pytest.raises(
            Undefined, match="n × n matrices of 150 sentences take 0.0 GB: raise `memory`"
        ):
            MEASURES[name].estimate(matched)
    else:
        found = MEASURES[name].estimate(matched)
        assert found.value == pytest.approx(measure(name, x[:], y), abs=1e-9)
        assert np.isfinite(found.z) or "n × n" in found.note
