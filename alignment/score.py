"""`score`: a checkpoint and a corpus in, the table of alignment scores out.

The order of work: read the corpus, encode what the store lacks (each sentence once), then cell by cell
(bitext × pooling × map) neighbours, measures, nulls, intervals; finished cells are kept.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from ..data import Bitext, load
from ..data.bitext import MINIMUM
from .aggregates import aggregates
from .cell import Scored, need_pairing, score_cell
from .checkpoint import Checkpoint
from .fitting import fit_bitexts
from .home import open_root
from .items import missed_translations
from .ladder import RUNGS, decomposition
from .maps import IN_SAMPLE, check_in_sample
from .measures import Measure, choose_measures
from .plan import common
from .pool import score_pool
from .protocols import ALL, PROTOCOLS, choose_protocol
from .represent import Progress, Representations
from .run import Run, open_run
from .settings import Settings
from .source import Source, open_source
from .table import SCHEMA, canonical_hash, concatenate
from .uncertainty import LEVEL, RESAMPLES

Represent = Callable[[], Mapping[str, Representations]]

# settings that change a cell's numbers and are not told by its layers, measures, pooling or map
_DECIDING = ("duplicates", "resample", "null", "seed", "store_dtype")


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
    cell_done: Progress | None = None,
    errors: bool = False,
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
        progress: called with (sentences done, of how many).
        cell_done: called with (cells done, of how many).
        errors: write `errors.parquet` to the run folder: what was retrieved instead of translations.
        settings: fields of `Settings`.

    Returns:
        The score table (docs/design.md, 4.7), a row per layer, pair, pooling, map, measure, direction.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """
    chosen = Settings(**settings)
    protocol = choose_protocol(chosen.protocol, PROTOCOLS)
    if protocol is not None:
        chosen = chosen.under(protocol, limit)
        limit = protocol.limit if protocol.limit is not None else limit
    chosen.check()
    measures = choose_measures(chosen.measures)
    if errors and not need_pairing(measures):
        raise ValueError("--errors needs a measure of retrieval: add accuracy to --measures")
    bitexts = (
        load(corpus, data_dir=data_dir, languages=languages, pivot=pivot, pairs=pairs, limit=limit)
        if isinstance(corpus, str)
        else [bitext.head(limit) for bitext in corpus]
    )
    for bitext in bitexts:
        if len(bitext) < MINIMUM:
            raise ValueError(f"{bitext.name} has {len(bitext)} sentences; at least {MINIMUM} are needed")
        if chosen.null == "document" and bitext.groups is None:
            raise ValueError(f"{bitext.name} has no documents for --null document")
    fits: Sequence[Bitext] | None = None
    if chosen.map_fit not in ("", IN_SAMPLE) and chosen.map_names != ["none"]:
        fits = fit_bitexts(chosen.map_fit, bitexts, data_dir=data_dir)
    if any(measure.pooled for measure in measures):
        common(bitexts)
        for name in chosen.map_names:
            check_in_sample(name, chosen.map_fit)
    with ExitStack() as stack:
        root = stack.enter_context(open_root(store, keep=keep))
        source = open_source(
            checkpoint,
            [side for bitext in (*bitexts, *(fits or ())) for side in (bitext.source, bitext.target)],
            poolings=chosen.pooling_names,
            layers=chosen.layers,
            root=root,
            store_dtype=chosen.store_dtype,
            budget=budget,
            progress=progress,
            protocol=protocol,
        )
        run: Run | None = None
        if out is not None:
            study = {
                "checkpoint": source.columns["checkpoint"],
                "corpus": _corpus_name(bitexts),
                **{"languages": languages, "pivot": pivot, "pairs": pairs, "limit": limit},
                **asdict(chosen),
                **{name: source.columns[name] for name in ("dtype", "max_length", "prefix")},
                "bootstrap": {"resamples": RESAMPLES, "level": LEVEL},
            }
            run = stack.enter_context(open_run(Path(out), study, {"fingerprint": source.fingerprint}))
        represent = cache(source.represent)  # encodes what lacks, when first a cell is not finished yet
        tables, failures = _score_cells(source, represent, bitexts, fits, chosen, run, cell_done)
        pools = [] if failures else _score_pools(source, represent, bitexts, chosen, run)
        if run and (tables or pools):
            run.write("scores", concatenate([*tables.values(), *pools]))
            if set(RUNGS) <= set(chosen.map_names):
                run.write("decomposition", decomposition(_cells(run, tables), seed=chosen.seed))
            if protocol is not None and protocol.layers == ALL:
                run.write("aggregates", aggregates(_cells(run, tables), seed=chosen.seed))
            if errors:
                run.write("errors", _errors(bitexts, _cells(run, tables)))
    if failures:
        raise ValueError(
            f"{len(failures)} of {len(failures) + len(tables)} cells failed, the others are kept; first "
            + failures[0]
        )
    return concatenate([*tables.values(), *pools])


