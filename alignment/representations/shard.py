"""One shard: a folder of vectors that is on disk whole, or not at all.

    values.npy   (layers, rows, dim)
    keys.npy     (rows, 16) bytes: BLAKE2b-128 of the text fed to the model
    counts.npy   (rows, 3) int32: tokens, whether truncated, unknown tokens
    meta.json    shape, layers, xxh3 of every layer, of the keys and the counts

It is written under a temporary name, fsynced, renamed: the rename is the commit.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xxhash
from jaxtyping import Int32

from ...data.rows import Columns

VERSION = 1
UNFINISHED, DAMAGED = ".unfinished-", ".damaged-"  # prefixes of shards that do not count


class Shard:
    """One committed shard: its keys and counts in memory, its values on disk."""

    def __init__(self, path: Path) -> None:
        """Open a shard.

        Raises:
            ValueError: it is damaged.
        """
        self.path = path
        try:
            self.meta: Columns = json.loads((path / "meta.json").read_text("utf-8"))
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


def write_shard(
    folder: Path,
    number: int,
    keys: Sequence[bytes],
    counts: Int32[np.ndarray, "rows 3"],
    layers: Sequence[int],
    values: np.ndarray,
) -> Shard:
    """Commit a shard `<number>-<uuid>` to the folder of a space, and return it.

    Raises:
        OSError: the disk is full or read-only; nothing half-written stays.
    """
    name = f"{number:06d}-{uuid.uuid4().hex}"
    unfinished = folder / (UNFINISHED + name)
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
        unfinished.rename(folder / name)
        _sync_folder(folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise OSError(
            f"{folder}: the store cannot be written ({error.strerror or error}); make room "
            "or name another with `store`; finished shards are kept"
        ) from error
    return Shard(folder / name)


def write_file(path: Path, data: bytes) -> None:
    """Write a small file under a temporary name, fsync and rename it."""
    unfinished = path.with_name(f"{UNFINISHED}{path.name}-{uuid.uuid4().hex}")
    _write_bytes(unfinished, data)
    unfinished.rename(path)


def _checksum(array: np.ndarray) -> str:
    return str(xxhash.xxh3_64_hexdigest(np.ascontiguousarray(array).data))


def _write_array(path: Path, array: np.ndarray) -> None:
    """Write an .npy file through `write`, which says why it fails (np.save does not)."""
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
