"""Retrieval measures against brute force, scikit-learn, and the enumeration of all re-pairings."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.retrieval.one_to_one import accuracy_at
from crosslingual.alignment.retrieval.pairing import Pairing, pair_vectors
from crosslingual.alignment.statistics.outcomes import Outcome, TooFewSentences

DOCUMENTS = "within_document_accuracy"
NAMES = [name for name, one in MEASURES.items() if one.compute is not None and name != DOCUMENTS]
EXACT = [
    "accuracy",
    "mutual_accuracy",
    "f1_weighted",
    "precision_weighted",
    "ratio_accuracy@4",
    "contrast",
]
EXACT += ["mexa"]
BY_INDEX = ("f1_weighted", "precision_weighted")


def pairing(x: np.ndarray, y: np.ndarray, **labels: np.ndarray) -> Pairing:
    n = len(x)
    source, target = labels.pop("source", np.arange(n)), labels.pop("target", np.arange(n))
    groups = labels.pop("groups", np.arange(n))
    return pair_vectors(x, y, classes=(source, target), groups=groups, **labels)


def outcomes(name: str, found: Pairing) -> dict[str, Outcome]:
    compute = MEASURES[name].compute
    assert compute is not None
    return {outcome.direction: outcome for outcome in compute(found)}


def cosines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = (side.astype(np.float64) for side in (x, y))
    return (x / np.linalg.norm(x, axis=1)[:, None]) @ (y / np.linalg.norm(y, axis=1)[:, None]).T


@pytest.fixture
def noisy(rng):
    x = rng.standard_normal((150, 12), dtype=np.float32)
    return x, x + 1.5 * rng.standard_normal((150, 12), dtype=np.float32)


def test_accuracy_and_f1_are_scikit_learns(noisy):
    found = pairing(*noisy)
    gold, guess = np.arange(150), cosines(*noisy).argmax(1)
    assert outcomes("accuracy", found)["forward"].sentences.mean() == accuracy_score(gold, guess)
    f1 = f1_score(gold, guess, average="weighted", zero_division=0)
    assert outcomes("f1_weighted", found)["forward"].sentences.mean() == pytest.approx(f1, abs=1e-15)


def test_backward_is_forward_of_the_sides_exchanged(noisy):
    x, y = noisy
    for name in NAMES:
        here, there = outcomes(name, pairing(x, y)), outcomes(name, pairing(y, x))
        if "backward" in here:
            assert np.allclose(here["backward"].sentences, there["forward"].sentences, atol=1e-12)
            assert here["backward"].null == pytest.approx(there["forward"].null, abs=1e-15)
        else:
            assert np.array_equal(here["both"].sentences, there["both"].sentences)


def test_mean_is_taken_sentence_by_sentence(noisy):
    for name in NAMES:
        found = outcomes(name, pairing(*noisy))
        if "mean" in found:
            both = (found["forward"].sentences + found["backward"].sentences) / 2
            assert np.array_equal(found["mean"].sentences, both)


def test_mutual_is_the_share_of_strict_maxima_of_row_and_column(noisy):
    s = cosines(*noisy)
    own = s.diagonal()
    strict = [(s[i] < own[i]).sum() == 149 and (s[:, i] < own[i]).sum() == 149 for i in range(150)]
    assert np.array_equal(outcomes("mutual_accuracy", pairing(*noisy))["both"].sentences, strict)


def test_auc_is_scikit_learns_and_ranks_are_counted(noisy):
    s = cosines(*noisy)
    each = [roc_auc_score(np.eye(150)[i], s[i]) for i in range(150)]
    found = pairing(*noisy)
    assert np.allclose(outcomes("auc", found)["forward"].sentences, each)
    rank = (s > s.diagonal()[:, None]).sum(1)
    assert np.allclose(outcomes("mrr", found)["forward"].sentences, 1 / (1 + rank))
    assert np.array_equal(outcomes("recall@5", found)["forward"].sentences, rank < 5)


def test_accuracy_at_100_is_what_drawing_100_candidates_gives(noisy, rng):
    s = cosines(*noisy)
    draws = []
    for _ in range(3000):
        i = rng.integers(150)
        others = rng.choice(np.delete(np.arange(150), i), 99, replace=False)
        draws.append(s[i, i] > s[i, others].max())
    found = outcomes("accuracy@100", pairing(*noisy))["forward"].sentences.mean()
    assert found == pytest.approx(np.mean(draws), abs=4 * np.std(draws) / np.sqrt(3000))


def test_accuracy_at_m_is_accuracy_where_all_are_candidates(noisy):
    found = pairing(*noisy)
    credit = accuracy_at(150)(150)
    rank = found.found.rows.rank
    assert np.array_equal(credit[rank], outcomes("accuracy", found)["forward"].sentences)


def test_ratio_accuracy_is_lasers_loop(noisy):
    """LASER: margin = cos / mean of both neighbourhoods' means, candidates the 4 nearest only."""
    s = cosines(*noisy)
    hits = []
    rows, columns = -np.sort(-s, axis=1)[:, :4].mean(1), -np.sort(-s, axis=0)[:4].mean(0)
    for i in range(150):
        nearest = np.argsort(-s[i])[:4]
        hits.append(nearest[np.argmax([s[i, j] / ((rows[i] + columns[j]) / 2) for j in nearest])] == i)
    assert np.array_equal(outcomes("ratio_accuracy@4", pairing(*noisy))["forward"].sentences, hits)


