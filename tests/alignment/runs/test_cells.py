"""The one loop: what is finished is read, what fails is a row, what an engine gives comes in order."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import pytest

from crosslingual.alignment.runs.cells import Cell, Engine, run_cells
from crosslingual.alignment.runs.folder import open_run
from crosslingual.alignment.runs.table import Tables
from crosslingual.alignment.runs.threads import in_order, one_by_one


@dataclass
class Squares:
    """A cell that squares numbers, a piece each; a negative one is wrong."""

    label: str
    numbers: Sequence[int]
    log: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.label}-{'-'.join(map(str, self.numbers))}"

    @property
    def name(self) -> Mapping[str, str]:
        return {"cell": self.label}

    def pieces(self) -> list[Callable[[], int]]:
        if not self.numbers:
            raise ValueError("nothing to square")
        return [lambda number=number: self.square(number) for number in self.numbers]

    def square(self, number: int) -> int:
        if number < 0:
            raise ValueError(f"{number} is negative")
        self.log.append(self.label)
        return number**2

    def table(self, made: Sequence[int]) -> Tables:
        return Tables(pd.DataFrame({"number": list(self.numbers), "square": list(made)}), pd.DataFrame())


@pytest.fixture
def run(tmp_path):
    with open_run(tmp_path / "run", {}, {}) as opened:
        yield opened


CELLS = (("a", [1, 2]), ("b", [3]), ("c", [4, 5, 6]))


def squares(log=None):
    return [Squares(label, numbers, [] if log is None else log) for label, numbers in CELLS]


def test_the_protocols_are_met():
    assert isinstance(Squares("a", [1]), Cell)
    assert isinstance(in_order, Engine) and isinstance(one_by_one, Engine)


@pytest.mark.parametrize("engine", [in_order, one_by_one])
def test_tables_are_of_the_cells_in_their_order(run, engine):
    ticks = []
    finished = run_cells(squares(), run, engine=engine, done=lambda *tick: ticks.append(tick))
    assert list(finished.scores) == [cell.key for cell in squares()] and not finished.failures
    assert [list(table["square"]) for table in finished.scores.values()] == [[1, 4], [9], [16, 25, 36]]
    assert ticks == [(1, 3), (2, 3), (3, 3)]


def test_another_engine_needs_no_change_of_a_cell(run):
    """One that runs all it is given at once, in any order, and hands results back in theirs."""

    def shuffled(work):
        jobs = list(enumerate(work))
        random.Random(3).shuffle(jobs)
        results = {index: job() for index, job in jobs}
        yield from (results[index] for index in sorted(results))

    finished = run_cells(squares(), run, engine=shuffled)
    assert [list(table["square"]) for table in finished.scores.values()] == [[1, 4], [9], [16, 25, 36]]


def test_what_is_finished_is_not_computed_again(run):
    log = []
    run_cells(squares()[:2], run)
    prepared = []
    finished = run_cells(squares(log), run, prepare=lambda: prepared.append(True))
    assert set(log) == {"c"} and prepared == [True] and len(finished.scores) == 3
    run_cells(squares(log), run, prepare=lambda: pytest.fail("there is nothing to prepare for"))
    assert set(log) == {"c"}


@pytest.mark.parametrize("wrong", [[3, -1], [-1, 3], []])
def test_a_failure_is_a_row_and_the_others_go_on(run, wrong, tmp_path):
    """Wherever it is wrong: a first piece, a later one, or no pieces at all."""
    cells = squares()
    cells.insert(1, Squares("wrong", wrong))
    finished = run_cells(cells, run)
    assert [list(table["square"]) for table in finished.scores.values()] == [[1, 4], [9], [16, 25, 36]]
    (line,) = (run.folder / "failures.jsonl").read_text().splitlines()
    assert json.loads(line)["cell"] == "wrong" and "ValueError" in json.loads(line)["error"]
    with pytest.raises(ValueError, match="1 of 4 cells failed, the others are kept; the first: wrong: "):
        finished.refuse_failures()


def test_what_is_no_failure_of_a_cell_stops_the_run_and_keeps_what_is_done(run):
    """A full disk or a programming error is not a property of one cell."""

    class Broken(Squares):
        def square(self, number):
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        run_cells([squares()[0], Broken("broken", [1]), squares()[2]], run, engine=one_by_one)
    assert run.finished(squares()[0].key) is not None
    assert run.finished(squares()[2].key) is None
