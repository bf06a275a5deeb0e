"""Peak memory of a checkpoint, in a process of its own; bytes of its weights and of its files."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from ...data.rows import Columns
from .clocks import Running
from .energy import joules_a_text
from .subjects import TimedModel
from .workload import Unit


def memory_of(subject: TimedModel, units: Sequence[Unit]) -> Columns:
    """Return what a process that loads a subject and runs some units takes, in megabytes (1e6 bytes).

    Args:
        subject: what is loaded.
        units: what is run, once.

    Returns:
        peak_mb (resident memory of the process, libraries and all, at its highest), before_mb (the same
        before the model is loaded), weights_mb, gpu_peak_mb (what torch allocated; nan on a CPU),
        joules (of the card, a text; nan where it is not measured).

    Raises:
        ValueError: the process was killed, as where memory ran out.
    """
    context = multiprocessing.get_context("spawn")  # a fork would have this process's memory
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(_measured, subject, units).result()
        except BrokenProcessPool:
            raise ValueError(
                f"{subject.name}: the process that loads it was killed, as where memory runs out"
            ) from None


def disk_of(folder: Path) -> float:
    """Return the megabytes of the files of a checkpoint."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _measured(subject: TimedModel, units: Sequence[Unit]) -> Columns:
    import torch

    before = _peak()
    running = Running.of(subject)
    cuda = running.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(running.device)

    def run() -> int:
        for unit in units:
            running.time(unit)
        return sum(unit.count for unit in units)

    run()
    weights = sum(one.numel() * one.element_size() for one in running.model.parameters())
    return {
        "before_mb": before / 1e6,
        "peak_mb": _peak() / 1e6,
        "weights_mb": weights / 1e6,
        "gpu_peak_mb": torch.cuda.max_memory_allocated(running.device) / 1e6 if cuda else float("nan"),
        "joules": joules_a_text(running.device, run),
    }


def _peak() -> int:
    """Return the highest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # the kernel's own mark, of this program alone
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import psutil

    found = psutil.Process().memory_info()
    return int(getattr(found, "peak_wset", found.rss))
