"""FAISS indexes of one layer's vectors: built, saved with a manifest, loaded after a check, searched.

`neighbours` is exact and needs no index; an index serves to look sentences up later, or elsewhere.
Vectors are L2-normalised on the way in, so inner products are cosines. Exactly one of faiss-cpu and
faiss-gpu must be installed. What an approximate index misses: see `recall`.
"""

import re
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from ...data.rows import Columns, Row
from ..neighbours.unit_vectors import UnitVectors
from ..runs.files import Damaged, checksum, read_json, write_bytes, write_json

VERSION = 3
METRIC = "cosine"
ADDED = 65_536  # vectors normalised and added at once
TRAINED = 100_000  # vectors an approximate index is trained on


@dataclass(frozen=True, eq=False)
class Index:
    """A FAISS index, the ids of its rows, and what its vectors are."""

    faiss: Any
    ids: tuple[str, ...]
    about: Row  # fingerprint, layer, pooling, map, … of the vectors
    texts: tuple[str, ...] = ()  # what the rows are vectors of, where that is to be kept

    @property
    def exact(self) -> bool:
        """Whether it keeps every vector whole and compares a query with all of them: Flat alone does."""
        faiss = import_faiss()
        inner = faiss.downcast_index(self.faiss)
        while isinstance(inner, faiss.IndexIDMap):
            inner = faiss.downcast_index(inner.index)
        return isinstance(inner, faiss.IndexFlat)

    @property
    def effort(self) -> str | None:
        """The parameter that buys recall with time: nprobe, efSearch, or None where there is none."""
        faiss = import_faiss()
        try:
            faiss.extract_index_ivf(self.faiss)
        except RuntimeError:
            inner = faiss.downcast_index(self.faiss)
            if isinstance(inner, faiss.IndexPreTransform):
                inner = faiss.downcast_index(inner.index)
            return "efSearch" if hasattr(inner, "hnsw") else None
        return "nprobe"

    def set_effort(self, value: int) -> None:
        """Set `effort`.

        Raises:
            ValueError: the index has none, or a value below 1.
        """
        if self.effort is None or value < 1:
            raise ValueError(
                f"{self.about['factory']} searches with no nprobe or efSearch"
                if self.effort is None
                else f"{self.effort} must be at least 1, got {value}"
            )
        faiss = import_faiss()
        if self.effort == "nprobe":
            value = min(value, faiss.extract_index_ivf(self.faiss).nlist)  # more than all are all
        faiss.ParameterSpace().set_index_parameter(self.faiss, self.effort, value)

    def search(
        self, queries: Float32[np.ndarray, "n d"], k: int, *, missing: bool = False
    ) -> tuple[Int64[np.ndarray, "n k"], Float32[np.ndarray, "n k"]]:
        """Return positions and cosines of the k nearest, nearest first; k is clamped to the size.

        Args:
            queries: n vectors.
            k: how many.
            missing: give -1 where an approximate index finds fewer than k, which is an error otherwise.

        Raises:
            ValueError: another width, non-finite queries, k < 1, or FAISS finds fewer than k (-1).
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        units = _units(queries, "queries")
        if units.shape[1] != self.faiss.d:
            raise ValueError(f"queries have {units.shape[1]} dimensions, the index {self.faiss.d}")
        unit = _rounded(units, slice(None))
        try:
            scores, found = self.faiss.search(unit, min(k, len(self.ids)))
        except RuntimeError as error:
            raise ValueError(f"FAISS cannot search at this {self.effort} ({_reason(error)})") from None
        if (found < 0).any() and not missing:
            lost = int((found < 0).any(axis=1).sum())
            raise ValueError(
                f"the index found fewer than {k} neighbours for {lost} queries; raise its {self.effort}"
            )
        return found, scores


def build_index(
    vectors: Float32[np.ndarray, "n d"],
    ids: Sequence[str],
    *,
    factory: str = "Flat",
    about: Row | None = None,
    texts: Sequence[str] = (),
    gpu: bool = False,
    seed: int = 0,
) -> Index:
    """Return an index of vectors by cosine.

    Args:
        vectors: n rows, in memory or mapped; they are normalised and added in parts.
        ids: the id of each row.
        factory: a FAISS factory string; "Flat" is exact.
        about: what the vectors are: fingerprint, layer, pooling, map.
        texts: the text of each row, to be kept with it.
        gpu: train and fill it on all GPUs; the index that is returned lies on the CPU.
        seed: of the sample that it is trained on.

    Raises:
        ValueError: no rows, ids of another number, non-finite values, an unknown factory string, one
            that cannot be trained on so few rows, no FAISS with GPUs.
    """
    faiss = import_faiss()
    units = _units(vectors, "vectors")
    if len(ids) != len(units):
        raise ValueError(f"{len(units)} vectors but {len(ids)} ids")
    largest = max(map(int, re.findall(r"\d+", factory)), default=0)
    if largest > max(len(units), units.shape[1], 4096):  # FAISS would first make room for so many
        raise ValueError(f"{factory!r}: {largest} is more than there are vectors ({len(units)})")
    try:
        index = faiss.index_factory(units.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        if gpu:
            index = _to_gpus(faiss, index)
        if not index.is_trained:
            some = np.random.default_rng(seed).permutation(len(units))[:TRAINED]
            index.train(_rounded(units, np.sort(some)))
        for start in range(0, len(units), ADDED):
            index.add(_rounded(units, slice(start, start + ADDED)))
    except (RuntimeError, AssertionError, MemoryError) as error:
        raise ValueError(
            f"{factory!r} is no FAISS factory string for {len(units)} vectors of {units.shape[1]} "
            f"dimensions ({_reason(error)})"
        ) from None
    if gpu:
        index = faiss.index_gpu_to_cpu(index)
    return Index(index, tuple(ids), dict(about or {}) | {"factory": factory}, tuple(texts))


def _to_gpus(faiss: Any, index: Any) -> Any:
    if not getattr(faiss, "get_num_gpus", int)():
        raise ValueError("FAISS sees no GPU here; leave out `gpu`, or install crosslingual[gpu]")
    return faiss.index_cpu_to_all_gpus(index)


def save_index(index: Index, folder: Path) -> None:
    """Write an index as a folder of index.faiss, ids.txt, texts.txt and manifest.json, all or nothing.

    Raises:
        OSError: the folder exists, or cannot be written.
        ValueError: an id or text with a line break in it.
    """
    if any("\n" in one for one in (*index.ids, *index.texts)):
        raise ValueError("an id or text with a line break cannot be saved")
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    if folder.exists():
        raise OSError(f"{folder}: there is something already; name another folder or remove it")
    unfinished.mkdir(parents=True)
    files = {
        "index.faiss": import_faiss().serialize_index(index.faiss).tobytes(),
        "ids.txt": _lines(index.ids),
        "texts.txt": _lines(index.texts),
    }
    manifest = {
        "version": VERSION,
        "metric": METRIC,
        "dim": index.faiss.d,
        "rows": len(index.ids),
        "xxh3": {name: checksum(content) for name, content in files.items()},
        "about": dict(index.about),
    }
    try:
        for name, content in files.items():
            write_bytes(unfinished / name, content)
        write_json(unfinished / "manifest.json", manifest)
        unfinished.rename(folder)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _lines(values: Sequence[str]) -> bytes:
    return "".join(f"{one}\n" for one in values).encode()


def load_index(folder: Path, *, expect: Row | None = None) -> Index:
    """Return a saved index after checking it.

    Args:
        folder: from `save_index`.
        expect: what the vectors must be; every entry must agree with the manifest's.

    Raises:
        ValueError: damaged, of another version, or an index of other vectors.
        OSError: there is none.
    """
    manifest = read_manifest(folder)
    files = {}
    for name, expected in manifest["xxh3"].items():
        if not (folder / name).is_file():
            raise Damaged(f"{folder / name} is missing; build the index again")
        files[name] = (folder / name).read_bytes()
        if checksum(files[name]) != expected:
            raise Damaged(f"{folder / name} does not match its checksum; build the index again")
    refuse_others(folder, manifest["about"], expect or {})
    index = import_faiss().deserialize_index(np.frombuffer(files["index.faiss"], dtype=np.uint8))
    ids, texts = (tuple(files[name].decode().split("\n")[:-1]) for name in ("ids.txt", "texts.txt"))
    return Index(index, ids, manifest["about"], texts)


def refuse_others(folder: Path, about: Row, expect: Row) -> None:
    """Raise a ValueError unless an index says of itself what its vectors must be."""
    for name, value in expect.items():
        if about.get(name) != value:
            raise ValueError(
                f"{folder}: an index of other vectors: {name} is {about.get(name)!r}, not {value!r}"
            )


def read_manifest(folder: Path) -> Columns:
    """Return what a saved index is.

    Raises:
        ValueError: of another version.
        OSError: there is none.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise OSError(f"{folder}: no index there (no manifest.json)")
    try:
        manifest = read_json(path)
    except Damaged as error:
        raise Damaged(f"{error}; build the index again") from None
    if manifest.get("version") != VERSION or manifest.get("metric") != METRIC:
        raise ValueError(f"{path}: version {manifest.get('version')} or its metric is not known here")
    return manifest


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


def _units(vectors: Float32[np.ndarray, "n d"], name: str) -> UnitVectors:
    """Return rows of unit length (zero rows stay zero), computed in float64."""
    if vectors.ndim != 2 or not len(vectors):
        raise ValueError(f"{name} must be a matrix with rows, got shape {vectors.shape}")
    return UnitVectors(vectors, name)


def _rounded(units: UnitVectors, rows: slice | np.ndarray) -> Float32[np.ndarray, "b d"]:
    """Return unit vectors as FAISS takes them."""
    return np.ascontiguousarray(units[rows].astype(np.float32))


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
