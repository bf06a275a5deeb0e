"""Online codelength: closed forms of toy streams, and what it must not fall below."""

from itertools import pairwise

import numpy as np
import pytest

from crosslingual.probes.classifiers.codelength import FRACTIONS, online_codelength

N, K = 400, 3


def blocks(n, fractions=FRACTIONS):
    ends = sorted({max(1, int(np.ceil(fraction * n))) for fraction in fractions})
    return ends[0], list(pairwise(ends))


def laplace(labels, classes):
    """The bits of labels by their frequencies in the blocks before; the first as they are."""
    first, rest = blocks(len(labels))
    bits = first * np.log2(classes)
    for start, stop in rest:
        for label in labels[start:stop]:
            bits -= np.log2(((labels[:start] == label).sum() + 1) / (start + classes))
    return bits


def test_without_information_it_is_laplaces_rule(rng):
    """Groups that already stand in the drawn order: the stream is known."""
    labels = rng.choice(K, size=N, p=[0.7, 0.2, 0.1])
    names = np.array([f"{i:04d}" for i in range(N)])
    drawn = np.random.default_rng(0).permutation(N)
    stream = labels[np.argsort(drawn)]
    found = online_codelength(np.ones((N, 4)), labels, K, groups=list(names))
    assert found.marginal == pytest.approx(laplace(stream, K), rel=1e-12)
    assert found.bits == pytest.approx(found.marginal, rel=1e-3)
    assert found.uniform == pytest.approx(N * np.log2(K))
    assert found.compression == found.uniform / found.bits > 1.2, "the classes are unequal"
    assert found.compression_of_marginal == pytest.approx(1, rel=1e-3)


def test_what_is_certain_takes_no_bits_but_smoothing(rng):
    """Two one-hot classes: block by block at most -log₂((t + 1) / (t + 2)), once both were seen."""
    labels = np.arange(N) % 2
    x = 50.0 * np.eye(2)[labels]
    found = online_codelength(x, labels, 2, penalties=(1e-8,), fractions=(0.1, 0.2, 0.5, 1.0))
    first, rest = blocks(N, (0.1, 0.2, 0.5, 1.0))
    least = first + sum((b - a) * -np.log2((a + 1) / (a + 2)) for a, b in rest)
    assert least <= found.bits < least + 1
    assert found.compression > 6


def test_it_lies_between_the_best_penalty_and_that_plus_the_choice(rng):
    x = rng.standard_normal((N, 20))
    labels = (x @ rng.standard_normal((20, K)) + rng.gumbel(size=(N, K))).argmax(axis=1)
    each = [online_codelength(x, labels, K, penalties=(rate,)).bits for rate in (1e-3, 0.1, 10.0)]
    mixed = online_codelength(x, labels, K, penalties=(1e-3, 0.1, 10.0)).bits
    near = 1e-6 * mixed  # the probes are solved to a certified gap, not to the last bit
    assert min(each) - near <= mixed <= min(each) + np.log2(3) + near
    first = blocks(N)[0] * np.log2(K)
    expected = first - np.log2(np.mean(np.exp2(first - np.array(each)), dtype=np.longdouble))
    assert mixed == pytest.approx(float(expected), rel=1e-6)


def test_labels_dealt_anew_are_not_compressed(rng):
    x = rng.standard_normal((N, 20))
    labels = rng.choice(K, size=N, p=[0.7, 0.2, 0.1])
    assert online_codelength(x, labels, K).compression_of_marginal < 1


def test_dev_is_charged(rng):
    x = rng.standard_normal((N + 100, 6))
    labels = (x[:, 0] > 0).astype(np.int64)
    dev = x[N:], labels[N:]
    free = online_codelength(x[:N], labels[:N], 2)
    paid = online_codelength(x[:N], labels[:N], 2, dev=dev)
    assert paid.uniform == pytest.approx(free.uniform + 100) and paid.marginal == pytest.approx(
        free.marginal + 100
    )
    assert paid.bits > free.bits + 90
    each = [online_codelength(x[:N], labels[:N], 2, penalties=(rate,)).bits for rate in (1e-3, 0.1)]
    one = online_codelength(x[:N], labels[:N], 2, dev=dev, penalties=(1e-3,))
    assert one.bits == pytest.approx(each[0] + 100)


def test_the_seed_draws_the_order_of_groups(rng):
    x, labels = rng.standard_normal((60, 3)), rng.integers(2, size=60)
    groups = [f"s{i // 5}" for i in range(60)]
    one = online_codelength(x, labels, 2, groups=groups)
    assert one == online_codelength(x, labels, 2, groups=groups)
    assert one != online_codelength(x, labels, 2, groups=groups, seed=1)
    with pytest.raises(ValueError, match="a codelength of 1 examples"):
        online_codelength(x[:1], labels[:1], 2)
