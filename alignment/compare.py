"""`compare`: grids of a measure between layers, languages or checkpoints, as a table.

What stands on the two sides of a grid:
    layers, translations   the layers of the source × the layers of its translation
    layers, same           the layers of a language × the layers of the same sentences (two checkpoints)
    languages              at each layer, every language × every language
    all                    every language's every layer × the same
A grid uses the sentences that all its languages have: n is one number.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..data import Bitext, load
from .checkpoint import Checkpoint
from .grid import BUDGET, Grid, family_wise, grid
from .home import open_root
from .maps import check_in_sample, fitted_on
from .measures import MEASURES, grid_measure
from .nulls import benjamini_hochberg
from .plan import Cell, Spot, Spots, plan
from .represent import Progress
from .run import Run, open_run
from .source import Source, open_source
from .table import SCHEMA, Tables, canonical_hash, concatenate, make_table
from .uncertainty import LEVEL

BETWEEN = ("layers", "languages", "all")
SIDES = ("translations", "same")


@dataclass(frozen=True)
class Options:
    """What decides the numbers of a comparison, besides checkpoints and corpus; flags of `compare`."""

    measure: str = "debiased_linear_cka"
    between: str = "layers"
    sides: str | None = None  # by default same with a second checkpoint, else translations
    layers: str = "all"
    pooling: str = "mean"
    maps: str = "none"
    map_fit: str = ""  # in-sample, for any other map
    intervals: bool = False
    permutations: int = 0
    precision: str = "float64"
    seed: int = 0


def compare(
    checkpoint: Checkpoint | str | Path,
    other: Checkpoint | str | Path | None = None,
    corpus: str | Sequence[Bitext] = "pocket",
    *,
    data_dir: str | Path | None = None,
    languages: str = "all",
    pivot: str = "en",
    limit: int | None = None,
    out: str | Path | None = None,
    store: str | Path | None = None,
    keep: bool = True,
    memory: int = BUDGET,
    device: str = "cpu",
    progress: Progress | None = None,
    cell_done: Progress | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return grids of a similarity measure within one checkpoint, or between two.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        other: a second one, on the same sentences.
        corpus: a name for `crosslingual.data.load`, or bitexts.
        data_dir: where the corpus lies.
        languages: "all" or codes and tags joined by commas.
        pivot: the language they are joined to; one of the languages compared.
        limit: only the first so many sentences.
        out: a run folder to keep finished grids in.
        store: root of the store.
        keep: False encodes into a temporary store.
        memory: bytes that a grid may lay out.
        device: where the products of grids run.
        progress: called with (sentences done, of how many).
        cell_done: called with (grids done, of how many).
        options: fields of `Options`.

    Returns:
        A score table (docs/design.md, 4.7) with `other_checkpoint`, `other_layer`, `q` (Benjamini and
        Hochberg's p over the cells of a grid), `p_family` (with `permutations`); a row per cell.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """
    chosen = Options(**options)
    _check(chosen)
    loaded = (
        load(corpus, data_dir=data_dir, languages=languages, pivot=pivot, limit=limit)
        if isinstance(corpus, str)
        else corpus
    )
    bitexts = [bitext for bitext in loaded if isinstance(bitext, Bitext)]
    if not bitexts:
        raise ValueError("a lexicon's sides are not row by row the same; compare takes bitexts")
    with ExitStack() as stack:
        root = stack.enter_context(open_root(store, keep=keep))
        sides = [side for bitext in bitexts for side in (bitext.source, bitext.target)]
        sources = [
            open_source(
                one,
                sides,
                poolings=[chosen.pooling],
                layers=chosen.layers,
                root=root,
                store_dtype="float32",
                budget=None,
                progress=progress,
            )
            for one in (checkpoint, other)
            if one is not None
        ]
        _refuse_unlike(sources, chosen.measure)
        run: Run | None = None
        if out is not None:
            study = {
                "checkpoints": [source.columns["checkpoint"] for source in sources],
                "corpus": ",".join(dict.fromkeys(f"{b.corpus}/{b.split}" for b in bitexts)),
                **{"languages": languages, "pivot": pivot, "limit": limit},
                **vars(chosen),
            }
            fingerprints = [source.fingerprint for source in sources]
            run = stack.enter_context(open_run(Path(out), study, {"fingerprints": fingerprints}))
        known = [source.represent()[chosen.pooling] for source in sources]
        same = (chosen.sides or ("same" if len(sources) > 1 else "translations")) == "same"
        cells = plan(sources, known, bitexts, between=chosen.between, same=same, pooling=chosen.pooling)
        tables = []
        for done, cell in enumerate(cells, start=1):
            key = canonical_hash(
                {
                    "grid": cell.name,
                    "fingerprints": [source.fingerprint for source in sources],
                    "sentences": _digest(cell),
                    "options": vars(chosen),
                    "columns": [dict(source.columns) for source in sources],
                    "schema": SCHEMA,
                }
            )
            table = run.finished(key) if run else None
            if table is None:
                table = _table(cell, bitexts[0], chosen, memory, device)
                if run:
                    run.finish(key, Tables(table))
            tables.append(table)
            if cell_done is not None:
                cell_done(done, len(cells))
        whole = concatenate(tables)
        if run:
            run.write("scores", whole)
    if whole["value"].isna().all():
        raise ValueError(f"{chosen.measure} has no value in any cell: {whole['note'].iloc[0]}")
    return whole


