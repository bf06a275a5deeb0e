"""Maps of probed vectors: what they are fitted on is no test, and brings back what was turned away."""

import numpy as np
import pytest

from crosslingual.data import Sentence, Side, load
from crosslingual.probes.layer import probe_layer
from crosslingual.probes.mapping import Mapped, mapped_by, texts_to_fit
from crosslingual.probes.material import ALL, TEST, TRAIN, load_material
from crosslingual.probes.probing import probe
from crosslingual.probes.vectors import read_layer
from tests.conftest import make_tiny

D = 12


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("mapping") / "tiny")


@pytest.fixture
def material(tmp_path):
    rows = ["language\tgroup\ttext\tlabel"]
    for i in range(200):
        rows += [f"{one}\titem {i}\t{one} {i}\t{('sun', 'rain')[i % 2]}" for one in ("en", "sw")]
    path = tmp_path / "table.tsv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return load_material("weather", table=path)


def held_out(language, order):
    return Side(language, language, tuple(Sentence(str(i), f"{language} {i}") for i in order))


class Planted:
    """Of every item one vector in English; in Swahili what a function makes of it."""

    available, last = (0,), 0

    def __init__(self, rng, elsewhere):
        self.x = rng.standard_normal((300, D)).astype(np.float32)
        self.x[:, 3] = np.where(np.arange(300) % 2, 4, -4)  # the label
        self.elsewhere = elsewhere

    def read(self, side, layers):
        rows = [int(text.split()[1]) for text in side.texts]
        x = self.x[rows] if side.language == "en" else self.elsewhere(self.x[rows])
        return x[None].astype(np.float32)

    def counts(self, side):
        return np.zeros((len(side.texts), 3), np.int32)


def accuracies(material, planted, mapped):
    vectors = read_layer(material, planted, 0, "en", mapped)
    found = probe_layer(material, vectors, ["en"])
    assert found["en"].right.mean() > 0.95
    return found["sw"].right.mean()


@pytest.mark.parametrize("scale", [1e-8, 1e-6, 1e-5, 1e-3, 1e-2, 0.1])
def test_a_feature_that_is_weak_in_english_does_not_outweigh_what_a_map_brings(rng, material, scale):
    """A rotation that was fitted on noisy translations mixes a little of everything into it."""
    turn = np.linalg.qr(rng.standard_normal((D, D)))[0]
    planted = Planted(rng, lambda x: (x + 0.5 * rng.standard_normal(x.shape)) @ turn)
    planted.x[:, 7] *= scale
    order = np.arange(200, 300)
    fits = {"sw": (held_out("sw", order), held_out("en", order)), "en": (held_out("en", order),) * 2}
    assert accuracies(material, planted, Mapped("procrustes", "held out", {"en": fits})) > 0.9


@pytest.mark.parametrize("name", ["procrustes", "ridge"])
def test_a_turned_language_is_read_under_a_map_that_was_fitted_on_translations(rng, material, name):
    turn = np.linalg.qr(rng.standard_normal((D, D)))[0]
    planted = Planted(rng, lambda x: x @ turn + 3)
    order = np.arange(200, 300)  # items that the material does not have
    # paired with the next item, which has the other label, it is turned to the contrary
    for there, low, high in ((order, 0.95, 1.0), (np.roll(order, 1), 0.0, 0.05)):
        fits = {one: (held_out(one, order), held_out("en", there)) for one in ("en", "sw")}
        fits["en"] = (held_out("en", order),) * 2
        accuracy = accuracies(material, planted, Mapped(name, "held out", {"en": fits}))
        assert low <= accuracy <= high
    assert accuracies(material, planted, Mapped()) < 0.9
    with pytest.raises(ValueError, match="examples in sw and en are not the same items"):
        mapped_by(material, ["en"], name)


