"""`score`: a checkpoint and a corpus in, the table of alignment scores out.

The order of work: read the corpus, encode what the store does not have (each sentence once), then cell
by cell (bitext × pooling × map) neighbours, measures, nulls, intervals; finished cells are kept.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pandas as pd

from ...data import AnyBitext, Bitext, load
from ...data.bitext import MINIMUM
from ...data.gold import with_negatives
from ...data.noise import with_noise
from ...data.parallel import common
from ..checkpoints.checkpoint import Checkpoint
from ..maps.fitting import fit_bitexts
from ..maps.table import IN_SAMPLE, check_in_sample
from ..representations.given import GivenVectors
from ..representations.source import CheckpointLike, open_model, open_source
from ..runs.cells import Finished, run_cells
from ..runs.folder import Run, open_run
from ..runs.paths import open_root
from ..runs.progress import Progress, in_notebook, stage_of
from ..runs.table import concatenate
from ..statistics.bootstrap import RESAMPLES
from ..statistics.intervals import LEVEL
from .files import own_bitext, refuse_files
from .layer_aggregates import aggregates
from .map_decomposition import decomposition
from .options import ScoreOptions
from .random_floor import with_random_floor
from .schedule import Schedule, cell_measures, corpus_name
from .sentences import missed_translations
from .settings import Settings, resolve
from .undefined import say_undefined


def score_into(checkpoint: CheckpointLike, options: ScoreOptions, folder: Path) -> pd.DataFrame:
    """Score a checkpoint on a corpus into a run folder, and return the score table.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        options: what is asked for.
        folder: gets the finished cells and tables.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """
    settings = resolve(options, open_model(checkpoint, options))
    bitexts = _read(settings)
    one_to_one = _checked(bitexts, settings)
    with ExitStack() as stack:
        progress = stack.enter_context(in_notebook(options.progress))
        root = stack.enter_context(open_root(options.store))
        work = _Work(settings, bitexts, _fits(settings, bitexts), root, progress)
        schedule = work.schedule(settings.model)
        source = schedule.source
        source.take_share(options.share)
        study = {
            "checkpoint": source.columns["checkpoint"],
            "corpus": corpus_name(bitexts),
            **settings.study,
            **{name: source.columns[name] for name in ("dtype", "max_length", "prefix")},
            "bootstrap": {"resamples": RESAMPLES, "level": LEVEL},
        }
        run = stack.enter_context(open_run(folder, study, {"fingerprint": source.fingerprint}))
        cells, strong = work.score(schedule, run)
        table = _joined(cells, strong)
        if len(table):
            run.write("scores", table)
            say_undefined(table)
        _refuse_failures(cells, strong)
        if settings.options.random_init and isinstance(settings.model, Checkpoint):
            table = with_random_floor(table, settings.model.random_copies(), work.floor(run))
            run.write("scores", table)
        _write_more(settings, run, cells, strong, one_to_one)
    return table


@dataclass(frozen=True, eq=False)
class _Work:
    """What is scored, of the checkpoint and of its random copies."""

    settings: Settings
    bitexts: Sequence[AnyBitext]
    fits: Sequence[AnyBitext] | None
    root: Path  # of the store
    progress: Progress | None

    def schedule(self, model: Checkpoint | GivenVectors) -> Schedule:
        """Return the cells of a model."""
        options = self.settings.options
        source = open_source(
            model,
            [side for b in (*self.bitexts, *(self.fits or ())) for side in (b.source, b.target)],
            poolings=self.settings.poolings,
            layers=str(options.layers),
            root=self.root,
            store_dtype=options.store_dtype,
            batch_tokens=options.batch_tokens,
            progress=stage_of(self.progress, "encoding"),
        )
        # encodes what is missing, when first a cell is not finished yet
        represent = cache(source.represent)
        return Schedule(self.settings, source, represent, self.bitexts, self.fits)

    def score(self, schedule: Schedule, run: Run) -> tuple[Finished, Finished]:
        """Return the finished cells of bitexts, and those of the whole corpus."""
        done, represent = stage_of(self.progress, "scoring"), schedule.represent
        # vectors are made with all threads, before layers are given one each
        return (
            run_cells(
                schedule.bitext_cells(), run, engine=schedule.engine(), prepare=represent, done=done
            ),
            run_cells(
                schedule.strong_cells(), run, engine=schedule.engine(pooled=True), prepare=represent,
                done=done,
            ),
        )  # fmt: skip

    def floor(self, run: Run) -> Callable[[Checkpoint], pd.DataFrame]:
        """Return what scores a random copy."""

        def scored(copy: Checkpoint) -> pd.DataFrame:
            found = self.score(self.schedule(copy), run)
            _refuse_failures(*found)
            return _joined(*found)

        return scored


def _joined(*parts: Finished) -> pd.DataFrame:
    tables = [table for part in parts for table in part.scores.values()]
    return concatenate(tables) if tables else pd.DataFrame()


def _refuse_failures(*parts: Finished) -> None:
    whole = {key: table for part in parts for key, table in part.scores.items()}
    failures = [failure for part in parts for failure in part.failures]
    replace(parts[0], scores=whole, failures=failures).refuse_failures()


def _read(settings: Settings) -> Sequence[AnyBitext]:
    """Return the bitexts that are asked for."""
    options = settings.options
    if options.corpus == "files":
        bitexts: Sequence[AnyBitext] = [own_bitext(options, limit=options.limit, seed=options.seed)]
        return _changed(bitexts, settings)
    refuse_files(options)
    bitexts = (
        load(
            options.corpus,
            data_dir=options.data_dir,
            languages=str(options.languages),
            pivot=options.pivot,
            pairs=None if options.pairs is None else str(options.pairs),
            limit=options.limit,
        )
        if isinstance(options.corpus, str)
        else [bitext.head(options.limit) for bitext in options.corpus]
    )
    return _changed(bitexts, settings)


def _changed(bitexts: Sequence[AnyBitext], settings: Settings) -> Sequence[AnyBitext]:
    """Return bitexts with noise and with hard negatives, if they are asked for."""
    options = settings.options
    if options.noise:
        if isinstance(settings.model, GivenVectors):
            raise ValueError("given vectors are of texts without `noise`")
        plain = [bitext for bitext in bitexts if isinstance(bitext, Bitext)]
        if len(plain) < len(bitexts):
            raise ValueError("`noise` is of sentences with one-to-one gold")
        bitexts = [with_noise(bitext, options.noise, options.seed) for bitext in plain]
    if options.hard_negatives is None:
        return bitexts
    path, by_class = Path(options.hard_negatives), options.duplicates == "class"
    return [with_negatives(bitext, path, by_class=by_class) for bitext in bitexts]


def _fits(settings: Settings, bitexts: Sequence[AnyBitext]) -> Sequence[AnyBitext] | None:
    """Return what maps are fitted on, for each bitext; None for the scored sentences themselves."""
    options = settings.options
    if options.map_fit in ("", IN_SAMPLE) or settings.maps == ["none"]:
        return None
    return fit_bitexts(options.map_fit, bitexts, data_dir=options.data_dir)


def _checked(bitexts: Sequence[AnyBitext], settings: Settings) -> list[Bitext]:
    """Return the bitexts whose gold is one-to-one: all of them, or none.

    Raises:
        ValueError: too few sentences, or a setting that the bitexts do not have.
    """
    options = settings.options
    for bitext in bitexts:
        if settings.unit and bitext.unit != settings.unit:
            raise ValueError(
                f"protocol {options.protocol} is of {settings.unit}s; {bitext.name} has {bitext.unit}s"
            )
        if len(bitext) < MINIMUM:
            raise ValueError(f"{bitext.name} has {len(bitext)} sentences; at least {MINIMUM} are needed")
        if isinstance(bitext, Bitext) and options.null == "document" and bitext.groups is None:
            raise ValueError(f"{bitext.name} has no documents, which `null` document needs")
    cell_measures(settings, bitexts)
    one_to_one = [bitext for bitext in bitexts if isinstance(bitext, Bitext)]
    if not one_to_one:
        asked = {
            "`errors`": options.errors,
            f"`null` {options.null}": options.null != "shuffle",
            "map decomposition; take fewer maps": settings.decomposed,
        }
        for what in (what for what, wanted in asked.items() if wanted):
            raise ValueError(f"{bitexts[0].name}: many-to-many gold has no {what}")
    elif len(one_to_one) < len(bitexts):
        raise ValueError("one-to-one and many-to-many bitexts do not go into one table")
    if one_to_one and any(measure.strong for measure in settings.measures):
        common(one_to_one)
        for name in settings.maps:
            check_in_sample(name, options.map_fit)
    return one_to_one


def _write_more(
    settings: Settings, run: Run, cells: Finished, strong: Finished, one_to_one: Sequence[Bitext]
) -> None:
    """Write the tables that are made of finished cells."""
    options = settings.options
    if strong.scores:
        run.write("language_bias", pd.concat([bias for _, bias in strong.tables()], ignore_index=True))
    if settings.decomposed:
        run.write("decomposition", decomposition(cells.tables(), seed=options.seed))
    if options.protocol == "mexa":
        run.write("aggregates", aggregates(cells.tables(), seed=options.seed))
    if options.errors:
        run.write("errors", _errors(one_to_one, cells))


def _errors(bitexts: Sequence[Bitext], cells: Finished) -> pd.DataFrame:
    """Return what was retrieved instead of each missed translation, cell by cell."""
    known = {(b.corpus, b.split, b.source.code, b.target.code): b for b in bitexts}
    by = ["corpus", "split", "source_code", "target_code"]
    missed = [
        missed_translations(known[tuple(table.iloc[0][by])], table, items)
        for table, items in cells.tables()
    ]
    return pd.concat(missed, ignore_index=True)
