"""Cells: units of work, and the one loop that runs them.

Everything that takes long is cells: bitexts, lexicons, pools, grids, probes, layers to mine. A finished
one is read from the run folder, the others are computed piece by piece under an engine, kept as they are
done; one that fails becomes a row of failures.jsonl, and the rest go on.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar, runtime_checkable

import pandas as pd

from .folder import Run
from .progress import Tick
from .table import Tables
from .threads import in_order

Piece = TypeVar("Piece")


@runtime_checkable
class Cell(Protocol[Piece]):
    """A unit of work, in pieces that do not depend on each other."""

    @property
    def key(self) -> str:
        """A hash of everything that decides its numbers."""

    @property
    def name(self) -> Mapping[str, str]:
        """What it is, for the row of a failure."""

    def pieces(self) -> Sequence[Callable[[], Piece]]:
        """Return its pieces; at least one."""

    def table(self, made: Sequence[Piece]) -> Tables:
        """Return what the pieces have made."""


@runtime_checkable
class Engine(Protocol):
    """What runs pieces of work: it yields what each gives, in their order."""

    def __call__(self, work: Iterable[Callable[[], Piece]], /) -> Generator[Piece]:
        """Run the pieces."""


@dataclass(frozen=True, eq=False)
class Finished:
    """The score tables of cells by key, in the order of the cells, and what failed."""

    run: Run
    scores: Mapping[str, pd.DataFrame]
    failures: Sequence[str]

    def tables(self) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Yield the scores and the items of every cell."""
        return ((scores, self.run.items(key)) for key, scores in self.scores.items())

    def refuse_failures(self) -> None:
        """Raise where a cell failed.

        Raises:
            ValueError: how many, and the first.
        """
        if self.failures:
            count = len(self.failures) + len(self.scores)
            raise ValueError(
                f"{len(self.failures)} of {count} cells failed, the others are kept; the first: "
                + self.failures[0]
            )


def run_cells(
    cells: Iterable[Cell[Piece]],
    run: Run,
    *,
    engine: Engine = in_order,
    prepare: Callable[[], object] | None = None,
    done: Tick | None = None,
) -> Finished:
    """Compute the cells that a run folder does not have yet.

    Args:
        cells: in their order; each is dropped when it is done, with what only it has in memory.
        run: where finished ones are.
        engine: what runs the pieces.
        prepare: called once before the first piece, if there is one to compute.
        done: called with (cells done, of how many).
    """
    scores: dict[str, pd.DataFrame | None] = {}
    missing: deque[Cell[Piece]] = deque()
    for cell in cells:
        scores[cell.key] = run.finished(cell.key)
        if scores[cell.key] is None:
            missing.append(cell)
    if missing and prepare is not None:
        prepare()
    count, total, failures = len(missing), len(scores), []
    under_way: deque[tuple[Cell[Piece], int]] = deque()

    def pieces() -> Iterator[Callable[[], Piece | ValueError]]:
        while missing:
            cell = missing.popleft()
            work = [_caught(piece) for piece in _pieces(cell)]
            under_way.append((cell, len(work)))
            yield from work

    with closing(engine(pieces())) as results:
        for number in range(total - count + 1, total + 1):
            first = next(results)
            cell, size = under_way.popleft()
            made = [first, *islice(results, size - 1)]
            try:
                tables = cell.table([_value(one) for one in made])
            except ValueError as error:
                failures.append(f"{' '.join(cell.name.values())}: {error}")
                run.fail(cell.name, error)
            else:
                run.finish(cell.key, tables)
                scores[cell.key] = tables.scores
            del cell, made
            if done is not None:
                done(number, total)
    return Finished(run, {key: one for key, one in scores.items() if one is not None}, failures)


def _pieces(cell: Cell[Piece]) -> Sequence[Callable[[], Piece]]:
    """Return a cell's pieces; where it has none because something is wrong, one that says so."""
    try:
        return cell.pieces()
    except ValueError as error:
        return [partial(_value, error)]


def _caught(piece: Callable[[], Piece]) -> Callable[[], Piece | ValueError]:
    """Return a piece that returns what is wrong with its cell: the others go on."""

    def run() -> Piece | ValueError:
        try:
            return piece()
        except ValueError as error:
            return error

    return run


def _value(made: Piece | ValueError) -> Piece:
    if isinstance(made, ValueError):
        raise made
    return made