def test_all_languages_lose_the_same_outliers(rng, material):
    """Each has a large dimension of its own, on either side of the label's."""

    def other(x):
        x = x.copy()
        x[:, 5], x[:, 0] = x[:, 0], 50
        return x

    planted = Planted(rng, other)
    planted.x[:, 5] *= 40
    mapped = mapped_by(material, ["en"], "without-outliers@1")
    assert mapped.fit == "train"
    vectors = read_layer(material, planted, 0, "en", mapped)
    kept = np.delete(np.arange(D), 5)
    for (language, part), labelled in material.parts.items():
        plain = planted.read(labelled.first, [0])[0]
        assert np.array_equal(vectors[language, part], plain[:, kept]), (language, part)


def test_no_test_is_fitted_on():
    material = load_material("length", languages="en,de,sw")
    fits = texts_to_fit(material, "en", "procrustes", "pocket")
    whole = {bitext.source.language: len(bitext) for bitext in load("pocket", languages="de,sw")}
    assert set(fits) == {"en", "de", "sw"}
    for language in ("de", "sw"):
        here, there = fits[language]
        tests = material.parts[language, TEST].first.ids
        assert here.ids == there.ids and not set(here.ids) & set(tests)
        assert len(here.ids) + len(tests) == whole[language]
        own, _ = texts_to_fit(material, "en", "procrustes")[language]
        assert own.ids == material.parts[language, TRAIN].first.ids


def test_words_are_mapped_as_sentences_are(tiny, tmp_path):
    (tmp_path / "pud").mkdir()
    block = "# sent_id = {0}\n# text = see {0}\n1\tsee\t_\tVERB\n2\t{0}\t_\tNUM\n\n"
    block = block.replace("VERB", "VERB\t_\t_\t0\t_\t_\t_").replace("NUM", "NUM\t_\t_\t1\t_\t_\t_")
    for code in ("en", "de"):
        text = "".join(block.format(i) for i in range(60))
        (tmp_path / f"pud/{code}_pud.conllu").write_text(text)
    options = {"data_dir": tmp_path, "store": tmp_path / "s", "layers": "1", "controls": 0}
    found = probe(tiny, "pos", map="procrustes", map_fit="pocket", **options).to_frame()
    assert set(found["map_fit"]) == {"pocket"} and set(found["map"]) == {"procrustes"}
    with pytest.raises(ValueError, match="words have none here; name parallel text with `map_fit`"):
        probe(tiny, "pos", map="procrustes", **options)


def test_the_sentences_of_tested_words_are_not_fitted_on(tmp_path):
    (tmp_path / "pud").mkdir()
    for code in ("en", "de"):
        block = (
            "# sent_id = n{0}\n# text = {1} {0}\n1\t{1}\t_\tVERB\t_\t_\t0\n2\t{0}\t_\tNUM\t_\t_\t1\n\n"
        )
        block = block.replace("\t_\t_\t0\n", "\t_\t_\t0\t_\t_\t_\n").replace(
            "\t1\n\n", "\t1\t_\t_\t_\n\n"
        )
        (tmp_path / f"pud/{code}_pud.conllu").write_text(
            "".join(block.format(i, code) for i in range(60))
        )
    material = load_material("pos", data_dir=tmp_path)
    fits = texts_to_fit(material, "en", "procrustes", "pud", tmp_path)
    tested = {one.context.text for one in material.parts["de", TEST].first.sentences}
    assert tested and not tested & set(fits["de"][0].texts)
    assert len(tested) + len(fits["de"][0].texts) == 60


def test_what_no_map_can_be_fitted_on(material):
    with pytest.raises(ValueError, match="`map_fit` ntrex goes with a map"):
        texts_to_fit(material, "en", "none", "ntrex")
    with pytest.raises(ValueError, match="unknown map 'procrusts'"):
        texts_to_fit(material, "en", "procrusts")
    with pytest.raises(ValueError, match="map centre needs one language that is trained on"):
        texts_to_fit(material, ALL, "centre")
    with pytest.raises(ValueError, match="`map_fit` ntrexx: unknown corpus"):
        texts_to_fit(material, "en", "procrustes", "ntrexx")
    parts = {key: part for key, part in material.parts.items() if key != ("sw", TRAIN)}
    lacking = type(material)(material.name, material.classes, parts)
    with pytest.raises(ValueError, match="no training examples in sw to fit it on"):
        texts_to_fit(lacking, "en", "centre")
