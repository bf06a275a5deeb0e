"""The run folder: finished cells, and what was made from them.

    study.yaml        the settings, resolved
    provenance.json   versions, fingerprint, machine, when
    cells/<key>.parquet     a cell's scores
    items/<key>.parquet     what became of every sentence
    moves/<key>.parquet     how much each group, or random half, moves the scores that are no means
    cells/<key>.json        the checksums of these three, written last: the cell is finished
    failures.jsonl    cells that failed, with their errors
    scores.parquet    the table of the last command
    tables.json       the checksums of this and the other tables
    language_bias.parquet   in which language the nearest are, where strong measures were scored
    decomposition.parquet   its parts, where all steps of `map_decomposition` were scored

Running again computes only cells that are not finished; one of whose files is missing or damaged is not.
A folder is used by one process at a time.
"""

import json
import logging
import os
import platform
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
import yaml
from filelock import FileLock, Timeout

from ...data.rows import Row
from .files import (
    Damaged,
    read_columns,
    read_json,
    read_parquet,
    read_table,
    write_json,
    write_parquet,
    write_table,
    write_text,
)
from .table import COLUMNS, GRID_IDENTITY, INFLUENCES, Tables

if TYPE_CHECKING:
    import pyarrow

IDENTIFYING = ("checkpoint", "corpus", "measure", "direction", "source", "target", "layer")
T = TypeVar("T")
logger = logging.getLogger(__name__)

PARTS = ("cells", "items", "moves")  # the folders of a cell's scores, items and influence values


