"""FAISS indexes of one layer's vectors: built, saved with a manifest, loaded after a check, searched.

`neighbours` is exact and needs no index; an index serves to look sentences up later, or elsewhere.
Vectors are L2-normalised on the way in, so inner products are cosines. Exactly one of faiss-cpu and
faiss-gpu must be installed.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from jaxtyping import Float32, Int64

from .units import Units

VERSION = 1
METRIC = "cosine"


@dataclass(frozen=True, eq=False)
class Index:
    """A FAISS index, the ids of its rows, and what its vectors are."""

    faiss: Any
    ids: tuple[str, ...]
    about: Mapping[str, Any]  # fingerprint, layer, pooling, map, … of the vectors

    def search(
        self, queries: Float32[np.ndarray, "n d"], k: int
    ) -> tuple[Int64[np.ndarray, "n k"], Float32[np.ndarray, "n k"]]:
        """Return positions and cosines of the k nearest, nearest first; k is clamped to the size.

        Raises:
            ValueError: another width, non-finite queries, k < 1, or FAISS finds fewer than k (-1).
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        unit = _unit(queries, "queries")
        if unit.shape[1] != self.faiss.d:
            raise ValueError(f"queries have {unit.shape[1]} dimensions, the index {self.faiss.d}")
        scores, found = self.faiss.search(unit, min(k, len(self.ids)))
        if (found < 0).any():
            lost = int((found < 0).any(axis=1).sum())
            raise ValueError(f"the index found fewer than {k} neighbours for {lost} queries")
        return found, scores


def build_index(
    vectors: Float32[np.ndarray, "n d"],
    ids: Sequence[str],
    *,
    factory: str = "Flat",
    about: Mapping[str, Any] | None = None,
) -> Index:
    """Return an index of vectors by cosine.

    Args:
        vectors: n rows.
        ids: the id of each row.
        factory: a FAISS factory string; "Flat" is exact.
        about: what the vectors are: fingerprint, layer, pooling, map.

    Raises:
        ValueError: no rows, ids of another number, non-finite values, an unknown factory string.
    """
    faiss = import_faiss()
    unit = _unit(vectors, "vectors")
    if len(ids) != len(unit):
        raise ValueError(f"{len(unit)} vectors but {len(ids)} ids")
    try:
        index = faiss.index_factory(unit.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise ValueError(f"{factory!r} is no FAISS factory string ({_reason(error)})") from None
    if not index.is_trained:
        index.train(unit)
    index.add(unit)
    return Index(index, tuple(ids), dict(about or {}) | {"factory": factory})


def save_index(index: Index, folder: Path) -> None:
    """Write an index as a folder of index.faiss, ids.txt and manifest.json, all or nothing.

    Raises:
        OSError: the folder exists, or cannot be written.
        ValueError: an id with a line break in it.
    """
    if any("\n" in one for one in index.ids):
        raise ValueError("an id with a line break cannot be saved")
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    if folder.exists():
        raise OSError(f"{folder}: there is something already; name another folder or remove it")
    unfinished.mkdir(parents=True)
    data = import_faiss().serialize_index(index.faiss).tobytes()
    ids = "".join(f"{one}\n" for one in index.ids).encode()
    manifest = {
        "version": VERSION,
        "metric": METRIC,
        "dim": index.faiss.d,
        "rows": len(index.ids),
        "xxh3_index": xxhash.xxh3_64_hexdigest(data),
        "xxh3_ids": xxhash.xxh3_64_hexdigest(ids),
        "about": dict(index.about),
    }
    (unfinished / "index.faiss").write_bytes(data)
    (unfinished / "ids.txt").write_bytes(ids)
    (unfinished / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    unfinished.rename(folder)


def load_index(folder: Path, *, expect: Mapping[str, Any] | None = None) -> Index:
    """Return a saved index after checking it.

    Args:
        folder: from `save_index`.
        expect: what the vectors must be; every entry must agree with the manifest's.

    Raises:
        ValueError: damaged, of another version, or an index of other vectors.
        OSError: there is none.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise OSError(f"{folder}: no index there (no manifest.json)")
    manifest = json.loads(path.read_text("utf-8"))
    if manifest.get("version") != VERSION or manifest.get("metric") != METRIC:
        raise ValueError(f"{path}: version {manifest.get('version')} or its metric is not known here")
    data, ids = (folder / "index.faiss").read_bytes(), (folder / "ids.txt").read_bytes()
    for name, content in (("index", data), ("ids", ids)):
        if xxhash.xxh3_64_hexdigest(content) != manifest[f"xxh3_{name}"]:
            raise ValueError(f"{folder}: the {name} does not match its checksum; build it again")
    for name, value in (expect or {}).items():
        if manifest["about"].get(name) != value:
            raise ValueError(
                f"{folder}: an index of other vectors: {name} is {manifest['about'].get(name)!r}, "
                f"not {value!r}"
            )
    index = import_faiss().deserialize_index(np.frombuffer(data, dtype=np.uint8))
    return Index(index, tuple(ids.decode().splitlines()), manifest["about"])


def import_faiss() -> Any:
    """Return the faiss module.

    Raises:
        ValueError: it is not installed; the message says which line installs it.
    """
    try:
        import faiss
    except ImportError:
        raise ValueError(
            "an index needs FAISS; pip install 'crosslingual[cpu]' (or [gpu] with CUDA 12)"
        ) from None
    return faiss


def _unit(vectors: Float32[np.ndarray, "n d"], name: str) -> Float32[np.ndarray, "n d"]:
    """Return rows of unit length (zero rows stay zero), computed in float64."""
    if vectors.ndim != 2 or not len(vectors):
        raise ValueError(f"{name} must be a matrix with rows, got shape {vectors.shape}")
    return np.ascontiguousarray(Units(vectors, name)[:].astype(np.float32))


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
