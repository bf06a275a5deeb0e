"""What was extracted, read back: vectors by layer, language and pooling, and whose they are."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ...data.nearest import closest
from ..representations.given import GivenVectors
from ..representations.vector_files import COLUMN, VectorFile, as_lists, open_vector_file
from ..runs.results import Result

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, eq=False, repr=False)
class Extracted(Result):
    """Vectors in a folder; the table has a row per file: pooling, corpus, split, code, sentences, dim.

    `score("vectors:FOLDER", …)` scores them as it would the checkpoint.
    """

    @property
    def layers(self) -> tuple[int, ...]:
        """The numbers of the layers, of the first pooling."""
        return self.vectors().available

    @property
    def poolings(self) -> tuple[str, ...]:
        """The poolings there are."""
        return self._given.poolings

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages' codes."""
        return tuple(dict.fromkeys(self.table["code"]))

    def ids(self, language: str | None = None) -> list[str]:
        """Return the ids of a language's sentences, in the order of the rows; see `layer`."""
        return self._file(language, None).ids()

    def layer(
        self, number: int, language: str | None = None, pooling: str | None = None
    ) -> Float[np.ndarray, "n dim"]:
        """Return the vectors of a layer, row by row those of `ids`; of .npy files a memory map.

        Args:
            number: of the layer, 0 the embeddings.
            language: a code; may be left out where there is one.
            pooling: may be left out where there is one.

        Raises:
            ValueError: no such layer, language or pooling; several, and none is named.
        """
        available = self.vectors(pooling).available
        if number not in available:
            raise ValueError(
                f"layer {number} was not extracted; there are {', '.join(map(str, available))}"
            )
        return self._file(language, pooling).layer(available.index(number))

    def to_numpy(
        self, language: str | None = None, pooling: str | None = None
    ) -> Float[np.ndarray, "layers n dim"]:
        """Return the vectors of all layers, in memory; see `layer`."""
        layers = self.vectors(pooling).available
        return np.stack([self.layer(number, language, pooling) for number in layers])

    def to_dataset(self, language: str | None = None, pooling: str | None = None) -> "Dataset":
        """Return a dataset of Hugging Face's: `id`, and a list of numbers `layer_…` per layer."""
        import pyarrow
        from datasets import Dataset
        from datasets.table import InMemoryTable

        columns = {"id": pyarrow.array(self.ids(language))}
        for number in self.vectors(pooling).available:
            columns[f"{COLUMN}{number}"] = as_lists(self.layer(number, language, pooling))
        return Dataset(InMemoryTable(pyarrow.table(columns)))

    def vectors(self, pooling: str | None = None) -> GivenVectors:
        """Return the vectors of a pooling, as every verb takes them.

        Raises:
            ValueError: no such pooling, or several and none is named.
        """
        if pooling is None:
            if len(self.poolings) > 1:
                raise ValueError(f"name the `pooling`: {', '.join(self.poolings)}")
            pooling = self.poolings[0]
        return self._given.of(pooling)

    @cached_property
    def _given(self) -> GivenVectors:
        return GivenVectors(self.folder)

    def _file(self, language: str | None, pooling: str | None) -> VectorFile:
        pooling = pooling or self.poolings[0]
        rows = self.table[self.table["pooling"] == pooling]
        if language is not None:
            if language not in self.languages:
                raise ValueError(f"no vectors of {language!r}: {closest(language, self.languages)}")
            rows = rows[rows["code"] == language]
        if len(rows) > 1:
            raise ValueError(f"name the `language`: {', '.join(self.languages)}")
        return open_vector_file(self.folder / rows["file"].iloc[0])
