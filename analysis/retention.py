"""Retention: what a fine-tuned checkpoint keeps, gains or loses of its base's alignment.

Δ = (s - null) of the fine-tuned less that of the base, on the same sentences; ρ their ratio, which there
is only where the base stands above its floors: below, it would divide noise by noise.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..alignment.items import groups_of, outcomes_of
from ..alignment.measures import MEASURES
from ..alignment.uncertainty import LEVEL, RESAMPLES, resampled_means
from .paired import Means, Span, average, difference, interval, log_odds, means_of, ratio

# what names a cell, and what must be the same of both checkpoints
CELL = ("corpus", "split", "unit", "source", "target", "pooling", "map", "map_fit")
ALIKE = ("protocol", "duplicates", "prefix", "dtype", "max_length", "null_kind")
MACRO = "macro"  # the mean over languages, in the column `source`
PROPORTIONS = ("accuracy", "mutual_accuracy", "strict_accuracy", "strong_accuracy")
NO_FLOOR = "base not above its floor"

Scored = dict[tuple[str, ...], tuple[pd.DataFrame, pd.DataFrame]]  # cell -> scores, items
Key = tuple[str, str, int]  # measure, direction, layer


def retention(
    run: Path, base: Path, *, dev: tuple[Path, Path] | None = None, seed: int = 0
) -> pd.DataFrame:
    """Compare a fine-tuned checkpoint with its base, from two run folders of `score`.

    Args:
        run: of the fine-tuned checkpoint.
        base: of its base: the same sentences and settings.
        dev: run folders of both on another corpus, by which each side's own best layer is chosen, in
            every resample anew; without it only equal layers are compared.
        seed: of the resamples.

    Returns:
        A row per cell, measure, direction and layer (`chosen` = equal; best: each at its own), and per
        mean over languages (source = macro): value, base, their nulls, delta, ratio and log_odds with
        intervals over groups, and a note where one of them is not given.

    Raises:
        ValueError: other sentences or settings on the two sides, or no measure with a part per sentence.
        OSError: no run there.
    """
    tuned, plain = _read(run), _read(base)
    _refuse_unlike(tuned, plain, run, base)
    chosen_by = tuple(map(_read, dev)) if dev else None
    rows: list[dict[str, Any]] = []
    by_key: dict[tuple[Any, ...], list[tuple[Means, dict[str, Any]]]] = {}
    for cell in sorted(plain):
        names = [side[cell][0]["checkpoint"].iloc[0] for side in (tuned, plain)]
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
            rows += [columns | row for row in _at_best(sides, choice, seed)]
    rows += [_macro(parts) for parts in by_key.values() if len(parts) > 1]
    return pd.DataFrame(rows)


class _Sides:
    """The scores of two checkpoints on the sentences of a cell."""

    def __init__(
        self,
        tuned: tuple[pd.DataFrame, pd.DataFrame],
        plain: tuple[pd.DataFrame, pd.DataFrame],
        name: str,
    ) -> None:
        self.scores, self.outcomes = [], []
        ids = [
            side[1].loc[side[1]["layer"] == side[1]["layer"].min(), "id"].tolist()
            for side in (tuned, plain)
        ]
        if ids[0] != ids[1]:
            raise ValueError(f"{name}: the two runs scored different sentences")
        for table, items in (tuned, plain):
            kept = table[table["measure"].isin(items.columns)].reset_index(drop=True)
            self.scores.append(kept.set_index(["measure", "direction", "layer"]))
            self.outcomes.append(outcomes_of(items, kept))
        self.groups = groups_of(plain[1])

    def shared(self) -> list[Key]:
        """Return what both sides have."""
        both = [key for key in self.scores[1].index if key in self.scores[0].index]
        if not both:
            raise ValueError("no measure with a part per sentence was scored on both sides")
        return both

    def column(self, side: int, key: Key) -> np.ndarray:
        """Return the outcomes of the sentences."""
        place: int = self.scores[side].index.get_loc(key)
        outcomes: np.ndarray = self.outcomes[side][:, place]
        return outcomes

    def means(self, tuned: Key, plain: Key) -> tuple[Means, dict[str, Any]]:
        """Return both means and what else is known of them."""
        scores = [self.scores[side].loc[key] for side, key in enumerate((tuned, plain))]
        both = np.stack([self.column(0, tuned), self.column(1, plain)], axis=1)
        facts = {
            "value": scores[0]["value"],
            "base": scores[1]["value"],
            "null": scores[0]["null"],
            "base_null": scores[1]["null"],
            "surface": scores[1]["surface"],
            "n": int(scores[1]["n"]),
        }
        return means_of(both, self.groups), facts


def _compared(means: Means, facts: Mapping[str, Any], measure: str) -> dict[str, Any]:
    """Return delta, ratio and log-odds of two means."""
    nulls = np.array([facts["null"], facts["base_null"]], dtype=np.float64)
    above = means.below(np.nan_to_num(nulls))
    floor = np.nanmax([facts["base_null"], facts["surface"], -np.inf])
    stands = interval(means, 1).low > floor
    odds = log_odds(means) if measure.partition("@")[0] in PROPORTIONS else Span(np.nan)
    note = "" if stands else NO_FLOOR
    return {
        **_named("delta", difference(above)),
        **_named("ratio", ratio(above) if stands else Span(np.nan)),
        **_named("log_odds", odds),
        "groups": means.groups,
        "note": note,
    }


def _macro(parts: Sequence[tuple[Means, dict[str, Any]]]) -> dict[str, Any]:
    """Return the row of the mean over languages: of ratios, the ratio of the means."""
    table = pd.DataFrame([head for _, head in parts])
    facts = {name: table[name].mean() for name in ("value", "base", "null", "base_null", "surface")}
    facts["n"] = int(table["n"].sum())
    means = average([means for means, _ in parts])
    head = dict(parts[0][1]) | {"source": MACRO, "target": MACRO}
    return head | facts | _compared(means, facts, str(head["measure"]))


def _at_best(sides: _Sides, choice: _Sides, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the comparison of each side at its own best layer, chosen on other sentences.

    A gain at one fixed layer may be a shift of layers. The choice is made anew in every resample, or the
    interval would not know that it could have been another.
    """
    layers: dict[tuple[str, str], list[int]] = {}
    for measure, direction, layer in sides.shared():
        layers.setdefault((measure, direction), []).append(layer)
    for (measure, direction), some in layers.items():
        keys = [(measure, direction, layer) for layer in some]
        better = 1 if MEASURES[measure].higher_is_better else -1
        full, drawn = [], []
        for side in (0, 1):
            on_dev, on_test = (
                np.stack([each.column(side, key) for key in keys], axis=1) for each in (choice, sides)
            )
            # the same seed on both sides: the same groups are drawn
            test = resampled_means(on_test, sides.groups, rng=np.random.default_rng([seed, 0]))
            dev = resampled_means(on_dev, choice.groups, rng=np.random.default_rng([seed, 1]))
            null = np.nan_to_num([sides.scores[side].loc[key, "null"] for key in keys])
            best = (better * dev).argmax(axis=1)
            drawn.append(test[np.arange(RESAMPLES), best] - null[best])
            full.append(int((better * on_dev.mean(axis=0)).argmax()))
        means, facts = sides.means(keys[full[0]], keys[full[1]])
        found = _compared(means, facts, measure)
        low, high = np.quantile(drawn[0] - drawn[1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        found |= {"delta_low": float(low), "delta_high": float(high)}
        # Fieller's interval and the log-odds' would not know of the choice
        found |= {name: np.nan for name in found if name.startswith(("ratio_", "log_odds_"))}
        where = {"layer": some[full[0]], "base_layer": some[full[1]], "chosen": "best"}
        yield {"measure": measure, "direction": direction} | where | facts | found


def _named(name: str, span: Span) -> dict[str, float]:
    return {name: span.value, f"{name}_low": span.low, f"{name}_high": span.high}


def _read(folder: Path) -> Scored:
    """Return the finished cells of a run folder."""
    found: Scored = {}
    for path in sorted((folder / "cells").glob("*.parquet")):
        table, items = pd.read_parquet(path), pd.read_parquet(folder / "items" / path.name)
        if "id" in items.columns and len(table):
            found[tuple(str(table[name].iloc[0]) for name in CELL)] = table, items
    if not found:
        raise OSError(
            f"{folder}: no cells with sentences' outcomes there; `crosslingual score` makes them"
        )
    return found


def _refuse_unlike(tuned: Scored, plain: Scored, run: Path, base: Path) -> None:
    missing = [cell for cell in plain if cell not in tuned]
    if missing:
        raise ValueError(f"{run} lacks {' '.join(missing[0])}, which {base} has; score both alike")
    for cell, (table, _) in plain.items():
        for name in ALIKE:
            values = [side[name].iloc[0] for side in (tuned[cell][0], table)]
            if str(values[0]) != str(values[1]):
                raise ValueError(
                    f"{run} and {base} differ in {name} ({values[0]} and {values[1]}); score both alike"
                )


def _match(side: Scored, cell: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cell of the corpus to choose by that has the same languages, pooling and map."""
    for other in side:
        if other[3:7] == cell[3:7]:
            return other
    raise ValueError(f"nothing to choose the layer of {' '.join(cell[3:7])} by in the dev run")
