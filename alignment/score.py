"""`score`: a checkpoint and a corpus in, the table of alignment scores out.

The order of work: read the corpus, encode what the store lacks (each sentence once), then cell by cell
(bitext × pooling × map) neighbours, measures, nulls, intervals; finished cells are kept.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..data import Bitext, load
from ..data.bitext import MINIMUM
from ..data.languages import nearest
from .cell import Scored, score_cell
from .checkpoint import Checkpoint, open_checkpoint
from .home import store_root
from .maps import MAPS
from .measures import choose_measures
from .represent import Progress, Representations, represent
from .run import Run, open_run
from .table import SCHEMA, canonical_hash, concatenate
from .uncertainty import LEVEL, RESAMPLES
from .vectors import PREFIX, GivenVectors

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Everything that decides the numbers, besides checkpoint and corpus; the flags of `score`."""

    layers: str = "all"
    pooling: str = "mean"
    maps: str = "none"
    measures: str = "all"
    duplicates: str = "class"
    resample: str = "group"
    seed: int = 0
    family: str | None = None
    stage: str | None = None
    recipe: str | None = None
    train_seed: int | None = None
    store_dtype: str = "float32"


def score(
    checkpoint: Checkpoint | str | Path,
    corpus: str | Sequence[Bitext],
    *,
    data_dir: str | Path | None = None,
    languages: str = "all",
    pivot: str = "en",
    pairs: str | None = None,
    limit: int | None = None,
    out: str | Path | None = None,
    store: str | Path | None = None,
    keep: bool = True,
    budget: int | None = None,
    progress: Progress | None = None,
    cell_done: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Return the scores of a checkpoint on a corpus, for every layer and language.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        corpus: a name for `crosslingual.data.load`, or bitexts.
        data_dir: where the corpus lies.
        languages: the sources: "all" or codes and tags joined by commas.
        pivot: the target.
        pairs: instead of a pivot, `de-fr,ru-zh` or "all".
        limit: only the first so many sentences of each bitext.
        out: a run folder to keep finished cells in; without one nothing but the store is kept.
        store: root of the store.
        keep: False encodes into a temporary store that is deleted at the end.
        budget: padded tokens of a batch.
        progress: called with (sentences done, of how many, seconds).
        cell_done: called with (cells done, of how many).
        settings: fields of `Settings`.

    Returns:
        The score table (docs/design.md, 4.7), a row per layer, pair, pooling, map, measure, direction.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """
    chosen = Settings(**settings)
    _check(chosen)
    measures = choose_measures(chosen.measures)
    bitexts = (
        load(corpus, data_dir=data_dir, languages=languages, pivot=pivot, pairs=pairs, limit=limit)
        if isinstance(corpus, str)
        else list(corpus)
    )
    for bitext in bitexts:
        if len(bitext) < MINIMUM:
            raise ValueError(f"{bitext.name} has {len(bitext)} sentences; at least {MINIMUM} are needed")
    with ExitStack() as stack:
        if keep:
            root = store_root(store)
        else:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crosslingual-")))
        columns, available, represented = _source(checkpoint, bitexts, chosen, root, budget, progress)
        run: Run | None = None
        if out is not None:
            study = {"checkpoint": columns["checkpoint"], "corpus": _corpus_name(bitexts)} | {
                "languages": languages,
                "pivot": pivot,
                "pairs": pairs,
                "limit": limit,
                **asdict(chosen),
                "dtype": columns["dtype"],
                "max_length": columns["max_length"],
                "prefix": columns["prefix"],
                "bootstrap": {"resamples": RESAMPLES, "level": LEVEL},
            }
            run = stack.enter_context(
                open_run(Path(out), study, {"fingerprint": columns["fingerprint"]})
            )
        names = [m.name for m in measures]
        cells = [(b, p, m) for b in bitexts for p in _split(chosen.pooling) for m in _split(chosen.maps)]
        fingerprint = columns.pop("fingerprint")
        tables: list[pd.DataFrame] = []
        failures: list[str] = []
        scored: Scored | None = None
        representations: Mapping[str, Representations] | None = None
        for done, (bitext, pooling, map_name) in enumerate(cells, start=1):
            layers = parse_layers(chosen.layers, available[pooling])
            identity = {
                "fingerprint": fingerprint,
                "columns": columns,
                "bitext": _digest(bitext),
                "pooling": pooling,
                "map": map_name,
                "layers": layers,
                "measures": names,
                "settings": asdict(chosen) | {"layers": "", "pooling": "", "maps": "", "measures": ""},
                "intervals": [RESAMPLES, LEVEL],
                "schema": SCHEMA,
            }
            key = canonical_hash(identity)
            table = run.finished(key) if run else None
            if table is None:
                if representations is None:
                    representations = represented()
                if scored is None or scored.bitext is not bitext:
                    scored = Scored(bitext, chosen.duplicates, chosen.resample)
                try:
                    table, items = score_cell(
                        scored,
                        representations[pooling],
                        layers=layers,
                        map_name=map_name,
                        measures=measures,
                        seed=chosen.seed,
                        columns=columns | {"pooling": pooling},
                    )
                except ValueError as error:
                    failures.append(f"{bitext.name}: {error}")
                    if run:
                        run.fail({"bitext": bitext.name, "pooling": pooling, "map": map_name}, error)
                    continue
                if run:
                    run.finish(key, table, items)
            tables.append(table)
            if cell_done is not None:
                cell_done(done, len(cells))
        if run and tables:
            run.write_scores(concatenate(tables))
    if failures:
        raise ValueError(
            f"{len(failures)} of {len(cells)} cells failed, the others are kept; first {failures[0]}"
        )
    return concatenate(tables)


def parse_layers(wanted: str, available: Sequence[int]) -> list[int]:
    """Return layer numbers from "all", "last", or numbers and ranges: "0,4-6".

    Raises:
        ValueError: not such a list, or a layer that is not available.
    """
    if wanted == "all":
        return list(available)
    if wanted == "last":
        return [available[-1]]
    layers: set[int] = set()
    for part in wanted.split(","):
        first, _, end = part.strip().partition("-")
        if not first.isdecimal() or (end and not end.isdecimal()):
            raise ValueError(f"--layers {wanted!r}: expected all, last, or numbers like 0,4-6")
        layers.update(range(int(first), int(end or first) + 1))
    outside = sorted(layers - set(available))
    if outside:
        raise ValueError(
            f"layer {outside[0]} is out of range: there are the layers {available[0]} to {available[-1]}"
        )
    return sorted(layers)


def _source(
    checkpoint: Checkpoint | str | Path,
    bitexts: Sequence[Bitext],
    chosen: Settings,
    root: Path,
    budget: int | None,
    progress: Progress | None,
) -> tuple[dict[str, Any], dict[str, Sequence[int]], Callable[[], Mapping[str, Representations]]]:
    """Return the checkpoint's columns, the layers of each pooling, and how to get the vectors."""
    poolings = _split(chosen.pooling)
    columns: dict[str, Any] = {
        "protocol": "",
        "revision": "",
        "parameters": None,
        "dtype": "float32",
        "max_length": None,
        "prefix": "",
    }
    about: Mapping[str, Any] = {}
    if isinstance(checkpoint, str) and checkpoint.startswith(PREFIX):
        given = GivenVectors(Path(checkpoint.removeprefix(PREFIX)))
        columns |= {"checkpoint": checkpoint, "fingerprint": given.fingerprint}
        if poolings != ["mean"]:
            raise ValueError("vectors are pooled already; leave out --pooling")
        available: dict[str, Sequence[int]] = dict.fromkeys(poolings, given.available)

        def represented() -> Mapping[str, Representations]:
            return dict.fromkeys(poolings, given)

    else:
        model = checkpoint if isinstance(checkpoint, Checkpoint) else open_checkpoint(checkpoint)
        about = model.about
        every = range(model.layers + 1)
        parse_layers(chosen.layers, every)  # before anything is computed
        available = {name: [model.layers] if name == "native" else every for name in poolings}
        columns |= {
            "checkpoint": model.name,
            "revision": model.revision,
            "fingerprint": model.fingerprint,
            "parameters": model.parameters,
            "dtype": model.dtype,
            "max_length": model.max_length,
            "prefix": model.prefix,
        }

        def represented() -> Mapping[str, Representations]:
            return represent(
                model,
                [side for bitext in bitexts for side in (bitext.source, bitext.target)],
                root=root,
                poolings=poolings,
                layers=parse_layers(chosen.layers, every),
                store_dtype=chosen.store_dtype,
                budget=budget,
                progress=progress,
            )

    for name in ("family", "stage", "recipe", "train_seed"):
        flag = getattr(chosen, name)
        known = about.get("seed" if name == "train_seed" else name)
        columns[name] = flag if flag is not None else known if name == "train_seed" else known or ""
    return columns, available, represented


def _check(chosen: Settings) -> None:
    for name in _split(chosen.maps):
        if name not in MAPS:
            raise ValueError(f"unknown map {name!r}: {nearest(name, MAPS)}")
    for field, options in (
        ("duplicates", ("class", "index")),
        ("resample", ("group", "sentence")),
        ("store_dtype", ("float32", "float16")),
    ):
        if getattr(chosen, field) not in options:
            raise ValueError(f"unknown {field} {getattr(chosen, field)!r}: one of {', '.join(options)}")


def _split(names: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))


def _corpus_name(bitexts: Sequence[Bitext]) -> str:
    return ",".join(dict.fromkeys(f"{bitext.corpus}/{bitext.split}" for bitext in bitexts))


def _digest(bitext: Bitext) -> str:
    """Return a hash of a bitext's ids, texts and groups: a changed corpus is scored anew."""
    digest = hashlib.sha256(f"{bitext.name}\0{bitext.source.language}\0".encode())
    for side in (bitext.source, bitext.target):
        for sentence in side.sentences:
            digest.update("\0".join((sentence.id, sentence.text, sentence.group or "")).encode())
            digest.update(b"\1")
    return digest.hexdigest()
