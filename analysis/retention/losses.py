"""Of what a change is made: offset, scale, rotation, another linear map, or content.

Under the maps of the decomposition (`alignment.scoring.map_decomposition`) the parts of a score add up
to the best there is, so those of a change add up to nothing: Δscore = -(Δoffset + Δscale + Δrotation +
Δlinear + Δcontent). A part of the change is minus the change of its part: where training turned one
language against the other, rotation brings back more than before, and that much of the loss is rotation.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ...alignment.measures import MEASURES
from ...alignment.runs.table import MACRO
from ...alignment.scoring.map_decomposition import PARTS, STEPS
from ...data.rows import Columns
from .cell_pairs import CELL, Cells, Key, Parts, Sides
from .paired import Means, average, difference

MAP = CELL.index("map")


def loss_parts(tuned: Cells, plain: Cells) -> pd.DataFrame:
    """Return the parts of every change that was measured under all maps of the decomposition.

    Args:
        tuned: cells of the fine-tuned checkpoint.
        plain: of its base.

    Returns:
        A row per pair (and their mean, source = macro), pooling, measure, direction, layer and part:
        delta with its interval over groups. The part `score` is the sum of the others. Empty where a map
        is missing; nothing of measures without a best value.
    """
    rows: list[Columns] = []
    over: dict[tuple[tuple[str, ...], Key], list[Means]] = {}
    for cell, sides in _under_all_maps(tuned, plain):
        names = dict(zip(CELL, cell, strict=True))
        head: Columns = {
            name: names[name] for name in ("corpus", "split", "source", "target", "pooling")
        }
        moved_by = [{key: of for of, keys in one.shared().items() for key in keys} for one in sides]
        for key, of in moved_by[0].items():
            # the maps are of the same sentences, so that what moves one score moves the others
            if MEASURES[key[0]].best is not None and all(one.get(key) == of for one in moved_by):
                parts = _parts(sides, of, key)
                rows += _rows(head, key, parts)
                kind = (names["corpus"], names["split"], names["pooling"])
                over.setdefault((kind, key), []).append(parts)
    for ((corpus, split, pooling), key), found in over.items():
        if len(found) > 1:
            head = {
                "corpus": corpus,
                "split": split,
                "source": MACRO,
                "target": MACRO,
                "pooling": pooling,
            }
            rows += _rows(head, key, average(found))
    return pd.DataFrame(rows)


def _under_all_maps(tuned: Cells, plain: Cells) -> Iterator[tuple[tuple[str, ...], list[Sides]]]:
    """Yield bitexts that both have under all maps, and the two sides under each of the STEPS."""
    bitexts: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
    for cell in sorted(plain):
        if cell in tuned:
            # what maps were fitted on is empty without one
            bitexts.setdefault((*cell[:MAP], *([""] * (len(cell) - MAP))), {})[cell[MAP]] = cell
    for bitext, cells in bitexts.items():
        if set(STEPS) <= set(cells):
            found = [cells[step] for step in STEPS]
            yield bitext, [Sides(tuned[cell], plain[cell], " ".join(cell)) for cell in found]


# of a checkpoint's scores under the STEPS: the score, then what each part leaves of it
_PARTS = np.array(
    [
        [1, 0, 0, 0, 0],
        [1, -1, 0, 0, 0],
        [0, 1, -1, 0, 0],
        [0, 0, 1, -1, 0],
        [0, 0, 0, 1, -1],
        [0, 0, 0, 0, 1],
    ]
)


def _parts(sides: Sequence[Sides], moved_by: Parts, key: Key) -> Means:
    """Return minus the parts of the fine-tuned's score, then of the base's; of `score` itself."""
    steps = [one.means(moved_by, [key], [key]) for one in sides]
    values = np.stack([one.values for one in steps])  # a row a step: fine-tuned, base
    moves = np.stack([one.influences for one in steps], axis=1)
    scaled, turned = STEPS.index("standardise"), STEPS.index("procrustes")
    for side in (0, 1):
        if values[turned, side] <= values[scaled, side]:  # one large noisy dimension is no rotation
            values[turned, side], moves[:, turned, side] = values[scaled, side], moves[:, scaled, side]
    return Means(
        (_PARTS @ values).T.ravel(), np.einsum("ps,gsc->gcp", _PARTS, moves).reshape(len(moves), -1)
    )


def _rows(head: Columns, key: Key, parts: Means) -> list[Columns]:
    count = len(PARTS)
    span = difference(parts, np.arange(count), np.arange(count, 2 * count))
    columns = {"delta": span.value, "delta_low": span.low, "delta_high": span.high}
    measure, direction, layer = key
    named = head | {"measure": measure, "direction": direction, "layer": layer, "groups": parts.groups}
    return [
        named
        | {"part": part}
        | {name: float(np.asarray(values)[at]) for name, values in columns.items()}
        for at, part in enumerate(PARTS)
    ]
