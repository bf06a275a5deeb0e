"""The run folder: finished cells, and what was made from them.

    study.yaml        the settings, resolved
    provenance.json   versions, fingerprint, machine, when
    cells/<key>.parquet     a cell's scores, written atomically
    items/<key>.parquet     what became of every sentence
    moves/<key>.parquet     how much each group, or random half, moves the scores that are no means
    failures.jsonl    cells that failed, with their errors
    scores.parquet    the table of the last command
    language_bias.parquet   in which language the nearest are, where strong measures were scored
    decomposition.parquet   its parts, where all steps of `map_decomposition` were scored

Running again computes only cells whose key is not there yet. A folder is used by one process at a time.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd
import yaml

from ...data.rows import Row
from .table import Tables


class Run:
    """A run folder that this process holds; made by `open_run`."""

    def __init__(self, folder: Path) -> None:
        """Take a folder; use `open_run` instead, which locks it."""
        self.folder = folder

    def finished(self, key: str) -> pd.DataFrame | None:
        """Return the table of a finished cell, or None."""
        path = self.folder / "cells" / f"{key}.parquet"
        return pd.read_parquet(path) if path.is_file() else None

    def finish(self, key: str, found: Tables) -> None:
        """Keep a cell; its scores last, so that a finished cell always has the rest."""
        for name, table in (
            ("items", found.items),
            ("moves", found.influences),
            ("cells", found.scores),
        ):
            write_parquet(table, self.folder / name / f"{key}.parquet")

    def fail(self, cell: Row, error: Exception) -> None:
        """Note a failed cell; the run goes on."""
        row = dict(cell) | {"error": f"{type(error).__name__}: {error}"}
        with (self.folder / "failures.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    def items(self, key: str) -> pd.DataFrame:
        """Return what became of the sentences of a finished cell."""
        return pd.read_parquet(self.folder / "items" / f"{key}.parquet")

    def write(self, name: str, table: pd.DataFrame) -> None:
        """Write a table that is made from all cells."""
        write_parquet(table, self.folder / f"{name}.parquet")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made if it is not there, against other processes.

    Raises:
        OSError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(
                f"{folder}: another process is writing there; wait or name another `out`"
            ) from None
        yield


@contextmanager
def open_run(folder: Path, study: Row, provenance: Row) -> Iterator[Run]:
    """Lock a run folder, note what is run, and give the run.

    Raises:
        OSError: another process holds the folder; it cannot be written.
    """
    for part in ("cells", "items", "moves"):
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
    """Yield the tables of the finished cells of a run folder."""
    for path in sorted((folder / "cells").glob("*.parquet")):
        parts = [folder / part / path.name for part in ("cells", "items", "moves")]
        yield Tables(*(pd.read_parquet(part) for part in parts if part.is_file()))


def read_scores(folder: Path) -> pd.DataFrame:
    """Return the score table of a run folder, or of a .parquet file.

    Raises:
        OSError: there is none.
    """
    path = folder / "scores.parquet" if folder.is_dir() else folder
    if not path.is_file():
        raise OSError(f"{path}: no score table there; `crosslingual score` writes one")
    return pd.read_parquet(path)


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


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table, all or nothing.

    Raises:
        OSError: the disk is full or read-only.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        table.to_parquet(unfinished, index=False, compression="zstd")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written ({error.strerror or error}); make room") from error


def write_text(path: Path, text: str) -> None:
    """Write a file, all or nothing."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)
