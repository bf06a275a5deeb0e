"""The cells of a run of `score`, in their order, each with the key of everything that decides it."""

import hashlib
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from ...data import AnyBitext, Bitext, GoldBitext
from ..measure import Measure
from ..representations.source import Source
from ..representations.stored import Representations
from ..runs.cells import Engine, Piece
from ..runs.table import SCHEMA, canonical_hash
from ..runs.threads import in_order, jobs_for
from ..similarity.room import MEMORY, bytes_for, largest_for
from ..similarity.view import KeptViews
from ..statistics.bootstrap import RESAMPLES
from ..statistics.intervals import LEVEL
from .bitext_cell import BitextCell
from .lexicon_cell import LexiconCell, gold_measures
from .plan import CellPlan
from .prepared import PreparedBitext
from .rows import need_views
from .settings import DECIDING, Settings
from .strong_cell import Pool, StrongCell

ROW = 64 << 10  # bytes of a sentence: its two vectors, about a thousand wide, and copies of them
LARGE = 10**9  # bytes of a layer that are said before
logger = logging.getLogger(__name__)

Represent = Callable[[], Mapping[str, Representations]]


@dataclass(frozen=True, eq=False)
class Schedule:
    """What is to be scored of one checkpoint."""

    settings: Settings
    source: Source
    represent: Represent  # encodes what is missing when it is first asked for vectors
    bitexts: Sequence[AnyBitext]
    fits: Sequence[AnyBitext] | None  # held-out bitexts that maps are fitted on

    def bitext_cells(self) -> Iterator[BitextCell | LexiconCell]:
        """Yield every bitext × pooling × map: bitext by bitext, to make what they share once."""
        measures = cell_measures(self.settings, self.bitexts)
        prepared, kept = None, KeptViews(0)
        for number, bitext in enumerate(self.bitexts if measures else ()):
            if isinstance(bitext, Bitext):
                options = self.settings.options
                if prepared is None or prepared.bitext.target != bitext.target:
                    kept = self._kept_views(len(bitext))
                prepared = PreparedBitext(
                    bitext, options.duplicates, options.resample, options.null, self._largest
                )
            for pooling, map_name in product(self.source.layers, self.settings.maps):
                fit = self.fits[number] if self.fits and map_name != "none" else None
                name = {"bitext": bitext.name, "pooling": pooling, "map": map_name}
                read = [_digest(bitext)] + ([_digest(fit)] if fit else [])
                if need_views(measures) and len(bitext) > self._largest:
                    read.append("no n × n matrices")
                plan = self._plan(name, pooling, map_name, fit, measures, read)
                if isinstance(bitext, GoldBitext):
                    yield LexiconCell(plan, bitext)
                elif prepared is not None:
                    yield BitextCell(plan, prepared, kept)

    def strong_cells(self) -> Iterator[StrongCell]:
        """Yield the pool of all languages × pooling × map, where strong measures are asked for."""
        measures = [measure for measure in self.settings.measures if measure.strong is not None]
        one_to_one = [bitext for bitext in self.bitexts if isinstance(bitext, Bitext)]
        if not measures or not one_to_one:
            return
        pool = Pool(one_to_one, self.settings.options.resample)
        read = [_digest(bitext) for bitext in self.bitexts]
        for pooling, map_name in product(self.source.layers, self.settings.maps):
            name = {"pool": corpus_name(self.bitexts), "pooling": pooling, "map": map_name}
            yield StrongCell(self._plan(name, pooling, map_name, None, measures, read), pool)

    def engine(self, *, pooled: bool = False) -> Engine:
        """Return threads for as many layers side by side as fit into memory."""
        sizes = [max(len(side.sentences) for side in (b.source, b.target)) for b in self.bitexts]
        if pooled:
            sizes = [sum(sizes) + max(sizes, default=0)]
        n = max(sizes, default=0)
        squares = need_views(self.settings.measures) and not pooled

        def engine(work: Iterable[Callable[[], Piece]], /) -> Generator[Piece]:
            jobs = self._jobs(n, squares=squares)
            if squares and bytes_for(n) > LARGE:
                self._say(n, jobs)
            yield from in_order(work, jobs=jobs)

        return engine

    @property
    def _memory(self) -> int:
        given = self.settings.options.memory_bytes
        return MEMORY if given is None else given

    @property
    def _largest(self) -> int:
        return largest_for(self._memory)

    def _jobs(self, n: int, *, squares: bool) -> int:
        matrices = bytes_for(n) if squares and n <= self._largest else 0
        return jobs_for(n * ROW + matrices, self._memory)

    def _kept_views(self, n: int) -> KeptViews:
        """Return what is kept of the target: what the layers under way leave of the memory."""
        under_way = self._jobs(n, squares=True) * bytes_for(n)
        return KeptViews(max(0, self._memory - under_way), self._largest)

    def _say(self, n: int, jobs: int) -> None:
        each = f"n × n matrices of {n:,} sentences take up to {bytes_for(n) / 1e9:.1f} GB a layer"
        if n <= self._largest:
            logger.info("%s; layers at once: %d; less by `memory` or `limit`", each, jobs)
        else:
            logger.warning(
                "%s, more than `memory` %g: similarity measures have no value, or no z, p and interval",
                each,
                self._memory / 1e9,
            )

    def _plan(
        self,
        name: Mapping[str, str],
        pooling: str,
        map_name: str,
        fit: AnyBitext | None,
        measures: Sequence[Measure],
        read: Sequence[str],
    ) -> CellPlan:
        """Return a cell's plan; `read` are digests of its sentences, and what else decides its rows."""
        settings, options, layers = self.settings, self.settings.options, self.source.layers[pooling]
        columns = {**self.source.columns, **settings.labels(self.source.about)}
        decides = {
            "fingerprint": self.source.fingerprint,
            "columns": columns,
            "read": read,
            "layers": layers,
            "measures": [measure.name for measure in measures],
            "settings": [getattr(options, name) for name in DECIDING],
            "intervals": [RESAMPLES, LEVEL],
            "schema": SCHEMA,
        }
        return CellPlan(
            canonical_hash({**name, **decides}), name, lambda: self.represent()[pooling], layers,
            map_name, fit, measures, options.seed, columns | {"pooling": pooling}, settings.directions,
        )  # fmt: skip


def cell_measures(settings: Settings, bitexts: Sequence[AnyBitext]) -> list[Measure]:
    """Return the measures of cells of one bitext: strong ones are of the whole corpus."""
    if any(isinstance(bitext, GoldBitext) for bitext in bitexts):
        return gold_measures(settings.measures)
    return [measure for measure in settings.measures if measure.strong is None]


def corpus_name(bitexts: Sequence[AnyBitext]) -> str:
    """Name the corpus of some bitexts in messages and settings."""
    return ",".join(dict.fromkeys(f"{bitext.corpus}/{bitext.split}" for bitext in bitexts))


def _digest(bitext: AnyBitext) -> str:
    """Return a hash of a bitext's ids, texts and groups: a changed corpus is scored again."""
    digest = hashlib.sha256(f"{bitext.name}\0{bitext.source.language}\0".encode())
    for side in (bitext.source, bitext.target):
        for sentence in side.sentences:
            context = "" if sentence.context is None else repr(sentence.context)
            parts = sentence.id, sentence.text, sentence.group or "", context
            digest.update("\0".join(parts).encode() + b"\1")
    if isinstance(bitext, GoldBitext):
        digest.update(bitext.pairs.tobytes())
    return digest.hexdigest()
