"""A cell of a whole corpus: all its languages as one pool of candidates, scored at every layer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ...data import Bitext, Side
from ...data.groups import text_classes
from ...data.parallel import common
from ..lazy_property import lazy
from ..maps.table import IN_SAMPLE, fitted_on, in_sample
from ..retrieval.strong import StrongNeighbours, nearest_others
from ..runs.table import Tables
from ..similarity.inference import Estimate
from ..statistics.bootstrap import group_bootstrap
from .plan import PlannedCell
from .rows import Entry, entry_rows

MANY = "mul"  # the target of a pool: several languages, as BCP 47 has it


@dataclass(frozen=True, eq=False)
class Pool:
    """The sentences that all languages of some bitexts of one corpus have."""

    bitexts: Sequence[Bitext]
    resample: str  # "group" or "sentence"

    @lazy
    def _common(self) -> tuple[list[Side], dict[str, np.ndarray], np.ndarray]:
        return common(self.bitexts)

    @property
    def sides(self) -> list[Side]:
        """The languages."""
        return self._common[0]

    @property
    def rows(self) -> dict[str, np.ndarray]:
        """The rows of each language that all have."""
        return self._common[1]

    @property
    def grouped(self) -> bool:
        """Whether groups of sentences are resampled."""
        groups = self._common[2]
        return bool(self.resample == "group" and groups.max() + 1 < len(groups))

    @property
    def groups(self) -> np.ndarray:
        """The group of each sentence of a language."""
        groups = self._common[2]
        return groups if self.grouped else np.arange(len(groups))

    @lazy
    def text(self) -> np.ndarray:
        """A number for each distinct text of all languages."""
        return text_classes([side.texts[row] for side in self.sides for row in self.rows[side.code]])


LayerOfPool = tuple[dict[str, list[Entry]], list[pd.DataFrame], int]  # by language; bias; width


@dataclass(frozen=True, eq=False)
class StrongCell(PlannedCell):
    """A pool of languages to be scored; see `runs.cells.Cell`.

    Its items are the language bias: a row per layer, language of the queries and language of the
    candidates, with the share of queries whose nearest is in that language (LAReQA's language bias);
    `uniform` is that of candidates. Intervals as for the scores.
    """

    pool: Pool

    def pieces(self) -> list[Callable[[], LayerOfPool]]:
        """Return the layers."""
        return [partial(self._layer, layer) for layer in self.plan.layers]

    def _layer(self, layer: int) -> LayerOfPool:
        """Return the scores of each language at a layer, and the language bias."""
        plan, pool, vectors = self.plan, self.pool, self.plan.vectors()
        sides, groups, text = pool.sides, pool.groups, pool.text
        n = len(groups)
        language = np.repeat(np.arange(len(sides)), n)
        parts = [vectors.read(side, [layer])[0][pool.rows[side.code]] for side in sides]
        mapped = np.concatenate([in_sample(plan.map_name, part, part)[0] for part in parts])
        found = StrongNeighbours(
            nearest_others(mapped, language, text), language, np.tile(np.arange(n), len(sides)), text, n
        )
        outcomes = {m: m.strong(found) for m in plan.measures if m.strong is not None}
        in_language = language[found.found[:, :1]] == np.arange(len(sides))
        entries: dict[str, list[Entry]] = {}
        bias = []
        for number, side in enumerate(sides):
            own = slice(number * n, (number + 1) * n)
            shares = in_language[own].astype(np.float64)
            low, high = group_bootstrap(shares, groups, seed=plan.seed)
            bias.append(
                pd.DataFrame(
                    {
                        **{name: plan.columns[name] for name in ("checkpoint", "pooling")},
                        "map": plan.map_name,
                        "layer": layer,
                        "query": side.code,
                        "candidates": [other.code for other in sides],
                        "share": shares.mean(axis=0),
                        "low": low,
                        "high": high,
                        "uniform": (n - (np.arange(len(sides)) == number)) / (len(text) - 1),
                    }
                )
            )
            for measure, (values, nulls) in outcomes.items():
                null = np.nan if nulls is None else nulls[own].mean()
                estimate = Estimate(float(values[own].mean()), float(null), interval="bootstrap")
                entry = Entry(layer, measure, "forward", estimate, values[own])
                entries.setdefault(side.code, []).append(entry)
        return entries, bias, mapped.shape[1]

    def table(self, made: Sequence[LayerOfPool]) -> Tables:
        """Return the strong scores of every language, and the language bias."""
        plan, pool, vectors = self.plan, self.pool, self.plan.vectors()
        first, text = pool.bitexts[0], pool.text
        tables = []
        for side in pool.sides:
            counts = vectors.counts(side)[pool.rows[side.code], 1:].sum(axis=0, dtype=np.int64)
            fixed = dict(plan.columns) | {
                "corpus": first.corpus,
                "split": first.split,
                "unit": "sentence",
                "source": side.language,
                "target": MANY,
                "source_code": side.code,
                "target_code": MANY,
                "map": plan.map_name,
                "map_fit": fitted_on(plan.map_name, IN_SAMPLE),
                "n": len(pool.groups),
                "candidates": len(text) - 1,
                "duplicates": "class",
                "dim": made[-1][2],
                "truncated": int(counts[0]),
                "unknown": int(counts[1]),
            }
            rows = entry_rows(
                [entry for entries, _, _ in made for entry in entries[side.code]],
                pool.groups,
                resampled="group" if pool.grouped else "sentence",
                last=vectors.last,
                seed=plan.seed,
                surface={},
            )
            tables.append(plan.table([fixed | row for row in rows]))
        bias = [table for _, tables_, _ in made for table in tables_]
        return Tables(pd.concat(tables, ignore_index=True), pd.concat(bias, ignore_index=True))
