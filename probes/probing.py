"""`probe`: a task at every layer of a checkpoint, learnt in one language and read in all."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..alignment.checkpoint import Checkpoint
from ..alignment.home import open_root
from ..alignment.pairing import group_numbers
from ..alignment.run import open_run
from ..alignment.source import Source, open_source
from ..alignment.table import Tables, canonical_hash
from ..alignment.uncertainty import LEVEL, RESAMPLES, group_bootstrap
from .floors import majority, surface
from .layer import PENALTIES, PERMUTED, Tested, probe_layer
from .material import ALL, TEST, TRAIN, Material, load_material
from .result import ProbeResult
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
    permuted: int = PERMUTED,
    seed: int = 0,
    out: str | Path | None = None,
    store: str | Path | None = None,
    budget: int | None = None,
    progress: Progress | None = None,
    layer_done: Progress | None = None,
    **material: Any,
) -> ProbeResult:
    """Fit linear probes on a task in one language and test them in all, at every layer.

    Args:
        checkpoint: a folder, a hub id, or an opened checkpoint.
        task: a key of `PROBES`, or examples.
        train: the languages fitted on: tags joined by commas, each for itself; `all` for all at once
            (of `language`, which needs it, by default).
        test: the languages tested in: "all", or tags.
        layers: all, last, or numbers and ranges.
        pooling: see `alignment.pooling`.
        map_name: of vectors, fitted on the training examples of the language and of `train`.
        permuted: label sets dealt anew, for the null.
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
    tests = given.languages if test == "all" else [test] if isinstance(test, str) else list(test)
    missing = [language for language in tests if language not in given.languages]
    if missing:
        raise ValueError(
            f"{given.name} has no test in {', '.join(missing)}: {', '.join(given.languages)}"
        )
    trains = [ALL] if given.joint else [one.strip() for one in train.split(",")]
    for one in trains:
        given.trained_on(one)
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
            "permuted": permuted,
            "seed": seed,
            "penalties": PENALTIES,
            "bootstrap": [RESAMPLES, LEVEL],
        }
        fixed = settings | {"fingerprint": source.fingerprint, "material": _digest(given)}
        run = None
        if out is not None:
            run = stack.enter_context(open_run(Path(out), settings, {"fingerprint": source.fingerprint}))
        found: list[Tables] = []
        floors: dict[str, dict[str, tuple[float, float]]] = {}
        representations = None
        work = [(one, layer) for one in trains for layer in source.layers[pooling]]
        for done, (one, layer) in enumerate(work, start=1):
            key = canonical_hash(fixed | {"train": one, "layer": layer, "tests": given.languages})
            table = run.finished(key) if run else None
            if run and table is not None:
                made = Tables(table, run.items(key))
            else:
                representations = representations or source.represent()[pooling]
                vectors = read_layer(given, representations, layer, one, map_name)
                columns = settings_columns(source, given, one, layer, pooling, map_name)
                if one not in floors:
                    floors[one] = _floors(given, one)
                made = _rows(given, vectors, one, floors[one], columns, permuted, seed)
                if run:
                    run.finish(key, made)
            found.append(made)
            if layer_done is not None:
                layer_done(done, len(work))
        whole, items = (
            _only(pd.concat([getattr(one, name) for one in found], ignore_index=True), tests)
            for name in ("scores", "items")
        )
        if run:
            run.write("probes", whole)
    return ProbeResult(whole, items)


def _only(table: pd.DataFrame, tests: Sequence[str]) -> pd.DataFrame:
    return table[table["test"].isin(tests)].reset_index(drop=True)


def settings_columns(
    source: Source, material: Material, train: str, layer: int, pooling: str, map_name: str
) -> dict[str, Any]:
    """Return what stands in every row of a layer."""
    last = max(source.layers[pooling])
    known = {name: source.about.get(name, "") for name in ("stage", "recipe")}
    return {
        **{name: source.columns[name] for name in ("checkpoint", "revision", "dtype", "max_length")},
        **known,
        "task": material.name,
        "train": train,
        "layer": layer,
        "depth": layer / last if last else 1.0,
        "pooling": pooling,
        "map": map_name,
    }


def _floors(material: Material, train: str) -> dict[str, tuple[float, float]]:
    """Return by language the best constant answer's accuracy and that of n-grams."""
    languages = material.trained_on(train)
    right = surface(material, languages)
    return {
        one: (majority(material, languages, one), float(right[one].mean())) for one in material.languages
    }


def _rows(
    material: Material,
    vectors: Any,
    train: str,
    floors: dict[str, tuple[float, float]],
    columns: dict[str, Any],
    permuted: int,
    seed: int,
) -> Tables:
    """Return a row per tested language: transfer, in-language ceiling, the gap; and what was right."""
    languages = material.trained_on(train)
    found = probe_layer(material, vectors, languages, permuted=permuted, seed=seed)
    rows, items = [], []
    for language, tested in found.items():
        own: Tested | None = tested if languages == [language] else None
        if own is None and train != ALL and (language, TRAIN) in material.parts:
            own = probe_layer(material, vectors, [language], permuted=0, seed=seed)[language]
        groups = group_numbers(material.parts[language, TEST].groups, len(tested.right))
        rows.append(
            columns
            | {"test": language}
            | _scores(tested, own, groups, seed)
            | {"majority": floors[language][0], "surface": floors[language][1]}
        )
        items.append(
            pd.DataFrame(
                {
                    **{"train": train, "test": language, "layer": columns["layer"]},
                    "id": material.parts[language, TEST].first.ids,
                    "group": groups,
                    "right": tested.right == 1,
                }
            )
        )
    return Tables(pd.DataFrame(rows), pd.concat(items, ignore_index=True))


def _scores(tested: Tested, own: Tested | None, groups: np.ndarray, seed: int) -> dict[str, Any]:
    ceiling = tested.right * np.nan if own is None else own.right
    outcomes = np.stack([tested.right, ceiling, ceiling - tested.right], axis=1)
    # the same seed: languages and layers share the resamples of parallel items
    low, high = group_bootstrap(outcomes, groups, rng=np.random.default_rng(seed))
    means = outcomes.mean(axis=0)
    null = tested.permuted
    spread = float(null.std(ddof=1)) if len(null) > 1 else np.nan
    scores: dict[str, Any] = {}
    for i, name in enumerate(("accuracy", "ceiling", "gap")):
        scores |= {name: means[i], f"{name}_low": low[i], f"{name}_high": high[i]}
    return scores | {
        "null": float(null.mean()) if len(null) else np.nan,
        "z": (means[0] - null.mean()) / spread if spread > 0 else np.nan,
        "penalty": tested.penalty,
        "dev_loss": tested.loss,
        "converged": tested.converged and (own is None or own.converged),
        "n_train": tested.fitted_on,
        "n": len(tested.right),
        "groups": int(groups.max()) + 1,
        "level": LEVEL,
    }


def _digest(material: Material) -> str:
    """Return a hash of all texts, labels and groups."""
    return canonical_hash(
        {
            f"{language} {part}": [
                [side.texts for side in one.sides], one.labels.tolist(), one.groups, material.classes
            ]
            for (language, part), one in material.parts.items()
        }
    )  # fmt: skip
