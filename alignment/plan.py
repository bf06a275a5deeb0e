"""What stands on the two sides of a grid, and which sentences all of it shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from ..data import Bitext, Side
from .maps import in_sample
from .pairing import group_numbers
from .represent import Representations
from .source import Source
from .views import MINIMUM


@dataclass(frozen=True, eq=False)
class Spot:
    """One representation: a checkpoint's, at a layer, of a language's sentences."""

    source: Source
    representations: Representations
    side: Side
    layer: int
    rows: np.ndarray


class Spots(Sequence[Float32[np.ndarray, "n d"]]):
    """Representations that are read and mapped one at a time, when a grid asks."""

    def __init__(self, spots: Sequence[Spot], map_name: str) -> None:
        self.spots, self.map_name = spots, map_name

    def __len__(self) -> int:
        return len(self.spots)

    def __getitem__(self, i: Any) -> Any:
        spot = self.spots[i]
        x = spot.representations.read(spot.side, [spot.layer])[0][spot.rows]
        return in_sample(self.map_name, x, x)[0]


@dataclass(frozen=True, eq=False)
class Cell:
    """One grid to be computed: its name, and what is on its sides (right None: within left)."""

    name: str
    left: Sequence[Spot]
    right: Sequence[Spot] | None
    groups: np.ndarray


def plan(
    sources: Sequence[Source],
    known: Sequence[Representations],
    bitexts: Sequence[Bitext],
    *,
    between: str,
    same: bool,
    pooling: str,
) -> list[Cell]:
    """Return the grids to compute; see `compare` for what stands on their sides."""

    def spots(which: int, side: Side, rows: np.ndarray, layers: Sequence[int]) -> list[Spot]:
        source = sources[min(which, len(sources) - 1)]
        return [Spot(source, known[min(which, len(known) - 1)], side, i, rows) for i in layers]

    layers = [source.layers[pooling] for source in sources]
    first, last = layers[0], layers[-1]
    two = len(sources) > 1
    if between == "layers":
        if not same:
            return [
                Cell(
                    f"{bitext.name} layers",
                    spots(0, bitext.source, np.arange(len(bitext)), first),
                    spots(1, bitext.target, np.arange(len(bitext)), last),
                    group_numbers(bitext.groups, len(bitext)),
                )
                for bitext in bitexts
            ]
        return [
            Cell(
                f"{bitexts[0].corpus}/{bitexts[0].split} {side.code} layers",
                spots(0, side, np.arange(len(side.ids)), first),
                spots(1, side, np.arange(len(side.ids)), last) if two else None,
                group_numbers(groups, len(side.ids)),
            )
            for side, groups in _sides(bitexts)
        ]
    shared, rows, groups = common(bitexts)
    if between == "languages":
        if first != last:
            raise ValueError(
                f"the checkpoints have the layers {first[0]} to {first[-1]} and {last[0]} to "
                f"{last[-1]}; name --layers that both have, or compare layers"
            )
        return [
            Cell(
                f"{bitexts[0].corpus}/{bitexts[0].split} languages at {layer}",
                [spot for side in shared for spot in spots(0, side, rows[side.code], [layer])],
                [spot for side in shared for spot in spots(1, side, rows[side.code], [layer])]
                if two
                else None,
                groups,
            )
            for layer in first
        ]
    return [
        Cell(
            f"{bitexts[0].corpus}/{bitexts[0].split} all",
            [spot for side in shared for spot in spots(0, side, rows[side.code], first)],
            [spot for side in shared for spot in spots(1, side, rows[side.code], last)] if two else None,
            groups,
        )
    ]


def _sides(bitexts: Sequence[Bitext]) -> list[tuple[Side, Sequence[str] | None]]:
    """Return every language once, with its groups: the sources, and the pivot last."""
    found: dict[str, tuple[Side, Sequence[str] | None]] = {}
    for bitext in bitexts:
        found.setdefault(bitext.source.code, (bitext.source, bitext.groups))
    for bitext in bitexts:
        found.setdefault(bitext.target.code, (bitext.target, bitext.groups))
    return list(found.values())


def _refuse_unlike(bitexts: Sequence[Bitext]) -> None:
    """Refuse bitexts in which one id names different sentences of the target language."""
    if len({(bitext.corpus, bitext.split) for bitext in bitexts}) > 1:
        raise ValueError("the languages must be those of one corpus; there are several")
    known: dict[tuple[str, str], str] = {}
    for bitext in bitexts:
        for one in bitext.target.sentences:
            if known.setdefault((bitext.target.code, one.id), one.text) != one.text:
                raise ValueError(
                    f"{bitext.corpus} is not many-parallel: the {bitext.target.code} sentence {one.id} "
                    "is another one in another pair"
                )


def common(
    bitexts: Sequence[Bitext],
) -> tuple[list[Side], dict[str, np.ndarray], np.ndarray]:
    """Return all languages, the rows of each that all have (by id), and the groups of those."""
    sides = _sides(bitexts)
    _refuse_unlike(bitexts)
    shared = set.intersection(*(set(side.ids) for side, _ in sides))
    order = [i for i in sides[0][0].ids if i in shared]
    if len(order) < MINIMUM:
        raise ValueError(
            f"the languages share {len(order)} sentence ids; at least {MINIMUM} are needed (is the "
            "corpus many-parallel?)"
        )
    rows = {}
    for side, _ in sides:
        place = {name: row for row, name in enumerate(side.ids)}
        rows[side.code] = np.array([place[name] for name in order])
    first, groups = sides[0]
    known = None if groups is None else [groups[row] for row in rows[first.code]]
    return [side for side, _ in sides], rows, group_numbers(known, len(order))
