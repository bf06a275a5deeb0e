"""How far the work is: a function of (stage, done, of how many), and a bar for notebooks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

Progress = Callable[[str, int, int], None]  # stage, done, of how many
Tick = Callable[[int, int], None]  # the same of one stage

# what is counted in each stage
UNITS = {
    "encoding": "sentences",
    "scoring": "cells",
    "comparing": "grids",
    "mining": "layers",
    "probing": "layers",
    "erasing": "layers",
    "training": "steps",
    "study": "checkpoints",
    "measuring": "probes",
}


def stage_of(progress: Progress | None, stage: str) -> Tick | None:
    """Return the report of one stage; nothing where nobody listens."""
    return None if progress is None else partial(progress, stage)


def _in_kernel() -> bool:
    """Return whether this is a Jupyter kernel, and not only a process that imported one."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


@contextmanager
def in_notebook(given: Progress | None) -> Iterator[Progress | None]:
    """Give the caller's report; without one, a bar a stage in a Jupyter kernel, elsewhere nothing."""
    if given is not None or not _in_kernel():
        yield given
        return
    from tqdm.auto import tqdm

    bars: dict[str, Any] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(desc=stage, unit=f" {UNITS.get(stage, 'done')}", leave=False)
        bars[stage].total = total
        bars[stage].update(done - bars[stage].n)

    try:
        yield report
    finally:
        for bar in bars.values():
            bar.close()
