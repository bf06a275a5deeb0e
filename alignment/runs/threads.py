"""Threads: independent pieces of work side by side, the cores divided among them.

A decomposition of a few hundred columns is hardly faster with a second thread; two of them side by side
take the time of one.
"""

import ctypes
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import threadpool_limits

Result = TypeVar("Result")


def jobs_for(size: int, memory: int) -> int:
    """Return how many pieces of work of so many bytes fit into memory at once: threads, at the most."""
    import torch

    return max(1, min(torch.get_num_threads(), memory // max(size, 1)))


def in_order(work: Iterable[Callable[[], Result]], jobs: int | None = None) -> Generator[Result]:
    """Yield what each piece of work gives, in order, while the next ones are under way.

    Args:
        work: functions without arguments; no more than twice `jobs` are taken ahead.
        jobs: how many at once, by default one on each core; 1 does without threads.
    """
    import torch

    threads = torch.get_num_threads()
    jobs = jobs or threads
    if jobs == 1:
        for piece in work:
            yield piece()
        return
    _keep_freed_memory()
    each = max(1, threads // jobs)
    waiting: deque[Future[Result]] = deque()
    with (
        threadpool_limits(each, user_api="blas"),
        ThreadPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(each,)) as pool,
    ):
        try:
            for piece in work:
                waiting.append(pool.submit(piece))
                if len(waiting) == 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # an error or an interrupt: begin nothing more
                future.cancel()
            torch.set_num_threads(threads)


def one_by_one(work: Iterable[Callable[[], Result]]) -> Generator[Result]:
    """Yield what each piece of work gives, one after the other, each with all cores."""
    return in_order(work, 1)


@cache
def _keep_freed_memory() -> None:
    """Have glibc keep what is freed: n × n arrays come and go, and fresh pages cost time.

    The arenas of further threads are in pieces of 64 MB that are given back whatever one says, so all
    share the first; 32 MB is the greatest threshold that is taken.
    """
    if os.name == "nt":  # no glibc, and no library without a name
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX
        for parameter, size in ((-1, 1 << 30), (-3, 32 << 20), (-8, 1)):
            libc.mallopt(parameter, size)
