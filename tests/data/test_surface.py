"""The surface floor: n-gram vectors, and what they score where it was measured before."""

import unicodedata

import numpy as np
import pytest
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.retrieval.pairing import pair_surface
from crosslingual.data import load, surface, surface_vectors


def test_rows_are_unit_vectors_over_one_vocabulary():
    x, y = surface_vectors(["Hallo Welt", "ﬁn"], ["Hello world", "fin"])
    assert x.shape[1] == y.shape[1]
    assert np.allclose(x.multiply(x).sum(1), 1)
    assert (x @ y.T)[1, 1] == pytest.approx(1)  # the ligature is the same text under NFKC
    assert (x @ y.T)[0, 0] > (x @ y.T)[0, 1]


def test_a_text_without_n_grams_is_a_zero_row():
    x, _ = surface_vectors(["a", "bc"], ["d", "bc"])
    assert x[0].nnz == 0


# accuracy, mean of both directions, measured independently with TF-IDF over character 2-4-grams
MEASURED = {
    "deu": 0.26,
    "fra": 0.23,
    "ita": 0.26,
    "tur": 0.09,
    "fin": 0.09,
    "swh": 0.12,
    "cmn": 0.02,
    "rus": 0.01,
}


@pytest.mark.parametrize("code", MEASURED)
def test_tatoeba_floors(real_data, code):
    (bitext,) = load("tatoeba", data_dir=real_data, languages=code)
    x, y = surface_vectors(bitext.source.texts, bitext.target.texts)
    rows = np.arange(len(bitext))
    outcomes = MEASURES["accuracy"].compute(pair_surface(x, y, classes=(rows, rows)))
    assert outcomes[2].sentences.mean() == pytest.approx(MEASURED[code], abs=0.012)


TEXTS = ["Hallo Welt", "a", "ﬁn  fin", "العربية", "日本語の文", "x" * 50, "Ǆ", "a b  c", "e\u0301e"]


def test_vectors_are_those_of_scikit_learn(rng):
    """An independent library's TF-IDF over character 2- to 4-grams, up to the order of the columns."""
    words = [
        "".join(rng.choice(list("abcdé 中ا"), rng.integers(1, 30))).strip() or "b" for _ in range(60)
    ]
    texts = [*TEXTS, *words]
    x, y = surface_vectors(texts[:40], texts[40:])
    theirs = TfidfVectorizer(
        analyzer="char",
        ngram_range=(2, 4),
        preprocessor=lambda text: " ".join(unicodedata.normalize("NFKC", text).lower().split()),
    ).fit_transform(texts)
    ours = scipy.sparse.vstack([x, y])
    assert np.allclose((ours @ ours.T).toarray(), (theirs @ theirs.T).toarray(), atol=1e-12)


def test_similarities_are_the_product(rng, monkeypatch):
    x, y = surface_vectors(TEXTS, ["hello world", "fin", "日本", "xxxx", "a b c", "q"])
    for common in (0, 3, 10_000):
        monkeypatch.setattr(surface, "COMMON", common)
        for left, right in ((x, x), (x, y)):
            assert np.allclose(surface.similarities(left, right), (left @ right.T).toarray(), atol=1e-14)
