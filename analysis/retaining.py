"""Retention: what a fine-tuned checkpoint keeps, gains or loses of its base's alignment.

Δ = (s - null) of the fine-tuned less that of the base, on the same sentences; ρ their ratio, which there
is only where the base is above its floors: below, it would divide noise by noise.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..alignment.measures import MEASURES
from ..alignment.runs.folder import read_cells
from ..alignment.runs.table import SENTENCES, SETTINGS, TREATMENT, Tables
from ..alignment.scoring.sentences import groups_of, outcomes_of
from ..alignment.statistics.bootstrap import RESAMPLES, percentiles, resampled_means
from ..data.rows import Columns, Row
from .paired import Estimated, Means, average, difference, interval, log_odds, means_of, ratio

# what names a cell, and what must be the same of both checkpoints
CELL = (*SENTENCES[:5], *TREATMENT)  # corpus, split, unit, source, target, and what is done to vectors
ALIKE = (*SETTINGS, "null_kind")
MACRO = "macro"  # the mean over languages, in the column `source`
NO_FLOOR = "base not above its floor"
NO_SHARE = "lower is better: no share"

CellTables = dict[tuple[str, ...], Tables]  # by cell
Key = tuple[str, str, int]  # measure, direction, layer


def compare_runs(
    run: Path, base: Path, *, dev: tuple[Path, Path] | None = None, seed: int = 0
) -> pd.DataFrame:
    """Compare a fine-tuned checkpoint with its base, from two run folders of `score`.

    Args:
        run: of the fine-tuned checkpoint.
        base: of its base: the same sentences and settings.
        dev: run folders of both on another corpus, by which each side's own best layer is chosen, in
            every resample again; without it only equal layers are compared.
        seed: of the resamples.

    Returns:
        A row per cell, measure, direction and layer (`chosen` = equal; best: each at its own), and per
        mean over languages (source = macro): value, base, their nulls, delta, ratio and log_odds with
        intervals over groups, and a note where one of them is not given.

    Raises:
        ValueError: other sentences or settings on the two sides.
        OSError: no run there.
    """
    tuned, plain = _read(run), _read(base)
    _refuse_unlike(tuned, plain, run, base)
    chosen_by = tuple(map(_read, dev)) if dev else None
    rows: list[Columns] = []
    by_key: dict[tuple[Any, ...], list[tuple[Means, Columns]]] = {}
    at_best: dict[tuple[Any, ...], list[tuple[Columns, np.ndarray]]] = {}
    for cell in sorted(plain):
        names = [side[cell].scores["checkpoint"].iloc[0] for side in (tuned, plain)]
        columns = dict(zip(("checkpoint", "base_checkpoint", *CELL), (*names, *cell), strict=True))
        sides = _Sides(tuned[cell], plain[cell], " ".join(cell))
        for measure, direction, layer in sides.shared():
            means, facts = sides.means((measure, direction, layer), (measure, direction, layer))
            head = columns | {"measure": measure, "direction": direction, "layer": layer}
            head |= {"base_layer": layer, "chosen": "equal"}
            rows.append(head | facts | _compared(means, facts, measure))
            kind = (*cell[:3], *cell[5:], measure, direction, layer)
            by_key.setdefault(kind, []).append((means, head | facts))
        if chosen_by is not None:
            tuned_dev, plain_dev = (side[_match(side, cell)] for side in chosen_by)
            choice = _Sides(tuned_dev, plain_dev, " ".join(cell))
            for row, drawn in _at_best(sides, choice, seed):
                kind = (*cell[:3], *cell[5:], row["measure"], row["direction"])
                at_best.setdefault(kind, []).append((columns | row, drawn))
    rows += [row for parts in at_best.values() for row, _ in parts]
    rows += [_macro(parts) for parts in by_key.values() if len(parts) > 1]
    rows += [_macro_at_best(parts) for parts in at_best.values() if len(parts) > 1]
    return pd.DataFrame(rows).astype({"layer": "Int64", "base_layer": "Int64"})


class _Sides:
    """The scores of two checkpoints on the sentences of a cell."""

    def __init__(
        self,
        tuned: Tables,
        plain: Tables,
        name: str,
    ) -> None:
        self.scores, self.outcomes, self.influences = [], [], []
        ids = [
            side.items.loc[side.items["layer"] == side.items["layer"].min(), "id"].tolist()
            for side in (tuned, plain)
        ]
        if ids[0] != ids[1]:
            raise ValueError(f"{name}: the two runs scored different sentences")
        for side in (tuned, plain):
            means = side.scores["measure"].isin(side.items.columns)
            outcomes = outcomes_of(side.items, side.scores[means])
            keys = [_key(row) for row in side.scores[means].to_dict("records")]
            self.outcomes.append(dict(zip(keys, outcomes.T, strict=True)))
            self.influences.append(_influences(side.influences))
            self.scores.append(side.scores.set_index(["measure", "direction", "layer"]))
        self.groups = groups_of(plain.items)

    def shared(self) -> list[Key]:
        """Return what both sides have, with what gives their covariance."""
        return [key for key in self.scores[1].index if self._means(key) or self._alike(key, key)]

    def _means(self, key: Key) -> bool:
        return all(key in side for side in self.outcomes)

    def _alike(self, tuned: Key, plain: Key) -> bool:
        """Whether both sides' intervals are of the same groups, or the same random halves."""
        found = [side.get(key) for side, key in zip(self.influences, (tuned, plain), strict=True)]
        return all(each is not None for each in found) and len({each[0] for each in found if each}) == 1

    def means(self, tuned: Key, plain: Key) -> tuple[Means, Columns]:
        """Return both scores, how each part of the sample moves them, and what else is known."""
        scores = [self.scores[side].loc[key] for side, key in enumerate((tuned, plain))]
        facts = {
            "value": scores[0]["value"],
            "base": scores[1]["value"],
            "null": scores[0]["null"],
            "base_null": scores[1]["null"],
            "surface": scores[1]["surface"],
            "n": int(scores[1]["n"]),
        }
        # those of means over documents know that a document's candidates leave, too
        if self._alike(tuned, plain):
            influences = np.stack([self.influences[0][tuned][1], self.influences[1][plain][1]], axis=1)
            return Means(np.array([facts["value"], facts["base"]]), influences), facts
        both = np.stack([self.outcomes[0][tuned], self.outcomes[1][plain]], axis=1)
        return means_of(both, self.groups), facts


