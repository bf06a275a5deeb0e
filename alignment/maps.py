"""Maps: what is done to the vectors of a bitext before anything is measured.

A map is fitted on vectors and applied to vectors; `in-sample` says that both were the same sentences,
which is harmless for `centre` (it fits d numbers a language and cannot see which rows belong together).
"""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float32

Vectors = Float32[np.ndarray, "n d"]


def none(x: Vectors, y: Vectors) -> tuple[Vectors, Vectors]:
    """Leave both sides as they are."""
    return x, y


def centre(x: Vectors, y: Vectors) -> tuple[Vectors, Vectors]:
    """Subtract from each language its own mean (computed in float64), on the scored sentences."""
    return _centred(x), _centred(y)


def _centred(x: Vectors) -> Vectors:
    centred: Vectors = (x - x.mean(axis=0, dtype=np.float64)).astype(np.float32)
    return centred


MAPS: Mapping[str, Callable[[Vectors, Vectors], tuple[Vectors, Vectors]]] = {
    "none": none,
    "centre": centre,
}
MAP_FIT: Mapping[str, str] = {"none": "", "centre": "in-sample"}
