"""Notes and progress on stderr: a bar on a terminal, a plain line now and then elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 15.0  # seconds between plain lines


def configure_notes() -> None:
    """Show our notes and silence the libraries' chatter; called by commands, never on import."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("crosslingual")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    from transformers.utils import logging as theirs

    theirs.set_verbosity_error()
    theirs.disable_progress_bar()


Tick = Callable[[int, int], None]


@contextmanager
def progress(label: str, unit: str) -> Iterator[Tick]:
    """Give a function (done, of how many) that shows how far the work is and how long it takes."""
    if sys.stderr.isatty():
        with _bar(label, unit) as tick:
            yield tick
    else:
        yield _plain(label, unit)


class _Pace:
    """Items a second since the first report: what went before (loading, encoding) is not counted."""

    def __init__(self) -> None:
        self.began: tuple[float, int] | None = None

    def rate(self, done: int) -> float:
        """Return the pace; 0 at the first report, which has nothing to compare with."""
        now = time.monotonic()
        if self.began is None:
            self.began = now, done
        began, first = self.began
        return (done - first) / (now - began) if now > began else 0.0


@contextmanager
def _bar(label: str, unit: str) -> Iterator[Tick]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as shown:
        pace = _Pace()
        task = shown.add_task(label, total=None, rate="")

        def tick(done: int, total: int) -> None:
            rate = pace.rate(done)
            shown.update(task, completed=done, total=total, rate=f"{rate:,.0f} {unit}/s")

        yield tick


def _plain(label: str, unit: str) -> Tick:
    pace = _Pace()
    last = time.monotonic()

    def tick(done: int, total: int) -> None:
        nonlocal last
        rate, now = pace.rate(done), time.monotonic()
        if now - last < EVERY and done < total:
            return
        last = now
        left = f", {(total - done) / rate:,.0f} s left" if rate else ""
        print(  # noqa: T201
            f"{label}: {done:,} of {total:,} {unit}, {rate:,.1f}/s{left}",
            file=sys.stderr,
            flush=True,
        )

    return tick
