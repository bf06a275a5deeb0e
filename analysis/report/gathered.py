"""What is in run folders: the tables a page shows, and what says how they came about."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ...alignment.checkpoints.errors import refusing
from ...alignment.runs.files import read_table
from ...alignment.runs.folder import read_scores
from ...alignment.runs.table import concatenate
from ...data.text import read_text

# of a run's own folder, and of what the commands that look at a run put into it by default
PLACES = (".", "retention")
TABLES = ("scores", "errors", "retention", "recipes", "ratios", "checkpoints", "languages")
LARGEST = 1 << 28  # bytes of a text file that is read whole


@dataclass(frozen=True)
class ReportedRun:
    """A run folder: how its numbers came about."""

    folder: Path
    settings: str = ""  # study.yaml
    provenance: dict[str, Any] = field(default_factory=dict)
    failures: Sequence[dict[str, Any]] = ()
    findings: Sequence[str] = ()  # lines of a study


@dataclass(frozen=True)
class Gathered:
    """Tables by name, those that there are, and the runs they are of."""

    tables: dict[str, pd.DataFrame]
    sources: Sequence[ReportedRun]

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; an empty one where no run has it."""
        return self.tables.get(name, pd.DataFrame())


def gather(runs: Sequence[Path], errors: int) -> Gathered:
    """Read what runs have.

    Args:
        runs: folders of `score`, `study`, `retention` or `efficiency`.
        errors: how many missed sentences of each are kept: those with the most wrong ahead of them.

    Raises:
        ValueError: a folder with nothing to show; a damaged table; scores that are there twice.
        OSError: no folder there.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    sources = []
    read: set[Path] = set()
    for run in runs:
        if not run.is_dir():
            raise OSError(f"{run}: no folder there; name a run of score, study, retention or efficiency")
        found = _tables(run, errors, read)
        if not found:
            raise ValueError(
                f"{run}: nothing to show: no table of scores, retention or efficiency is finished there "
                "(or it is named twice)"
            )
        for name, table in found.items():
            parts.setdefault(name, []).append(table)
        sources.append(_source(run))
    tables = {name: pd.concat(one, ignore_index=True) for name, one in parts.items() if name != "scores"}
    if "scores" in parts:
        tables["scores"] = concatenate(parts["scores"])
    return Gathered(tables, sources)


def _tables(run: Path, errors: int, read: set[Path]) -> dict[str, pd.DataFrame]:
    """Return the tables of a run that were not read before, and note that they are."""
    found = {}
    for name in TABLES:
        for place in PLACES:
            path = (run / place / f"{name}.parquet").resolve()
            if path in read or not path.is_file():
                continue
            read.add(path)
            found[name] = read_scores(run) if name == "scores" else read_table(path)
            break
    if "errors" in found:
        found["errors"] = _worst(found["errors"], errors).assign(checkpoint=_checkpoint(run, found))
    return {name: table for name, table in found.items() if len(table)}


def _worst(missed: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return so many missed sentences, in their order: at equal ranks those with the worst margin."""
    if len(missed) <= most:
        return missed
    worst = missed.sort_values(["rank", "margin"], ascending=[False, True], kind="stable").index[:most]
    return missed.loc[worst.sort_values()]


def _checkpoint(run: Path, found: dict[str, pd.DataFrame]) -> str:
    """Return whose errors they are: a run that writes them is of one checkpoint."""
    return str(found["scores"]["checkpoint"].iloc[0]) if "scores" in found else run.name


def _source(run: Path) -> ReportedRun:
    settings = _text(run / "study.yaml")
    provenance = run / "provenance.json" if (run / "provenance.json").is_file() else run / "machine.json"
    with refusing(provenance, "damaged"):
        known = json.loads(_text(provenance) or "{}")
    failed = _text(run / "failures.jsonl").splitlines()
    with refusing(run / "failures.jsonl", "damaged"):
        failures = [json.loads(line) for line in failed if line.strip()]
    return ReportedRun(run, settings, known, failures, _text(run / "findings.txt").splitlines())


def _text(path: Path) -> str:
    return read_text(path, LARGEST) if path.is_file() else ""


def primary_cell(gathered: Gathered) -> dict[str, str]:
    """Return what a study's claims are of: corpus, measure, direction, pooling, map; else nothing."""
    for source in gathered.sources:
        if source.findings and source.settings:
            with refusing(source.folder / "study.yaml", "no settings of a study"):
                primary = yaml.safe_load(source.settings)["primary"]
                names = ("corpus", "measure", "direction", "pooling", "map")
                return {name: str(primary[name]) for name in names}
    return {}


def primary_rows(gathered: Gathered, name: str) -> pd.DataFrame:
    """Return the rows of a table that a study's claims are of; without a study, all."""
    table = gathered.table(name)
    for column, value in primary_cell(gathered).items():
        table = table[table[column] == value] if len(table) else table
    return table


def names_of(gathered: Gathered) -> str:
    """Return the names of the runs, for a title: a study's own, else the folder's."""
    return ", ".join(_name(source) for source in gathered.sources)


def _name(source: ReportedRun) -> str:
    known = yaml.safe_load(source.settings) if source.findings and source.settings else {}
    return str(known.get("name") or source.folder.resolve().name)
