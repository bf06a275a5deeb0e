"""Two checkpoints' scores of the same sentences: read, matched cell by cell, with what moves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from ..alignment.runs.folder import read_cells
from ..alignment.runs.table import SENTENCES, SETTINGS, TREATMENT, Tables
from ..alignment.scoring.sentences import groups_of, outcomes_of
from ..data.rows import Columns, Row
from .paired import Means, means_of

# what names a cell, and what must be the same of both checkpoints
CELL = (*SENTENCES[:5], *TREATMENT)  # corpus, split, unit, source, target, and what is done to vectors
ALIKE = (*SETTINGS, "null_kind")
WHOSE = ("checkpoint", "parameters", "parameters_body")
_READ = ("value", "null", "surface", "n")  # of the scores

Key = tuple[str, str, int]  # measure, direction, layer


@dataclass(frozen=True, eq=False)
class ScoredCell:
    """A finished cell as comparisons want it; of a base it is made once for many."""

    about: Row  # the columns that are the same in all its rows
    ids: Sequence[str]  # of the sentences
    groups: Int64[np.ndarray, "n"]
    scores: Mapping[Key, Row]
    outcomes: Mapping[Key, Float[np.ndarray, "n"]]  # of scores that are means over sentences
    influences: Mapping[Key, tuple[tuple[str, int], Float[np.ndarray, "k"]]]  # and what they are of

    @staticmethod
    def of(tables: Tables) -> "ScoredCell":
        """Return a cell from its tables."""
        scores, items = tables.scores, tables.items
        keys = list(
            zip(*(scores[name].tolist() for name in ("measure", "direction", "layer")), strict=True)
        )
        columns = [scores[name].to_numpy(np.float64).tolist() for name in _READ]
        rows = (dict(zip(_READ, row, strict=True)) for row in zip(*columns, strict=True))
        means = scores["measure"].isin(items.columns)
        outcomes = outcomes_of(items, scores[means]).T
        one = items["direction"].eq("forward") & items["layer"].eq(items["layer"].min())
        return ScoredCell(
            {name: scores[name].iloc[0] for name in (*WHOSE, *CELL, *ALIKE)},
            items.loc[one, "id"].tolist(),
            groups_of(items),
            dict(zip(keys, rows, strict=True)),
            dict(zip(compress(keys, means), outcomes, strict=True)),
            _influences(tables.influences),
        )


Cells = Mapping[tuple[str, ...], ScoredCell]  # by what CELL names


def read_scored(folder: Path) -> Cells:
    """Return the finished cells of a run folder that have sentences' outcomes.

    Raises:
        OSError: there are none.
        Damaged: one of them is not what was written.
    """
    found = {}
    for tables in read_cells(folder):
        if "id" in tables.items.columns and len(tables.scores):
            cell = ScoredCell.of(tables)
            found[tuple(str(cell.about[name]) for name in CELL)] = cell
    if not found:
        raise OSError(
            f"{folder}: no cells with sentences' outcomes there; `crosslingual score` makes them "
            "with any measure of retrieval"
        )
    return found


def refuse_unlike(tuned: Cells, plain: Cells, run: str, base: str) -> None:
    """Refuse cells that cannot be compared.

    Raises:
        ValueError: a cell that only the base has; another setting.
    """
    missing = [cell for cell in plain if cell not in tuned]
    if missing:
        raise ValueError(
            f"{run} does not have {' '.join(missing[0])}, which {base} has; "
            "score both with the same settings"
        )
    for cell in plain:
        for name in ALIKE:
            values = [side[cell].about[name] for side in (tuned, plain)]
            if str(values[0]) != str(values[1]):
                raise ValueError(
                    f"{run} and {base} differ in {name} ({values[0]} and {values[1]}); "
                    "score both with the same settings"
                )


def matching(side: Cells, cell: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cell of the corpus to choose by that has the same languages, pooling and map."""
    for other in side:
        if other[3:7] == cell[3:7]:
            return other
    raise ValueError(f"nothing to choose the layer of {' '.join(cell[3:7])} by in the dev run")


class Sides:
    """The scores of two checkpoints on the sentences of a cell."""

    def __init__(self, tuned: ScoredCell, plain: ScoredCell, name: str) -> None:
        """Take a cell of each.

        Raises:
            ValueError: they are of different sentences.
        """
        if tuned.ids != plain.ids:
            raise ValueError(f"{name}: the two runs scored different sentences")
        self.both, self.groups = (tuned, plain), plain.groups

    def shared(self) -> list[Key]:
        """Return what both sides have, with what gives their covariance."""
        return [key for key in self.both[1].scores if self._means(key) or self._alike(key, key)]

    def _means(self, key: Key) -> bool:
        return all(key in side.outcomes for side in self.both)

    def _alike(self, tuned: Key, plain: Key) -> bool:
        """Whether both sides' intervals are of the same groups, or the same random halves."""
        found = [side.influences.get(key) for side, key in zip(self.both, (tuned, plain), strict=True)]
        return all(each is not None for each in found) and len({each[0] for each in found if each}) == 1

    def means(self, tuned: Sequence[Key], plain: Sequence[Key]) -> Means:
        """Return scores of the fine-tuned, then of the base, and how parts of the sample move them."""
        both = list(zip(self.both, (tuned, plain), strict=True))
        # those of means over documents know that a document's candidates leave, too
        if all(self._alike(*keys) for keys in zip(tuned, plain, strict=True)):
            moves = [side.influences[key][1] for side, keys in both for key in keys]
            return Means(self._column("value", tuned, plain), np.stack(moves, axis=1))
        outcomes = [side.outcomes[key] for side, keys in both for key in keys]
        return means_of(np.stack(outcomes, axis=1), self.groups)

    def nulls(self, tuned: Sequence[Key], plain: Sequence[Key]) -> np.ndarray:
        """Return the nulls of the fine-tuned's scores, then of the base's."""
        return self._column("null", tuned, plain)

    def facts(self, tuned: Key, plain: Key) -> Columns:
        """Return what is known of two scores."""
        value, base = self._column("value", [tuned], [plain])
        null, base_null = self.nulls([tuned], [plain])
        row = self.both[1].scores[plain]
        named = {"value": value, "base": base, "null": null, "base_null": base_null}
        return named | {"surface": row["surface"], "n": int(row["n"])}

    def _column(self, name: str, tuned: Sequence[Key], plain: Sequence[Key]) -> np.ndarray:
        both = zip(self.both, (tuned, plain), strict=True)
        return np.array([side.scores[key][name] for side, keys in both for key in keys], np.float64)


def _key(row: Mapping[Any, Any]) -> Key:
    return row["measure"], row["direction"], row["layer"]


def _influences(table: pd.DataFrame) -> dict[Key, tuple[tuple[str, int], Float[np.ndarray, "k"]]]:
    """Return of each score what its interval is of, how many parts, and their moves."""
    return {
        _key(row): ((row["interval"], len(row["moves"])), np.asarray(row["moves"], np.float64))
        for row in table.to_dict("records")
    }
