"""The vectors of labelled texts at a layer; of pairs what InferSent makes of two."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from jaxtyping import Float

from ..alignment.maps import PAIRED, choose_map
from ..alignment.represent import Representations
from ..alignment.threads import in_order
from .material import ALL, DEV, TEST, TRAIN, Labelled, Material

Vectors = Float[np.ndarray, "n d"]


def read_layer(
    material: Material, representations: Representations, layer: int, train: str, map_name: str
) -> Mapping[tuple[str, str], Vectors]:
    """Return the vectors of every language and part at a layer, under a map.

    The map of a language is fitted on the training examples of that language and of the one trained on
    (never on a test); the one trained on keeps its own side of it. Where rows must translate each other
    (`procrustes`, `ridge`) the examples must be the same items.

    Raises:
        ValueError: a map between languages whose training examples are not the same items.
    """
    wanted = [(key, side) for key, labelled in material.parts.items() for side in labelled.sides]
    plain: dict[tuple[str, str], list[Vectors]] = {}
    reads = (partial(representations.read, side, [layer]) for _, side in wanted)
    for (key, _), read in zip(wanted, in_order(reads), strict=True):
        plain.setdefault(key, []).append(read[0])
    if map_name == "none":
        return {key: _pair(sides) for key, sides in plain.items()}
    if train == ALL:
        raise ValueError(f"map {map_name} needs one language that is trained on")
    source = material.parts[train, TRAIN]
    found = {}
    for language in dict.fromkeys(language for language, _ in material.parts):
        if (language, TRAIN) not in material.parts:
            raise ValueError(f"map {map_name}: no training examples in {language} to fit it on")
        here = material.parts[language, TRAIN]
        rows, others = np.arange(len(here)), np.arange(len(source))
        if map_name in PAIRED:
            if material.of_words:
                raise ValueError(f"map {map_name} is fitted on translations; words have none here")
            rows, others = _same_items(here, source, map_name)
        for part in (TRAIN, DEV, TEST):
            if (language, part) not in plain:
                continue
            sides = []
            for number, vectors in enumerate(plain[language, part]):
                fitted = choose_map(map_name)(
                    plain[language, TRAIN][number][rows], plain[train, TRAIN][number][others]
                )
                mapped = fitted(vectors, vectors)
                sides.append(mapped[1] if language == train else mapped[0])
            found[language, part] = _pair(sides)
    return found


def _same_items(here: Labelled, there: Labelled, name: str) -> tuple[np.ndarray, np.ndarray]:
    ids = {one: row for row, one in enumerate(there.first.ids)}
    rows = [row for row, one in enumerate(here.first.ids) if one in ids]
    if len(rows) < 0.9 * len(here):
        raise ValueError(f"map {name}: the languages' training examples are not the same items")
    return np.array(rows), np.array([ids[here.first.ids[row]] for row in rows])


def _pair(sides: list[Vectors]) -> Vectors:
    """Return the vectors, or of pairs (u, v): u, v, |u - v|, u ∘ v. Source: Conneau et al. 2017."""
    if len(sides) == 1:
        return sides[0]
    u, v = sides
    return np.concatenate([u, v, np.abs(u - v), u * v], axis=1)
