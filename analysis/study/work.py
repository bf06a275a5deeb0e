"""Doing the work of a study, checkpoint by checkpoint: made, scored, and kept when finished."""

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from ...alignment.runs.files import MARK, own_folder, remove_folder
from ...alignment.runs.progress import Progress
from ...alignment.scoring.options import ScoreOptions
from ...alignment.scoring.scoring import score_into
from ...data.rows import Columns
from ...training.training import train
from .plan import Plan, Subject
from .spec import CorpusPart

SMALL = 50e6  # parameters of a body up to which a process a core is faster than threads
PROCESSES = 8  # at most, if nobody says how many


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


def work_through(
    plan: Plan, subjects: Sequence[Subject], worker: Worker, processes: int
) -> Iterator[Ending]:
    """Yield what becomes of checkpoints, as they are finished.

    Args:
        plan: of the study.
        subjects: the checkpoints to do.
        worker: does them.
        processes: how many at once, the cores divided among them; 1: this one.
    """
    if processes == 1 or len(subjects) < 2:
        for subject in subjects:
            yield worker.do(plan, subject)
        return
    alone = partial(Worker(worker.data_dir, worker.device).do, plan)
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(processes, os.getpid())
    ) as pool:
        waiting = [pool.submit(alone, subject) for subject in subjects]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BrokenExecutor:
            raise OSError("a process was killed; if memory ran out, take fewer `processes`") from None
        finally:
            for each in waiting:  # an error or an interrupt: begin nothing more
                each.cancel()


def processes_for(plan: Plan, device: str) -> int:
    """Return how many processes to take, if nobody says so: one a core for small models on a CPU."""
    import torch

    from ...alignment.checkpoints.checkpoint import open_checkpoint

    if device not in ("auto", "cpu") or (device == "auto" and torch.cuda.is_available()):
        return 1
    bodies = [
        open_checkpoint(scale.checkpoint, revision=scale.revision).parameters_body
        for _, _, scale in plan.study.scales()
    ]
    return min(os.cpu_count() or 1, PROCESSES) if max(bodies) <= SMALL else 1


def divide_cores(processes: int) -> None:
    """Take a share of the cores: threads for one of so many processes."""
    import torch
    from threadpoolctl import threadpool_limits

    threads = max(1, (os.cpu_count() or 1) // processes)
    torch.set_num_threads(threads)
    threadpool_limits(threads)


def _begin(processes: int, parent: int) -> None:
    """Take a share of the cores; end with the process that began this one."""
    divide_cores(processes)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)  # it was killed: go on holding folders and nobody could begin again

    threading.Thread(target=watch, daemon=True).start()