def test_ratio_with_negative_neighbourhoods_retrieves_nothing():
    """All cosines negative: the ratio would rank the worst first; without the guard this is 1."""
    x = np.array([[1, 0.1 * i] for i in range(6)], np.float32)
    found = outcomes("ratio_accuracy@4", pairing(x, -x))
    assert found["forward"].sentences.sum() == 0
    assert found["forward"].null == 0


@pytest.mark.parametrize("n", [5, pytest.param(6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["plain", "hub", "duplicates"])
def test_null_is_the_mean_over_all_pairings(rng, kind, n):
    """All 120 of five sentences; slowly, all 720 of six."""
    x, y = rng.standard_normal((2, n, 3), dtype=np.float32)
    source, target = np.arange(n), np.arange(n)
    if kind == "hub":
        y[2] = x.mean(0)
    if kind == "duplicates":
        y[-2], target[-2] = y[1], target[1]
        x[-1], source[-1] = x[0], source[0]
    totals: dict[tuple[str, str], list[float]] = {}
    for order in permutations(range(n)):
        chosen = list(order)
        shuffled = pairing(x, y[chosen], source=source, target=target[chosen])
        for name in EXACT:
            for direction, outcome in outcomes(name, shuffled).items():
                totals.setdefault((name, direction), []).append(outcome.sentences.mean())
    whole = pairing(x, y, source=source, target=target)
    for (name, direction), values in totals.items():
        if name in BY_INDEX and kind == "duplicates":
            continue  # by index: which of two identical rows is the lower index depends on the order
        assert outcomes(name, whole)[direction].null == pytest.approx(np.mean(values), abs=1e-12)


@pytest.mark.parametrize("kind", ["plain", "hub", "duplicates"])
def test_null_within_strata_is_the_mean_over_their_pairings(rng, kind):
    """Two documents of four and three sentences: 4! · 3! re-pairings, and no others."""
    x, y = rng.standard_normal((2, 7, 3), dtype=np.float32)
    strata = np.array([0, 1, 0, 1, 0, 1, 0])
    source, target = np.arange(7), np.arange(7)
    if kind == "hub":
        y[2] = x.mean(0)
    if kind == "duplicates":  # within a document and across
        y[4], y[5], x[6] = y[0], y[1], x[1]
        source, target = np.array([0, 1, 2, 3, 4, 5, 1]), np.array([0, 1, 2, 3, 0, 1, 6])
    totals: dict[tuple[str, str], list[float]] = {}
    zero, one = np.flatnonzero(strata == 0), np.flatnonzero(strata == 1)
    for first in permutations(zero):
        for second in permutations(one):
            chosen = np.arange(7)
            chosen[zero], chosen[one] = first, second
            shuffled = pairing(x, y[chosen], source=source, target=target[chosen])
            for name in EXACT:
                for direction, outcome in outcomes(name, shuffled).items():
                    totals.setdefault((name, direction), []).append(outcome.sentences.mean())
    whole = pairing(x, y, source=source, target=target, strata=strata)
    free = pairing(x, y, source=source, target=target)
    moved = 0.0
    for (name, direction), values in totals.items():
        if name in BY_INDEX and kind == "duplicates":
            continue
        assert len(values) == 144
        found = outcomes(name, whole)[direction]
        assert found.null == pytest.approx(np.mean(values), abs=1e-12), (name, direction)
        moved = max(moved, abs(found.null - outcomes(name, free)[direction].null))
        assert np.array_equal(found.sentences, outcomes(name, free)[direction].sentences)
    assert moved > 0.01  # it is another null
    assert np.isnan(outcomes("mrr", whole)["mean"].null)


def test_accuracy_within_documents_is_that_of_each_document_alone(noisy):
    """And what all sentences of a document share cannot help: a document's own constant does not count."""
    x, y = noisy
    groups = np.arange(150) // 5
    found = outcomes(DOCUMENTS, pairing(x, y, groups=groups))
    expected = [
        outcomes("accuracy", pairing(x[groups == g], y[groups == g]))["forward"].sentences
        for g in range(30)
    ]
    assert np.array_equal(found["forward"].sentences, np.concatenate(expected))
    assert found["forward"].null == pytest.approx(1 / 5) and found["mean"].sentences.mean() > 0.5
    with pytest.raises(TooFewSentences, match="needs documents of more than one sentence"):
        outcomes(DOCUMENTS, pairing(x, y))


def test_documents_that_are_all_alike_inside_are_found_but_not_their_sentences(rng):
    topic = np.repeat(rng.standard_normal((40, 16), dtype=np.float32), 5, axis=0)
    x, y = (topic + 0.01 * rng.standard_normal((200, 16), dtype=np.float32) for _ in range(2))
    groups = np.arange(200) // 5
    whole = pairing(x, y, groups=groups, strata=groups)
    accuracy, inside = outcomes("accuracy", whole)["mean"], outcomes(DOCUMENTS, whole)["mean"]
    assert accuracy.sentences.mean() > 0.1  # twenty times chance among all sentences
    assert accuracy.null == pytest.approx(0.2, abs=0.01)  # but chance within documents
    assert abs(accuracy.sentences.mean() - accuracy.null) < 0.1
    assert abs(inside.sentences.mean() - 0.2) < 0.1


def test_null_of_rank_measures_holds_with_ties(rng):
    """Vectors with ties between different texts: the null stays exact over all 120 pairings."""
    x, y = rng.standard_normal((2, 5, 3), dtype=np.float32)
    y[4] = y[1]
    shuffled = [pairing(x, y[list(order)]) for order in permutations(range(5))]
    for name in ("auc", "mrr", "recall@3"):
        values = [outcomes(name, one)["forward"].sentences.mean() for one in shuffled]
        null = outcomes(name, pairing(x, y))["forward"].null
        assert null == pytest.approx(np.mean(values), abs=1e-12)


@pytest.mark.parametrize("name", ["auc", "mrr", "recall@5", "accuracy@100", "contrast"])
def test_a_collapsed_model_stands_at_its_null(name):
    """All sentences in one place: counting only strictly greater scores would make this perfect."""
    x = np.ones((120, 4), np.float32)
    for outcome in outcomes(name, pairing(x, x)).values():
        assert outcome.sentences.mean() == pytest.approx(outcome.null, abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_model_has_the_highest_score(rng, name):
    x = np.eye(128, dtype=np.float32)
    for outcome in outcomes(name, pairing(x, x)).values():
        assert outcome.sentences.mean() == 1


def test_retrieving_an_identical_text_is_right_by_class_only(rng):
    x = rng.standard_normal((20, 8), dtype=np.float32)
    x[7] = x[3]
    classes = np.arange(20)
    classes[7] = 3
    by_class = outcomes("accuracy", pairing(x, x, source=classes, target=classes))
    by_index = outcomes("accuracy", pairing(x, x))
    assert by_class["mean"].sentences.mean() == 1
    assert by_index["mean"].sentences.mean() == 19 / 20


# measure × what may be done to both sides without changing it; the False entries are tested too
CHANGES = {
    "joint rotation": (lambda x, y, r: (x @ r, y @ r), True),
    "row scaling": (lambda x, y, r: (x * 3.7, y * 0.01), True),
    "rotation of one side": (lambda x, y, r: (x @ r, y), False),
    "shift of one side": (lambda x, y, r: (x + 5, y), False),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_invariances(noisy, rng, name, change):
    function, same = CHANGES[change]
    rotation = np.linalg.qr(rng.standard_normal((12, 12)))[0].astype(np.float32)
    before = outcomes(name, pairing(*noisy))
    after = outcomes(name, pairing(*(s.astype(np.float32) for s in function(*noisy, rotation))))
    for direction in before:
        difference = abs(before[direction].sentences.mean() - after[direction].sentences.mean())
        assert bool(difference < 1e-6) is same
        assert same is (change in MEASURES[name].invariances)


def test_pairs_may_come_in_any_order(noisy, rng):
    x, y = noisy
    order = rng.permutation(150)
    for name in NAMES:
        before, after = outcomes(name, pairing(x, y)), outcomes(name, pairing(x[order], y[order]))
        for direction in before:
            assert np.allclose(before[direction].sentences[order], after[direction].sentences)


@pytest.mark.slow
@pytest.mark.parametrize("within", ["all", "documents"])
def test_null_is_that_of_2000_re_pairings_of_real_sentences(minilm, real_data, shared_store, within):
    """NTREX German-English, all-MiniLM: hits counted from the nearest neighbours of its cosines."""
    from crosslingual.alignment.checkpoints.opening import open_checkpoint
    from crosslingual.alignment.representations.stored import represent
    from crosslingual.data import load
    from crosslingual.data.groups import group_numbers

    (bitext,) = load("ntrex", languages="de", data_dir=real_data, limit=600)
    sides = bitext.source, bitext.target
    stored = represent(open_checkpoint(minilm), sides, root=shared_store)["mean"]
    x, y = (stored.read(side, [6])[0] for side in sides)
    groups = group_numbers(bitext.groups, 600)
    strata = groups if within == "documents" else np.zeros(600, np.int64)
    s = cosines(x, y)
    forward, backward = s.argmax(axis=1), s.argmax(axis=0)
    found = np.bincount(forward, minlength=600)
    rng = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {"accuracy": [], "mutual_accuracy": [], "f1_weighted": []}
    for _ in range(2000):
        # shuffled within strata: a random order of all, sorted by stratum
        order = rng.permutation(600)
        order = order[np.argsort(strata[order], kind="stable")]
        partner = np.empty(600, np.int64)
        partner[np.argsort(strata, kind="stable")] = order
        hit = forward == partner
        drawn["accuracy"].append(hit.mean())
        drawn["mutual_accuracy"].append((hit & (backward[partner] == np.arange(600))).mean())
        drawn["f1_weighted"].append((hit * 2 / (1 + found[forward])).mean())
    whole = pairing(x, y, strata=strata)
    for name, values in drawn.items():
        null = next(iter(outcomes(name, whole).values())).null
        assert null == pytest.approx(np.mean(values), abs=4 * np.std(values) / np.sqrt(2000)), name
        assert null > 0


def test_of_a_type_in_several_contexts_the_best_occurrence_counts(rng):
    """Rows of one class have different vectors: all of them are right, and none is a rival."""
    x = rng.normal(size=(40, 5)).astype(np.float32)
    y = (x + rng.normal(size=(40, 5))).astype(np.float32)
    classes = rng.integers(0, 12, 40)
    rows = np.arange(40)
    pairing = pair_vectors(x, y, classes=(rows, classes), groups=rows)
    forward = MEASURES["mrr"].compute(pairing)[0].sentences
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y)]
    cosines = unit[0] @ unit[1].T
    for i in range(40):
        right = classes == classes[i]
        ahead = (cosines[i, ~right] > cosines[i, right].max()).sum()
        assert forward[i] == pytest.approx(1 / (1 + ahead))
    hit = MEASURES["accuracy"].compute(pairing)[0].sentences
    assert np.array_equal(hit == 1, forward == 1)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_csls_accuracy_is_its_definition(rng, k):
    """The greatest of 2 cos - r(x) - r(y), over the whole matrix by brute force, both ways."""
    x = rng.standard_normal((40, 6)).astype(np.float32)
    y = (x + rng.standard_normal((40, 6))).astype(np.float32)
    names, found = np.arange(40), pairing(x, y)
    unit_x, unit_y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x, y))
    cosines = unit_x.astype(np.float64) @ unit_y.T.astype(np.float64)

    def density(rows):
        return np.sort(rows, axis=1)[:, -k:].mean(axis=1)

    csls = 2 * cosines - density(cosines)[:, None] - density(cosines.T)[None, :]
    hits = {"forward": csls.argmax(axis=1) == names, "backward": csls.argmax(axis=0) == names}
    assert not np.array_equal(hits["forward"], cosines.argmax(axis=1) == names)  # hubs were penalised
    got = {name: one.sentences for name, one in outcomes(f"csls_accuracy@{k}", found).items()}
    for direction, hit in hits.items():
        assert np.array_equal(got[direction], hit)
    assert np.allclose(got["mean"], (hits["forward"] + hits["backward"].astype(float)) / 2)
