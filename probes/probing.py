"""`probe`: a task at every layer of a checkpoint, learnt in one language and read in all."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from ..alignment.checkpoint import Checkpoint
from ..alignment.home import open_root
from ..alignment.run import open_run
from ..alignment.source import Source, open_source
from ..alignment.table import Tables, canonical_hash
from ..alignment.uncertainty import LEVEL, RESAMPLES
from ..data.languages import nearest
from .control import make_controls
from .families import FAMILIES, PENALTIES
from .material import ALL, Material, load_material
from .result import ProbeResult
from .rows import Setup, adjusted, prepare, rows_of
from .vectors import read_layer

Progress = Callable[[int, int], None]


def probe(
    checkpoint: Checkpoint | str | Path,
    task: str | Material,
    *,
    train: str = "en",
    test: Sequence[str] | str = "all",
    layers: str = "all",
    pooling: str = "mean",
    map_name: str = "none",
    family: str = "linear",
    controls: int | None = None,
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
        map_name: of vectors, fitted on the training examples of the language and of `train`.
        family: linear, ridge (a first look) or mlp.
        controls: label sets that have nothing to find; by default see `control.SETS`.
        seed: of cuts, permutations and resamples.
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
    trains = [ALL] if given.joint else [one.strip() for one in train.split(",")]
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}: {nearest(family, FAMILIES)}")
    if test != "all":
        given = given.only(trains, [test] if isinstance(test, str) else list(test))
    made_controls = {one: make_controls(given, given.trained_on(one), controls, seed) for one in trains}
    with ExitStack() as stack:
        root = stack.enter_context(open_root(store, keep=True))
        sides = [side for labelled in given.parts.values() for side in labelled.sides]
        source = open_source(
            checkpoint, sides, poolings=[pooling], layers=layers, root=root, store_dtype="float32",
            budget=budget, progress=progress,
        )  # fmt: skip
        settings = {
            "task": given.name,
            "pooling": pooling,
            "map": map_name,
            "family": family,
            "controls": len(made_controls[trains[0]].train),
            "seed": seed,
            "penalties": PENALTIES,
            "bootstrap": [RESAMPLES, LEVEL],
        }
        fixed = settings | {"fingerprint": source.fingerprint, "material": _digest(given)}
        run = None
        if out is not None:
            run = stack.enter_context(open_run(Path(out), settings, {"fingerprint": source.fingerprint}))
        found: list[Tables] = []
        setups: dict[str, Setup] = {}
        representations = None
        work = [(one, layer) for one in trains for layer in source.layers[pooling]]
        for done, (one, layer) in enumerate(work, start=1):
            key = canonical_hash(fixed | {"train": one, "layer": layer})
            table = run.finished(key) if run else None
            if run and table is not None:
                made = Tables(table, run.items(key))
            else:
                representations = representations or source.represent()[pooling]
                vectors = read_layer(given, representations, layer, one, map_name)
                columns = settings_columns(source, given.name, one, layer, pooling, map_name, family)
                if one not in setups:
                    setups[one] = prepare(given, one, family, made_controls[one], seed)
                made = rows_of(given, vectors, setups[one], columns)
                if run:
                    run.finish(key, made)
            found.append(made)
            if layer_done is not None:
                layer_done(done, len(work))
        whole, items = (
            pd.concat([getattr(one, name) for one in found], ignore_index=True)
            for name in ("scores", "items")
        )
        whole = adjusted(whole)
        if run:
            run.write("probes", whole)
    return ProbeResult(whole, items)


def settings_columns(
    source: Source, task: str, train: str, layer: int, pooling: str, map_name: str, family: str
) -> dict[str, Any]:
    """Return what stands in every row of a layer."""
    last = max(source.layers[pooling])
    known = {name: source.about.get(name, "") for name in ("stage", "recipe")}
    return {
        **{name: source.columns[name] for name in ("checkpoint", "revision", "dtype", "max_length")},
        **known,
        "task": task,
        "family": family,
        "train": train,
        "layer": layer,
        "depth": layer / last if last else 1.0,
        "pooling": pooling,
        "map": map_name,
    }


def _digest(material: Material) -> str:
    """Return a hash of all texts, labels and groups."""
    return canonical_hash(
        {
            f"{language} {part}": [
                [side.sentences for side in one.sides], one.labels.tolist(), one.groups, material.classes
            ]
            for (language, part), one in material.parts.items()
        }
    )  # fmt: skip
