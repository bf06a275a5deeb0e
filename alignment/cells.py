"""All cells of a run: those of a run folder are read, what lacks is computed, layers side by side."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import pandas as pd

from ..data import AnyBitext, Bitext, GoldBitext
from .cell import Cell, Found
from .entries import need_views
from .gold_cell import GoldCell, gold_measures
from .measures import Measure, choose_measures
from .pool import score_pool
from .protocols import PROTOCOLS
from .represent import Progress, Representations
from .run import Run
from .scored import Scored
from .settings import Settings
from .source import Source
from .table import SCHEMA, Tables, canonical_hash
from .threads import in_order, jobs_for
from .uncertainty import LEVEL, RESAMPLES
from .views import LARGEST, KeptViews

Represent = Callable[[], Mapping[str, Representations]]

# settings that change a cell's numbers and are not told by its layers, measures, pooling or map
_DECIDING = ("duplicates", "resample", "null", "seed", "store_dtype")


@dataclass(frozen=True, eq=False)
class _Task:
    key: str
    name: Mapping[str, str]
    bitext: AnyBitext
    fit: AnyBitext | None
    pooling: str
    map_name: str


def score_cells(
    source: Source,
    represent: Represent,
    bitexts: Sequence[AnyBitext],
    fits: Sequence[AnyBitext] | None,
    chosen: Settings,
    run: Run | None,
    cell_done: Progress | None,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the tables of all cells by their keys, read or computed, and what failed."""
    measures = cell_measures(chosen, bitexts)
    columns = {**source.columns, **chosen.labels(source.about)}
    tasks = list(_tasks(source, bitexts, fits, chosen, measures, columns)) if measures else []
    known = {task.key: run.finished(task.key) if run else None for task in tasks}
    lacking = [task for task in tasks if known[task.key] is None]
    vectors = represent() if lacking else {}  # with all threads, before layers are given one each
    under_way: deque[Cell | GoldCell] = deque()

    def pieces() -> Iterator[Callable[[], Found | ValueError]]:
        kept, scored = KeptViews(), None
        for task in lacking:
            about: dict[str, Any] = {
                "layers": source.layers[task.pooling],
                "map_name": task.map_name,
                "fit": task.fit,
                "measures": measures,
                "seed": chosen.seed,
                "columns": columns | {"pooling": task.pooling},
            }
            if isinstance(task.bitext, GoldBitext):
                cell: Cell | GoldCell = GoldCell(task.bitext, vectors[task.pooling], **about)
            else:
                if scored is None or scored.bitext is not task.bitext:
                    if scored is None or scored.bitext.target != task.bitext.target:
                        kept = KeptViews()
                    scored = Scored(task.bitext, chosen.duplicates, chosen.resample, chosen.null)
                cell = Cell(scored, vectors[task.pooling], **about, kept=kept)
            under_way.append(cell)
            yield from map(_caught, cell.work())

    rows = [max(len(side.sentences) for side in (b.source, b.target)) for b in bitexts]
    squares = need_views(measures)
    jobs = min((jobs_for(n, squares=squares and n <= LARGEST) for n in rows), default=1)
    failures: list[str] = []
    with closing(in_order(pieces(), jobs)) as results:
        for done, task in enumerate(lacking, start=len(tasks) - len(lacking) + 1):
            first = next(results)
            cell = under_way.popleft()
            try:
                found = [first, *islice(results, len(cell.work()) - 1)]
                made = cell.table([_raised(one) for one in found])
            except ValueError as error:
                failures.append(f"{task.bitext.name}: {error}")
                if run:
                    run.fail(task.name, error)
                continue
            if chosen.protocol:
                pinned = made.scores["direction"].isin(PROTOCOLS[chosen.protocol].directions)
                made = made._replace(scores=made.scores[pinned].reset_index(drop=True))
            if run:
                run.finish(task.key, made)
            known[task.key] = made.scores
            if cell_done is not None:
                cell_done(done, len(tasks))
    return {key: table for key, table in known.items() if table is not None}, failures


def cell_measures(chosen: Settings, bitexts: Sequence[AnyBitext]) -> list[Measure]:
    """Return the measures of cells: with one-to-one gold, those of the whole corpus are no cell's."""
    measures = choose_measures(chosen.measures)
    if any(isinstance(bitext, GoldBitext) for bitext in bitexts):
        return gold_measures(measures)
    return [measure for measure in measures if not measure.pooled]


