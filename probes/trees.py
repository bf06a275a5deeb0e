"""The structural probe over a material of parsed words: edges are what is right or wrong."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int64

from .classifiers.structural import (
    Trees,
    chain,
    edges_found,
    fit_structural,
    spearman,
    starts_of,
    tree_distances,
)
from .layer import Tested, joined
from .material import DEV, TEST, TRAIN, Labelled, Material

PUNCTUATION = "PUNCT"


def tree_layer(
    material: Material,
    vectors: Mapping[tuple[str, str], np.ndarray],
    train: Sequence[str],
    *,
    tests: Sequence[str] | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> dict[str, Tested]:
    """Return by language which edges a probe finds that is fitted in some languages.

    Arguments: see `layer.probe_layer`. Its `right` is of the words of `edges`.
    """
    sides = [_joined_trees(material, vectors, train, part) for part in (TRAIN, DEV)]
    probe = fit_structural(sides[0], sides[1], seed=seed, device=device)
    found = {}
    for language in material.languages if tests is None else tests:
        trees = _trees(material, material.parts[language, TEST], vectors[language, TEST])
        right = np.concatenate(
            [
                edges_found(probe.distances(trees.x[rows]), trees.heads[rows], trees.punctuation[rows])
                for rows in map(trees.sentence, range(len(trees)))
            ]
        )
        right = right[np.isfinite(right)]
        nothing = np.full(len(right), np.nan)
        found[language] = Tested(
            right, nothing, np.empty(0), float(probe.matrix.shape[1]), probe.loss, probe.converged,
            len(sides[0].heads), {"spearman": spearman(probe, trees)},
        )  # fmt: skip
    return found


def edges(material: Material, language: str) -> tuple[Int64[np.ndarray, "e"], Float[np.ndarray, "e"]]:
    """Return the words of a test that have an edge to find, and whether joining neighbours finds it."""
    part = material.parts[language, TEST]
    trees = _trees(material, part, np.zeros((len(part), 1), np.float32))
    found = np.concatenate(
        [
            chain(trees.heads[rows], trees.punctuation[rows])
            for rows in map(trees.sentence, range(len(trees)))
        ]
    )
    rows = np.flatnonzero(np.isfinite(found))
    return rows, found[rows]


def refuse_other_graphs(material: Material) -> None:
    """Refuse sentences whose heads are no tree.

    Raises:
        ValueError: there is one; it is named.
    """
    for (language, part), labelled in material.parts.items():
        trees = _trees(material, labelled, np.zeros((len(labelled), 1), np.float32))
        for rows in map(trees.sentence, range(len(trees))):
            try:
                tree_distances(trees.heads[rows])
            except ValueError as error:
                name = labelled.first.ids[rows.start].rpartition(":")[0]
                raise ValueError(
                    f"{material.name} ({language}, {part}): sentence {name}: {error}"
                ) from None


def _joined_trees(
    material: Material, vectors: Mapping[tuple[str, str], np.ndarray], train: Sequence[str], part: str
) -> Trees:
    x, _ = joined(material, vectors, train, part)
    some = [material.parts[one, part] for one in train if (one, part) in material.parts]
    each = [_trees(material, one, np.zeros((len(one), 1), np.float32)) for one in some]
    ends = np.cumsum([0, *(len(one.heads) for one in each)])
    starts = np.concatenate([one.starts[:-1] + end for one, end in zip(each, ends, strict=False)])
    return Trees(
        x,
        np.append(starts, ends[-1]),
        np.concatenate([one.heads for one in each]),
        np.concatenate([one.punctuation for one in each]),
    )


def _trees(material: Material, part: Labelled, x: Float[np.ndarray, "n d"]) -> Trees:
    """Return a part's sentences: a word's id is theirs and its number, its label its head."""
    arcs = [material.classes[label].split() for label in part.labels]
    return Trees(
        x,
        starts_of([one.id.rpartition(":")[0] for one in part.first.sentences]),
        np.array([int(head) for head, _ in arcs]),
        np.array([upos == PUNCTUATION for _, upos in arcs]),
    )
