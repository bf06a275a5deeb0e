"""Memory: no measure takes more n × n matrices than are promised, and none is left."""

import tracemalloc

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.scoring.rows import view_entries
from crosslingual.alignment.similarity.inference import Matched
from crosslingual.alignment.similarity.room import MATRICES, bytes_for, largest_for
from crosslingual.alignment.similarity.view import View

N, WIDTH = 700, 24
SQUARES = [measure for measure in MEASURES.values() if measure.estimate or measure.geometry]
FAMILIES = list(dict.fromkeys(measure.family for measure in SQUARES))


def test_the_largest_number_of_sentences_is_the_inverse_of_the_peak():
    for memory in (1, 112, 10**6, 4 * 10**9):
        n = largest_for(memory)
        assert bytes_for(n) <= memory < bytes_for(n + 1)


@pytest.mark.parametrize("size", [1, 10], ids=["sentences", "documents"])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_measure_takes_more_matrices_than_promised(family, size, rng):
    x = rng.normal(size=(N, WIDTH)).astype(np.float32)
    y = x + rng.normal(size=x.shape).astype(np.float32)
    groups = np.arange(N) // size
    measures = [measure for measure in SQUARES if measure.family == family]
    once = [View(x), View(y)]
    list(view_entries(Matched(*once, groups), 0, measures))  # imports
    tracemalloc.start()
    try:
        matched = Matched(View(x), View(y), groups)
        list(view_entries(matched, 0, measures))
        peak = tracemalloc.get_traced_memory()[1]
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert peak <= bytes_for(N) * 1.05, f"{peak / 8 / N**2:.1f} matrices; {MATRICES} are promised"
    assert left <= 8 * N**2  # vectors and their SVD
