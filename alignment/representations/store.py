"""The store: a sentence is encoded once.

A space is all that decides a vector besides its text: fingerprint, pooling, layers, maximum length,
dtype. It is a folder of shards (`shard.py`). The index is the union of all their keys, read when a
space is opened. No locks and no database: two processes may fill a space at once, a text encoded twice
is harmless (the first shard in name order counts).
"""

import hashlib
import logging
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, Int64

from ...data.rows import Columns
from ..runs.files import Damaged, read_json, write_json
from .shard import DAMAGED, UNFINISHED, VERSION, Shard, ShardRows, write_shard

logger = logging.getLogger(__name__)

_SHARD = re.compile(r"\d{6,}-[0-9a-f]{32}")
# of each shard that holds some of the texts asked for: their positions, and its rows
StoredRows = Mapping[str, tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]]


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
    return digest(text.encode())


def digest(data: bytes) -> bytes:
    """Return the BLAKE2b-128 of some bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


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
            keys = self.shards[name].keys
            self._index.update((row_key.tobytes(), (name, row)) for row, row_key in enumerate(keys))

    def missing(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that have no vector, in the given order."""
        return [one for one in keys if one not in self._index]

    def drop_damaged(self, keys: Iterable[bytes], layers: Sequence[int]) -> int:
        """Verify the shards that hold some keys; set damaged ones aside and return how many."""
        return self._drop({self._index[one][0] for one in keys if one in self._index}, layers)

    def with_tokens(
        self, tokens: Iterable[bytes], layers: Sequence[int]
    ) -> dict[bytes, tuple[str, int]]:
        """Return where vectors of the same token ids lie: shard and row, verified."""
        asked = set(tokens)
        while True:
            found = {
                one: (name, row)
                for name in sorted(self.shards, reverse=True)  # so that the first in name order wins
                for row, one in enumerate(self.shards[name].tokens.view("V16")[:, 0].tolist())
                if one in asked
            }
            if not self._drop({name for name, _ in found.values()}, layers):
                return found

    def _drop(self, names: Iterable[str], layers: Sequence[int]) -> int:
        bad = {name: self.shards[name].damage(layers) for name in sorted(names)}
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
        rows: ShardRows,
        layers: Sequence[int],
        values: np.ndarray,
    ) -> None:
        """Commit a shard; see `write_shard`."""
        shard = write_shard(self.folder, number, rows, layers, values)
        self.shards[shard.path.name] = shard
        for row, row_key in enumerate(rows.keys):
            self._index.setdefault(row_key, (shard.path.name, row))

    def places(self, keys: Sequence[bytes]) -> StoredRows:
        """Return where the texts of some keys lie: shard by shard, their positions and its rows."""
        return grouped((at, *self._index[one]) for at, one in enumerate(keys))

    def read(self, places: StoredRows, layers: Sequence[int]) -> Float32[np.ndarray, "layers n dim"]:
        """Return the vectors of texts at some layers, upcast to float32."""
        result: np.ndarray | None = None
        for name, (mine, rows) in places.items():
            shard = self.shards[name]
            values = shard.values()
            if result is None:
                shape = len(layers), _texts(places), values.shape[2]
                result = np.empty(shape, dtype=np.float32)
            for at, layer in enumerate(layers):
                result[at, mine] = values[shard.layers.index(layer)][rows]
        if result is None:
            raise ValueError("no sentences to read")
        return result

    def counts(self, places: StoredRows) -> Int32[np.ndarray, "n 3"]:
        """Return tokens, truncated, unknown of texts."""
        result = np.empty((_texts(places), 3), dtype=np.int32)
        for name, (mine, rows) in places.items():
            result[mine] = self.shards[name].counts[rows]
        return result


def grouped(places: Iterable[tuple[int, str, int]]) -> StoredRows:
    """Return (position, shard, row) triples shard by shard."""
    found: dict[str, tuple[list[int], list[int]]] = {}
    for at, name, row in places:
        mine, rows = found.setdefault(name, ([], []))
        mine.append(at)
        rows.append(row)
    return {name: (np.array(mine), np.array(rows)) for name, (mine, rows) in found.items()}


def describe(folder: Path, space: Space, about: Columns) -> None:
    """Write about.json next to the shards: what this space is, for people and `cache ls`."""
    path = folder / "about.json"
    try:
        known = read_json(path)
    except (Damaged, OSError):  # it is written again: nothing is computed from it
        known = {}
    described = known | asdict(space) | about
    if described != known:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, described, sync=True)


def spaces(root: Path) -> list[Path]:
    """Return the folders of all spaces under the root of a store."""
    pattern = f"{'[0-9a-f]' * 16}/*-v{VERSION}"
    return sorted(path for path in root.glob(pattern) if path.is_dir())


def shard_folders(folder: Path) -> list[Path]:
    """Return the committed shards of a space, in name order; what others put there is no shard."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if _SHARD.fullmatch(p.name))


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


def _texts(places: StoredRows) -> int:
    return sum(len(mine) for mine, _ in places.values())
