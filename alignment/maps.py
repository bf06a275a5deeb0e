"""Maps: what is done to the vectors of a bitext before anything is measured.

A map is fitted on vectors and applied to vectors; `in-sample` says that both were the same sentences.
These maps fit a few numbers a language and cannot see which rows belong together.
"""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float32, Float64

from ..data.languages import nearest

Vectors = Float32[np.ndarray, "_ _"]  # rows of one language; a haystack has sides of unequal length
Map = Callable[[Vectors, Vectors], tuple[Vectors, Vectors]]


def none(x: Vectors, y: Vectors) -> tuple[Vectors, Vectors]:
    """Leave both sides as they are."""
    return x, y


def centre(x: Vectors, y: Vectors) -> tuple[Vectors, Vectors]:
    """Subtract from each language its own mean (computed in float64), on the scored sentences."""
    return _centred(x), _centred(y)


def standardise(x: Vectors, y: Vectors) -> tuple[Vectors, Vectors]:
    """Centre each language and divide each of its dimensions by its standard deviation.

    No dimension outweighs another. One that is constant becomes 0.
    """
    return _standardised(x), _standardised(y)


def without_outliers(k: int) -> Map:
    """Return the map that takes away the k dimensions of the greatest mean square over both languages.

    Trained models have a few dimensions of many times the others' size, the same in every language:
    they decide cosines and CKA by themselves. Source: Timkey & van Schijndel 2021,
    https://arxiv.org/abs/2109.04404.
    """

    def remove(x: Vectors, y: Vectors) -> tuple[Vectors, Vectors]:
        if x.shape[1] != y.shape[1]:
            raise ValueError(
                f"without-outliers needs sides of one width, got {x.shape[1]} and {y.shape[1]}"
            )
        if k >= x.shape[1]:
            raise ValueError(f"without-outliers@{k} leaves none of {x.shape[1]} dimensions")
        size = sum(np.square(side, dtype=np.float64).mean(axis=0) for side in (x, y))
        keep = np.sort(np.argsort(-size, kind="stable")[k:])
        return x[:, keep], y[:, keep]

    return remove


def _centred(x: Vectors) -> Vectors:
    centred: Vectors = (x - x.mean(axis=0, dtype=np.float64)).astype(np.float32)
    return centred


def _standardised(x: Vectors) -> Vectors:
    mean = x.mean(axis=0, dtype=np.float64)
    spread: Float64[np.ndarray, "d"] = x.std(axis=0, dtype=np.float64)
    # what rounding leaves of a constant is no deviation
    constant = spread <= 8 * np.finfo(x.dtype).eps * np.abs(x).max(axis=0)
    result: Vectors = ((x - mean) / np.where(constant, np.inf, spread)).astype(np.float32)
    return result


MAPS: Mapping[str, Map] = {"none": none, "centre": centre, "standardise": standardise}
MAP_NAMES = (*MAPS, "without-outliers@K")


def choose_map(name: str) -> Map:
    """Return the map of a name; `without-outliers@3` carries its number.

    Raises:
        ValueError: an unknown name; the nearest ones are given.
    """
    if name in MAPS:
        return MAPS[name]
    stem, _, number = name.partition("@")
    if stem == "without-outliers" and number.isdecimal() and int(number) > 0:
        return without_outliers(int(number))
    raise ValueError(f"unknown map {name!r}: {nearest(name, [*MAPS, 'without-outliers@3'])}")


def map_fit(name: str) -> str:
    """Return what a map was fitted on, for the column of that name."""
    return "" if name == "none" else "in-sample"
