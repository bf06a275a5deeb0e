"""`study`: a file in, every checkpoint made and scored, the findings out."""

import json
import logging
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ...alignment.options import takes
from ...alignment.runs.files import write_table, write_text
from ...alignment.runs.folder import locked, versions
from ...alignment.runs.progress import stage_of
from ...alignment.runs.results import Result
from .agreement import expected_in_words, expected_table
from .corpora import check_tasks, read_bitexts
from .engines import PROCESSES, work_through
from .findings import all_scores, finished, recipes_table, retention_table
from .options import StudyOptions
from .plan import Plan, open_plan
from .registration import changes, register
from .scaling import scaling_table
from .spec import Study, write_study
from .words import in_words
from .work import Ending, Worker, quiet

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class StudyResult(Result):
    """What a study found: the table has every comparison with a base (`retention.parquet`)."""

    recipes: pd.DataFrame = field(default_factory=pd.DataFrame)  # over seeds
    scaling: pd.DataFrame = field(default_factory=pd.DataFrame)
    lines: tuple[str, ...] = ()  # the findings in words

    def in_words(self) -> str:
        """Return the findings on the primary cells."""
        return "\n".join(self.lines)


@takes(StudyOptions)
def study(file: Study | str | Path, options: StudyOptions) -> StudyResult:
    """Run a study: make and score every checkpoint that is not finished, and say what was found.

    Args:
        file: a YAML file (docs/studies.md), or a study that was read.

    Raises:
        ValueError: a study that does not go; checkpoints that failed (the others are kept).
        OSError: no data, no room, another process at work there.
    """
    plan = open_plan(file, options)
    folder, subjects = plan.folder, plan.share(options.share)
    share = options.share.replace("/", "-of-")
    # tasks of an array job share the folder, each with checkpoints of its own
    with locked(folder / "shares" / share if share else folder):
        data_dir = None if options.data_dir is None else Path(options.data_dir)
        read_bitexts(plan, data_dir)
        with quiet():
            check_tasks(plan, data_dir)
        _begin(plan)
        worker = Worker(data_dir, options.device, options.progress)
        tick = stage_of(options.progress, "study")
        failed: list[Ending] = []
        for done, outcome in enumerate(work_through(plan, subjects, worker, options), 1):
            if outcome.error:
                failed.append(outcome)
                logger.warning("%s failed: %s", outcome.name, outcome.error)
            else:
                logger.info("%s: %.0f s", outcome.name, outcome.seconds)
            if tick is not None:
                tick(done, len(subjects))
        _write_failures(folder, failed, share)
        if failed:
            raise ValueError(
                f"{len(failed)} of {len(subjects)} checkpoints failed, the others are kept; the first: "
                f"{failed[0].name}: {failed[0].error}"
            )
        if options.share:  # the others are not finished, or write the same tables at the same time
            line = f"share {options.share} is done; without `share` the same command says what was found"
            return StudyResult(pd.DataFrame(), folder, lines=(line,))
        return conclude(plan, options.processes or min(os.cpu_count() or 1, PROCESSES))


def conclude(plan: Plan, processes: int = 1) -> StudyResult:
    """Return what the finished checkpoints show, and write it to the study's folder."""
    table = retention_table(plan, processes)
    recipes = recipes_table(table, plan.study.margin) if len(table) else pd.DataFrame()
    scaling = scaling_table(table)
    published = expected_table(plan)
    lines = in_words(plan, table, recipes, scaling, changes(plan.folder))
    lines += expected_in_words(published)
    missing = len(plan.subjects) - len(finished(plan))
    if missing:
        lines.append(f"{missing} of {len(plan.subjects)} checkpoints are not finished yet")
    for name, each in (
        ("scores", all_scores(plan)),
        ("retention", table),
        ("recipes", recipes),
        ("scaling", scaling),
        ("expected", published),
    ):
        if len(each):
            write_table(plan.folder, name, each)
    write_text(plan.folder / "findings.txt", "\n".join(lines) + "\n")
    return StudyResult(table, plan.folder, recipes, scaling, tuple(lines))


def _begin(plan: Plan) -> None:
    """Write down what is asked, before anything is scored."""
    register(plan)
    write_study(plan.study, plan.folder / "study.yaml")
    known = {"versions": versions(), "machine": {"platform": platform.platform()}}
    write_text(plan.folder / "provenance.json", json.dumps(known, indent=1))


def _write_failures(folder: Path, failed: list[Ending], share: str) -> None:
    path = folder / f"failures{'-' + share if share else ''}.jsonl"
    if failed:
        rows = (json.dumps({"checkpoint": one.name, "error": one.error}) for one in failed)
        write_text(path, "\n".join(rows) + "\n")
    else:
        path.unlink(missing_ok=True)