def _tasks(
    source: Source,
    bitexts: Sequence[AnyBitext],
    fits: Sequence[AnyBitext] | None,
    chosen: Settings,
    measures: Sequence[Measure],
    columns: Mapping[str, Any],
) -> Iterator[_Task]:
    """Yield every cell: bitext by bitext, so that what its cells share is made once."""
    for number, bitext in enumerate(bitexts):
        for pooling, map_name in product(source.layers, chosen.map_names):
            fit = fits[number] if fits and map_name != "none" else None
            name = {"bitext": bitext.name, "pooling": pooling, "map": map_name}
            read = [_digest(bitext)] + ([_digest(fit)] if fit else [])
            key = _key(name, source, chosen, columns, source.layers[pooling], measures, read)
            yield _Task(key, name, bitext, fit, pooling, map_name)


def _caught(piece: Callable[[], Found]) -> Callable[[], Found | ValueError]:
    """Return a piece of work that returns what is wrong with its cell: the others go on."""

    def run() -> Found | ValueError:
        try:
            return piece()
        except ValueError as error:
            return error

    return run


def _raised(found: Found | ValueError) -> Found:
    if isinstance(found, ValueError):
        raise found
    return found


def score_pools(
    source: Source, represent: Represent, bitexts: Sequence[AnyBitext], chosen: Settings, run: Run | None
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Return the tables of the pooled measures and the language bias: a cell per pooling and map."""
    measures = [measure for measure in choose_measures(chosen.measures) if measure.pooled]
    one_to_one = [bitext for bitext in bitexts if isinstance(bitext, Bitext)]
    if not measures or not one_to_one:
        return [], []
    columns = {**source.columns, **chosen.labels(source.about)}
    tables, biases = [], []
    for pooling, map_name in product(source.layers, chosen.map_names):
        cell = {"pool": corpus_name(bitexts), "pooling": pooling, "map": map_name}
        layers = source.layers[pooling]
        key = _key(cell, source, chosen, columns, layers, measures, [_digest(b) for b in bitexts])
        table = run.finished(key) if run else None
        if table is not None and run:
            bias = run.items(key)
        else:
            table, bias = score_pool(
                one_to_one,
                represent()[pooling],
                layers=layers,
                map_name=map_name,
                measures=measures,
                resample=chosen.resample,
                seed=chosen.seed,
                columns=columns | {"pooling": pooling},
            )
            if run:
                run.finish(key, Tables(table, bias))
        tables.append(table)
        biases.append(bias)
    return tables, biases


def _key(
    cell: Mapping[str, Any],
    source: Source,
    chosen: Settings,
    columns: Mapping[str, Any],
    layers: Sequence[int],
    measures: Sequence[Measure],
    read: Sequence[str],
) -> str:
    """Return a hash of everything that decides a cell's numbers; `read` are digests of what is read."""
    decides = {
        "fingerprint": source.fingerprint,
        "columns": columns,
        "read": read,
        "layers": layers,
        "measures": [measure.name for measure in measures],
        "settings": [getattr(chosen, name) for name in _DECIDING],
        "intervals": [RESAMPLES, LEVEL],
        "schema": SCHEMA,
    }
    return canonical_hash({**cell, **decides})


def corpus_name(bitexts: Sequence[AnyBitext]) -> str:
    """Name the corpus of some bitexts in messages and settings."""
    return ",".join(dict.fromkeys(f"{bitext.corpus}/{bitext.split}" for bitext in bitexts))


def _digest(bitext: AnyBitext) -> str:
    """Return a hash of a bitext's ids, texts and groups: a changed corpus is scored anew."""
    digest = hashlib.sha256(f"{bitext.name}\0{bitext.source.language}\0".encode())
    for side in (bitext.source, bitext.target):
        for sentence in side.sentences:
            context = "" if sentence.context is None else repr(sentence.context)
            parts = sentence.id, sentence.text, sentence.group or "", context
            digest.update("\0".join(parts).encode() + b"\1")
    if isinstance(bitext, GoldBitext):
        digest.update(bitext.pairs.tobytes())
    return digest.hexdigest()
