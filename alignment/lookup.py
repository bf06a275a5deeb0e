"""Sentences looked up by an index: built from vectors of one file, searched with those of another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32

from ..data import Sentence, Side
from .checkpoint import Checkpoint
from .home import store_root
from .index import Index, build_index, load_index, refuse_others, save_index
from .recall import Judge, Recall, sample_of
from .represent import Progress
from .source import Source, open_source

OWN = 10  # neighbours of an index's own sentences, on which its recall is told


def build_lookup(
    checkpoint: Checkpoint | str | Path,
    side: Side,
    folder: Path,
    *,
    layer: str = "last",
    pooling: str = "mean",
    factory: str = "Flat",
    gpu: bool = False,
    store: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[Index, Recall | None]:
    """Build and save an index of sentences; return it, and what an approximate one misses of its own.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        side: the sentences.
        folder: where the index goes.
        layer: one layer, a number or last.
        pooling: of tokens.
        factory: see `build_index`.
        gpu: see `build_index`.
        store: root of the store.
        progress: called with (sentences done, of how many).

    Raises:
        ValueError: see `build_index`; several layers.
        OSError: the folder exists, or something cannot be written.
    """
    if folder.exists():
        raise OSError(f"{folder}: there is something already; name another folder or remove it")
    source = _open(checkpoint, [side], layer, pooling, store, progress)
    if len(source.layers[pooling]) != 1:
        raise ValueError(f"an index is of one layer; --layer {layer!r} names more")
    about = _about(source, source.layers[pooling][0], pooling)
    (vectors,) = _vectors(source, [side], about)
    about |= {"checkpoint": source.columns["checkpoint"], "language": side.language, "code": side.code}
    index = build_index(vectors, side.ids, factory=factory, about=about, texts=side.texts, gpu=gpu)
    found = None
    if index.effort is not None:
        k = min(OWN, len(vectors))
        found = Judge(index, vectors, sample_of(vectors), k).recall()
    save_index(index, folder)
    return index, found


def search_lookup(
    folder: Path,
    checkpoint: Checkpoint | str | Path,
    queries: Side,
    *,
    k: int = 5,
    effort: int | None = None,
    recall: float | None = None,
    store: str | Path | None = None,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, Recall | None]:
    """Return the k nearest sentences of every query; of an approximate index also its recall.

    Args:
        folder: of a saved index.
        checkpoint: the one it was built from.
        queries: the sentences to look up.
        k: how many.
        effort: nprobe or efSearch.
        recall: instead, the least effort of that recall, found on a sample of the queries.
        store: root of the store.
        progress: called with (sentences done, of how many).

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
    exact = index.effort is None
    if exact and (recall is not None or effort is not None):
        raise ValueError(
            f"{folder} is exact ({index.about['factory']}); leave out --nprobe and --recall"
        )
    sides = [queries] if exact else [queries, base]
    source = _open(checkpoint, sides, str(layer), pooling, store, progress)
    refuse_others(folder, index.about, _about(source, layer, pooling))
    vectors, *more = _vectors(source, sides, index.about)
    told = None
    if not exact:
        judge = Judge(index, more[0], sample_of(vectors), k)
        told = judge.recall(effort) if recall is None else judge.least_effort(recall)
    found, scores = index.search(vectors, k)
    count = found.shape[1]
    place = found.ravel().tolist()
    query = np.repeat(np.arange(len(found)), count).tolist()
    frame = pd.DataFrame(
        {
            "query_id": [queries.ids[row] for row in query],
            "rank": np.tile(np.arange(1, count + 1), len(found)),
            "score": scores.ravel().astype(np.float64),
            "id": [index.ids[row] for row in place],
            "query": [queries.texts[row] for row in query],
            "text": [index.texts[row] for row in place],
        }
    )
    return frame, told


def _open(
    checkpoint: Checkpoint | str | Path,
    sides: Sequence[Side],
    layer: str,
    pooling: str,
    store: str | Path | None,
    progress: Progress | None,
) -> Source:
    return open_source(
        checkpoint,
        sides,
        poolings=[pooling],
        layers=layer,
        root=store_root(store),
        store_dtype="float32",
        budget=None,
        progress=progress,
    )


def _about(source: Source, layer: int, pooling: str) -> dict[str, Any]:
    """Return what decides a vector; an index and its queries must agree in all of it."""
    named = ("dtype", "max_length", "prefix")
    return {
        "fingerprint": source.fingerprint,
        "layer": layer,
        "pooling": pooling,
        "map": "none",
    } | {name: source.columns[name] for name in named}


def _vectors(
    source: Source, sides: Sequence[Side], about: Mapping[str, Any]
) -> list[Float32[np.ndarray, "n d"]]:
    vectors = source.represent()[about["pooling"]]
    return [vectors.read(side, [about["layer"]])[0] for side in sides]
