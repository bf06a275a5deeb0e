"""Notes and progress on stderr: a bar on a terminal, a plain line now and then elsewhere."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..alignment.runs.progress import Progress

EVERY = 15.0  # seconds between plain lines


def configure_notes() -> None:
    """Show our notes and silence the libraries' chatter; called by commands, never on import."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Flags("%(message)s"))
    logger = logging.getLogger("crosslingual")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # read when transformers is imported, which takes seconds and is not always needed
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


class _Flags(logging.Formatter):
    """Notes with flags where the library names settings."""

    def format(self, record: logging.LogRecord) -> str:
        from .messages import printable, with_flags

        return with_flags(printable(super().format(record)))


@contextmanager
def reported() -> Iterator["Progress"]:
    """Give a function (stage, done, of how many) that shows how far the work is and the time left."""
    configure_notes()
    if sys.stderr.isatty():
        with _bars() as report:
            yield report
    else:
        yield _plain()


class _Pace:
    """Items a second since the first report: what went before (loading, encoding) is not counted."""

    def __init__(self) -> None:
        self.began: tuple[float, int] | None = None

    def rate(self, done: int) -> float:
        """Return the pace; 0 at the first report, which has nothing to compare with."""
        now = time.monotonic()
        if self.began is None or done < self.began[1]:  # the same stage of something else
            self.began = now, done
        began, first = self.began
        return (done - first) / (now - began) if now > began else 0.0


@contextmanager
def _bars() -> Iterator["Progress"]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..alignment.runs.progress import UNITS

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as shown:
        stages: dict[str, tuple[Any, _Pace]] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = shown.add_task(stage, total=None, rate=""), _Pace()
            task, pace = stages[stage]
            rate = pace.rate(done)
            text = f"{rate:,.0f} {UNITS.get(stage, '')}/s" if rate else ""
            shown.update(task, completed=done, total=total, rate=text)

        yield report


def _plain() -> "Progress":
    from ..alignment.runs.progress import UNITS

    paces: dict[str, _Pace] = {}
    last: dict[str, float] = {}

    def report(stage: str, done: int, total: int) -> None:
        rate, now = paces.setdefault(stage, _Pace()).rate(done), time.monotonic()
        if now - last.setdefault(stage, now) < EVERY and done < total:
            return
        last[stage] = now
        pace = f", {rate:,.1f}/s, {(total - done) / rate:,.0f} s left" if rate else ""
        print(  # noqa: T201
            f"{stage}: {done:,} of {total:,} {UNITS.get(stage, '')}{pace}", file=sys.stderr, flush=True
        )

    return report
