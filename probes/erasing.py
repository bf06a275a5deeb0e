"""`erase`: what a checkpoint's layers still do once a concept is linearly gone from them.

Each layer three times: as it is, without the concept (LEACE), without as many random directions. A
probe is fitted anew on what is left, and translations are retrieved: language identity takes part of the
space, and what its loss does to retrieval says whether alignment hides behind it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..alignment.checkpoint import Checkpoint
from ..alignment.neighbours import neighbours
from ..alignment.pairing import group_numbers
from ..alignment.run import write_parquet
from ..alignment.table import Tables
from ..alignment.uncertainty import LEVEL, RESAMPLES
from .erasure import leace, random_eraser
from .floors import majority
from .intervals import intervals, with_ends
from .layer import joined, probe_layer
from .material import ALL, TEST, TRAIN, Material, load_material
from .over_layers import Progress, over_layers
from .scaler import WEAKEST

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

NONE, LEACE, RANDOM = "none", "leace", "random"
CONDITIONS = (NONE, LEACE, RANDOM)
SCORES = ("accuracy", "retrieval", "change")  # the last: retrieval less that of vectors as they are
DRAWS = 3  # of random directions; outcomes are their mean

Vectors = Mapping[tuple[str, str], np.ndarray]


@dataclass(frozen=True, eq=False)
class ErasureResult:
    """A row per layer, condition and language: the probe's accuracy, and that of retrieval."""

    table: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def summary(self) -> pd.DataFrame:
        """Return means over languages: a row a layer, columns by condition."""
        names = [one for one in ("accuracy", "retrieval") if self.table[one].notna().any()]
        return self.table.pivot_table(index="layer", columns="erased", values=names)[
            [(name, one) for name in names for one in CONDITIONS]
        ]

    def figure(self) -> "Figure":
        """Draw both means by layer."""
        from .figures import erasure_figure

        return erasure_figure(self.table)

    def _repr_html_(self) -> str:
        html: str = self.summary().to_html(float_format=lambda value: f"{value:.3f}")
        return html


def erase(
    checkpoint: Checkpoint | str | Path,
    task: str | Material = "language",
    *,
    train: str = "en",
    pivot: str = "en",
    layers: str = "all",
    pooling: str = "mean",
    seed: int = 0,
    out: str | Path | None = None,
    store: str | Path | None = None,
    budget: int | None = None,
    progress: Progress | None = None,
    layer_done: Progress | None = None,
    **material: Any,
) -> ErasureResult:
    """Erase a task's labels from every layer and read it again, and retrieve translations.

    Args:
        checkpoint: a folder, a hub id, or an opened checkpoint.
        task: whose labels are erased, by what its training examples tell.
        train: the language whose examples these are (of `language`: all).
        pivot: the language whose tests the other languages' retrieve and are retrieved by, where they
            are the same items.
        layers: see `probe`.
        pooling: see `probe`.
        seed: see `probe`.
        out: see `probe`.
        store: see `probe`.
        budget: see `probe`.
        progress: see `probe`.
        layer_done: see `probe`.
        material: see `probe`.

    Raises:
        ValueError: what `load_material` and `leace` refuse.
    """
    given = task if isinstance(task, Material) else load_material(task, seed=seed, **material)
    if given.trees:
        raise ValueError(f"{given.name}: edges are no classes; nothing can be erased")
    one = ALL if given.joint else train
    given.trained_on(one)
    _tell_apart(given, pivot)
    settings = {"erased": DRAWS, "pivot": pivot, "seed": seed, "weakest": WEAKEST}
    settings |= {"bootstrap": [RESAMPLES, LEVEL]}
    found = over_layers(
        checkpoint, given, [one], partial(_rows, given, pivot, seed), settings, title="erasing",
        layers=layers, pooling=pooling, out=out, store=store, budget=budget, progress=progress,
        layer_done=layer_done,
    )  # fmt: skip
    if out is not None:
        write_parquet(found.scores, Path(out) / "erasure.parquet")
    return ErasureResult(found.scores)


def _rows(
    material: Material, pivot: str, seed: int, vectors: Vectors, train: str, columns: dict[str, Any]
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
    rows: list[dict[str, Any]] = []
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


def _tell_apart(material: Material, pivot: str) -> None:
    """Warn of languages whose tests translations cannot be retrieved in."""
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
