"""What was named before any fine-tuned checkpoint was scored: margin and primary cells, by a hash.

A margin that is chosen after looking at the scores proves nothing. So it is written down first, with the
time; a later change is kept next to it and shown with the findings.
"""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from ...alignment.runs.files import read_json, write_json
from ...alignment.runs.table import canonical_hash
from ...data.rows import Columns
from .plan import Plan

NAME = "registered.json"


def register(plan: Plan) -> None:
    """Write down what the study's claims rest on; a change is added, nothing is replaced.

    Raises:
        ValueError: another study, or something else, is in the folder.
        Damaged: what was written there is not what it was.
    """
    if (plan.folder / "cells").exists():
        raise ValueError(f"{plan.folder} holds a run of another command; take another `out`")
    known = _read(plan.folder)
    if known and known[-1]["study"] != plan.study.name:
        raise ValueError(f"{plan.folder} holds the study {known[-1]['study']}; take another `out`")
    hashed = canonical_hash(plan.study.registered)
    if known and known[-1]["hash"] == hashed:
        return
    entry = {
        "study": plan.study.name,
        "hash": hashed,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "scored": _scored(plan),
        **plan.study.registered,
    }
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_json(plan.folder / NAME, {"registered": [*known, entry]})


def changes(folder: Path) -> list[str]:
    """Return a line per change that was made when fine-tuned checkpoints had been scored."""
    return [
        f"{name} was {before[name]} and was changed to {after[name]} on {after['when'][:10]}, when "
        f"{after['scored']} fine-tuned checkpoints had been scored"
        for before, after in pairwise(_read(folder))
        if after["scored"]
        for name in after
        if name not in ("study", "hash", "when", "scored") and before.get(name) != after[name]
    ]


def _read(folder: Path) -> list[Columns]:
    path = folder / NAME
    return list(read_json(path)["registered"]) if path.is_file() else []


def _scored(plan: Plan) -> int:
    """Return how many fine-tuned checkpoints have a finished cell."""
    return sum(
        any(any((plan.run(subject, part) / "cells").glob("*.json")) for part in plan.study.test)
        for subject in plan.treated()
    )
