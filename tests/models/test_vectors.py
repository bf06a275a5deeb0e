"""Token vectors: words of a translation meet, and training the means brings them nearer."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from crosslingual.models.recipe import SETTINGS
from crosslingual.models.vectors import Pieces, contrast, refine, svd_vectors


def sentences(vectors: np.ndarray, pieces: Pieces, tag: str) -> np.ndarray:
    means = np.array([vectors[list(row[tag])].mean(axis=0) for row in pieces.rows])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def accuracy(vectors: np.ndarray, pieces: Pieces) -> float:
    x, y = (sentences(vectors, pieces, tag) for tag in ("de", "en"))
    return float(((x @ y.T).argmax(axis=1) == np.arange(len(x))).mean())


def test_words_that_always_occur_together_have_one_vector(pieces):
    first = pieces.rows[0]
    twin = Pieces(
        [{"en": row["en"], "de": [pieces.size + i for i in row["en"]]} for row in pieces.rows],
        2 * pieces.size,
    )
    vectors = svd_vectors(twin, 16)
    for i in first["en"]:
        assert vectors[i] == pytest.approx(vectors[pieces.size + i], abs=1e-5)


def test_a_piece_that_does_not_occur_has_no_vector(pieces):
    larger = Pieces(pieces.rows, pieces.size + 3)
    assert not svd_vectors(larger, 16)[-3:].any()


def test_translations_meet_and_not_without_pairs(rows, pieces):
    vectors = svd_vectors(pieces, 32)
    assert accuracy(vectors, pieces) > 0.8
    alone = Pieces([{tag: ids} for row in pieces.rows for tag, ids in row.items()], pieces.size)
    assert accuracy(svd_vectors(alone, 32), pieces) < 0.1


def test_training_brings_translations_together(pieces, rng):
    before = rng.standard_normal((pieces.size, 16)).astype(np.float32)
    settings = replace(SETTINGS, vector_steps=60, vector_batch=64, vector_rate=0.1)
    after = refine(before, pieces, settings, seed=0)
    assert accuracy(before, pieces) < 0.1 and accuracy(after, pieces) > 0.5
    assert np.array_equal(after, refine(before, pieces, settings, seed=0))
    assert not np.array_equal(after, refine(before, pieces, settings, seed=1))


def test_the_contrast_is_that_of_its_formula(rng):
    x, y = rng.standard_normal((2, 5, 7))
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y)]
    scores = unit[0] @ unit[1].T / 0.1
    both = [-np.log(np.exp(s.diagonal()) / np.exp(s).sum(axis=1)).mean() for s in (scores, scores.T)]
    found = contrast(torch.from_numpy(x), torch.from_numpy(y), 0.1)
    assert float(found) == pytest.approx(np.mean(both))


def test_a_row_in_one_language_is_no_pair(pieces):
    """It is left out; drawing two languages of it would fail."""
    alone = Pieces([*pieces.rows, {"en": [7]}], pieces.size)
    settings = replace(SETTINGS, vector_steps=2, vector_batch=64)
    vectors = svd_vectors(alone, 8)
    assert np.isfinite(refine(vectors, alone, settings, seed=0)).all()
