"""The structural probe finds planted trees, and none where there are none."""

import networkx
import numpy as np
import pytest

from crosslingual.probes.classifiers.structural import (
    Trees,
    chain,
    edges_found,
    fit_structural,
    spearman,
    starts_of,
    tree_distances,
)

DIM, WORDS = 40, 14


def random_heads(rng, words):
    """A tree at random: every word but the root hangs on one before it in a drawn order."""
    order = rng.permutation(words)
    heads = np.zeros(words, np.int64)
    for i in range(1, words):
        heads[order[i]] = order[rng.integers(i)] + 1
    return heads


def planted(rng, sentences, turn, noise=0.0, plant=True):
    """A word is the sum of unit vectors of its edges up to the root: squared distances are the tree's."""
    heads, vectors = [], []
    for _ in range(sentences):
        words = int(rng.integers(5, WORDS + 1))
        own = random_heads(rng, words)
        x = np.zeros((words, DIM))
        for word in range(words):
            at = word
            while own[at]:
                x[word, at] = 1
                at = own[at] - 1
        heads.append(own)
        x[:, WORDS:] = 3 * rng.standard_normal((words, DIM - WORDS))
        vectors.append((x if plant else rng.standard_normal((words, DIM))) @ turn)
    lengths = list(map(len, heads))
    starts = np.cumsum([0, *lengths])
    flat = np.concatenate(vectors) + noise * rng.standard_normal((starts[-1], DIM))
    return Trees(flat.astype(np.float32), starts, np.concatenate(heads), np.zeros(starts[-1], bool))


def uuas(probe, trees):
    found = [
        edges_found(probe.distances(trees.x[rows]), trees.heads[rows], trees.punctuation[rows])
        for rows in map(trees.sentence, range(len(trees)))
    ]
    return np.nanmean(np.concatenate(found))


def test_planted_trees_are_recovered(rng):
    turn = np.linalg.qr(rng.standard_normal((DIM, DIM)))[0]
    for plant in (True, False):
        train, dev, test = (planted(rng, n, turn, 0.02, plant) for n in (400, 60, 60))
        probe = fit_structural(train, dev)
        if plant:
            assert uuas(probe, test) > 0.95 and spearman(probe, test) > 0.95
            again = fit_structural(train, dev)
            assert np.array_equal(probe.matrix, again.matrix), "the same seed, the same bits"
        else:
            assert uuas(probe, test) < 0.4 and abs(spearman(probe, test)) < 0.3


def test_distances_are_those_of_the_map(rng):
    turn = np.eye(DIM)
    trees = planted(rng, 40, turn)
    probe = fit_structural(trees, trees, rank=7)
    assert probe.matrix.shape == (DIM, 7)
    x = trees.x[:6]
    expected = np.square((x[:, None] - x[None]) @ probe.matrix).sum(axis=2)
    assert probe.distances(x) == pytest.approx(expected, abs=1e-4)


def test_tree_distances_are_networkxs(rng):
    for words in (1, 2, 9, 20):
        heads = random_heads(rng, words)
        graph = networkx.Graph()
        graph.add_nodes_from(range(words))
        graph.add_edges_from((i, head - 1) for i, head in enumerate(heads) if head)
        lengths = dict(networkx.all_pairs_shortest_path_length(graph))
        expected = [[lengths[i][j] for j in range(words)] for i in range(words)]
        assert tree_distances(heads).tolist() == expected
    for wrong in ([2, 1, 0], [0, 0], [1]):
        with pytest.raises(ValueError, match="are no tree"):
            tree_distances(np.array(wrong))


def test_true_distances_give_every_edge(rng):
    for _ in range(20):
        heads = random_heads(rng, 12)
        found = edges_found(tree_distances(heads), heads, np.zeros(12, bool))
        assert np.isnan(found[heads == 0]).all() and (found[heads > 0] == 1).all()
        wrong = edges_found(-tree_distances(heads), heads, np.zeros(12, bool))
        assert np.nanmean(wrong) < 1


def test_punctuation_is_left_out():
    """a b , c: c hangs on b, the comma on c; without it b and c are next to each other."""
    heads, punctuation = np.array([0, 1, 4, 2]), np.array([False, False, True, False])
    found = chain(heads, punctuation)
    assert np.isnan(found[[0, 2]]).all() and found[[1, 3]].tolist() == [1, 1]
    assert chain(np.array([0, 1, 1, 1]), np.zeros(4, bool))[1:].tolist() == [1, 0, 0]
    on_punctuation = edges_found(
        tree_distances(np.array([0, 1, 2])), np.array([0, 1, 2]), np.array([0, 1, 0], bool)
    )
    assert np.isnan(on_punctuation).all(), "a head that is punctuation is no edge to find"


def test_runs():
    assert starts_of(["a", "a", "b", "a"]).tolist() == [0, 2, 3, 4]
