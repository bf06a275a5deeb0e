"""What is on the two sides of a grid, and which sentences all of it shares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from ...data import Bitext, Side
from ...data.groups import group_numbers
from ...data.parallel import common, sides_of
from ..maps.table import in_sample
from ..representations.source import Source
from ..representations.stored import Representations


@dataclass(frozen=True, eq=False)
class GridEntry:
    """One representation: a checkpoint's, at a layer, of a language's sentences."""

    source: Source
    representations: Representations
    side: Side
    layer: int
    rows: np.ndarray


class GridSide(Sequence[Float32[np.ndarray, "n d"]]):
    """Representations that are read and mapped one at a time, when a grid asks."""

    def __init__(self, entries: Sequence[GridEntry], map_name: str) -> None:
        self.entries, self.map_name = entries, map_name

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, i: Any) -> Any:
        entry = self.entries[i]
        x = entry.representations.read(entry.side, [entry.layer])[0][entry.rows]
        return in_sample(self.map_name, x, x)[0]


@dataclass(frozen=True, eq=False)
class GridPlan:
    """One grid to be computed: its name, and what is on its sides (right None: within left)."""

    name: str
    left: Sequence[GridEntry]
    right: Sequence[GridEntry] | None
    groups: np.ndarray


def plan(
    sources: Sequence[Source],
    known: Sequence[Representations],
    bitexts: Sequence[Bitext],
    *,
    between: str,
    same: bool,
    pooling: str,
) -> list[GridPlan]:
    """Return the grids to compute; see `compare` for what is on their sides."""

    def entries(which: int, side: Side, rows: np.ndarray, layers: Sequence[int]) -> list[GridEntry]:
        source = sources[min(which, len(sources) - 1)]
        return [GridEntry(source, known[min(which, len(known) - 1)], side, i, rows) for i in layers]

    layers = [source.layers[pooling] for source in sources]
    first, last = layers[0], layers[-1]
    two = len(sources) > 1
    if between == "layers":
        if not same:
            return [
                GridPlan(
                    f"{bitext.name} layers",
                    entries(0, bitext.source, np.arange(len(bitext)), first),
                    entries(1, bitext.target, np.arange(len(bitext)), last),
                    group_numbers(bitext.groups, len(bitext)),
                )
                for bitext in bitexts
            ]
        return [
            GridPlan(
                f"{bitexts[0].corpus}/{bitexts[0].split} {side.code} layers",
                entries(0, side, np.arange(len(side.ids)), first),
                entries(1, side, np.arange(len(side.ids)), last) if two else None,
                group_numbers(groups, len(side.ids)),
            )
            for side, groups in sides_of(bitexts)
        ]
    shared, rows, groups = common(bitexts)
    if between == "languages":
        if first != last:
            raise ValueError(
                f"the checkpoints have the layers {first[0]} to {first[-1]} and {last[0]} to "
                f"{last[-1]}; name `layers` that both have, or compare layers"
            )
        return [
            GridPlan(
                f"{bitexts[0].corpus}/{bitexts[0].split} languages at {layer}",
                [entry for side in shared for entry in entries(0, side, rows[side.code], [layer])],
                [entry for side in shared for entry in entries(1, side, rows[side.code], [layer])]
                if two
                else None,
                groups,
            )
            for layer in first
        ]
    return [
        GridPlan(
            f"{bitexts[0].corpus}/{bitexts[0].split} all",
            [entry for side in shared for entry in entries(0, side, rows[side.code], first)],
            [entry for side in shared for entry in entries(1, side, rows[side.code], last)]
            if two
            else None,
            groups,
        )
    ]