def _score_cells(
    source: Source,
    represent: Represent,
    bitexts: Sequence[Bitext],
    fits: Sequence[Bitext] | None,
    chosen: Settings,
    run: Run | None,
    cell_done: Progress | None,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the tables of all cells by their keys, read or computed, and what failed."""
    measures = [measure for measure in choose_measures(chosen.measures) if not measure.pooled]
    columns = {**source.columns, **chosen.labels(source.about)}
    tables: dict[str, pd.DataFrame] = {}
    failures: list[str] = []
    variants = list(product(source.layers, chosen.map_names)) if measures else []
    for number, bitext in enumerate(bitexts):
        scored = Scored(bitext, chosen.duplicates, chosen.resample, chosen.null)
        for place, (pooling, map_name) in enumerate(variants, start=1):
            fit = fits[number] if fits and map_name != "none" else None
            cell = {"bitext": bitext.name, "pooling": pooling, "map": map_name}
            read = [_digest(bitext)] + ([_digest(fit)] if fit else [])
            key = _key(cell, source, chosen, columns, source.layers[pooling], measures, read)
            table = run.finished(key) if run else None
            if table is None:
                vectors = represent()[pooling]
                try:
                    table, items = score_cell(
                        scored,
                        vectors,
                        layers=source.layers[pooling],
                        map_name=map_name,
                        fit=fit,
                        measures=measures,
                        seed=chosen.seed,
                        columns=columns | {"pooling": pooling},
                    )
                except ValueError as error:
                    failures.append(f"{bitext.name}: {error}")
                    if run:
                        run.fail(cell, error)
                    continue
                if chosen.protocol:
                    pinned = table["direction"].isin(PROTOCOLS[chosen.protocol].directions)
                    table = table[pinned].reset_index(drop=True)
                if run:
                    run.finish(key, table, items)
            tables[key] = table
            if cell_done is not None:
                cell_done(number * len(variants) + place, len(bitexts) * len(variants))
    return tables, failures


def _score_pools(
    source: Source, represent: Represent, bitexts: Sequence[Bitext], chosen: Settings, run: Run | None
) -> list[pd.DataFrame]:
    """Return the tables of the pooled measures: a cell per pooling and map, of all languages."""
    measures = [measure for measure in choose_measures(chosen.measures) if measure.pooled]
    if not measures:
        return []
    columns = {**source.columns, **chosen.labels(source.about)}
    tables = []
    for pooling, map_name in product(source.layers, chosen.map_names):
        cell = {"pool": _corpus_name(bitexts), "pooling": pooling, "map": map_name}
        layers = source.layers[pooling]
        key = _key(cell, source, chosen, columns, layers, measures, [_digest(b) for b in bitexts])
        table = run.finished(key) if run else None
        if table is None:
            table = score_pool(
                bitexts,
                represent()[pooling],
                layers=layers,
                map_name=map_name,
                measures=measures,
                resample=chosen.resample,
                seed=chosen.seed,
                columns=columns | {"pooling": pooling},
            )
            if run:
                run.finish(key, table, pd.DataFrame())
        tables.append(table)
    return tables


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


def _cells(run: Run, tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield score table and items of every cell."""
    return ((table, run.items(key)) for key, table in tables.items())


def _errors(
    bitexts: Sequence[Bitext], cells: Iterable[tuple[pd.DataFrame, pd.DataFrame]]
) -> pd.DataFrame:
    """Return what was retrieved instead of each missed translation, cell by cell."""
    known = {(b.corpus, b.split, b.source.code, b.target.code): b for b in bitexts}
    by = ["corpus", "split", "source_code", "target_code"]
    found = [
        missed_translations(known[tuple(table.iloc[0][by])], table, items) for table, items in cells
    ]
    return pd.concat(found, ignore_index=True)


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
