"""Sentences looked up by an index: built from vectors of one file, searched with those of another."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32

from ...data import Sentence, Side
from ...data.rows import Columns, Row
from ..representations.options import StoreOptions
from ..representations.source import CheckpointLike, Source, open_model, open_source
from ..runs.paths import store_root
from ..runs.progress import stage_of
from .index import Index, build_index, load_index, refuse_others, save_index
from .options import BuildOptions, SearchOptions
from .recall import ExactSearch, Recall, sample_of

OWN = 10  # neighbours of an index's own sentences, on which its recall is measured


def build_lookup(
    checkpoint: CheckpointLike, side: Side, folder: Path, options: BuildOptions
) -> tuple[Index, Recall | None]:
    """Build and save an index of sentences; return it, and what an approximate one misses of its own.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        side: the sentences.
        folder: where the index goes.
        options: what it is of.

    Raises:
        ValueError: see `build_index`; several layers.
        OSError: the folder exists, or something cannot be written.
    """
    if folder.exists():
        raise OSError(f"{folder}: there is something already; name another folder or remove it")
    pooling = options.pooling
    source = _open(checkpoint, [side], str(options.layer), pooling, options)
    if len(source.layers[pooling]) != 1:
        raise ValueError(f"an index is of one layer; `layer` {options.layer!r} names more")
    about = _about(source, source.layers[pooling][0], pooling)
    (vectors,) = _vectors(source, [side], about)
    about |= {"checkpoint": source.columns["checkpoint"], "language": side.language, "code": side.code}
    index = build_index(
        vectors, side.ids, factory=options.factory, about=about, texts=side.texts, gpu=options.gpu
    )
    recall = None
    if not index.exact:
        k = min(OWN, len(vectors))
        recall = ExactSearch(index, vectors, sample_of(vectors), k).recall()
    save_index(index, folder)
    return index, recall


def search_lookup(
    folder: Path, checkpoint: CheckpointLike, queries: Side, options: SearchOptions
) -> tuple[pd.DataFrame, Recall | None]:
    """Return the k nearest sentences of every query; of an approximate index also its recall.

    Args:
        folder: of a saved index.
        checkpoint: the one it was built from.
        queries: the sentences to look up.
        options: how.

    Returns:
        Columns query_id, rank (from 1), score, id, query, text; and the recall@k on a sample of the
        queries, None for an exact index.

    Raises:
        ValueError: an index of other vectors, damaged, or of no effort; a recall it does not reach.
        OSError: there is none.
    """
    index = load_index(folder)
    layer, pooling = index.about["layer"], index.about["pooling"]
    rows = tuple(Sentence(*row) for row in zip(index.ids, index.texts, strict=True))
    base = Side(index.about["language"], index.about["code"], rows)
    if index.effort is None and (options.recall is not None or options.nprobe is not None):
        raise ValueError(
            f"{folder} ({index.about['factory']}) has nothing that buys recall; leave out `nprobe` and "
            "`recall`"
        )
    sides = [queries] if index.exact else [queries, base]
    source = _open(checkpoint, sides, str(layer), pooling, options)
    refuse_others(folder, index.about, _about(source, layer, pooling))
    vectors, *more = _vectors(source, sides, index.about)
    recall = None
    if not index.exact:
        searched = ExactSearch(index, more[0], sample_of(vectors), options.k)
        if options.recall is None:
            recall = searched.recall(options.nprobe)
        else:
            recall = searched.least_effort(options.recall)
    places, scores = index.search(vectors, options.k)
    count = places.shape[1]
    place = places.ravel().tolist()
    query = np.repeat(np.arange(len(places)), count).tolist()
    frame = pd.DataFrame(
        {
            "query_id": [queries.ids[row] for row in query],
            "rank": np.tile(np.arange(1, count + 1), len(places)),
            "score": scores.ravel().astype(np.float64),
            "id": [index.ids[row] for row in place],
            "query": [queries.texts[row] for row in query],
            "text": [index.texts[row] for row in place],
        }
    )
    return frame, recall


def _open(
    checkpoint: CheckpointLike,
    sides: Sequence[Side],
    layer: str,
    pooling: str,
    options: StoreOptions,
) -> Source:
    source = open_source(
        open_model(checkpoint, options),
        sides,
        poolings=[pooling],
        layers=layer,
        root=store_root(options.store),
        batch_tokens=options.batch_tokens,
        progress=stage_of(options.progress, "encoding"),
    )
    source.take_share(options.share)
    return source


def _about(source: Source, layer: int, pooling: str) -> Columns:
    """Return what decides a vector; an index and its queries must agree in all of it."""
    named = ("dtype", "max_length", "prefix")
    return {
        "fingerprint": source.fingerprint,
        "layer": layer,
        "pooling": pooling,
        "map": "none",
    } | {name: source.columns[name] for name in named}


def _vectors(source: Source, sides: Sequence[Side], about: Row) -> list[Float32[np.ndarray, "n d"]]:
    vectors = source.represent()[about["pooling"]]
    return [vectors.read(side, [about["layer"]])[0] for side in sides]
