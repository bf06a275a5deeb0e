"""Without a document: what an exact deletion of its queries and candidates leaves."""

import numpy as np
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.retrieval.direction import sides
from crosslingual.alignment.retrieval.pairing import Pairing, pair_vectors

ALONE = ("matched_cosine", "within_document_accuracy")  # no other document's candidates count
FIXED = ("ratio_accuracy@4", "csls_accuracy@10")  # whose candidates stay what they are
EXACT = [
    name
    for name, measure in MEASURES.items()
    if measure.compute is not None and name not in (*ALONE, *FIXED)
]


def pairing(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, classes: np.ndarray | None = None
) -> Pairing:
    classes = np.arange(len(x)) if classes is None else classes
    return pair_vectors(x, y, classes=(classes, classes), groups=groups)


def documents(rng: np.random.Generator, n: int, count: int) -> np.ndarray:
    """Return unequal groups, in no order."""
    sizes = 1 + rng.multinomial(n - count, rng.dirichlet(np.full(count, 1.0)))
    return rng.permutation(np.repeat(np.arange(count), sizes))


def noisy(rng: np.random.Generator, groups: np.ndarray, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return two sides whose documents hang together: whole documents stand in the way."""
    topic = 2 * rng.standard_normal((int(groups.max()) + 1, d))
    x = topic[groups] + rng.standard_normal((len(groups), d))
    y = x + 0.7 * rng.standard_normal(x.shape)
    return x.astype(np.float32), y.astype(np.float32)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("count", [5, 40, pytest.param(120, marks=pytest.mark.slow)])
def test_left_out_is_the_score_of_what_is_left(rng, name, count):
    groups = documents(rng, 130 if "@100" not in name else 400, count)
    x, y = noisy(rng, groups)
    found = MEASURES[name].compute(pairing(x, y, groups))
    for group in range(count):
        left = groups != group
        if "@100" in name and left.sum() < 100:
            assert all(np.isnan(outcome.left_out[group]) for outcome in found)
            continue
        kept = np.unique(groups[left], return_inverse=True)[1]
        for outcome, brute in zip(
            found, MEASURES[name].compute(pairing(x[left], y[left], kept)), strict=True
        ):
            assert outcome.left_out[group] == pytest.approx(brute.sentences.mean(), abs=1e-6), (
                outcome.direction
            )


@pytest.mark.parametrize("name", ["accuracy", "mutual_accuracy", "mrr"])
def test_equal_texts_and_equal_scores(rng, name):
    """A text that occurs in several documents: whichever is found is right, also when one leaves."""
    groups = documents(rng, 90, 12)
    x, y = noisy(rng, groups)
    classes = np.arange(90)
    for a, b in rng.permutation(90)[:20].reshape(10, 2):
        x[b], y[b], classes[b] = x[a], y[a], classes[a]
    for outcome in MEASURES[name].compute(pairing(x, y, groups, classes)):
        for group in range(12):
            left = groups != group
            kept = np.unique(groups[left], return_inverse=True)[1]
            same = MEASURES[name].compute(pairing(x[left], y[left], kept, classes[left]))
            brute = next(one for one in same if one.direction == outcome.direction)
            assert outcome.left_out[group] == pytest.approx(brute.sentences.mean(), abs=0.02)


def test_a_document_larger_than_what_was_found(rng):
    """All neighbours that were kept are of one document: the next one is sought."""
    groups = np.repeat([0, 1, 2], [40, 5, 5])
    x, y = noisy(rng, groups)
    side, _ = sides(pairing(x, y, groups))
    cosines = (x / np.linalg.norm(x, axis=1)[:, None]) @ (y / np.linalg.norm(y, axis=1)[:, None]).T
    for query in range(50):
        others = np.where(groups == groups[side.found[query]], -2, cosines[query])
        assert side.second[query] == others.argmax()
    assert (np.isin(groups[side.nearest.ids], 0).all(axis=1)).any()


@pytest.mark.parametrize("name", [*EXACT, *FIXED])
def test_single_sentences_are_no_documents(rng, name):
    groups = np.arange(120)
    x, y = noisy(rng, groups)
    assert all(outcome.left_out is None for outcome in MEASURES[name].compute(pairing(x, y, groups)))


def test_one_document_leaves_nothing(rng):
    groups = np.zeros(120, np.int64)
    x, y = noisy(rng, groups)
    for name in EXACT:
        for outcome in MEASURES[name].compute(pairing(x, y, groups)):
            assert not np.isfinite(outcome.left_out).any()
