"""A material's vectors, layer by layer, and what is made of them, kept in a run folder."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..alignment.bars import Progress as Progress
from ..alignment.bars import in_notebook
from ..alignment.checkpoint import Checkpoint
from ..alignment.home import open_root
from ..alignment.represent import Representations
from ..alignment.run import open_run
from ..alignment.source import Source, open_source
from ..alignment.table import Tables, canonical_hash
from .mapping import Mapped
from .material import TRAIN, Material
from .vectors import PLAIN, read_layer

logger = logging.getLogger(__name__)

# vectors by language and part, the language trained on, the columns of every row -> tables
Make = Callable[[Mapping[tuple[str, str], np.ndarray], str, dict[str, Any]], Tables]


def over_layers(
    checkpoint: Checkpoint | str | Path,
    material: Material,
    trains: Sequence[str],
    make: Make,
    settings: Mapping[str, Any],
    *,
    title: str,
    layers: str = "all",
    pooling: str = "mean",
    mapped: Mapped = PLAIN,
    out: str | Path | None = None,
    store: str | Path | None = None,
    budget: int | None = None,
    progress: Progress | None = None,
    layer_done: Progress | None = None,
) -> Tables:
    """Encode what lacks, then make the tables of every language trained on and layer.

    Args:
        checkpoint: a folder, a hub id, or an opened checkpoint.
        material: the examples.
        trains: languages trained on, each for itself.
        make: makes the tables of one of them at one layer.
        settings: all that decides them besides vectors and examples; what differs is made anew.
        title: of the bar in a notebook.
        layers: all, last, or numbers and ranges.
        pooling: see `alignment.pooling`.
        mapped: the map of vectors.
        out: a run folder to keep finished layers in.
        store: root of the store of vectors.
        budget: padded tokens of a batch.
        progress: told of sentences encoded.
        layer_done: told of layers done.
    """
    with ExitStack() as stack:
        progress = stack.enter_context(in_notebook(progress, "encoding", "sentences"))
        layer_done = stack.enter_context(in_notebook(layer_done, title, "layers"))
        root = stack.enter_context(open_root(store, keep=True))
        sides = [side for labelled in material.parts.values() for side in labelled.sides]
        source = open_source(
            checkpoint, sides + mapped.sides, poolings=[pooling], layers=layers, root=root,
            store_dtype="float32", budget=budget, progress=progress,
        )  # fmt: skip
        of = {name: source.columns[name] for name in ("dtype", "max_length", "prefix")}
        of["fingerprint"] = source.fingerprint
        fitted = {"map": mapped.name, "map_fit": mapped.fit}
        settings = {**settings, "task": material.name, "pooling": pooling, **fitted}
        fixed = settings | of | {"material": _digest(material, mapped)}
        run = None if out is None else stack.enter_context(open_run(Path(out), settings, of))
        found: list[Tables] = []
        representations = None
        work = [(one, layer) for one in trains for layer in source.layers[pooling]]
        for done, (train, layer) in enumerate(work, start=1):
            key = canonical_hash(fixed | {"train": train, "layer": layer})
            finished = run.finished(key) if run else None
            if run and finished is not None:
                made = Tables(finished, run.items(key))
            else:
                if representations is None:
                    representations = source.represent()[pooling]
                    _tell_cut(material, mapped, representations, source.columns["max_length"])
                vectors = read_layer(material, representations, layer, train, mapped)
                columns = _columns(source, layer, pooling)
                made = make(vectors, train, columns | {"train": train} | fitted)
                if run:
                    run.finish(key, made)
            found.append(made)
            if layer_done is not None:
                layer_done(done, len(work))
    return Tables(
        pd.concat([one.scores for one in found], ignore_index=True),
        pd.concat([one.items for one in found], ignore_index=True),
    )


def _tell_cut(
    material: Material, mapped: Mapped, representations: Representations, most: int | None
) -> None:
    """Warn of texts that are longer than the model; words behind the cut have been refused."""
    texts = {}
    if mapped.fit != TRAIN:
        texts = {f"map {mapped.name}, {side.language}": [side] for side in mapped.sides}
    if not material.of_words:
        texts |= {f"{one}, {part}": labelled.sides for (one, part), labelled in material.parts.items()}
    for where, sides in texts.items():
        cut = sum(int(representations.counts(side)[:, 1].sum()) for side in sides)
        if cut:
            logger.warning(
                "%s (%s): %d texts are longer than the %s tokens that the model is fed, and cut",
                *(material.name, where, cut, most),
            )


def _columns(source: Source, layer: int, pooling: str) -> dict[str, Any]:
    """Return what stands in every row of a layer."""
    return {
        **{name: source.columns[name] for name in ("checkpoint", "revision", "dtype", "max_length")},
        **{name: source.about.get(name, "") for name in ("stage", "recipe")},
        "layer": layer,
        "depth": layer / source.last if source.last else 1.0,
        "pooling": pooling,
    }


def _digest(material: Material, mapped: Mapped) -> str:
    """Return a hash of all texts, labels and groups, and of what the map is fitted on."""
    return canonical_hash(
        {"map": [side.sentences for side in mapped.sides]}
        | {
            f"{language} {part}": [
                [side.sentences for side in one.sides], one.labels.tolist(), one.groups, material.classes
            ]
            for (language, part), one in material.parts.items()
        }
    )  # fmt: skip
