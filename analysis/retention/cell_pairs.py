"""Two checkpoints' scores of the same sentences: read, matched cell by cell, with what moves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Float64

from ...alignment.runs.folder import read_columns_of_cells
from ...alignment.runs.table import SENTENCES, SETTINGS, TREATMENT
from ...data.rows import Row
from .paired import Means, draws, means_of

if TYPE_CHECKING:
    import pyarrow

# what names a cell, and what must be the same of both checkpoints
CELL = (*SENTENCES[:5], *TREATMENT)  # corpus, split, unit, source, target, and what is done to vectors
ALIKE = (*SETTINGS, "null_kind")
WHOSE = ("checkpoint", "parameters", "parameters_body")
NUMBERS = ("value", "null", "surface", "n")  # of a score
SENTENCE = ("layer", "direction", "id", "group")  # what names a row of items
WAYS = {"mean": ("forward", "backward"), "both": ("forward", "forward")}  # whose outcomes a score is of
OUTCOMES = "outcomes"  # in place of a kind of interval

Key = tuple[str, str, int]  # measure, direction, layer
Parts = tuple[str, int]  # what moves a score: the kind of interval, and how many parts it is of


@dataclass(frozen=True, eq=False)
class Moved:
    """Scores that are moved by the same parts of the sample."""

    places: Mapping[Key, int]
    means: Means
    _drawn: dict[tuple[int, int], Float32[np.ndarray, "r c"]] = field(default_factory=dict)

    def drawn(self, seed: tuple[int, int]) -> Float32[np.ndarray, "r c"]:
        """Return draws of the scores; see `paired.draws`. A base is compared with many: kept."""
        if seed not in self._drawn:
            self._drawn[seed] = draws(self.means, seed)
        return self._drawn[seed]


@dataclass(frozen=True, eq=False)
class ScoredCell:
    """A finished cell as comparisons want it; of a base it is made once for many."""

    about: Row  # the columns that are the same in all its rows
    ids: "pyarrow.Array"  # of the sentences
    places: Mapping[Key, int]
    numbers: Mapping[str, Float64[np.ndarray, "s"]]  # of the scores, in the order of `places`
    moved: Mapping[Parts, Moved]

    @staticmethod
    def of(scores: "pyarrow.Table", items: "pyarrow.Table", moves: "pyarrow.Table") -> "ScoredCell":
        """Return a cell from some columns of its tables; see `folder.read_columns_of_cells`."""
        places = {key: place for place, key in enumerate(_keys(scores))}
        numbers = {name: scores[name].to_numpy().astype(np.float64) for name in NUMBERS}
        means, ids = _means(items, list(places))
        moved = {(OUTCOMES, means.means.groups): means} | _moved(moves, places, numbers["value"])
        about = scores.select([*WHOSE, *CELL, *ALIKE]).slice(0, 1).to_pylist()[0]
        return ScoredCell(about, ids, places, numbers, moved)


Cells = Mapping[tuple[str, ...], ScoredCell]  # by what CELL names


def read_scored(folder: Path) -> Cells:
    """Return the finished cells of a run folder that have sentences' outcomes.

    Raises:
        OSError: there are none.
        Damaged: one of them is not what was written.
    """
    wanted = {*WHOSE, *CELL, *ALIKE, *NUMBERS, "measure", "direction", "layer"}
    found = {}
    for scores, items, moves in read_columns_of_cells(folder, wanted, SENTENCE):
        if "id" in items.column_names and len(scores):
            cell = ScoredCell.of(scores, items, moves)
            found[tuple(str(cell.about[column]) for column in CELL)] = cell
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
            ValueError: they are of different sentences, or these are of different documents.
        """
        if not tuned.ids.equals(plain.ids):
            raise ValueError(f"{name}: the two runs scored different sentences")
        groups = [{of for of in side.moved if of[0] == OUTCOMES} for side in (tuned, plain)]
        if groups[0] != groups[1]:
            raise ValueError(f"{name}: the two runs have other documents (or one has none)")
        self.both = (tuned, plain)
        self._shared = self._find_shared()

    def shared(self) -> Mapping[Parts, Sequence[Key]]:
        """Return the scores that both have, by the parts whose moves give their covariance.

        Means over documents have both: influences know that a document's candidates leave, too.
        """
        return self._shared

    def _find_shared(self) -> dict[Parts, list[Key]]:
        tuned, plain = (side.moved for side in self.both)
        parts = sorted((one for one in plain if one in tuned), key=lambda one: one[0] == OUTCOMES)
        kinds: dict[tuple[str, str], list[Key]] = {}
        for key in self.both[1].places:
            kinds.setdefault(key[:2], []).append(key)
        found: dict[Parts, list[Key]] = {}
        for keys in kinds.values():
            shared = {one: [key for key in keys if self._has(one, key)] for one in parts}
            most = max(parts, key=lambda one: len(shared[one]))  # the same for all layers
            if shared[most]:
                found.setdefault(most, []).extend(shared[most])
        return found

    def means(self, parts: Parts, tuned: Sequence[Key], plain: Sequence[Key]) -> Means:
        """Return scores of the fine-tuned, then of the base, and how parts of the sample move them."""
        sides = [self._columns(parts, *pair) for pair in enumerate((tuned, plain))]
        return Means(
            np.concatenate([one.means.values[at] for one, at in sides]),
            np.concatenate([one.means.influences[:, at] for one, at in sides], axis=1),
        )

    def drawn(
        self, parts: Parts, keys: Sequence[Key], seed: tuple[int, int]
    ) -> tuple[Float64[np.ndarray, "c"], Float32[np.ndarray, "r c"]]:
        """Return scores of the fine-tuned, then of the base, and draws around them."""
        sides = [self._columns(parts, side, keys) for side in (0, 1)]
        values = np.concatenate([one.means.values[at] for one, at in sides])
        return values, np.concatenate([one.drawn(seed)[:, at] for one, at in sides], axis=1)

    def facts(self, tuned: Sequence[Key], plain: Sequence[Key]) -> dict[str, Float64[np.ndarray, "k"]]:
        """Return what is known of scores: value, null, of both; surface and n, of the base."""
        of_tuned, of_plain = (
            {name: values[[side.places[key] for key in keys]] for name, values in side.numbers.items()}
            for side, keys in zip(self.both, (tuned, plain), strict=True)
        )
        named = {"value": of_tuned["value"], "base": of_plain["value"]}
        named |= {"null": of_tuned["null"], "base_null": of_plain["null"]}
        return named | {name: of_plain[name] for name in ("surface", "n")}

    def _has(self, parts: Parts, key: Key) -> bool:
        return all(key in side.moved[parts].places for side in self.both)

    def _columns(self, parts: Parts, side: int, keys: Sequence[Key]) -> tuple[Moved, list[int]]:
        moved = self.both[side].moved[parts]
        return moved, [moved.places[key] for key in keys]


