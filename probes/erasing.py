"""`erase`: what a checkpoint's layers still do once a concept is linearly gone from them.

Each layer three times: as it is, without the concept (LEACE), without as many random directions. A
probe is refitted on what is left, and translations are retrieved: language identity takes part of the
space, and what its loss does to retrieval says whether alignment hides behind it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..alignment.neighbours.exact import neighbours
from ..alignment.options import takes
from ..alignment.representations.source import CheckpointLike, open_model
from ..alignment.runs.files import write_table
from ..alignment.runs.results import Result, in_folder
from ..alignment.runs.table import Tables
from ..alignment.statistics.bootstrap import RESAMPLES
from ..alignment.statistics.intervals import LEVEL
from ..data.groups import group_numbers
from ..data.nearest import closest
from ..data.rows import Columns
from .classifiers.scaler import WEAKEST
from .erasure import leace, random_eraser
from .figures import erasure_figure
from .floors import majority
from .layer import joined, probe_layer
from .layer_cell import Probed, probe_layers
from .material import ALL, TEST, TRAIN, Material
from .options import EraseOptions
from .probing import material_of
from .resampling import intervals, with_ends

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

NONE, LEACE, RANDOM = "none", "leace", "random"
CONDITIONS = (NONE, LEACE, RANDOM)
SCORES = ("accuracy", "retrieval", "change")  # the last: retrieval less that of vectors as they are
DRAWS = 3  # of random directions; outcomes are their mean

Vectors = Mapping[tuple[str, str], np.ndarray]


@dataclass(frozen=True, eq=False, repr=False)
class ErasureResult(Result):
    """A row per layer, condition and language: the probe's accuracy, and that of retrieval."""

    def summary(self) -> pd.DataFrame:
        """Return means over languages: a row a layer, columns by condition."""
        names = [one for one in ("accuracy", "retrieval") if self.table[one].notna().any()]
        return self.table.pivot_table(index="layer", columns="erased", values=names)[
            [(name, one) for name in names for one in CONDITIONS]
        ]

    def curves(self) -> "Figure":
        """Draw both means by layer."""
        return erasure_figure(self.table)

    def _repr_html_(self) -> str:
        html: str = self.summary().to_html(float_format=lambda value: f"{value:.3f}")
        return html


@takes(EraseOptions)
def erase(checkpoint: CheckpointLike, options: EraseOptions) -> ErasureResult:
    """Erase a task's labels from every layer and probe it again, and retrieve translations.

    Args:
        checkpoint: a folder, a hub id, or an opened checkpoint.

    Raises:
        ValueError: what `load_material` and `leace` refuse.
    """
    material = material_of(options.task, options)
    if material.trees:
        raise ValueError(f"{material.name}: edges are no classes; nothing can be erased")
    if material.joint and options.train not in ("en", ALL):
        raise ValueError(f"{material.name} is fitted on all languages at once; leave out `train`")
    one = ALL if material.joint else options.train
    material.trained_on(one)
    _report_unretrieved(material, options.pivot)
    settings = {"erased": DRAWS, "pivot": options.pivot, "seed": options.seed, "weakest": WEAKEST}
    settings |= {"bootstrap": [RESAMPLES, LEVEL]}
    if any(len(part) < 2 for part in material.parts.values()):
        raise ValueError(f"{material.name}: erasing needs two examples a language at least")
    make = partial(_rows, material, options.pivot, options.seed)
    probed = Probed(material, [one], make, settings, "erasing")
    model = open_model(checkpoint, options)

    def made(folder: Path) -> ErasureResult:
        table = probe_layers(model, probed, options, folder).scores
        write_table(folder, "erasure", table)
        return ErasureResult(table, folder)

    return in_folder(options.out, made)


def _rows(
    material: Material, pivot: str, seed: int, vectors: Vectors, train: str, columns: Columns
) -> Tables:
    """Return the rows of a layer."""
    languages = material.trained_on(train)
    x, y = joined(material, vectors, languages, TRAIN)
    k = len(material.classes)
    erasers = {NONE: [], LEACE: [leace(x, y, k)]} | {
        RANDOM: [random_eraser(x, y, k, seed=DRAWS * seed + i) for i in range(DRAWS)]
    }
    tests = {one: material.parts[one, TEST] for one in material.languages}
    groups = {one: group_numbers(part.groups, len(part)) for one, part in tests.items()}
    constant = {one: majority(material, languages, one) for one in tests}
    rows: list[Columns] = []
    before: dict[str, Float[np.ndarray, "_"]] = {}
    for condition in CONDITIONS:
        variants: list[Vectors] = [vectors]
        if condition != NONE:
            variants = [
                {key: one(some).astype(np.float32) for key, some in vectors.items()}
                for one in erasers[condition]
            ]
        probed = [probe_layer(material, one, languages, seed=seed) for one in variants]
        outcomes = {}
        for language in tests:
            right = np.mean([one[language].right for one in probed], axis=0)
            found = [_retrieval(material, one, language, pivot) for one in variants]
            retrieved = np.mean(found, axis=0)
            first = before.setdefault(language, retrieved)  # the first condition
            outcomes[language] = np.stack([right, retrieved, retrieved - first], axis=1)
        ends = intervals(outcomes, groups, seed)
        rows += [
            columns
            | {"task": material.name, "erased": condition, "test": language}
            | with_ends(SCORES, outcomes[language], ends[language])
            | {"majority": constant[language]}
            | {"rank": 0 if condition == NONE else erasers[condition][0].rank}
            | {"n_train": len(y), "n": len(tests[language])}
            | {"groups": int(groups[language].max()) + 1}
            for language in tests
        ]
    return Tables(pd.DataFrame(rows), pd.DataFrame())


def _report_unretrieved(material: Material, pivot: str) -> None:
    """Warn of languages whose tests translations cannot be retrieved in."""
    if pivot not in material.languages:
        raise ValueError(f"unknown `pivot` {pivot!r} here: {closest(pivot, material.languages)}")
    there = material.parts.get((pivot, TEST))
    lacking = [
        one
        for one in material.languages
        if one != pivot and (there is None or material.parts[one, TEST].first.ids != there.first.ids)
    ]
    if lacking and not material.of_words:
        logger.warning(
            "%s: no retrieval in %s: the tests are not the same items as in %s",
            *(material.name, ", ".join(lacking), pivot),
        )


def _retrieval(
    material: Material, vectors: Vectors, language: str, pivot: str
) -> Float[np.ndarray, "n"]:
    """Return which share of both directions finds the same item; nan where items are not the same."""
    key, other = (language, TEST), (pivot, TEST)
    here, there = material.parts[key].first, material.parts.get(other)
    same = there is not None and here.ids == there.first.ids
    if language == pivot or not same or material.of_words:
        return np.full(len(here.ids), np.nan)
    x, y = vectors[key], vectors[other]
    gold = np.repeat(np.arange(len(x))[:, None], 2, axis=1)
    found = neighbours(x, y, 1, gold, dtype="float32")
    right: np.ndarray = ((found.rows.rank == 0) * 1.0 + (found.columns.rank == 0)) / 2
    return right