def _key(row: Mapping[Any, Any]) -> Key:
    return row["measure"], row["direction"], row["layer"]


def _influences(table: pd.DataFrame) -> dict[Key, tuple[tuple[str, int], np.ndarray]]:
    """Return of each score what its interval is of, how many parts, and their moves."""
    return {
        _key(row): ((row["interval"], len(row["moves"])), np.asarray(row["moves"], np.float64))
        for row in table.to_dict("records")
    }


def _compared(means: Means, facts: Row, measure: str) -> Columns:
    """Return delta, ratio and log-odds of two means."""
    nulls = np.array([facts["null"], facts["base_null"]], dtype=np.float64)
    above = means.below(np.nan_to_num(nulls))
    floor = np.nanmax([facts["base_null"], facts["surface"], -np.inf])
    higher = MEASURES[measure].higher_is_better
    reached = higher and interval(means, 1).low > floor
    odds = log_odds(means) if MEASURES[measure].proportion else Estimated(np.nan)
    note = "" if reached else NO_FLOOR if higher else NO_SHARE
    return {
        **_named("delta", difference(above)),
        **_named("ratio", ratio(above) if reached else Estimated(np.nan)),
        **_named("log_odds", odds),
        "groups": means.groups,
        "note": note,
    }


def _macro(parts: Sequence[tuple[Means, Columns]]) -> Columns:
    """Return the row of the mean over languages: of ratios, the ratio of the means."""
    table = pd.DataFrame([head for _, head in parts])
    facts = {name: table[name].mean() for name in ("value", "base", "null", "base_null", "surface")}
    facts["n"] = int(table["n"].sum())
    means = average([means for means, _ in parts])
    head = dict(parts[0][1]) | {"source": MACRO, "target": MACRO}
    return head | facts | _compared(means, facts, str(head["measure"]))