def _keys(table: "pyarrow.Table") -> list[Key]:
    layers = table["layer"].to_pylist()
    return list(zip(_texts(table["measure"]), _texts(table["direction"]), layers, strict=True))


def _texts(column: "pyarrow.ChunkedArray") -> list[str]:
    """Return texts that are kept as codes."""
    codes = column.combine_chunks()
    known = codes.dictionary.to_pylist()
    return [known[code] for code in codes.indices.to_pylist()]


def _means(items: "pyarrow.Table", keys: Sequence[Key]) -> tuple[Moved, "pyarrow.Array"]:
    """Return the scores that are means over sentences, and the sentences' ids."""
    layers, ways = items["layer"].to_numpy(), items["direction"].combine_chunks().indices.to_numpy()
    # a block of rows per layer and direction, each in the bitext's order
    count = int(((layers == layers[0]) & (ways == ways[0])).sum())
    starts = np.arange(0, len(layers), count)
    names = zip(layers[starts].tolist(), _texts(items["direction"].take(starts)), strict=True)
    blocks = {name: place for place, name in enumerate(names)}
    start = blocks[layers.min(), "forward"] * count
    ids = items["id"].slice(start, count).combine_chunks().dictionary_decode()
    groups = items["group"].slice(start, count).to_numpy().astype(np.int64)
    kinds: dict[tuple[str, str], list[int]] = {}
    for measure, direction, layer in keys:
        if measure in items.column_names:
            kinds.setdefault((measure, direction), []).append(layer)
    outcomes = np.empty((sum(map(len, kinds.values())), count))
    places: dict[Key, int] = {}
    for (measure, direction), some in kinds.items():
        rows = items[measure].to_numpy().astype(np.float64, copy=False).reshape(-1, count)
        into = outcomes[len(places) : len(places) + len(some)]
        first, second = WAYS.get(direction, (direction, direction))
        into[:] = rows[[blocks[layer, first] for layer in some]]
        if first != second:
            into += rows[[blocks[layer, second] for layer in some]]
            into /= 2
        places |= {(measure, direction, layer): len(places) + i for i, layer in enumerate(some)}
    return Moved(places, means_of(outcomes.T, groups)), ids


def _moved(
    moves: "pyarrow.Table", places: Mapping[Key, int], values: Float64[np.ndarray, "s"]
) -> dict[Parts, Moved]:
    """Return the scores that have influence values, by what these are of."""
    if not len(moves):
        return {}
    kept: dict[Parts, dict[Key, Float[np.ndarray, "k"]]] = {}
    for key, kind, own in zip(_keys(moves), moves["interval"].to_pylist(), moves["moves"], strict=True):
        influences = own.values.to_numpy().astype(np.float64)
        kept.setdefault((kind, len(influences)), {})[key] = influences
    return {
        parts: Moved(
            {key: place for place, key in enumerate(found)},
            Means(values[[places[key] for key in found]], np.stack(list(found.values()), axis=1)),
        )
        for parts, found in kept.items()
    }
