"""The surface floor: n-gram vectors, and what they score where it was measured before."""

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.pairing import pair_surface
from crosslingual.data import load, surface_vectors


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
