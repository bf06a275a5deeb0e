"""What is said of two scores, for many at once: Δ, ratio, log-odds; and the table of it all."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64

from ...alignment.measures import MEASURES
from ...data.rows import Columns, Row
from .cell_pairs import CELL, Key
from .claims import TOO_FEW_LANGUAGES, languages_like_these
from .paired import Estimated, Means, difference, interval, log_odds, ratio

NO_FLOOR = "base not above its floor"
NO_SHARE = "lower is better: no share"

_NUMBERS = (
    *("value", "base", "null", "base_null", "surface", "n"),
    *("delta", "delta_low", "delta_high", "delta_error", "ratio", "ratio_low", "ratio_high"),
    *("log_odds", "log_odds_low", "log_odds_high", "area", "area_low", "area_high", "area_error"),
    *("shift", "shift_low", "shift_high", "shift_error"),
    *("like_low", "like_high", "p", "q", "p_any", "margin"),
)
# the columns of a retention table, and what they hold where nothing is said
TABLE: Row = {
    **dict.fromkeys(("checkpoint", "base_checkpoint", *CELL, "measure", "direction"), ""),
    **{"layer": pd.NA, "base_layer": pd.NA, "chosen": ""},
    **dict.fromkeys(_NUMBERS, np.nan),
    **{"verdict": "", "like_note": "", "groups": 0, "note": ""},
}
FACTS = ("value", "base", "null", "base_null", "surface")


def compared(means: Means, facts: Row, measures: Sequence[str]) -> Columns:
    """Return delta, ratio and log-odds of pairs of scores, a value a pair.

    Args:
        means: scores of the fine-tuned, then as many of the base.
        facts: their nulls and surface floors, by name.
        measures: the names of their measures.
    """
    count = len(measures)
    own, base = np.arange(count), np.arange(count, 2 * count)
    known = [MEASURES[measure] for measure in measures]
    higher = np.array([measure.higher_is_better for measure in known])
    shares = np.array([measure.proportion for measure in known])
    above = means.below(np.nan_to_num(np.concatenate([facts["null"], facts["base_null"]])))
    floor = np.nan_to_num(np.fmax(facts["base_null"], facts["surface"]), nan=-np.inf)
    reached = higher & (interval(means, base).low > floor)
    delta = difference(above, own, base)
    return {
        **_named("delta", delta, np.full(count, True)),
        "delta_error": delta.error,
        **_named("ratio", ratio(above, own, base), reached),
        **_named("log_odds", log_odds(means, own, base), shares),
        "groups": np.full(count, means.groups),
        "note": np.where(reached, "", np.where(higher, NO_FLOOR, NO_SHARE)).astype(object),
    }


def keyed(keys: Sequence[Key], base: Sequence[Key] | None = None) -> Columns:
    """Return the columns that name scores, of the base at the same layers unless others are given."""
    measures, directions, layers = zip(*keys, strict=True)
    names = {"measure": np.array(measures, object), "direction": np.array(directions, object)}
    base_layers = layers if base is None else [layer for _, _, layer in base]
    chosen = "equal" if base is None else "best"
    return names | {"layer": np.array(layers), "base_layer": np.array(base_layers), "chosen": chosen}


def stacked(parts: Iterable[Columns]) -> pd.DataFrame:
    """Return a retention table from parts: columns are arrays, or what is the same in all rows."""
    parts = list(parts)
    lengths = [len(part["measure"]) for part in parts]

    def column(name: str, missing: Any) -> np.ndarray:
        values = [part.get(name, missing) for part in parts]
        if all(isinstance(value, np.ndarray) for value in values):
            return np.concatenate(values)
        if not any(isinstance(value, np.ndarray) for value in values):
            return np.repeat(np.array(values), lengths)
        rows = (np.broadcast_to(value, length) for value, length in zip(values, lengths, strict=True))
        return np.concatenate(list(rows))

    table = pd.DataFrame({name: column(name, missing) for name, missing in TABLE.items()})
    return table.astype({"layer": "Int64", "base_layer": "Int64", "n": "int64"})


class OverLanguages:
    """The mean over languages of comparisons of the same kind, language by language."""

    def __init__(self) -> None:
        """Begin with none."""
        self.places: dict[Key, int] = {}
        self._values = np.zeros((2, 0))
        self._moves = np.zeros((0, 2, 0))
        self._found: list[tuple[np.ndarray, Columns]] = []

    def add(self, keys: Sequence[Key], means: Means, columns: Columns) -> None:
        """Take in a language.

        Group g of one language is group g of the others: of parallel corpora that is true; of others it
        ties together what is independent, at no cost.

        Args:
            keys: of its scores.
            means: of the fine-tuned, then of the base.
            columns: what was found, see `compared`, with the facts.
        """
        at = np.array([self.places.setdefault(key, len(self.places)) for key in keys])
        more = len(self.places) - self._values.shape[1]
        longer = max(0, means.groups - len(self._moves))
        self._values = np.pad(self._values, ((0, 0), (0, more)))
        if more or longer:
            self._moves = np.pad(self._moves, ((0, longer), (0, 0), (0, more)))
        same = len(at) == len(self.places) and bool((np.diff(at) == 1).all())
        columns_of = slice(None) if same else at  # as a rule they are the same for all, which is faster
        self._values[:, columns_of] += means.values.reshape(2, -1)
        self._moves[: means.groups, :, columns_of] += means.influences.reshape(means.groups, 2, -1)
        names = (*FACTS, "n", "delta", "delta_error")
        self._found.append((at, {name: columns[name] for name in names}))

    def columns(self) -> Columns | None:
        """Return the means of what several languages have; of ratios, the ratio of the means."""
        found = {name: self._by_language(name) for name in self._found[0][1]}
        count = np.isfinite(found["n"]).sum(axis=0)
        kept = np.flatnonzero(count > 1)
        if not len(kept):
            return None
        found = {name: values[:, kept] for name, values in found.items()}
        means = Means(
            (self._values[:, kept] / count[kept]).ravel(),
            (self._moves[:, :, kept] / count[kept]).reshape(len(self._moves), -1),
        )
        facts: Columns = {name: _mean(found[name]) for name in FACTS}
        facts["n"] = np.nansum(found["n"], axis=0)
        keys = [key for key, place in self.places.items() if count[place] > 1]
        columns = keyed(keys) | facts | compared(means, facts, [key[0] for key in keys])
        return columns | like_these(columns, found["delta"], found["delta_error"])

    def _by_language(self, name: str) -> Float64[np.ndarray, "l k"]:
        table = np.full((len(self._found), len(self.places)), np.nan)
        for row, (at, columns) in zip(table, self._found, strict=True):
            row[at] = columns[name]
        return table


def like_these(
    columns: Columns, deltas: Float[np.ndarray, "l k"], errors: Float[np.ndarray, "l k"]
) -> Columns:
    """Return the intervals for languages like these of means over languages."""
    groups = int(np.max(columns["groups"]))
    span = languages_like_these(deltas, errors, np.asarray(columns["delta_error"]), groups)
    note = np.where(np.isnan(span.low), TOO_FEW_LANGUAGES, "").astype(object)
    return {"like_low": span.low, "like_high": span.high, "like_note": note}


def _named(name: str, span: Estimated, kept: Bool[np.ndarray, "k"]) -> Columns:
    """Return estimates and their ends as columns; nan where they are not kept."""
    ends = {name: span.value, f"{name}_low": span.low, f"{name}_high": span.high}
    return {column: np.where(kept, end, np.nan) for column, end in ends.items()}


def _mean(values: Float[np.ndarray, "l k"]) -> Float64[np.ndarray, "k"]:
    """Return means of what is known; nan where nothing is."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        found: np.ndarray = np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
    return found
