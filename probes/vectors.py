"""The vectors of labelled texts at a layer; of pairs what InferSent makes of two."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from jaxtyping import Float

from ..alignment.maps.table import choose_map
from ..alignment.representations.stored import Representations
from ..alignment.runs.threads import in_order
from .mapping import Mapped
from .material import Material

Vectors = Float[np.ndarray, "n d"]
PLAIN = Mapped()  # vectors as they are


def read_layer(
    material: Material,
    representations: Representations,
    layer: int,
    train: str,
    mapped: Mapped = PLAIN,
) -> Mapping[tuple[str, str], Vectors]:
    """Return the vectors of every language and part at a layer, under a map.

    Args:
        material: the examples.
        representations: of their texts.
        layer: which.
        train: the language trained on, which keeps its own side of the map.
        mapped: the map.
    """
    wanted = [(key, side) for key, labelled in material.parts.items() for side in labelled.sides]
    plain: dict[tuple[str, str], list[Vectors]] = {}
    reads = (partial(representations.read, side, [layer]) for _, side in wanted)
    for (key, _), read in zip(wanted, in_order(reads), strict=True):
        plain.setdefault(key, []).append(read[0])
    if mapped.name == "none":
        return {key: _pair(sides) for key, sides in plain.items()}
    found = {}
    for language, texts in mapped.texts[train].items():
        x, y = (representations.read(side, [layer])[0] for side in texts)
        fitted, own = choose_map(mapped.name)(x, y), language == train
        for key, sides in plain.items():
            if key[0] == language:
                found[key] = _pair([fitted(side, side)[own] for side in sides])
    return found


def _pair(sides: list[Vectors]) -> Vectors:
    """Return the vectors, or of pairs (u, v): u, v, |u - v|, u ∘ v. Source: Conneau et al. 2017."""
    if len(sides) == 1:
        return sides[0]
    u, v = sides
    return np.concatenate([u, v, np.abs(u - v), u * v], axis=1)