class Run:
    """A run folder that this process holds; made by `open_run`."""

    def __init__(self, folder: Path) -> None:
        """Take a folder; use `open_run` instead, which locks it."""
        self.folder = folder

    def finished(self, key: str) -> pd.DataFrame | None:
        """Return the table of a finished cell; None where it is not there, or damaged."""
        try:
            return read_cell(self.folder, key).scores
        except Damaged as error:
            logger.warning("%s; the cell is computed again", error)
        except FileNotFoundError:
            return None
        return None

    def finish(self, key: str, found: Tables) -> None:
        """Keep a cell; its checksums last, so that a finished cell always has the rest."""
        sums = {
            part: write_parquet(table, self.folder / part / f"{key}.parquet")
            for part, table in zip(PARTS, found, strict=True)
        }
        write_json(self.folder / "cells" / f"{key}.json", sums)

    def fail(self, cell: Row, error: Exception) -> None:
        """Note a failed cell; the run goes on."""
        row = dict(cell) | {"error": f"{type(error).__name__}: {error}"}
        with (self.folder / "failures.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    def items(self, key: str) -> pd.DataFrame:
        """Return what became of the sentences of a finished cell."""
        return read_cell(self.folder, key).items

    def write(self, name: str, table: pd.DataFrame) -> None:
        """Write a table that is made from all cells."""
        write_table(self.folder, name, table)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made if it is not there, against other processes.

    Raises:
        OSError: another process holds it.
    """
    with held(
        folder / ".lock", f"{folder}: another process is writing there; wait or name another `out`"
    ):
        yield


@contextmanager
def held(path: Path, otherwise: str) -> Iterator[None]:
    """Hold a lock against other processes.

    Args:
        path: its file; the folder is made if it is not there.
        otherwise: what is said where another process holds it.

    Raises:
        OSError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise OSError(otherwise) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_run(folder: Path, study: Row, provenance: Row) -> Iterator[Run]:
    """Lock a run folder, note what is run, and give the run.

    Raises:
        OSError: another process holds the folder; it cannot be written.
    """
    for part in PARTS:
        (folder / part).mkdir(parents=True, exist_ok=True)
    with locked(folder):
        (folder / "failures.jsonl").unlink(missing_ok=True)
        write_text(folder / "study.yaml", yaml.safe_dump(dict(study), sort_keys=False))
        known = {
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": {"platform": platform.platform(), "cores": os.cpu_count()},
            "versions": versions(),
        }
        write_text(folder / "provenance.json", json.dumps(known | dict(provenance), indent=1))
        yield Run(folder)


def read_cells(folder: Path) -> Iterator[Tables]:
    """Yield the tables of the finished cells of a run folder.

    Raises:
        Damaged: one of their files is missing, or not what was written.
    """
    return _each(folder, partial(read_cell, folder))


def read_columns_of_cells(
    folder: Path, scores: Collection[str], items: Collection[str]
) -> Iterator[tuple["pyarrow.Table", "pyarrow.Table", "pyarrow.Table"]]:
    """Yield some columns of the tables of the finished cells of a run folder, as `read_columns`.

    Args:
        folder: of the run.
        scores: columns of their scores.
        items: columns of their items, besides the measures.

    Raises:
        Damaged: one of their files is missing, or not what was written.
    """
    return _each(folder, partial(_columns_of_cell, folder, scores=scores, items=items))


def _each(folder: Path, read: Callable[[str], T]) -> Iterator[T]:
    """Yield what is read of each finished cell, by its key."""
    for path in sorted((folder / "cells").glob("*.json")):
        try:
            yield read(path.stem)
        except (Damaged, FileNotFoundError) as error:
            raise Damaged(f"{error}; run the command that made it once more") from None


def read_cell(folder: Path, key: str) -> Tables:
    """Return the tables of a finished cell.

    Raises:
        Damaged: one of its files is missing, or not what was written.
        FileNotFoundError: the cell is not finished.
    """
    with _its_parts(folder, key) as sums:
        return Tables(*(read_parquet(path, expected) for path, expected in sums.values()))


def _columns_of_cell(
    folder: Path, key: str, *, scores: Collection[str], items: Collection[str]
) -> tuple["pyarrow.Table", "pyarrow.Table", "pyarrow.Table"]:
    with _its_parts(folder, key) as sums:
        found = read_columns(*sums["cells"], scores)
        measures = found["measure"].unique().to_pylist()
        sentences = read_columns(*sums["items"], {*items, *measures})
        return found, sentences, read_columns(*sums["moves"], INFLUENCES)


@contextmanager
def _its_parts(folder: Path, key: str) -> Iterator[dict[str, tuple[Path, str]]]:
    """Give the files of a cell and their checksums; one that is missing is damage."""
    sums = read_json(folder / "cells" / f"{key}.json")
    try:
        yield {part: (folder / part / f"{key}.parquet", sums[part]) for part in PARTS}
    except (FileNotFoundError, KeyError) as error:
        raise Damaged(f"{getattr(error, 'filename', None) or folder} is missing") from None


def read_scores(folder: Path) -> pd.DataFrame:
    """Return the score table of a run folder, or of a .parquet file.

    Raises:
        OSError: there is none.
        ValueError: damaged, or no score table (but one of grids, say).
    """
    path = folder / "scores.parquet" if folder.is_dir() else folder
    if not path.is_file():
        raise OSError(f"{path}: no score table there; `crosslingual score` writes one")
    table = read_table(path)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(f"{path}: no score table (it has no column {missing[0]!r})")
    if GRID_IDENTITY[-1] in table:
        raise ValueError(
            f"{path}: grids of `compare`, not scores; their figures are in {path.parent / 'figures'}"
        )
    if table.empty or table[list(IDENTIFYING)].isna().any(axis=None):
        raise ValueError(f"{path}: no score table (a row without {', '.join(IDENTIFYING)}, or no row)")
    try:
        return table.astype(dict(COLUMNS))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: no score table ({' '.join(str(error).split())})") from None


def versions() -> dict[str, str]:
    """Return the versions of what the numbers depend on."""
    names = ("crosslingual", "torch", "transformers", "tokenizers", "numpy", "scipy", "scikit-learn")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
