"""`probe`: a task at every layer of a checkpoint, learnt in one language and read in all."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..alignment.checkpoint import Checkpoint, open_checkpoint
from ..alignment.run import write_parquet
from ..alignment.table import Tables
from ..alignment.twins import twins_of
from ..alignment.uncertainty import LEVEL, RESAMPLES
from ..data.languages import nearest
from .control import make_controls
from .families import FAMILIES, PENALTIES
from .intervals import adjusted
from .mapping import mapped_by
from .material import ALL, Material, load_material
from .over_layers import Progress, over_layers
from .result import ProbeResult
from .rows import rows_of
from .scaler import WEAKEST
from .setup import Setup, prepare


def probe(
    checkpoint: Checkpoint | str | Path,
    task: str | Material,
    *,
    train: str = "en",
    test: Sequence[str] | str = "all",
    layers: str = "all",
    pooling: str = "mean",
    map_name: str = "none",
    map_fit: str = "",
    family: str = "linear",
    controls: int | None = None,
    codelength: bool = False,
    random_twin: bool = False,
    seed: int = 0,
    out: str | Path | None = None,
    store: str | Path | None = None,
    budget: int | None = None,
    progress: Progress | None = None,
    layer_done: Progress | None = None,
    **material: Any,
) -> ProbeResult:
    """Fit probes on a task in one language and test them in all, at every layer.

    Args:
        checkpoint: a folder, a hub id, or an opened checkpoint.
        task: a key of `PROBES`, or examples.
        train: the languages fitted on: tags joined by commas, each for itself; `all` for all at once
            (of `language`, which needs it, by default).
        test: the languages tested in: "all", or tags.
        layers: all, last, or numbers and ranges.
        pooling: see `alignment.pooling`.
        map_name: of vectors into the space of `train`; see `alignment.maps`.
        map_fit: parallel text that the map is fitted on, "ntrex", "flores/dev"; by default the training
            examples of both languages.
        family: linear, ridge (a first look) or mlp; trees have a family of their own.
        controls: label sets that have nothing to find; by default see `control.SETS`.
        codelength: whether the online codelength of the training labels is measured, too.
        random_twin: whether untrained twins of the checkpoint are probed, too (column `random`).
        seed: of cuts, controls and resamples.
        out: a run folder to keep finished layers in.
        store: root of the store of vectors.
        budget: padded tokens of a batch.
        progress: told of sentences encoded.
        layer_done: told of layers probed.
        material: `languages`, `data_dir`, `corpus`, `table`, `limit` of `load_material`.

    Returns:
        The result: `.to_frame()`, `.heatmap()`, `.transfer_matrix()`, `.compare(other)`.

    Raises:
        ValueError: what `load_material` and `fit` refuse; vectors that are not finite.
        OSError: something cannot be read or written.
    """
    given = task if isinstance(task, Material) else load_material(task, seed=seed, **material)
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}: {nearest(family, FAMILIES)}")
    if given.trees and codelength:
        raise ValueError(f"{given.name}: edges have no codelength; leave it out")
    kind = "structural" if given.trees else family
    trains = [ALL] if given.joint else list(dict.fromkeys(map(str.strip, train.split(","))))
    if test != "all":
        given = given.only(trains, [test] if isinstance(test, str) else list(test))
    made = {one: make_controls(given, given.trained_on(one), controls, seed) for one in trains}

    @lru_cache
    def setup(one: str) -> Setup:
        return prepare(given, one, family, made[one], codelength=codelength, seed=seed)

    def make(vectors: Mapping[tuple[str, str], np.ndarray], one: str, columns: dict[str, Any]) -> Tables:
        return rows_of(given, vectors, setup(one), columns | {"task": given.name, "family": kind})

    mapped = mapped_by(given, trains, map_name, map_fit, material.get("data_dir"))
    settings = {
        "family": family,
        "controls": len(made[trains[0]].train),
        "codelength": codelength,
        "seed": seed,
        "penalties": PENALTIES,
        "weakest": WEAKEST,
        "bootstrap": [RESAMPLES, LEVEL],
    }
    run = partial(
        over_layers, material=given, trains=trains, make=make, settings=settings, title="probing",
        layers=layers, pooling=pooling, mapped=mapped, store=store, budget=budget, progress=progress,
        layer_done=layer_done,
    )  # fmt: skip
    found = run(checkpoint, out=out)
    scores = adjusted(found.scores)
    if random_twin:
        model = checkpoint if isinstance(checkpoint, Checkpoint) else open_checkpoint(checkpoint)
        keys = ["train", "test", "layer"]
        twins = pd.concat([run(twin).scores for twin in twins_of(model)])
        random = twins.groupby(keys)["accuracy"].mean().rename("random").reset_index()
        scores = scores.merge(random, on=keys, how="left", validate="one_to_one")
    if out is not None:
        write_parquet(scores, Path(out) / "probes.parquet")
    return ProbeResult(scores, found.items)
