"""The store: a sentence is encoded once.

A space is all that decides a vector besides its text: fingerprint, pooling, layers, maximum length,
dtype. It is a folder of shards; a shard is a folder `<n>-<uuid>/` of

    values.npy   (layers, rows, dim)
    keys.npy     (rows, 16) bytes: BLAKE2b-128 of the text fed to the model
    counts.npy   (rows, 3) int32: tokens, whether truncated, unknown tokens
    meta.json    shape, layers, xxh3 of every layer, of the keys and the counts

written under a temporary name, fsynced, renamed: the rename is the commit. The index is the union of
all keys, read when a space is opened. No locks and no database: two processes may fill a space at once,
a text encoded twice is harmless (the first shard in name order counts).
"""

import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from jaxtyping import Float32, Int32

logger = logging.getLogger(__name__)

VERSION = 1
UNFINISHED, DAMAGED = ".unfinished-", ".damaged-"  # prefixes of shards that do not count


@dataclass(frozen=True)
class Space:
    """What decides a vector besides its text."""

    fingerprint: str
    pooling: str
    layers: tuple[int, ...] | None  # None: all of them
    max_length: int
    dtype: str
    store_dtype: str = "float32"

    def folder(self, root: Path) -> Path:
        """Return the folder of the space under the root of a store."""
        layers = "all" if self.layers is None else "+".join(map(str, self.layers))
        stored = "" if self.store_dtype == "float32" else f"-as-{self.store_dtype}"
        name = f"{self.pooling}-{layers}-{self.max_length}-{self.dtype}{stored}-v{VERSION}"
        return root / self.fingerprint[:16] / name


def key(text: str) -> bytes:
    """Return the 16 bytes under which a text is stored."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class Shard:
    """One committed shard: its keys and counts in memory, its values on disk."""

    def __init__(self, path: Path) -> None:
        """Open a shard.

        Raises:
            ValueError: it is damaged.
        """
        self.path = path
        try:
            self.meta: dict[str, Any] = json.loads((path / "meta.json").read_text("utf-8"))
            self.keys = np.load(path / "keys.npy")
            self.counts = np.load(path / "counts.npy")
            self.layers: tuple[int, ...] = tuple(self.meta["layers"])
            sums = [self.meta["xxh3_keys"], self.meta["xxh3_counts"]]
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ValueError(f"{path}: damaged ({error})") from None
        if sums != [_checksum(self.keys), _checksum(self.counts)]:
            raise ValueError(f"{path}: damaged (keys or counts do not match their checksum)")
        self._sound: set[int] = set()

    def values(self) -> np.ndarray:
        """Return the values as a memory map of shape (layers, rows, dim)."""
        values: np.ndarray = np.load(self.path / "values.npy", mmap_mode="r")
        if list(values.shape) != self.meta["shape"]:
            raise ValueError(f"{self.path}: damaged (values of another shape)")
        return values

    def damage(self, layers: Iterable[int]) -> str:
        """Return what is wrong with some layers; their checksums are computed once a process."""
        try:
            values = self.values()
            for layer in layers:
                place = self.layers.index(layer)
                if place not in self._sound:
                    if _checksum(values[place]) != self.meta["xxh3"][place]:
                        return f"layer {layer} does not match its checksum"
                    self._sound.add(place)
        except (OSError, ValueError, EOFError) as error:
            return str(error)
        return ""


class Store:
    """The shards of one space, and which text's vector is where."""

    def __init__(self, folder: Path) -> None:
        """Read the index of a space; a folder that does not exist yet is an empty space."""
        self.folder = folder
        self.shards: dict[str, Shard] = {}
        self._index: dict[bytes, tuple[str, int]] = {}
        for path in shard_folders(folder):
            try:
                self.shards[path.name] = Shard(path)
            except ValueError as error:
                self._set_aside(path, str(error))
        self._reindex()

    def _reindex(self) -> None:
        self._index = {}
        for name in sorted(self.shards, reverse=True):  # so that the first in name order wins
            rows = _as_bytes(self.shards[name].keys)
            self._index.update((row_key, (name, row)) for row, row_key in enumerate(rows))

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that have no vector, in the given order."""
        return [one for one in keys if one not in self._index]

    def drop_damaged(self, keys: Iterable[bytes], layers: Sequence[int]) -> int:
        """Verify the shards that hold some keys; set damaged ones aside and return how many."""
        used = sorted({self._index[one][0] for one in keys if one in self._index})
        bad = {name: self.shards[name].damage(layers) for name in used}
        for name, problem in bad.items():
            if problem:
                self._set_aside(self.shards.pop(name).path, problem)
        if any(bad.values()):
            self._reindex()
        return sum(map(bool, bad.values()))

    def _set_aside(self, path: Path, problem: str) -> None:
        logger.warning("%s is damaged (%s); its sentences are encoded again", path, problem)
        try:
            path.rename(path.with_name(DAMAGED + path.name))
        except OSError as error:  # a read-only store: not counted in this process, left where it is
            logger.warning("%s cannot be set aside (%s)", path, error.strerror)

    def next_number(self) -> int:
        """Return the number of the next shard: shards sort in the order of their commits."""
        return 1 + max((int(name.split("-")[0]) for name in self.shards), default=-1)

    def write(
        self,
        number: int,
        keys: Sequence[bytes],
        counts: Int32[np.ndarray, "rows 3"],
        layers: Sequence[int],
        values: np.ndarray,
    ) -> None:
        """Commit a shard: all of it is on disk under its name, or nothing is.

        Raises:
            OSError: the disk is full or read-only; nothing half-written stays.
        """
        name = f"{number:06d}-{uuid.uuid4().hex}"
        unfinished = self.folder / (UNFINISHED + name)
        flat = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), 16)
        meta = {
            "version": VERSION,
            "shape": list(values.shape),
            "layers": list(layers),
            "xxh3": [_checksum(layer) for layer in values],
            "xxh3_keys": _checksum(flat),
            "xxh3_counts": _checksum(counts),
            "tokens": int(counts[:, 0].sum()),
        }
        try:
            unfinished.mkdir(parents=True)
            for file, array in (("values", values), ("keys", flat), ("counts", counts)):
                _write_array(unfinished / f"{file}.npy", array)
            _write_bytes(unfinished / "meta.json", json.dumps(meta, sort_keys=True).encode())
            _sync_folder(unfinished)
            unfinished.rename(self.folder / name)
            _sync_folder(self.folder)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise OSError(
                f"{self.folder}: the store cannot be written ({error.strerror or error}); make room "
                "or name another with --store; finished shards are kept"
            ) from error
        self.shards[name] = Shard(self.folder / name)
        for row, row_key in enumerate(keys):
            self._index.setdefault(row_key, (name, row))

    def read(self, keys: Sequence[bytes], layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of texts at some layers, upcast to float32."""
        places = [self._index[one] for one in keys]
        result: np.ndarray | None = None
        for name, (mine, rows) in _by_shard(places).items():
            shard = self.shards[name]
            values = shard.values()
            if result is None:
                result = np.empty((len(layers), len(keys), values.shape[2]), dtype=np.float32)
            for at, layer in enumerate(layers):
                result[at, mine] = values[shard.layers.index(layer)][rows]
        if result is None:
            raise ValueError("no sentences to read")
        return result

    def counts(self, keys: Sequence[bytes]) -> Int32[np.ndarray, "n 3"]:
        """Return tokens, truncated, unknown of texts."""
        result = np.empty((len(keys), 3), dtype=np.int32)
        for name, (mine, rows) in _by_shard([self._index[one] for one in keys]).items():
            result[mine] = self.shards[name].counts[rows]
        return result


