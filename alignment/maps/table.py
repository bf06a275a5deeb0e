"""Maps: what is done to vectors before anything is measured.

A map is FITTED on vectors of two languages and then applied to others: `choose_map(name)(x, y)` is a
function of two sides. What it was fitted on is in the column `map_fit`: a held-out bitext, or
`in-sample`, the scored sentences themselves. The maps here fit a few numbers a language and cannot see
which rows belong together; those that can are in `linear_maps`.
"""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float64

from ...data.nearest import closest
from .linear import Map, Vectors, procrustes, ridge

Fit = Callable[[Vectors, Vectors], Map]

IN_SAMPLE = "in-sample"


def none(x: Vectors, y: Vectors) -> Map:
    """Leave both sides as they are."""
    return lambda a, b: (a, b)


def centre(x: Vectors, y: Vectors) -> Map:
    """Subtract from each language its mean (computed in float64)."""
    return _each(_centring, x, y)


def standardise(x: Vectors, y: Vectors) -> Map:
    """Centre each language and divide each of its dimensions by its standard deviation.

    No dimension outweighs another. One that is constant becomes 0.

    >>> x = np.array([[1.0, 5.0], [3.0, 5.0]], np.float32)
    >>> standardise(x, x)(x, x)[0].tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    return _each(_standardising, x, y)


def subspace(k: int) -> Fit:
    """Return the map that centres each language and takes away its k leading principal directions.

    What most of a language's sentences share is the language rather than their meaning. Source: Yang
    et al. 2021, https://aclanthology.org/2021.emnlp-main.470, whose vectors are not centred: there the
    first direction is about the mean.
    """
    return lambda x, y: _each(lambda side: _projecting(side, k), x, y)


def without_outliers(k: int) -> Fit:
    """Return the map that takes away the k dimensions of the greatest mean square over both languages.

    Trained models have a few dimensions of many times the others' size, the same in every language:
    they decide cosines and CKA by themselves. Source: Timkey & van Schijndel 2021,
    https://arxiv.org/abs/2109.04404.
    """

    def fit(x: Vectors, y: Vectors) -> Map:
        if x.shape[1] != y.shape[1]:
            raise ValueError(
                f"without-outliers needs sides of one width, got {x.shape[1]} and {y.shape[1]}"
            )
        if k >= x.shape[1]:
            raise ValueError(f"without-outliers@{k} leaves none of {x.shape[1]} dimensions")
        size = sum(np.square(side, dtype=np.float64).mean(axis=0) for side in (x, y))
        keep = np.sort(np.argsort(-size, kind="stable")[k:])
        return lambda a, b: (a[:, keep], b[:, keep])

    return fit


def _each(fit: Callable[[Vectors], Callable[[Vectors], np.ndarray]], x: Vectors, y: Vectors) -> Map:
    """Return the map that treats each language by itself, in float64."""
    left, right = fit(x), fit(y)
    return lambda a, b: (left(a).astype(np.float32), right(b).astype(np.float32))


def _centring(x: Vectors) -> Callable[[Vectors], np.ndarray]:
    mean = x.mean(axis=0, dtype=np.float64)
    return lambda a: a - mean


def _standardising(x: Vectors) -> Callable[[Vectors], np.ndarray]:
    mean = x.mean(axis=0, dtype=np.float64)
    spread: Float64[np.ndarray, "d"] = x.std(axis=0, dtype=np.float64)
    # what rounding leaves of a constant is no deviation
    constant = spread <= 8 * np.finfo(x.dtype).eps * np.abs(x).max(axis=0)
    divisor = np.where(constant, np.inf, spread)
    return lambda a: (a - mean) / divisor


def _projecting(x: Vectors, k: int) -> Callable[[Vectors], np.ndarray]:
    if k >= min(len(x) - 1, x.shape[1]):
        raise ValueError(f"subspace@{k} leaves nothing of {len(x)} vectors of {x.shape[1]} dimensions")
    mean = x.mean(axis=0, dtype=np.float64)
    centred = x - mean
    leading = np.linalg.eigh(centred.T @ centred)[1][:, -k:]

    def project(a: Vectors) -> np.ndarray:
        rest: np.ndarray = a - mean
        rest -= (rest @ leading) @ leading.T
        return rest

    return project


MAPS: Mapping[str, Fit] = {
    "none": none,
    "centre": centre,
    "standardise": standardise,
    "procrustes": procrustes,
    "ridge": ridge,
}
PARAMETRIC: Mapping[str, Callable[[int], Fit]] = {
    "without-outliers": without_outliers,
    "subspace": subspace,
}
PAIRED = ("procrustes", "ridge")  # row i must translate row i
SHARED = ("without-outliers",)  # what they do to one side depends on the other
MAP_NAMES = (*MAPS, *(f"{stem}@K" for stem in PARAMETRIC))


def choose_map(name: str) -> Fit:
    """Return the map of a name, to be fitted; `without-outliers@3` carries its number.

    Raises:
        ValueError: an unknown name; the nearest ones are given.
    """
    if name in MAPS:
        return MAPS[name]
    stem, _, number = name.partition("@")
    if stem in PARAMETRIC and number.isdecimal() and int(number) > 0:
        return PARAMETRIC[stem](int(number))
    raise ValueError(f"unknown map {name!r}: {closest(name, [*MAPS, *(f'{s}@3' for s in PARAMETRIC)])}")


def check_fit(name: str, fit: str | None) -> None:
    """Refuse a map that is not said what to fit on.

    Raises:
        ValueError: an unknown map; one to be fitted, and nothing to fit it on was named.
    """
    choose_map(name)
    if name != "none" and not fit:
        raise ValueError(
            f"the map {name} is fitted: name a bitext with `map_fit` CORPUS/split, or say `map_fit` "
            f"{IN_SAMPLE} to fit it on the scored sentences"
        )


def check_in_sample(name: str, fit: str | None) -> None:
    """Refuse what commands cannot do that fit maps on nothing but what they measure.

    Raises:
        ValueError: as `check_fit`, a held-out bitext, a map that needs pairs.
    """
    choose_map(name)
    if name in PAIRED:
        raise ValueError(f"the map {name} is fitted on a bitext; here each language is taken by itself")
    if name != "none" and fit != IN_SAMPLE:
        raise ValueError(f"here a map is fitted on the measured sentences: `map_fit` {IN_SAMPLE}")


def fitted_on(name: str, fit: str) -> str:
    """Return the value of the column `map_fit`: nothing for the map that is not fitted."""
    return "" if name == "none" else fit


def in_sample(name: str, x: Vectors, y: Vectors) -> tuple[Vectors, Vectors]:
    """Return vectors under a map fitted on themselves."""
    return choose_map(name)(x, y)(x, y)
