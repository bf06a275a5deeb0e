"""Control tasks tell what a probe reads from what it learns by heart (Hewitt & Liang 2019)."""

import numpy as np
import pytest

from crosslingual.probes.classifiers import families
from crosslingual.probes.control import BY_TYPE, PERMUTED, by_type, make_controls
from crosslingual.probes.layer import probe_layer
from crosslingual.probes.material import DEV, TEST, TRAIN, load_material

SIZES = {TRAIN: 1500, DEV: 400, TEST: 800}


def planted(make_words, rng, types, dim, label):
    """Words whose vectors are their type's and a contextual bit; `label(types, bits)` is their class."""
    embeddings = rng.standard_normal((types, dim)).astype(np.float32)
    words = {part: rng.integers(types, size=n) for part, n in SIZES.items()}
    bits = {part: rng.integers(2, size=n) for part, n in SIZES.items()}
    vectors = {
        ("en", part): np.hstack([embeddings[words[part]], 4.0 * bits[part][:, None] - 2]).astype(
            np.float32
        )
        for part in SIZES
    }
    labels = {part: label(words[part], bits[part]) for part in SIZES}
    return make_words(words, labels), vectors


def selectivity(material, vectors, **options):
    controls = make_controls(material, ["en"], 3)
    found = probe_layer(material, vectors, ["en"], controls=controls, **options)["en"]
    return found.right.mean(), found.right.mean() - found.control.mean()


def test_a_function_of_the_type_has_no_selectivity(make_words, rng):
    dealt = by_type([f"t{i}" for i in range(100)], np.array([0.5, 0.5]), 99)
    accuracy, apart = selectivity(*planted(make_words, rng, 100, 120, lambda words, bits: dealt[words]))
    assert accuracy > 0.99 and abs(apart) < 0.02


def test_a_bit_of_the_context_is_selective(make_words, rng):
    accuracy, apart = selectivity(*planted(make_words, rng, 600, 20, lambda words, bits: bits))
    assert accuracy > 0.99 and apart >= 0.3


@pytest.mark.slow
def test_a_wider_perceptron_learns_more_by_heart(make_words, rng, monkeypatch):
    """It reads the task no better, so that its selectivity falls."""

    def probes(width):
        monkeypatch.setitem(families.FAMILIES, "mlp", lambda sample: families.mlp(sample, width))
        return selectivity(material, vectors, family="mlp")

    material, vectors = planted(make_words, rng, 200, 15, lambda words, bits: bits)
    small, large = probes(2), probes(512)
    assert min(small[0], large[0]) > 0.9
    assert large[0] - large[1] > small[0] - small[1] + 0.1, "the control's accuracy"
    assert large[1] < small[1] - 0.1


def test_a_control_task_has_two_classes_however_few_the_types(make_words, rng):
    """Of two types three in four label sets give both the same label."""
    words = {part: rng.integers(2, size=n) for part, n in SIZES.items()}
    labels = {part: (rng.random(n) < 0.15).astype(int) for part, n in SIZES.items()}
    found = make_controls(make_words(words, labels), ["en"], 5)
    assert all(len(set(one)) == 2 for one in found.train) and len(found.train) == 5
    words = {part: np.zeros(n, int) for part, n in SIZES.items()}
    with pytest.raises(ValueError, match="too few types of words in en for 5 control tasks"):
        make_controls(make_words(words, labels), ["en"], 5)


def test_a_type_has_one_label_everywhere(make_words):
    words = {part: [1, 2, 3, 1, 2, 4] for part in SIZES}
    material = make_words(words, {part: [0, 1, 0, 1, 1, 0] for part in SIZES})
    made = make_controls(material, ["en"], 8)
    assert made.kind == BY_TYPE and made.train.shape == (8, 6)
    for sets in (made.train, made.dev, made.tests["en"]):
        assert (sets[:, 0] == sets[:, 3]).all() and (sets[:, 1] == sets[:, 4]).all()
        assert (sets == made.train).all()
    assert len({tuple(one) for one in made.train.tolist()}) > 1, "sets differ"


def test_controls_have_the_labels_distribution():
    shares = np.array([0.6, 0.0, 0.3, 0.1])
    drawn = by_type([str(i) for i in range(20_000)], shares)
    assert np.bincount(drawn, minlength=4) / 20_000 == pytest.approx(shares, abs=0.02)
    assert not (drawn == 1).any()


def test_of_texts_the_labels_are_dealt_anew():
    material = load_material("length", limit=40)
    made = make_controls(material, ["en"])
    assert made.kind == PERMUTED and made.train.shape == (20, 40)
    assert (np.sort(made.train) == np.sort(material.parts["en", TRAIN].labels)).all()
    assert (made.tests["de"] == material.parts["de", TEST].labels).all(), "tested on the true ones"
    assert not len(make_controls(material, ["en"], 0).train)


def test_what_cannot_be_probed(make_words, rng):
    words = {part: np.arange(30) for part in SIZES}
    good = make_words(words, {part: np.arange(30) % 2 for part in SIZES})
    vectors = {("en", part): rng.standard_normal((30, 3)) for part in SIZES}
    one = make_words(words, {part: np.zeros(30) for part in SIZES})
    with pytest.raises(ValueError, match="the 30 training examples in en are all '0': nothing to tell"):
        probe_layer(one, vectors, ["en"])
    many = make_words(words, {part: np.arange(30) for part in SIZES}, classes=31)
    with pytest.raises(ValueError, match="30 training examples in en are fewer than the 31 classes"):
        probe_layer(many, vectors, ["en"])
    vectors["en", DEV][7, 1] = np.inf
    for family in families.FAMILIES:
        with pytest.raises(ValueError, match="dev: vectors of 1 of 30 examples are not finite"):
            probe_layer(good, vectors, ["en"], family=family)
        for value in (np.nan, np.inf, -np.inf):
            tested = vectors | {("en", DEV): vectors["en", TRAIN]}
            tested["en", TEST] = tested["en", TEST].copy()
            tested["en", TEST][3:5, 2] = value
            with pytest.raises(ValueError, match=r"\(en\): test: vectors of 2 of 30 examples are not"):
                probe_layer(good, tested, ["en"], family=family)
