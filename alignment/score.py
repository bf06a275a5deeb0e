"""`score`: a checkpoint and a corpus in, the table of alignment scores out.

The order of work: read the corpus, encode what the store lacks (each sentence once), then cell by cell
(bitext × pooling × map) neighbours, measures, nulls, intervals; finished cells are kept.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ..data import AnyBitext, Bitext, load
from ..data.bitext import MINIMUM
from ..data.gold import with_negatives
from .aggregates import aggregates
from .bars import in_notebook
from .cells import cell_measures, corpus_name, score_cells, score_pools
from .checkpoint import Checkpoint, open_checkpoint
from .entries import need_pairing
from .fitting import fit_bitexts
from .home import open_root
from .items import missed_translations
from .ladder import RUNGS, decomposition
from .maps import IN_SAMPLE, check_in_sample
from .measures import choose_measures
from .plan import common
from .protocols import PROTOCOLS, RetrievalProtocol, choose_protocol
from .represent import Progress
from .run import Run, open_run
from .settings import Settings
from .source import Source, open_source
from .table import concatenate
from .twins import twins_of, with_random_floor
from .uncertainty import LEVEL, RESAMPLES
from .vectors import PREFIX


class Scores(NamedTuple):
    """What was found for one checkpoint."""

    cells: dict[str, pd.DataFrame]  # by key
    table: pd.DataFrame
    bias: list[pd.DataFrame]
    failures: list[str]


def score(
    checkpoint: Checkpoint | str | Path,
    corpus: str | Sequence[AnyBitext],
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
    hard_negatives: str | Path | None = None,
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
        hard_negatives: a file of more candidates in the target's language; see `with_negatives`.
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
    given = isinstance(checkpoint, str) and checkpoint.startswith(PREFIX)
    if given and chosen.random_twin:
        raise ValueError(
            "vectors have no architecture to make a random twin of; leave out --random-twin"
        )
    model = checkpoint if given or isinstance(checkpoint, Checkpoint) else open_checkpoint(checkpoint)
    if errors and not need_pairing(measures):
        raise ValueError("--errors needs a measure of retrieval: add accuracy to --measures")
    bitexts: Sequence[AnyBitext] = (
        load(corpus, data_dir=data_dir, languages=languages, pivot=pivot, pairs=pairs, limit=limit)
        if isinstance(corpus, str)
        else [bitext.head(limit) for bitext in corpus]
    )
    if hard_negatives is not None:
        by_class = chosen.duplicates == "class"
        bitexts = [with_negatives(b, Path(hard_negatives), by_class=by_class) for b in bitexts]
    one_to_one = _checked(bitexts, chosen, protocol, errors=errors)
    fits: Sequence[AnyBitext] | None = None
    if chosen.map_fit not in ("", IN_SAMPLE) and chosen.map_names != ["none"]:
        fits = fit_bitexts(chosen.map_fit, bitexts, data_dir=data_dir)
    if one_to_one and any(measure.pooled for measure in measures):
        common(one_to_one)
        for name in chosen.map_names:
            check_in_sample(name, chosen.map_fit)
    with ExitStack() as stack:
        progress = stack.enter_context(in_notebook(progress, "encoding", "sentences"))
        cell_done = stack.enter_context(in_notebook(cell_done, "scoring", "cells"))
        root = stack.enter_context(open_root(store, keep=keep))
        sides = [side for b in (*bitexts, *(fits or ())) for side in (b.source, b.target)]

        def opened(of: Checkpoint | str | Path) -> Source:
            return open_source(
                of,
                sides,
                poolings=chosen.pooling_names,
                layers=chosen.layers,
                root=root,
                store_dtype=chosen.store_dtype,
                budget=budget,
                progress=progress,
                protocol=protocol,
            )

        source = opened(model)
        run: Run | None = None
        if out is not None:
            study = {
                "checkpoint": source.columns["checkpoint"],
                "corpus": corpus_name(bitexts),
                **{"languages": languages, "pivot": pivot, "pairs": pairs, "limit": limit},
                "hard_negatives": None if hard_negatives is None else str(hard_negatives),
                **asdict(chosen),
                **{name: source.columns[name] for name in ("dtype", "max_length", "prefix")},
                "bootstrap": {"resamples": RESAMPLES, "level": LEVEL},
            }
            run = stack.enter_context(open_run(Path(out), study, {"fingerprint": source.fingerprint}))

        def scored(of: Source) -> Scores:
            represent = cache(of.represent)  # encodes what lacks, when first a cell is not finished yet
            cells, failures = score_cells(of, represent, bitexts, fits, chosen, run, cell_done)
            pools, bias = ([], []) if failures else score_pools(of, represent, bitexts, chosen, run)
            every = [*cells.values(), *pools]
            return Scores(cells, concatenate(every) if every else pd.DataFrame(), bias, failures)

        def floor(twin: Checkpoint) -> pd.DataFrame:
            found = scored(opened(twin))
            if found.failures:
                raise ValueError(f"{twin.name} cannot be scored: {found.failures[0]}")
            return found.table

        tables, table, bias, failures = scored(source)
        if run and len(table):
            run.write("scores", table)
        if chosen.random_twin and isinstance(model, Checkpoint) and not failures:
            table = with_random_floor(table, twins_of(model), floor)
        if run and len(table):
            run.write("scores", table)
            if bias:
                run.write("language_bias", pd.concat(bias, ignore_index=True))
            if set(RUNGS) <= set(chosen.map_names):
                run.write("decomposition", decomposition(_cells(run, tables), seed=chosen.seed))
            if protocol is not None and protocol.name == "mexa":
                run.write("aggregates", aggregates(_cells(run, tables), seed=chosen.seed))
            if errors:
                run.write("errors", _errors(one_to_one, _cells(run, tables)))
    if failures:
        raise ValueError(
            f"{len(failures)} of {len(failures) + len(tables)} cells failed, the others are kept; first "
            + failures[0]
        )
    return table


def _checked(
    bitexts: Sequence[AnyBitext],
    chosen: Settings,
    protocol: RetrievalProtocol | None,
    *,
    errors: bool,
) -> list[Bitext]:
    """Return the bitexts whose gold is one-to-one: all of them, or none.

    Raises:
        ValueError: too few sentences, or a setting that the bitexts do not have.
    """
    for bitext in bitexts:
        if protocol is not None and bitext.unit != protocol.unit:
            raise ValueError(
                f"protocol {protocol.name} is of {protocol.unit}s; {bitext.name} has {bitext.unit}s"
            )
        if len(bitext) < MINIMUM:
            raise ValueError(f"{bitext.name} has {len(bitext)} sentences; at least {MINIMUM} are needed")
        if isinstance(bitext, Bitext) and chosen.null == "document" and bitext.groups is None:
            raise ValueError(f"{bitext.name} has no documents for --null document")
    cell_measures(chosen, bitexts)
    one_to_one = [bitext for bitext in bitexts if isinstance(bitext, Bitext)]
    if not one_to_one:
        asked = {
            "--errors": errors,
            f"--null {chosen.null}": chosen.null != "shuffle",
            "decomposition; take fewer maps than the ladder's": set(RUNGS) <= set(chosen.map_names),
        }
        for what in (what for what, wanted in asked.items() if wanted):
            raise ValueError(f"{bitexts[0].name}: many-to-many gold has no {what}")
    elif len(one_to_one) < len(bitexts):
        raise ValueError("one-to-one and many-to-many bitexts do not go into one table")
    return one_to_one


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
