"""One shard: a folder of vectors that is on disk whole, or not at all.

    values.npy   (layers, rows, dim)
    keys.npy     (rows, 16) bytes: BLAKE2b-128 of the text fed to the model
    counts.npy   (rows, 3) int32: tokens, whether truncated, unknown tokens
    tokens.npy   (rows, 16) bytes: BLAKE2b-128 of the token ids that the model was fed
    meta.json    layers, xxh3 of every layer of values, of their header, of the other files, of itself

It is written under a temporary name, fsynced, renamed: the rename is the commit.
"""

import io
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8

from ..runs.files import checksum, read_json, write_json

VERSION = 2
HEADER = 128  # bytes before the numbers of an .npy file of ours
UNFINISHED, DAMAGED = ".unfinished-", ".damaged-"  # prefixes of shards that do not count


class ShardRows(NamedTuple):
    """What the rows of a shard are vectors of."""

    keys: Sequence[bytes]  # 16 bytes each, of the texts
    tokens: Sequence[bytes]  # 16 bytes each, of their token ids
    counts: Int32[np.ndarray, "rows 3"]  # tokens, whether truncated, unknown tokens


class Shard:
    """One committed shard: its keys and counts in memory, its values on disk."""

    def __init__(self, path: Path) -> None:
        """Open a shard.

        Raises:
            ValueError: it is damaged.
        """
        self.path = path
        try:
            meta = read_json(path / "meta.json")
            self.keys, self.tokens, self.counts = (
                _load(path / f"{name}.npy", meta[f"xxh3_{name}"])
                for name in ("keys", "tokens", "counts")
            )
            self.layers: tuple[int, ...] = tuple(meta["layers"])
            self._sums: list[str] = meta["xxh3"]
            self._header: str = meta["xxh3_header"]
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{path}: damaged ({error})") from None
        self._sound: set[int] = set()

    def values(self) -> np.ndarray:
        """Return the values as a memory map of shape (layers, rows, dim).

        Raises:
            ValueError: damaged; the values themselves are checked by `damage`.
        """
        path = self.path / "values.npy"
        with path.open("rb") as stream:
            if checksum(stream.read(HEADER)) != self._header:
                raise ValueError(f"{path} is damaged (its header)")
        values: np.ndarray = np.load(path, mmap_mode="r")
        return values

    def damage(self, layers: Iterable[int]) -> str:
        """Return what is wrong with some layers; their checksums are computed once a process."""
        try:
            values = self.values()
            for layer in layers:
                place = self.layers.index(layer)
                if place not in self._sound:
                    if checksum(np.ascontiguousarray(values[place]).data) != self._sums[place]:
                        return f"layer {layer} does not match its checksum"
                    self._sound.add(place)
        except (OSError, ValueError, EOFError) as error:
            return str(error)
        return ""


def write_shard(
    folder: Path,
    number: int,
    rows: ShardRows,
    layers: Sequence[int],
    values: np.ndarray,
) -> Shard:
    """Commit a shard `<number>-<uuid>` to the folder of a space, and return it.

    Args:
        folder: the space's.
        number: of the shard; readers take the first that has a text.
        rows: what the vectors are of.
        layers: the numbers of the layers of `values`.
        values: (layers, rows, dim).

    Raises:
        OSError: the disk is full or read-only; nothing half-written stays.
    """
    name = f"{number:06d}-{uuid.uuid4().hex}"
    unfinished = folder / (UNFINISHED + name)
    arrays = {"keys": _bytes(rows.keys), "tokens": _bytes(rows.tokens), "counts": rows.counts}
    meta = {
        "version": VERSION,
        "layers": list(layers),
        "shape": list(values.shape),
        "xxh3": [checksum(np.ascontiguousarray(layer).data) for layer in values],
        "xxh3_header": checksum(_header(values)),
    } | {f"xxh3_{file}": checksum(_npy(array)) for file, array in arrays.items()}
    try:
        unfinished.mkdir(parents=True)
        for file, array in (arrays | {"values": values}).items():
            _write_array(unfinished / f"{file}.npy", array)
        write_json(unfinished / "meta.json", meta, sync=True)
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


def _load(path: Path, expected: str) -> np.ndarray:
    """Return the array of a small file that is read whole."""
    data = path.read_bytes()
    if checksum(data) != expected:
        raise ValueError(f"{path.name} does not match its checksum")
    array: np.ndarray = np.load(io.BytesIO(data))
    return array


def _bytes(hashes: Sequence[bytes]) -> UInt8[np.ndarray, "rows 16"]:
    return np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(len(hashes), 16)


def _header(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array))
    return stream.getvalue()


def _npy(array: np.ndarray) -> bytes:
    return _header(array) + np.ascontiguousarray(array).tobytes()


def _write_array(path: Path, array: np.ndarray) -> None:
    """Write an .npy file through `write`, which says why it fails (np.save does not)."""
    with path.open("wb") as stream:
        stream.write(_header(array))
        stream.write(np.ascontiguousarray(array).data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
