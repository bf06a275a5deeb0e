"""`probe`: a task at every layer of a checkpoint, learnt in one language and read in all."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from ..alignment.checkpoints.checkpoint import Checkpoint
from ..alignment.options import takes
from ..alignment.representations.source import CheckpointLike, open_model
from ..alignment.runs.files import write_table
from ..alignment.runs.results import in_folder
from ..alignment.runs.table import Tables
from ..alignment.statistics.bootstrap import RESAMPLES
from ..alignment.statistics.intervals import LEVEL
from ..data.rows import Columns
from .classifiers.families import PENALTIES
from .classifiers.scaler import WEAKEST
from .control import make_controls
from .layer_cell import Probed, probe_layers
from .mapping import mapped_by
from .material import ALL, Material, load_material
from .options import ProbeOptions, TaskOptions
from .resampling import adjusted
from .result import ProbeResult
from .rows import rows_of
from .setup import Setup, prepare


@takes(ProbeOptions)
def probe(checkpoint: CheckpointLike, options: ProbeOptions) -> ProbeResult:
    """Fit probes on a task in one language and test them in all, at every layer.

    Args:
        checkpoint: a folder, a hub id, or an opened checkpoint.

    Returns:
        The result: `.to_frame()`, `.heatmap()`, `.transfer_matrix()`, `.difference(other)`.

    Raises:
        ValueError: what `load_material` and `fit` refuse; vectors that are not finite.
        OSError: something cannot be read or written.
    """
    material = material_of(options.task, options)
    trains = [ALL] if material.joint else _split(options.train)
    if options.test != "all":
        material = material.only(trains, _split(options.test))
    probed = _probed(material, trains, options)
    model = open_model(checkpoint, options)

    def made(folder: Path) -> ProbeResult:
        tables = probe_layers(model, probed, options, folder)
        scores = adjusted(tables.scores)
        if options.random_init:
            scores = _with_random(scores, model, probed, options, folder)
        write_table(folder, "probes", scores)
        return ProbeResult(scores, folder, tables.items)

    return in_folder(options.out, made)


def material_of(task: str | Material, options: TaskOptions) -> Material:
    """Return the examples of a task, as given or read."""
    if isinstance(task, Material):
        return task
    if options.table is not None and not re.fullmatch(r"\w[\w.+-]*", task):
        raise ValueError(
            f"task {task!r}: a name for the examples of `table`, of letters, digits, - and _"
        )
    return load_material(
        task,
        languages=str(options.languages),
        data_dir=options.data_dir,
        corpus=options.corpus,
        table=options.table,
        seed=options.seed,
        limit=options.limit,
    )


def _probed(material: Material, trains: list[str], options: ProbeOptions) -> Probed:
    """Return what is done at every layer."""
    family, seed = options.family, options.seed
    if material.trees and options.codelength:
        raise ValueError(f"{material.name}: edges have no codelength; leave it out")
    kind = "structural" if material.trees else family
    controls = {
        one: make_controls(material, material.trained_on(one), options.controls, seed) for one in trains
    }

    @lru_cache
    def setup(one: str) -> Setup:
        return prepare(material, one, family, controls[one], codelength=options.codelength, seed=seed)

    def make(vectors: Mapping[tuple[str, str], np.ndarray], one: str, columns: Columns) -> Tables:
        return rows_of(material, vectors, setup(one), columns | {"task": material.name, "family": kind})

    settings = {
        "family": family,
        "controls": len(controls[trains[0]].train),
        "codelength": options.codelength,
        "seed": seed,
        "penalties": PENALTIES,
        "weakest": WEAKEST,
        "bootstrap": [RESAMPLES, LEVEL],
    }
    mapped = mapped_by(material, trains, options.map, options.map_fit, options.data_dir)
    return Probed(material, trains, make, settings, "probing", mapped)


def _with_random(
    scores: pd.DataFrame, model: object, probed: Probed, options: ProbeOptions, folder: Path
) -> pd.DataFrame:
    """Return the scores with the mean accuracy of randomly initialised copies, column `random`."""
    if not isinstance(model, Checkpoint):
        raise ValueError(
            "vectors have no architecture to make a random copy of; leave out `random_init`"
        )
    keys = ["train", "test", "layer"]
    copies = pd.concat(
        [
            probe_layers(
                copy, probed, replace(options, out=None), folder / "random" / str(number)
            ).scores
            for number, copy in enumerate(model.random_copies(), start=1)
        ]
    )
    means = copies.groupby(keys)["accuracy"].mean().rename("random").reset_index()
    return scores.merge(means, on=keys, how="left", validate="one_to_one")


def _split(names: object) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in str(names).split(",")))
