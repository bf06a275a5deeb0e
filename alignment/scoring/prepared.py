"""A bitext as it is scored: classes, groups, what the null re-pairs, and the surface floor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ...data import Bitext, surface_vectors
from ...data.groups import group_numbers, text_classes
from ...data.surface import similarities
from ..lazy_property import lazy
from ..measure import Measure
from ..representations.stored import Representations
from ..retrieval.pairing import Pairing, pair_surface
from ..similarity.room import LARGEST
from ..similarity.view import Undefined, View
from .rows import need_pairing, need_views, neighbours_for, pairing_entries

DECILES = 10
SURFACE_LIMIT = 20_000  # sentences; the surface floor needs n × n similarities


@dataclass(frozen=True, eq=False)
class PreparedBitext:
    """A bitext with what all its cells share: classes, groups, and the surface floor."""

    bitext: Bitext
    duplicates: str  # "class" or "index"
    resample: str  # "group" or "sentence"
    null: str = "shuffle"  # which sentences the null re-pairs: all, of a decile of length, of a document
    largest: int = LARGEST  # number of sentences with n × n matrices

    @lazy
    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Class numbers of both sides; by index every text is its own class."""
        if self.duplicates == "index":
            return np.arange(len(self.bitext)), np.arange(len(self.bitext))
        return text_classes(self.bitext.source.texts), text_classes(self.bitext.target.texts)

    @lazy
    def groups(self) -> np.ndarray:
        """Group numbers: the unit of resampling."""
        known = self.bitext.groups if self.resample == "group" else None
        return group_numbers(known, len(self.bitext))

    @property
    def interval(self) -> str:
        """What is resampled: documents where the corpus knows them."""
        return "group" if self.resample == "group" and self.bitext.groups else "sentence"

    def strata(self, representations: Representations) -> np.ndarray | None:
        """Return within what the null re-pairs sentences; None for all of them.

        Raises:
            ValueError: no lengths are known.
        """
        if self.null == "document":
            return group_numbers(self.bitext.groups, len(self.bitext))
        if self.null == "length":
            tokens = representations.counts(self.bitext.source)[:, 0]
            if not tokens.any():
                raise ValueError("`null` length needs a model's token counts; given vectors have none")
            order = np.argsort(np.argsort(tokens, kind="stable"), kind="stable")
            return order * min(DECILES, len(order)) // len(order)
        return None

    def surface(self, measures: Sequence[Measure]) -> dict[tuple[str, str], float]:
        """Return measures of character n-gram vectors; none for a bitext too large for them."""
        missing = [measure for measure in measures if measure.name not in self._surface]
        if missing and len(self.bitext) <= SURFACE_LIMIT:
            x, y = self._grams
            pairing = (
                pair_surface(
                    x, y, classes=self.classes, groups=self.groups, neighbours=neighbours_for(missing)
                )
                if need_pairing(missing)
                else None
            )
            small = need_views(missing) and len(self.bitext) <= self.largest
            sides = [View.of_similarities(similarities(side, side)) for side in (x, y)] if small else []
            for measure in missing:
                self._surface[measure.name] = _surface(measure, pairing, sides)
        return {
            (measure.name, direction): value
            for measure in measures
            for direction, value in self._surface.get(measure.name, {}).items()
        }

    @lazy
    def _grams(self) -> tuple[scipy.sparse.csr_array, scipy.sparse.csr_array]:
        return surface_vectors(self.bitext.source.texts, self.bitext.target.texts)

    @lazy
    def _surface(self) -> dict[str, dict[str, float]]:
        return {}


def _surface(measure: Measure, pairing: Pairing | None, sides: Sequence[View]) -> dict[str, float]:
    """Return a measure of n-gram vectors by direction; nothing where it is not defined of them."""
    if measure.geometry is not None:  # n-gram vectors have no coordinates
        return {}
    if measure.value is not None:
        if measure.inflated or not sides:
            return {}
        try:
            return {"both": measure.value(*sides)}
        except Undefined:
            return {}
    return (
        {}
        if pairing is None
        else {entry.direction: entry.estimate.value for entry in pairing_entries(pairing, 0, [measure])}
    )