def describe(folder: Path, space: Space, about: dict[str, Any]) -> None:
    """Write about.json beside the shards: what this space is, for people and `cache ls`."""
    path = folder / "about.json"
    known = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    described = known | asdict(space) | about
    if described != known:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{UNFINISHED}about-{uuid.uuid4().hex}"
        _write_bytes(unfinished, json.dumps(described, indent=1, sort_keys=True).encode())
        unfinished.rename(path)


def spaces(root: Path) -> list[Path]:
    """Return the folders of all spaces under the root of a store."""
    return sorted(path for path in root.glob(f"*/*-v{VERSION}") if path.is_dir())


def shard_folders(folder: Path) -> list[Path]:
    """Return the committed shards of a space, in name order."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def verify(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield every shard under a root with what is wrong with it ("" if it is sound)."""
    for space in spaces(root):
        for path in shard_folders(space):
            try:
                shard = Shard(path)
            except ValueError as error:
                yield path, str(error)
            else:
                yield path, shard.damage(shard.layers)


def prune(root: Path, *, older_than: float = 3600.0) -> list[Path]:
    """Delete what no run reads: damaged shards, and unfinished ones nobody wrote to for a while."""
    removed = []
    for space in spaces(root):
        for path in sorted(space.iterdir()):
            stale = time.time() - path.stat().st_mtime > older_than
            if path.name.startswith(DAMAGED) or (path.name.startswith(UNFINISHED) and stale):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed.append(path)
    return removed


def _by_shard(places: Sequence[tuple[str, int]]) -> dict[str, tuple[list[int], list[int]]]:
    """Group (shard, row) by shard: its positions in the request, and its rows."""
    grouped: dict[str, tuple[list[int], list[int]]] = {}
    for at, (name, row) in enumerate(places):
        mine, rows = grouped.setdefault(name, ([], []))
        mine.append(at)
        rows.append(row)
    return grouped


def _as_bytes(keys: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in keys]


def _checksum(array: np.ndarray) -> str:
    return str(xxhash.xxh3_64_hexdigest(np.ascontiguousarray(array).data))


def _write_array(path: Path, array: np.ndarray) -> None:
    """Write an .npy file through `write`, which tells why it fails (np.save does not)."""
    with path.open("wb") as stream:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(np.ascontiguousarray(array).data)
        stream.flush()
        os.fsync(stream.fileno())


def _write_bytes(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
