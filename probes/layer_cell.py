"""A cell of probes: a language trained on, at one layer; and the loop over all of them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from ..alignment.checkpoints.checkpoint import Checkpoint
from ..alignment.representations.given import GivenVectors
from ..alignment.representations.source import Source, open_source
from ..alignment.representations.stored import Representations
from ..alignment.runs.cells import run_cells
from ..alignment.runs.folder import open_run
from ..alignment.runs.paths import open_root
from ..alignment.runs.progress import in_notebook, stage_of
from ..alignment.runs.table import Tables, canonical_hash
from ..alignment.runs.threads import one_by_one
from ..data.rows import Columns, Row
from .mapping import Mapped
from .material import TRAIN, Material
from .options import TaskOptions
from .vectors import PLAIN, read_layer

logger = logging.getLogger(__name__)

# vectors by language and part, the language trained on, the columns of every row -> tables
Make = Callable[[Mapping[tuple[str, str], np.ndarray], str, Columns], Tables]


@dataclass(frozen=True, eq=False)
class Probed:
    """What is done at every layer, and all that decides it."""

    material: Material
    trains: Sequence[str]  # languages trained on, each for itself
    make: Make
    settings: Row  # that decide the tables, besides vectors and examples
    stage: str  # in reports of progress: probing, erasing
    mapped: Mapped = PLAIN  # the map of vectors


@dataclass(frozen=True, eq=False)
class ProbeCell:
    """A language trained on, at a layer; see `runs.cells.Cell`."""

    probed: Probed
    source: Source
    vectors: Callable[[], Representations]
    pooling: str
    train: str
    layer: int
    decides: Row

    @property
    def key(self) -> str:
        """See `runs.cells.Cell`."""
        return canonical_hash({**self.decides, "train": self.train, "layer": self.layer})

    @property
    def name(self) -> Mapping[str, str]:
        """See `runs.cells.Cell`."""
        return {"task": self.probed.material.name, "train": self.train, "layer": f"layer {self.layer}"}

    def pieces(self) -> list[Callable[[], Tables]]:
        """Return the layer, whose probes take all cores."""
        return [self._make]

    def table(self, made: Sequence[Tables]) -> Tables:
        """Return what was made."""
        (tables,) = made
        return tables

    def _make(self) -> Tables:
        probed, mapped = self.probed, self.probed.mapped
        vectors = read_layer(probed.material, self.vectors(), self.layer, self.train, mapped)
        columns = {
            **{
                name: self.source.columns[name]
                for name in ("checkpoint", "revision", "dtype", "max_length")
            },
            **{name: self.source.about.get(name, "") for name in ("stage", "recipe")},
            "layer": self.layer,
            "depth": self.layer / self.source.last if self.source.last else 1.0,
            "pooling": self.pooling,
            "train": self.train,
            "map": mapped.name,
            "map_fit": mapped.fit,
        }
        return probed.make(vectors, self.train, columns)


def probe_layers(
    model: Checkpoint | GivenVectors, probed: Probed, options: TaskOptions, folder: Path
) -> Tables:
    """Encode what is missing, then make the tables of every language trained on and layer.

    Args:
        model: opened.
        probed: what is made of each layer.
        options: which layers and pooling, and where vectors are kept.
        folder: the run folder; what is finished there is kept.
    """
    material, mapped, pooling = probed.material, probed.mapped, options.pooling
    with ExitStack() as stack:
        progress = stack.enter_context(in_notebook(options.progress))
        sides = [side for labelled in material.parts.values() for side in labelled.sides]
        source = open_source(
            model,
            sides + mapped.sides,
            poolings=[pooling],
            layers=str(options.layers),
            root=stack.enter_context(open_root(options.store)),
            batch_tokens=options.batch_tokens,
            progress=stage_of(progress, "encoding"),
        )
        source.take_share(options.share)
        of = {name: source.columns[name] for name in ("dtype", "max_length", "prefix")}
        of["fingerprint"] = source.fingerprint
        settings = {**probed.settings, "task": material.name, "pooling": pooling}
        settings |= {"map": mapped.name, "map_fit": mapped.fit}
        decides = settings | of | {"material": _digest(material, mapped)}
        run = stack.enter_context(open_run(folder, settings, of))

        @cache
        def vectors() -> Representations:
            found = source.represent()[pooling]
            _report_truncated(material, mapped, found, source.columns["max_length"])
            return found

        cell = partial(ProbeCell, probed, source, vectors, pooling, decides=decides)
        finished = run_cells(
            (cell(train, layer) for train in probed.trains for layer in source.layers[pooling]),
            run,
            engine=one_by_one,
            prepare=vectors,
            done=stage_of(progress, probed.stage),
        )
        finished.refuse_failures()
        scores, items = zip(*finished.tables(), strict=True)
    return Tables(pd.concat(scores, ignore_index=True), pd.concat(items, ignore_index=True))


def _report_truncated(
    material: Material, mapped: Mapped, representations: Representations, most: int | None
) -> None:
    """Warn of texts that are longer than the model; words behind the cut have been refused."""
    texts = {}
    if mapped.fit != TRAIN:
        texts = {f"map {mapped.name}, {side.language}": [side] for side in mapped.sides}
    if not material.of_words:
        texts |= {f"{one}, {part}": labelled.sides for (one, part), labelled in material.parts.items()}
    for where, sides in texts.items():
        cut = sum(int(representations.counts(side)[:, 1].sum()) for side in sides)
        if cut:
            logger.warning(
                "%s (%s): %d texts are longer than the %s tokens that the model is fed, and cut",
                *(material.name, where, cut, most),
            )


def _digest(material: Material, mapped: Mapped) -> str:
    """Return a hash of all texts, labels and groups, and of what the map is fitted on."""
    return canonical_hash(
        {"map": [side.sentences for side in mapped.sides]}
        | {
            f"{language} {part}": [
                [side.sentences for side in one.sides], one.labels.tolist(), one.groups, material.classes
            ]
            for (language, part), one in material.parts.items()
        }
    )  # fmt: skip
