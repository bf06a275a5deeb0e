"""`mine`: a checkpoint and a haystack in, translation pairs out, and how good they are.

Identical sentences are one: every distinct text of a side is mined once, under its first id, and finding
any of its copies is right. Layers are compared, and thresholds chosen, on the tune sentences only.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64

from ...data import Side
from ...data.corpora import load_haystack
from ...data.haystack import Haystack, read_haystack
from ...data.rows import Columns
from ..maps.table import check_in_sample, fitted_on
from ..neighbours.unit_vectors import similarities, unit_sides
from ..options import takes
from ..protocols import MINING_PROTOCOLS, choose_protocol
from ..representations.source import CheckpointLike, Source, open_model, open_source
from ..runs.cells import run_cells
from ..runs.folder import open_run
from ..runs.paths import open_root
from ..runs.progress import in_notebook, stage_of
from ..runs.results import Result, in_folder
from ..runs.table import make_table
from ..runs.threads import one_by_one
from .evaluation import Split, TunedThreshold, evaluate_pairs, splits, tuned, uniform
from .layer_cell import MinedSides, MiningCell, mined_pairs
from .options import MineOptions
from .pairs import MinedPairs
from .rows import Tuning, mining_columns, mining_rows, missed

logger = logging.getLogger(__name__)

THINNED = {"1/2": 0.5, "1/4": 0.25}  # of the target sentences that are in no gold pair


@dataclass(frozen=True, eq=False, repr=False)
class MineResult(Result):
    """What was mined: pairs of ids and texts, best first; with gold, how good they are.

    `table` is the score table (docs/design.md, 4.7), empty without gold.
    """

    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)  # score source_id target_id source target
    errors: pd.DataFrame = field(default_factory=pd.DataFrame)  # gold pairs that were missed, with gold
    layer: int = 0
    threshold: float = -np.inf
    choices: list[TunedThreshold] = field(default_factory=list)

    def __repr__(self) -> str:
        """Return one short line."""
        return f"<MineResult: {len(self.pairs):,} pairs at layer {self.layer}, in {self.folder}>"

    def _repr_html_(self) -> str:
        """Show the best pairs in a notebook."""
        html: str = self.pairs.head(20).to_html(float_format=lambda value: f"{value:.3f}")
        return html


@takes(MineOptions)
def mine(checkpoint: CheckpointLike, options: MineOptions) -> MineResult:
    """Return the translation pairs of two languages' sentences, best first.

    With gold pairs the threshold (and the layer) is chosen on one part of the source sentences, and
    precision, recall and F1 are reported on the other.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """
    options = _under_protocol(options)
    haystack = find_haystack(options)
    return in_folder(options.out, partial(_mine_into, checkpoint, options, haystack))


def find_haystack(options: MineOptions) -> Haystack:
    """Return the sentences that are asked for: given, of a corpus, or of two files.

    Raises:
        ValueError: none of them, or more than one.
        OSError: they are not there.
    """
    if options.haystack is not None:
        return options.haystack
    if options.corpus is not None:
        if options.source is not None or options.gold is not None or options.languages is None:
            raise ValueError("`corpus` takes `languages` and no files; its gold comes with it")
        return load_haystack(
            options.corpus, str(options.languages), data_dir=options.data_dir, limit=options.limit
        )
    if options.source is None or options.target is None:
        raise ValueError("name two files, SOURCE and TARGET, or a `corpus`")
    return read_haystack(
        Path(options.source),
        Path(options.target),
        None if options.gold is None else Path(options.gold),
        languages=(options.source_language, options.target_language),
        limit=options.limit,
    )


def _under_protocol(options: MineOptions) -> MineOptions:
    """Return the options with what their protocol says."""
    check_in_sample(options.map, options.map_fit)
    protocol = choose_protocol(options.protocol, MINING_PROTOCOLS)
    if protocol is None:
        return options
    return replace(
        options,
        **{name: getattr(protocol, name) for name in ("k", "margin", "strategy", "extract")},
        threshold=protocol.threshold if options.threshold is None else options.threshold,
    )


def _mine_into(
    checkpoint: CheckpointLike, options: MineOptions, haystack: Haystack, folder: Path
) -> MineResult:
    """Mine in a run folder; layers that are finished there are not mined again."""
    wanted = str(options.layer) or ("auto" if haystack.gold else "last")
    if wanted in ("auto", "all") and haystack.gold is None:
        raise ValueError(f"`layer` {wanted} compares layers by gold pairs; give `gold`, or name a layer")
    source, target = _distinct(haystack.source), _distinct(haystack.target)
    parts = splits(source.ids, share=options.tune_share, folds=options.folds, oracle=options.oracle)
    k = min(options.k, len(source.sentences) - 1, len(target.sentences) - 1)
    if k < 1:
        raise ValueError(f"{haystack.name}: a margin needs two different sentences on each side")
    if k < options.k:
        logger.info("k = %d is more than %s allows; %d is used", options.k, haystack.name, k)
    with ExitStack() as stack:
        progress = stack.enter_context(in_notebook(options.progress))
        opened = open_source(
            open_model(checkpoint, options),
            [source, target],
            poolings=[options.pooling],
            layers="all" if wanted == "auto" else wanted,
            root=stack.enter_context(open_root(options.store)),
            store_dtype=options.store_dtype,
            batch_tokens=options.batch_tokens,
            progress=stage_of(progress, "encoding"),
        )
        opened.take_share(options.share)
        layers = opened.layers[options.pooling]
        if haystack.gold is None and len(layers) > 1:
            raise ValueError("without gold one layer is mined; name it with `layer`")
        run = stack.enter_context(
            open_run(folder, _study(opened, haystack, options), {"fingerprint": opened.fingerprint})
        )
        represent = cache(lambda: opened.represent()[options.pooling])
        work = MinedSides(source, target, represent, replace(options, k=k))
        finished = run_cells(
            [MiningCell(work, opened, layer) for layer in layers],
            run,
            engine=one_by_one,
            prepare=represent,
            done=stage_of(progress, "mining"),
        )
        finished.refuse_failures()
        mined = {
            layer: mined_pairs(table)
            for layer, table in zip(layers, finished.scores.values(), strict=True)
        }
        if haystack.gold is None:
            found = _unjudged(work, layers[0], mined[layers[0]], folder)
        else:
            found = _judged(work, opened, haystack, mined, parts, folder, auto=wanted == "auto")
            run.write("scores", found.table)
            run.write("errors", found.errors)
        run.write("pairs", found.pairs)
    return found


def _study(opened: Source, haystack: Haystack, options: MineOptions) -> Columns:
    """Return the settings as study.yaml keeps them."""
    names = (
        "layer", "pooling", "map", "map_fit", "k", "margin", "strategy", "extract", "protocol",
        "threshold", "tune_share", "folds", "oracle", "seed", "store_dtype",
    )  # fmt: skip
    return {
        "checkpoint": opened.columns["checkpoint"],
        "haystack": haystack.name,
        **{name: getattr(options, name) for name in names},
    }


def _distinct(side: Side) -> Side:
    """Return a side with each text once, at its first place."""
    first = {sentence.text: sentence for sentence in reversed(side.sentences)}
    return replace(side, sentences=tuple(s for s in side.sentences if first[s.text] is s))


def _unjudged(work: MinedSides, layer: int, pairs: MinedPairs, folder: Path) -> MineResult:
    threshold = -np.inf if work.options.threshold is None else work.options.threshold
    kept = work.frame(pairs).loc[pairs.score >= threshold]
    return MineResult(pd.DataFrame(), folder, kept, layer=layer, threshold=threshold)


def _judged(
    work: MinedSides,
    opened: Source,
    haystack: Haystack,
    mined: Mapping[int, MinedPairs],
    parts: Sequence[Split],
    folder: Path,
    *,
    auto: bool,
) -> MineResult:
    options = work.options
    n = len(work.source.sentences)
    gold = _gold_rows(haystack, work)
    layers = {layer: evaluate_pairs(pairs, gold, n) for layer, pairs in mined.items()}
    for part in parts:
        for name, half in (("tune", part.tune), ("report", part.report)):
            if not (next(iter(layers.values())).gold * half).any():
                raise ValueError(
                    f"{haystack.name}: no gold pair among the {name} sentences; give more gold"
                )
    tuning = Tuning(parts, options.threshold, options.oracle, options.seed)
    rows = []
    for layer, judged in layers.items():
        rows += mining_rows(f"at layer {layer}", layer, {layer: judged}, tuning)
    _, choices = tuned(layers, parts)
    best = max({c.layer for c in choices}, key=lambda layer: sum(c.layer == layer for c in choices))
    if auto:
        rows += mining_rows("layer chosen too", best, layers, tuning, prefix="auto_")
    targets = np.unique(gold[:, 1])
    for name, share in THINNED.items():
        hashed = np.array([uniform(one) for one in work.target.ids])
        keep = np.union1d(targets, np.flatnonzero(hashed < share))
        if len(keep) <= options.k:
            continue
        thin = evaluate_pairs(work.mine(best, keep), gold, n)
        rows += mining_rows("thinned", best, {best: thin}, tuning, suffix=f"@{name}", m=len(keep))
    threshold = options.threshold
    if threshold is None:
        threshold = float(np.median([choice.threshold for choice in choices if choice.layer == best]))
    pairs = mined[best]
    columns = _columns(opened, haystack, work)
    table = make_table([columns | mining_columns(row, opened.last) for row in rows])
    cosines = similarities(*unit_sides(*work.sides(best)), gold[:, 0], gold[:, 1])
    errors = missed(pairs, threshold, gold, cosines, parts, (work.source, work.target))
    kept = work.frame(pairs).loc[pairs.score >= threshold]
    return MineResult(table, folder, kept, errors, best, threshold, choices)


def _columns(opened: Source, haystack: Haystack, work: MinedSides) -> Columns:
    """Return what all scores are scores of."""
    known = {"family": "", "stage": "", "recipe": "", "train_seed": opened.about.get("seed")}
    return {
        **opened.columns,
        **{name: opened.about.get(name, value) for name, value in known.items()},
        "protocol": work.options.protocol,
        "corpus": haystack.corpus,
        "split": haystack.split,
        "source": haystack.source.language,
        "target": haystack.target.language,
        "source_code": haystack.source.code,
        "target_code": haystack.target.code,
        "pooling": work.options.pooling,
        "map": work.options.map,
        "map_fit": fitted_on(work.options.map, work.options.map_fit),
        "candidates": len(work.target.sentences),
        "resample_seed": work.options.seed,
    }


def _gold_rows(haystack: Haystack, work: MinedSides) -> Int64[np.ndarray, "g 2"]:
    """Return the gold as rows of distinct texts; pairs of the same two texts are one."""
    rows = []
    for side, distinct in ((haystack.source, work.source), (haystack.target, work.target)):
        place = {text: row for row, text in enumerate(distinct.texts)}
        rows.append({sentence.id: place[sentence.text] for sentence in side.sentences})
    assert haystack.gold is not None
    return np.unique([(rows[0][a], rows[1][b]) for a, b in haystack.gold], axis=0)
