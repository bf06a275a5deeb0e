"""What the layers of a language trained on have in common: floors, controls, which tests count."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from ..data.groups import group_numbers
from .control import Controls
from .floors import majority, surface
from .material import ALL, TEST, TRAIN, Material
from .trees import edges, refuse_other_graphs

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Setup:
    """What the layers of a language trained on have in common."""

    train: str
    languages: Sequence[str]  # fitted in
    ceilings: Sequence[str]  # tested languages that a probe of their own is fitted in, too
    family: str
    controls: Controls
    constant: Mapping[str, float]  # by test: accuracy of the best constant answer; nan of trees
    reference: Mapping[str, Float[np.ndarray, "_"]]  # which answers of n-grams (of neighbours) are right
    tested: Mapping[str, Int64[np.ndarray, "_"]]  # the rows of each test that count
    groups: Mapping[str, Int64[np.ndarray, "_"]]  # of these
    codelength: bool
    seed: int


def prepare(
    material: Material, train: str, family: str, controls: Controls, *, codelength: bool, seed: int
) -> Setup:
    """Return what does not change from layer to layer, the floors foremost."""
    languages, tests = material.trained_on(train), material.languages
    tested = {one: np.arange(len(material.parts[one, TEST])) for one in tests}
    constant = dict.fromkeys(tests, float("nan"))
    reference: dict[str, Float[np.ndarray, "_"]] = {}
    if material.trees:
        refuse_other_graphs(material)
        for one in tests:
            tested[one], reference[one] = edges(material, one)
    else:
        _tell_unseen(material, languages)
        constant = {one: majority(material, languages, one) for one in tests}
        reference = surface(material, languages)
    groups = {}
    for one, rows in tested.items():
        every = material.parts[one, TEST].groups
        groups[one] = group_numbers([every[row] for row in rows], len(rows))
    ceilings = [] if train == ALL else [one for one in tests if one not in languages]
    ceilings = [one for one in ceilings if _has_ceiling(material, one)]
    return Setup(
        train,
        languages,
        ceilings,
        family,
        controls,
        constant,
        reference,
        tested,
        groups,
        codelength,
        seed,
    )


def _has_ceiling(material: Material, language: str) -> bool:
    """Whether a probe can be fitted in a language; where it cannot, a warning says why."""
    if (language, TRAIN) not in material.parts:
        return False
    try:
        material.refuse_untrainable([language])
    except ValueError as error:
        logger.warning("%s; no in-language probe", error)
        return False
    return True


def _tell_unseen(material: Material, languages: Sequence[str]) -> None:
    for one in material.languages:
        unseen = material.unseen(languages, one)
        if unseen:
            logger.warning(
                "%s (%s): %d of %d tests are of classes that %s has no examples of: they count as wrong",
                *(material.name, one, unseen, len(material.parts[one, TEST]), ", ".join(languages)),
            )
