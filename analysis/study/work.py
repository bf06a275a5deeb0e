"""Doing the work of a study, checkpoint by checkpoint: made, scored, and kept when finished."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ...alignment.runs.files import MARK, own_folder, remove_folder
from ...alignment.runs.progress import Progress
from ...alignment.scoring.options import ScoreOptions
from ...alignment.scoring.scoring import score_into
from ...data.rows import Columns
from ...training.training import train
from .plan import Plan, Subject
from .spec import CorpusPart


@dataclass(frozen=True)
class Ending:
    """What became of a checkpoint."""

    name: str
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class Worker:
    """With what the work is done; nothing of it decides what is scored."""

    data_dir: Path | None = None
    device: str = "auto"
    progress: Progress | None = None

    def do(self, plan: Plan, subject: Subject) -> Ending:
        """Make a checkpoint, if a recipe makes it, and score it on every corpus.

        Its vectors are kept until it is finished, then deleted: a study has hundreds of checkpoints.
        """
        start, error = time.perf_counter(), ""
        try:
            with quiet():
                self.make(plan, subject)
                store = plan.folder / "vectors" / subject.name
                if not (store / MARK).is_file():
                    own_folder(store)
                for part in plan.parts:
                    self.score(plan, subject, part, store)
                remove_folder(store)
        except (ValueError, OSError, MemoryError) as raised:
            error = str(raised)
        return Ending(subject.name, time.perf_counter() - start, error)

    def make(self, plan: Plan, subject: Subject) -> None:
        """Train a checkpoint that a recipe makes; a finished one is left."""
        if subject.recipe is not None:
            train(
                subject.recipe,
                plan.trained(subject),
                data_dir=self.data_dir,
                device=self.device,
                progress=self.progress,
            )

    def score(self, plan: Plan, subject: Subject, part: CorpusPart, store: Path) -> None:
        """Score a checkpoint on a corpus."""
        ready: Columns = {}
        if subject.recipe is None:  # a trained one says these itself
            ready = {"stage": subject.stage, "train_seed": subject.seed, "revision": subject.revision}
            ready |= {"recipe": subject.treatment} if subject.seed is not None else {}
        options = ScoreOptions(
            **plan.study.score,
            **ready,
            **asdict(part),
            family=subject.family,
            data_dir=self.data_dir,
            device=self.device,
            store=store,
            progress=self.progress,
        )
        score_into(plan.encoder(subject), options, plan.run(subject, part))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back what is said of every checkpoint; warnings are shown."""
    logger = logging.getLogger("crosslingual")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
