"""Several checkpoints scored one after the other, into one table: a family, a model's revisions.

<name>/            the run folder of one of them, as `score` writes it
<name>/member.json what it was made of, where its checkpoint is no longer on the disk
scores.parquet     the table of all
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ..checkpoints.families import PREFIX
from ..checkpoints.options import LoadOptions
from ..checkpoints.several import NamedCheckpoint, family_subjects, revision_subjects, slugs_of
from ..representations.source import NOT_OF_OPENING
from ..runs.files import Damaged, read_json, write_json, write_table
from ..runs.folder import locked, read_scores
from ..runs.shares import SharePending
from ..runs.table import SCHEMA, canonical_hash, concatenate
from .options import ScoreOptions
from .scoring import score_into
from .settings import kept_options

logger = logging.getLogger(__name__)


def subjects_of(checkpoint: object, options: ScoreOptions) -> list[NamedCheckpoint]:
    """Return the checkpoints that one name is of; nothing where it is of one checkpoint.

    Raises:
        ValueError: no such family, no revision of that pattern; both.
        OSError: the hub does not have the model or cannot be reached.
    """
    family = isinstance(checkpoint, str) and checkpoint.startswith(PREFIX)
    if options.revisions is None:
        return family_subjects(str(checkpoint)) if family else []
    if family or options.revision is not None or not isinstance(checkpoint, str | Path):
        raise ValueError("`revisions` are of one model, by its folder or id, without `revision`")
    return revision_subjects(str(checkpoint), options.revisions)


def score_several(
    subjects: Sequence[NamedCheckpoint], options: ScoreOptions, folder: Path, *, family: str = ""
) -> pd.DataFrame:
    """Score checkpoints one after the other, and return the table of all.

    What is finished is kept; one that cannot be scored is left out and named at the end.

    Args:
        subjects: the checkpoints.
        options: what is asked for of each.
        folder: gets a run folder for each, and the table.
        family: the column of that name, where the options have none.

    Raises:
        ValueError: some could not be scored.
        OSError: a folder cannot be written.
        SharePending: other processes' shares are not there yet.
    """
    if family and options.family is None:
        options = replace(options, family=family)
    tables, failed = [], []
    pending: SharePending | None = None
    with locked(folder):
        for subject, slug in zip(subjects, slugs_of(subjects), strict=True):
            try:
                tables.append(_score_one(subject, options, folder / slug))
            except SharePending as error:
                pending = error
            except (ValueError, OSError) as error:
                logger.warning("%s; going on with the others", error)
                failed.append(str(error))
        if pending is not None:
            raise pending
        if tables:
            table = concatenate(tables)
            write_table(folder, "scores", table)
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(subjects)} checkpoints could not be scored, first {failed[0]}"
        )
    return table


def _score_one(subject: NamedCheckpoint, options: ScoreOptions, folder: Path) -> pd.DataFrame:
    usual = {name: one for name, one in LoadOptions().opening().items() if name not in NOT_OF_OPENING}
    asked = kept_options(options) | {"corpus": str(options.corpus)}
    key = canonical_hash(asked | {"subject": list(subject), "schema": SCHEMA})
    if subject.commit:
        finished = _finished(folder, key)
        if finished is not None:
            return finished
    with subject.opened(options) as checkpoint:
        table = score_into(checkpoint, replace(options, **usual), folder)
    if subject.commit:
        write_json(folder / "member.json", {"key": key})
    return table


def _finished(folder: Path, key: str) -> pd.DataFrame | None:
    """Return the scores of a checkpoint that need not be downloaded once more."""
    try:
        return read_scores(folder) if read_json(folder / "member.json") == {"key": key} else None
    except (Damaged, OSError):
        return None
