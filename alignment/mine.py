"""`mine`: a checkpoint and a haystack in, translation pairs out, and how good they are.

Identical sentences are one: every distinct text of a side is mined once, under its first id, and finding
any of its copies is right. Layers are compared, and thresholds chosen, on the tune sentences only.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from ..data import Side
from ..data.haystack import Haystack
from .checkpoint import Checkpoint
from .home import open_root
from .judgement import Choice, Split, judge, splits, tuned, uniform
from .maps import check_in_sample, fitted_on, in_sample
from .mining import Pairs, check, mine_pairs
from .mining_table import mining_columns, mining_rows, missed
from .neighbours import default_devices, native_bfloat16, neighbours
from .protocols import MINING_PROTOCOLS, choose_protocol
from .represent import Progress, Representations
from .source import Source, open_source
from .table import make_table
from .units import similarities, unit_sides

logger = logging.getLogger(__name__)

THINNED = {"1/2": 0.5, "1/4": 0.25}  # of the target sentences that are in no gold pair


@dataclass(frozen=True)
class Options:
    """Everything that decides what is mined, besides checkpoint and haystack; the flags of `mine`."""

    layer: str = ""  # auto, all, last or a number; by default auto with gold, last without
    pooling: str = "mean"
    map: str = "none"
    map_fit: str = ""  # in-sample, for any other map
    k: int = 4
    margin: str = "ratio"
    strategy: str = "max"
    extract: int | None = None
    threshold: float | None = None  # by default the tuned one; without gold all pairs are kept
    tune_share: float | None = 0.5
    folds: int | None = None
    oracle: bool = False
    protocol: str = ""
    seed: int = 0
    store_dtype: str = "float32"


@dataclass(frozen=True, eq=False)
class Mined:
    """What was mined: pairs of ids and texts, best first; with gold, how good they are."""

    pairs: pd.DataFrame  # score source_id target_id source target
    table: pd.DataFrame  # the score table (docs/design.md, 4.7); empty without gold
    errors: pd.DataFrame  # the gold pairs on report sentences that were missed; empty without gold
    layer: int
    threshold: float
    choices: list[Choice] = field(default_factory=list)


def mine(
    checkpoint: Checkpoint | str | Path,
    haystack: Haystack,
    *,
    store: str | Path | None = None,
    keep: bool = True,
    budget: int | None = None,
    progress: Progress | None = None,
    layer_done: Progress | None = None,
    **options: Any,
) -> Mined:
    """Return the translation pairs of a haystack, and their precision, recall and F1 where it has gold.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        haystack: from `crosslingual.data.read_haystack` or `load_haystack`.
        store: root of the store.
        keep: False encodes into a temporary store that is deleted at the end.
        budget: padded tokens of a batch.
        progress: called with (sentences done, of how many).
        layer_done: called with (layers done, of how many).
        options: fields of `Options`.

    Raises:
        ValueError: see the messages; the user's input is wrong.
        OSError: something cannot be read or written.
    """
    chosen = _resolve(Options(**options))
    wanted = chosen.layer or ("auto" if haystack.gold else "last")
    if wanted in ("auto", "all") and haystack.gold is None:
        raise ValueError(f"--layer {wanted} compares layers by gold pairs; give --gold, or name a layer")
    native = native_bfloat16(default_devices())
    logger.info("candidates by %s products; scores are exact", "bfloat16" if native else "float32")
    source, target = _distinct(haystack.source), _distinct(haystack.target)
    parts = splits(source.ids, share=chosen.tune_share, folds=chosen.folds, oracle=chosen.oracle)
    k = min(chosen.k, len(source.sentences) - 1, len(target.sentences) - 1)
    if k < 1:
        raise ValueError(f"{haystack.name}: a margin needs two different sentences on each side")
    if k < chosen.k:
        logger.info("k = %d is more than %s allows; %d is used", chosen.k, haystack.name, k)
    with open_root(store, keep=keep) as root:
        opened = open_source(
            checkpoint,
            [source, target],
            poolings=[chosen.pooling],
            layers="all" if wanted == "auto" else wanted,
            root=root,
            store_dtype=chosen.store_dtype,
            budget=budget,
            progress=progress,
        )
        layers = opened.layers[chosen.pooling]
        vectors = opened.represent()[chosen.pooling]
        work = _Work(source, target, vectors, replace(chosen, k=k))
        mined = {}
        for done, layer in enumerate(layers, start=1):
            mined[layer] = work.mine(layer)
            if layer_done is not None:
                layer_done(done, len(layers))
        if haystack.gold is None:
            if len(layers) > 1:
                raise ValueError("without gold one layer is mined; name it with --layer")
            return _unjudged(work, layers[0], mined[layers[0]])
        return _judged(work, opened, haystack, mined, parts, auto=wanted == "auto")


def _resolve(options: Options) -> Options:
    """Return the options with what their protocol says."""
    check_in_sample(options.map, options.map_fit)
    check(options.margin, options.strategy)
    protocol = choose_protocol(options.protocol, MINING_PROTOCOLS)
    if protocol is None:
        return options
    return replace(
        options,
        **{name: getattr(protocol, name) for name in ("k", "margin", "strategy", "extract")},
        threshold=protocol.threshold if options.threshold is None else options.threshold,
    )


def _distinct(side: Side) -> Side:
    """Return a side with each text once, at its first place."""
    first = {sentence.text: sentence for sentence in reversed(side.sentences)}
    return replace(side, sentences=tuple(s for s in side.sentences if first[s.text] is s))


@dataclass(frozen=True, eq=False)
class _Work:
    """Distinct sentences of both sides, their vectors, and how they are mined."""

    source: Side
    target: Side
    vectors: Representations
    options: Options

    def sides(self, layer: int) -> tuple[Float32[np.ndarray, "n d"], Float32[np.ndarray, "m d"]]:
        x, y = (self.vectors.read(side, [layer])[0] for side in (self.source, self.target))
        return in_sample(self.options.map, x, y)

    def mine(self, layer: int, keep: np.ndarray | None = None) -> Pairs:
        """Mine a layer, or only some target sentences of it; rows are those of the whole sides."""
        options = self.options
        x, y = self.sides(layer)
        found = neighbours(x, y if keep is None else y[keep], options.k)
        pairs = mine_pairs(
            found, margin=options.margin, strategy=options.strategy, extract=options.extract
        )
        return pairs if keep is None else replace(pairs, target=keep[pairs.target])

    def frame(self, pairs: Pairs) -> pd.DataFrame:
        """Return pairs with ids and texts."""
        columns: dict[str, Any] = {"score": pairs.score}
        for name, side, rows in (
            ("source", self.source, pairs.source),
            ("target", self.target, pairs.target),
        ):
            columns[f"{name}_id"] = [side.ids[row] for row in rows]
            columns[name] = [side.texts[row] for row in rows]
        return pd.DataFrame(columns)[["score", "source_id", "target_id", "source", "target"]]


def _unjudged(work: _Work, layer: int, pairs: Pairs) -> Mined:
    threshold = -np.inf if work.options.threshold is None else work.options.threshold
    kept = work.frame(pairs).loc[pairs.score >= threshold]
    return Mined(kept, pd.DataFrame(), pd.DataFrame(), layer, threshold)


def _judged(
    work: _Work,
    opened: Source,
    haystack: Haystack,
    mined: Mapping[int, Pairs],
    parts: Sequence[Split],
    *,
    auto: bool,
) -> Mined:
    options = work.options
    n = len(work.source.sentences)
    gold = _gold_rows(haystack, work)
    layers = {layer: judge(pairs, gold, n) for layer, pairs in mined.items()}
    for part in parts:
        for name, half in (("tune", part.tune), ("report", part.report)):
            if not (next(iter(layers.values())).gold * half).any():
                raise ValueError(
                    f"{haystack.name}: no gold pair among the {name} sentences; give more gold"
                )
    given: dict[str, Any] = {
        "threshold": options.threshold,
        "oracle": options.oracle,
        "seed": options.seed,
    }
    rows = []
    for layer, judged in layers.items():
        rows += mining_rows(f"at layer {layer}", layer, {layer: judged}, parts, **given)
    _, choices = tuned(layers, parts)
    best = max({c.layer for c in choices}, key=lambda layer: sum(c.layer == layer for c in choices))
    if auto:
        rows += mining_rows("layer chosen too", best, layers, parts, **given, prefix="auto_")
    targets = np.unique(gold[:, 1])
    for name, share in THINNED.items():
        hashed = np.array([uniform(one) for one in work.target.ids])
        keep = np.union1d(targets, np.flatnonzero(hashed < share))
        if len(keep) <= options.k:
            continue
        thin = judge(work.mine(best, keep), gold, n)
        rows += mining_rows(
            "thinned", best, {best: thin}, parts, **given, suffix=f"@{name}", m=len(keep)
        )
    threshold = options.threshold
    if threshold is None:
        threshold = float(np.median([choice.threshold for choice in choices if choice.layer == best]))
    pairs = mined[best]
    columns = _columns(opened, haystack, work)
    table = make_table([columns | mining_columns(row, work.vectors.last) for row in rows])
    cosines = similarities(*unit_sides(*work.sides(best)), gold[:, 0], gold[:, 1])
    errors = missed(pairs, threshold, gold, cosines, parts, (work.source, work.target))
    kept = work.frame(pairs).loc[pairs.score >= threshold]
    return Mined(kept, table, errors, best, threshold, choices)


def _columns(opened: Source, haystack: Haystack, work: _Work) -> dict[str, Any]:
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


def _gold_rows(haystack: Haystack, work: _Work) -> Int64[np.ndarray, "g 2"]:
    """Return the gold as rows of distinct texts; pairs of the same two texts are one."""
    rows = []
    for side, distinct in ((haystack.source, work.source), (haystack.target, work.target)):
        place = {text: row for row, text in enumerate(distinct.texts)}
        rows.append({sentence.id: place[sentence.text] for sentence in side.sentences})
    assert haystack.gold is not None
    return np.unique([(rows[0][a], rows[1][b]) for a, b in haystack.gold], axis=0)