def _macro_at_best(parts: Sequence[tuple[Columns, np.ndarray]]) -> Columns:
    """Return the row of the mean over languages; their resamples are those of the same groups."""
    table = pd.DataFrame([row for row, _ in parts])
    facts: Columns = {
        name: table[name].mean() for name in ("value", "base", "null", "base_null", "surface", "delta")
    }
    drawn, groups = (
        np.mean([drawn for _, drawn in parts], axis=0),
        max(row["groups"] for row, _ in parts),
    )
    delta = _named("delta", _span(facts["delta"], drawn, groups))
    row = parts[0][0] | {"source": MACRO, "target": MACRO, "n": int(table["n"].sum())} | facts | delta
    row |= {name: np.nan for name in row if name.startswith(("ratio", "log_odds"))}
    return row | {"layer": None, "base_layer": None}  # each language has its own


def _span(value: float, drawn: np.ndarray, groups: int) -> Estimated:
    low, high = percentiles(drawn, groups)
    return Estimated(value, float(low), float(high))


def _at_best(sides: _Sides, choice: _Sides, seed: int) -> Iterator[tuple[Columns, np.ndarray]]:
    """Yield the comparison of each side at its own best layer, chosen on other sentences, and Δ's draws.

    Of measures that are means of sentences: others cannot be resampled.

    A gain at one fixed layer may be a shift of layers. The choice is made again in every resample, or
    the interval would not know that it could have been another.
    """
    layers: dict[tuple[str, str], list[int]] = {}
    for key in sides.shared():
        if key in sides.outcomes[1] and key in choice.outcomes[1]:
            layers.setdefault(key[:2], []).append(key[2])
    for (measure, direction), some in layers.items():
        keys = [(measure, direction, layer) for layer in some]
        better = 1 if MEASURES[measure].higher_is_better else -1
        full, drawn = [], []
        for side in (0, 1):
            on_dev, on_test = (
                np.stack([each.outcomes[side][key] for key in keys], axis=1) for each in (choice, sides)
            )
            # the same seed on both sides: the same groups are drawn
            test = resampled_means(on_test, sides.groups, seed=(seed, 0))
            dev = resampled_means(on_dev, choice.groups, seed=(seed, 1))
            null = np.nan_to_num([sides.scores[side].loc[key, "null"] for key in keys])
            best = (better * dev).argmax(axis=1)
            drawn.append(test[np.arange(RESAMPLES), best] - null[best])
            full.append(int((better * on_dev.mean(axis=0)).argmax()))
        means, facts = sides.means(keys[full[0]], keys[full[1]])
        found = _compared(means, facts, measure)
        found |= _named("delta", _span(found["delta"], drawn[0] - drawn[1], means.groups))
        # Fieller's interval and the log-odds' would not know of the choice
        found |= {name: np.nan for name in found if name.startswith(("ratio_", "log_odds_"))}
        where = {"layer": some[full[0]], "base_layer": some[full[1]], "chosen": "best"}
        row = {"measure": measure, "direction": direction} | where | facts | found
        yield row, drawn[0] - drawn[1]


def _named(name: str, span: Estimated) -> dict[str, float]:
    return {name: span.value, f"{name}_low": span.low, f"{name}_high": span.high}


def _read(folder: Path) -> CellTables:
    """Return the finished cells of a run folder."""
    found: CellTables = {}
    for tables in read_cells(folder):
        if "id" in tables.items.columns and len(tables.scores):
            found[tuple(str(tables.scores[name].iloc[0]) for name in CELL)] = tables
    if not found:
        raise OSError(
            f"{folder}: no cells with sentences' outcomes there; `crosslingual score` makes them "
            "with any measure of retrieval"
        )
    return found


def _refuse_unlike(tuned: CellTables, plain: CellTables, run: Path, base: Path) -> None:
    missing = [cell for cell in plain if cell not in tuned]
    if missing:
        raise ValueError(
            f"{run} does not have {' '.join(missing[0])}, which {base} has; "
            "score both with the same settings"
        )
    for cell in plain:
        for name in ALIKE:
            values = [side[cell].scores[name].iloc[0] for side in (tuned, plain)]
            if str(values[0]) != str(values[1]):
                raise ValueError(
                    f"{run} and {base} differ in {name} ({values[0]} and {values[1]}); "
                    "score both with the same settings"
                )


def _match(side: CellTables, cell: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cell of the corpus to choose by that has the same languages, pooling and map."""
    for other in side:
        if other[3:7] == cell[3:7]:
            return other
    raise ValueError(f"nothing to choose the layer of {' '.join(cell[3:7])} by in the dev run")
