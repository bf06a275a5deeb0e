"""Many-parallel corpora: all languages of some bitexts, and the sentences that they share."""

from collections.abc import Sequence

import numpy as np

from .bitext import MINIMUM, Bitext, Side
from .groups import group_numbers


def sides_of(bitexts: Sequence[Bitext]) -> list[tuple[Side, Sequence[str] | None]]:
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
    sides = sides_of(bitexts)
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
