"""Two checkpoints, each at its own best layer, and what is claimed of their languages."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...alignment.measures import MEASURES
from ...alignment.statistics.nulls import benjamini_hochberg
from ...data.rows import Columns
from .cell_pairs import Key, Parts, Sides
from .changes import Change, Curves, Reading, change_between
from .claims import p_any, p_of
from .comparison import FACTS, compared, keyed, like_these
from .paired import interval
from .verdicts import judge

Kind = tuple[str, str]  # measure, direction


def at_best_layers(
    sides: Sides, choice: Sides, margin: float | None, seed: int
) -> Iterator[tuple[Columns, Sequence[Change]]]:
    """Yield the comparisons of each side at its own best layer: a row and a change for each measure.

    Args:
        sides: what is reported.
        choice: other sentences, by which layers are chosen.
        margin: the greatest loss that counts as retained; without it there are no verdicts.
        seed: of the draws.
    """
    dev = {key: parts for parts, keys in choice.shared().items() for key in keys}
    for parts, keys in sides.shared().items():
        kinds: dict[Kind, list[Key]] = {}
        for key in keys:
            if key in dev:
                kinds.setdefault(key[:2], []).append(key)
        if kinds:
            lows = _base_lows(sides, parts, keys)
            changes = [
                _change(sides, choice, (parts, dev[some[0]]), some, lows, seed)
                for some in kinds.values()
            ]
            columns = _rows(sides, parts, list(kinds.values()), changes)
            yield columns | judged(changes, margin), changes


def _change(
    sides: Sides,
    choice: Sides,
    parts: tuple[Parts, Parts],
    keys: Sequence[Key],
    lows: Mapping[Key, float],
    seed: int,
) -> Change:
    """Return the change of one measure's curve."""
    facts = sides.facts(keys, keys)
    return change_between(
        _curves(sides, parts[0], keys, (seed, 0)),
        _curves(choice, parts[1], keys, (seed, 1)),
        np.stack([facts["null"], facts["base_null"]]),
        float(facts["surface"][0]),
        np.array([lows[key] for key in keys]),
        1 if MEASURES[keys[0][0]].higher_is_better else -1,
    )


def _base_lows(sides: Sides, parts: Parts, keys: Sequence[Key]) -> dict[Key, float]:
    """Return the lower ends of the base's intervals."""
    lows = interval(sides.means(parts, [], keys), slice(None)).low
    return dict(zip(keys, np.asarray(lows).tolist(), strict=True))


def _curves(sides: Sides, parts: Parts, keys: Sequence[Key], seed: tuple[int, int]) -> Curves:
    values, drawn = sides.drawn(parts, keys, seed)
    drawn = values + drawn
    return Curves(values.reshape(2, -1), drawn.reshape(len(drawn), 2, -1), parts[1])


def _rows(
    sides: Sides, parts: Parts, layers: Sequence[Sequence[Key]], changes: Sequence[Change]
) -> Columns:
    """Return the rows of several measures."""
    own, base = (
        [keys[change.layers[side]] for keys, change in zip(layers, changes, strict=True)]
        for side in (0, 1)
    )
    facts = sides.facts(own, base)
    columns = keyed(own, base) | facts
    columns |= compared(sides.means(parts, own, base), facts, [key[0] for key in own])
    # Fieller's interval and the log-odds' would not know of the choice
    unknown = np.full(len(own), np.nan)
    columns |= {name: unknown for name in columns if name.startswith(("ratio_", "log_odds_"))}
    columns |= {name: unknown.copy() for name in ("p", "q", "p_any")}
    return columns


def judged(changes: Sequence[Change], margin: float | None) -> Columns:
    """Return the changes at the best layers, of the area and of depth; verdicts if there is a margin."""
    columns: Columns = {}
    for name, reading in (("delta", "best"), ("area", "area"), ("shift", "shift")):
        spans = [getattr(change, reading).interval() for change in changes]
        columns |= {
            f"{name}{end and '_'}{end}": np.array([getattr(span, end or "value") for span in spans])
            for end in ("", "low", "high", "error")
        }
    verdicts = ["" if margin is None else str(judge(change, margin)) for change in changes]
    return columns | {"margin": margin or np.nan, "verdict": np.array(verdicts, object)}


class ClaimsOfLanguages:
    """What holds of a measure in one language among these, and on their mean."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: list[tuple[Columns, int]] = []
        self._best: list[Reading] = []
        self._sum: Change | None = None

    def add(self, columns: Columns, row: int, change: Change) -> None:
        """Take in a language: a row of its columns."""
        self._rows.append((columns, row))
        self._best.append(change.best)
        self._sum = change if self._sum is None else self._sum.plus(change)

    def fill(self) -> None:
        """Write `p`, `q` over languages, and `p_any` of all at once to the languages' rows."""
        p = np.array([p_of(one) for one in self._best])
        found = (p, benjamini_hochberg(p), p_any(self._best))
        for name, values in zip(("p", "q", "p_any"), found, strict=True):
            for (columns, row), value in zip(self._rows, values, strict=True):
                columns[name][row] = value

    def mean(self, margin: float | None) -> Columns | None:
        """Return the row of the mean over languages; each has its own best layer."""
        count = len(self._rows)
        if count < 2 or self._sum is None:
            return None
        change = self._sum.over(count)

        def all_of(name: str) -> np.ndarray:
            return np.array([[columns[name][row]] for columns, row in self._rows], np.float64)

        columns, row = self._rows[0]
        facts = {name: np.atleast_1d(np.nanmean(all_of(name))) for name in FACTS}
        found = {name: columns[name][[row]] for name in ("measure", "direction", "note")}
        found |= facts | {"n": all_of("n").sum(axis=0), "chosen": "best"}
        found |= {"groups": np.array([change.best.groups])} | judged([change], margin)
        found |= like_these(found, all_of("delta"), all_of("delta_error"))
        return found | {"p": np.array([p_of(change.best)])}