def _digest(cell: Cell) -> str:
    """Return a hash of a grid's sentences, side by side, and their groups."""
    digest = hashlib.sha256(cell.groups.tobytes())
    seen: set[str] = set()
    for spot in (*cell.left, *(cell.right or ())):
        if spot.side.code not in seen:
            seen.add(spot.side.code)
            for row in spot.rows:
                digest.update("\0".join((spot.side.ids[row], spot.side.texts[row], "\1")).encode())
    return digest.hexdigest()


def _table(cell: Cell, bitext: Bitext, chosen: Options, memory: int, device: str) -> pd.DataFrame:
    """Return the table of a grid, all maps together."""
    return concatenate(
        _rows(cell, bitext, chosen, name, memory, device) for name in chosen.maps.split(",")
    )


def _rows(
    cell: Cell, bitext: Bitext, chosen: Options, map_name: str, memory: int, device: str
) -> pd.DataFrame:
    left = Spots(cell.left, map_name)
    right = None if cell.right is None else Spots(cell.right, map_name)
    found = grid(
        chosen.measure,
        left,
        right,
        intervals=chosen.intervals,
        groups=cell.groups,
        precision=chosen.precision,
        budget=memory,
        device=device,
        seed=chosen.seed,
    )
    family = np.full_like(found.value, np.nan)
    if chosen.permutations:
        family = family_wise(
            chosen.measure,
            left,
            left if right is None else right,
            draws=chosen.permutations,
            seed=chosen.seed,
            budget=memory,
        )
    right_spots = cell.left if cell.right is None else cell.right
    q = benjamini_hochberg(found.p)
    fixed = {
        "corpus": bitext.corpus,
        "split": bitext.split,
        "unit": "sentence",
        "pooling": chosen.pooling,
        "map": map_name,
        "map_fit": fitted_on(map_name, chosen.map_fit),
        "measure": chosen.measure,
        "direction": "both",
        "level": LEVEL,
        "null_kind": "shuffle",
        "n": found.n,
        "candidates": found.n,
        "groups": int(cell.groups.max()) + 1,
        "resample_seed": chosen.seed,
        "duplicates": "index",
    }
    return make_table(
        (
            _row(found, i, j, a, b) | fixed | {"q": q[i, j], "p_family": family[i, j]}
            for i, a in enumerate(cell.left)
            for j, b in enumerate(right_spots)
        ),
        grid=True,
    )


def _row(found: Grid, i: int, j: int, a: Spot, b: Spot) -> dict[str, Any]:
    value, null = float(found.value[i, j]), float(found.null[i, j])
    columns: Mapping[str, Any] = a.source.columns
    return {
        **columns,
        **{"family": "", "stage": "", "recipe": "", "train_seed": None},
        "source": a.side.language,
        "target": b.side.language,
        "source_code": a.side.code,
        "target_code": b.side.code,
        "layer": a.layer,
        "depth": a.layer / a.representations.last if a.representations.last else 1.0,
        "other_checkpoint": b.source.columns["checkpoint"],
        "other_revision": b.source.columns["revision"],
        "other_layer": b.layer,
        "value": value,
        "null": null,
        "z": found.z[i, j],
        "p": found.p[i, j],
        "low": found.low[i, j],
        "high": found.high[i, j],
        "interval": "group" if np.isfinite(found.low[i, j]) else "",
        "effect": MEASURES[found.measure].towards_best(null, value),
        "calibrated": float("nan"),
        "note": "; ".join(found.notes) if np.isnan(value) else "",
        "surface": float("nan"),
        "dim": None,
        "truncated": None,
        "unknown": None,
    }


def _check(chosen: Options) -> None:
    if chosen.between not in BETWEEN:
        raise ValueError(f"unknown between {chosen.between!r}: one of {', '.join(BETWEEN)}")
    if chosen.sides not in (None, *SIDES):
        raise ValueError(f"unknown sides {chosen.sides!r}: one of {', '.join(SIDES)}")
    if chosen.sides is not None and chosen.between != "layers":
        raise ValueError("--sides goes with --between layers; the other grids have all languages")
    for name in chosen.maps.split(","):
        check_in_sample(name, chosen.map_fit)
    grid_measure(chosen.measure)


def _refuse_unlike(sources: Sequence[Source], measure: str) -> None:
    """Refuse checkpoints whose numbers do not compare."""
    if len(sources) < 2:
        return
    families = {str(source.about["family"]) for source in sources if source.about.get("family")}
    if MEASURES[measure].family == "neuron" and len(families) > 1:
        raise ValueError(
            f"{measure} pairs neuron j with neuron j, which means nothing between the families "
            + " and ".join(sorted(families))
        )
    for name in ("dtype", "max_length", "prefix", "protocol"):
        a, b = (source.columns[name] for source in sources)
        if a != b:
            raise ValueError(
                f"the checkpoints are encoded with different {name} ({a} and {b}); name one for both"
            )
