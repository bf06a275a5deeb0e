"""Controls: label sets that have nothing to find, or only what a probe can learn by heart.

Of texts the labels are shuffled among the training examples; the probes are tested on the true ones.
Of words every type has one label, drawn from the labels' distribution, the same in training and test: a
probe is right as far as it remembers types. Accuracy less this control's is a probe's selectivity.
Source: Hewitt & Liang 2019, https://arxiv.org/abs/1909.03368.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float, Int64

from ..data.splits import position
from .material import DEV, TEST, TRAIN, Material

PERMUTED, BY_TYPE = "permuted", "type"
SETS: Mapping[str, int] = {PERMUTED: 20, BY_TYPE: 5}  # by default
ELSEWHERE = 5  # of the permuted sets are tested in languages not trained on: a mean needs no more
TRIES = 100  # label sets by type that are dealt for one that is of use
APART = 10_000  # draws of a seed, at most


@dataclass(frozen=True, eq=False)
class Controls:
    """Label sets: of the training and dev examples, and what counts as right in each test."""

    kind: str
    train: Int64[np.ndarray, "r n"]
    dev: Int64[np.ndarray, "r d"]
    tests: Mapping[str, Int64[np.ndarray, "_ _"]]  # of the first sets


def make_controls(
    material: Material, train: Sequence[str], count: int | None = None, seed: int = 0
) -> Controls:
    """Return `count` control label sets for probes that are fitted in some languages.

    Args:
        material: of words, or of texts.
        train: the languages fitted in.
        count: of sets; by default as `SETS` says.
        seed: of the draws.

    Raises:
        ValueError: types too few for label sets of two classes.
    """
    kind = BY_TYPE if material.of_words else PERMUTED
    count = 0 if material.trees else SETS[kind] if count is None else count
    y, y_dev = (_labels(material, train, part) for part in (TRAIN, DEV))
    if not count:
        return Controls("", np.empty((0, len(y)), np.int64), np.empty((0, len(y_dev)), np.int64), {})
    if kind == PERMUTED:
        rng, few = np.random.default_rng([seed, 1]), min(count, ELSEWHERE)
        return Controls(
            kind,
            np.stack([rng.permutation(y) for _ in range(count)]),
            np.stack([rng.choice(y, len(y_dev)) for _ in range(count)]),
            {
                one: np.tile(material.parts[one, TEST].labels, (count if one in train else few, 1))
                for one in material.languages
            },
        )
    shares = np.bincount(y, minlength=len(material.classes)) / len(y)

    def words(languages: Sequence[str], part: str) -> list[str]:
        some = [material.parts[one, part] for one in languages if (one, part) in material.parts]
        return [word for one in some for word in one.first.texts]

    seeds = _telling(words(train, TRAIN), shares, count, seed)
    if len(seeds) < count:
        raise ValueError(
            f"{material.name}: too few types of words in {', '.join(train)} for {count} control tasks; "
            "`controls` 0 leaves them out"
        )

    def dealt(languages: Sequence[str], part: str) -> Int64[np.ndarray, "r _"]:
        return np.stack([by_type(words(languages, part), shares, one) for one in seeds])

    tests = {one: dealt([one], TEST) for one in train if one in material.languages}
    return Controls(kind, dealt(train, TRAIN), dealt(train, DEV), tests)


def by_type(
    words: Sequence[str], shares: Float[np.ndarray, "k"], seed: int = 0
) -> Int64[np.ndarray, "n"]:
    """Return a label for each word that is the same wherever the word occurs, drawn from a distribution.

    Args:
        words: as they are written.
        shares: of the classes.
        seed: of the draw; the same in every language and part.
    """
    drawn = {word: position(f"control {word}", seed) for word in set(words)}
    edges = np.cumsum(shares)[:-1]
    found: np.ndarray = np.searchsorted(edges, [drawn[word] for word in words], side="right")
    return found.astype(np.int64)


def _telling(words: Sequence[str], shares: Float[np.ndarray, "k"], count: int, seed: int) -> list[int]:
    """Return seeds whose labels differ among the training words; few types may all get the same one."""
    types = sorted(set(words))
    tried = range(APART * seed, APART * seed + TRIES * count)  # neighbouring seeds share none
    telling = (one for one in tried if len(set(by_type(types, shares, one))) > 1)
    return list(islice(telling, count))


def _labels(material: Material, train: Sequence[str], part: str) -> Int64[np.ndarray, "n"]:
    return np.concatenate(
        [material.parts[one, part].labels for one in train if (one, part) in material.parts]
    )
