"""Engines: where checkpoints are made and scored. All of them do the same work, each checkpoint as one.

local: one after another, or several processes, the cores divided among them. ray: a task a checkpoint on
a cluster, or on one of this machine; a task whose worker is lost is done by another, which goes on where
that one stopped, for all of them write to one folder.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, TypeVar

from .options import StudyOptions
from .plan import Plan, Subject
from .work import Ending, Worker

SMALL = 50e6  # parameters of a body up to which a process a core is faster than threads
PROCESSES = 8  # at most, if nobody says how many
T = TypeVar("T")
R = TypeVar("R")
RETRIES = 3  # of a task whose worker is lost


def work_through(
    plan: Plan, subjects: Sequence[Subject], worker: Worker, options: StudyOptions
) -> Iterator[Ending]:
    """Yield what becomes of checkpoints, as they are finished.

    Args:
        plan: of the study.
        subjects: the checkpoints to do.
        worker: does them.
        options: say where.

    Raises:
        OSError: a process was killed; no cluster at the address.
        ValueError: ray is not installed.
    """
    alone = Worker(worker.data_dir, worker.device)
    if options.engine == "ray":
        yield from _with_ray(partial(alone.do, plan), subjects, options)
        return
    processes = min(options.processes or processes_for(plan, options.device), len(subjects))
    if processes > 1:
        yield from in_processes(partial(alone.do, plan), subjects, processes)
        return
    for subject in subjects:
        yield worker.do(plan, subject)


def processes_for(plan: Plan, device: str) -> int:
    """Return how many processes to take, if nobody says so: one a core for small models on a CPU."""
    import torch

    from ...alignment.checkpoints.opening import open_checkpoint

    if device not in ("auto", "cpu") or (device == "auto" and torch.cuda.is_available()):
        return 1
    bodies = [
        open_checkpoint(scale.checkpoint, revision=scale.revision).parameters_body
        for _, _, scale in plan.study.scales()
    ]
    return min(os.cpu_count() or 1, PROCESSES) if max(bodies) <= SMALL else 1


def divide_cores(processes: int) -> None:
    """Take a share of the cores: threads for one of so many processes."""
    set_threads(max(1, (os.cpu_count() or 1) // processes))


def set_threads(threads: int) -> None:
    """Take so many threads for everything that is computed."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)


def in_processes(do: Callable[[T], R], work: Sequence[T], processes: int) -> Iterator[R]:
    """Yield what is done with each piece of work by several processes, as it is finished.

    Raises:
        OSError: a process was killed.
    """
    context = get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(
        processes, context, initializer=_begin, initargs=(processes, os.getpid(), stop)
    ) as pool:
        waiting = [pool.submit(do, piece) for piece in work]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BrokenExecutor:
            raise OSError("a process was killed; if memory ran out, take fewer `processes`") from None
        finally:
            for each in waiting:  # an error or an interrupt: begin nothing more, and end what has begun
                each.cancel()
            if not all(each.done() for each in waiting):
                stop.set()


def _begin(processes: int, parent: int, stop: Event) -> None:
    """Take a share of the cores; end with the process that began this one, or when it says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is that process's to hear
    divide_cores(processes)

    def watch() -> None:
        while os.getppid() == parent and not stop.wait(1):
            pass
        os._exit(1)  # to go on would hold folders, and nobody could begin again

    threading.Thread(target=watch, daemon=True).start()


def _with_ray(
    do: Callable[[Subject], Ending], subjects: Sequence[Subject], options: StudyOptions
) -> Iterator[Ending]:
    """Yield what becomes of checkpoints, each a task of a ray cluster."""
    try:
        import ray
    except ImportError:
        raise ValueError("`engine` ray needs ray; pip install 'crosslingual[cluster]'") from None
    with _cluster(ray, options):
        task: Any = ray.remote(num_cpus=options.cpus, num_gpus=options.gpus, max_retries=RETRIES)(
            _on_worker
        )
        waiting = [task.remote(do, subject, Path.cwd(), options.cpus) for subject in subjects]
        while waiting:
            (done,), waiting = ray.wait(waiting)
            try:
                yield ray.get(done)
            except ray.exceptions.RayError as error:
                raise OSError(f"a worker was lost {RETRIES + 1} times ({_line(error)})") from None


@contextmanager
def _cluster(ray: Any, options: StudyOptions) -> Iterator[None]:
    """Join the cluster at an address, or begin one on this machine; leave it at the end."""
    at = options.address or "this machine"
    where = {"address": options.address} if options.address else {"num_cpus": os.cpu_count()}
    try:
        ray.init(**where, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise OSError(f"no ray cluster answers at {at} ({_line(error)})") from None
    try:
        yield
    finally:
        ray.shutdown()


def _on_worker(do: Callable[[Subject], Ending], subject: Subject, folder: Path, threads: int) -> Ending:
    """Do a checkpoint on a worker: relative paths mean what they meant where the study was begun."""
    if folder.is_dir():
        os.chdir(folder)
    set_threads(threads)
    return do(subject)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
