"""Files of our own: written all or nothing, checked before they are used.

A file is written under a hidden name next to its place and renamed. What we wrote is known by its xxh3:
a JSON file carries its own, other files have theirs in a JSON file next to them. A file that does not
match is damaged: it counts as not written, or is refused in one line.
"""

import io
import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import xxhash

from ...data.rows import Columns, Row

if TYPE_CHECKING:
    import pyarrow

SUM = "checksum"  # the key of a JSON file's own


class Damaged(ValueError):
    """A file does not hold what was written there."""


def checksum(data: bytes | memoryview) -> str:
    """Return the xxh3 of some bytes, 16 hexadecimal digits."""
    return str(xxhash.xxh3_64_hexdigest(data))


def file_checksum(path: Path) -> str:
    """Return the xxh3 of a file, which may be larger than memory."""
    digest = xxhash.xxh3_64()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 24):
            digest.update(chunk)
    return str(digest.hexdigest())


def write_bytes(path: Path, data: bytes, *, sync: bool = False) -> str:
    """Write a file, all or nothing, and return its checksum.

    Args:
        path: replaced if it is there.
        data: its content.
        sync: wait until it is on the disk, so that it survives a power cut.

    Raises:
        OSError: the disk is full or read-only; nothing half-written stays.
    """
    with replacing(path) as unfinished, unfinished.open("wb") as stream:
        stream.write(data)
        if sync:
            stream.flush()
            os.fsync(stream.fileno())
    return checksum(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the place where a file is written; it takes the file's name at the end, or is removed.

    Args:
        path: replaced if it is there.

    Raises:
        OSError: the disk is full or read-only; nothing half-written stays.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise OSError(f"{path} cannot be written ({error.strerror or error}); make room") from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> str:
    """Write a text file, all or nothing; see `write_bytes`."""
    return write_bytes(path, text.encode())


def seal(value: Row) -> Columns:
    """Return a mapping with its own checksum.

    Of a mapping in it that has a checksum already only the name counts: times and costs are sealed
    apart, so that the rest is the same whenever it is computed.
    """
    plain: Columns = json.loads(json.dumps(dict(value)))
    return plain | {SUM: checksum(_canonical(plain))}


def write_json(path: Path, value: Row, *, sync: bool = False) -> None:
    """Write a mapping with its own checksum, all or nothing.

    Args:
        path: replaced if it is there.
        value: what JSON can hold; without a key "checksum".
        sync: see `write_bytes`.

    Raises:
        OSError: see `write_bytes`.
    """
    write_bytes(path, json.dumps(seal(value), indent=1, ensure_ascii=False).encode(), sync=sync)


def read_json(path: Path) -> Columns:
    """Return what `write_json` wrote.

    Raises:
        Damaged: something else is there.
        OSError: nothing is there.
    """
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict):
            raise TypeError
        return _opened(value)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"{path} is damaged ({str(error) or type(error).__name__})") from None


def _opened(value: Columns) -> Columns:
    """Return a sealed mapping without its checksums."""
    expected = value.pop(SUM)
    if expected != checksum(_canonical(value)):
        raise ValueError("it does not match its checksum")
    return {name: _opened(one) if _is_sealed(one) else one for name, one in value.items()}


def _canonical(value: Columns) -> bytes:
    rest = {name: None if _is_sealed(one) else one for name, one in value.items()}
    return json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()


def _is_sealed(value: object) -> bool:
    return isinstance(value, dict) and SUM in value


def write_parquet(table: pd.DataFrame, path: Path) -> str:
    """Write a table, all or nothing, and return the checksum of the file; see `write_bytes`."""
    stream = io.BytesIO()
    table.to_parquet(stream, index=False, compression="zstd")
    return write_bytes(path, stream.getvalue())


def read_parquet(path: Path, expected: str | None = None) -> pd.DataFrame:
    """Return the table of a file.

    Args:
        path: a Parquet file.
        expected: its checksum, where that is known.

    Raises:
        Damaged: no Parquet file, or not the one that was written.
        OSError: nothing is there.
    """
    with _parsed(path, expected) as data:
        return pd.read_parquet(io.BytesIO(data))


def read_columns(path: Path, expected: str | None, wanted: Collection[str]) -> "pyarrow.Table":
    """Return those of some columns that a file has, texts as codes: faster than all of them as objects.

    Args:
        path: a Parquet file.
        expected: its checksum, where that is known.
        wanted: the names of columns.

    Raises:
        Damaged: no Parquet file, or not the one that was written.
        OSError: nothing is there.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    with _parsed(path, expected) as data:
        whole = ParquetFile(pyarrow.BufferReader(data))
        kinds = whole.schema_arrow
        names = [name for name in kinds.names if name in wanted]
        texts = [name for name in names if pyarrow.types.is_large_string(kinds.field(name).type)]
        texts += [name for name in names if pyarrow.types.is_string(kinds.field(name).type)]
        coded = ParquetFile(pyarrow.BufferReader(data), metadata=whole.metadata, read_dictionary=texts)
        return coded.read(names, use_threads=False)


@contextmanager
def _parsed(path: Path, expected: str | None) -> Iterator[bytes]:
    """Give the bytes of a file to a parser."""
    data = path.read_bytes()
    if expected is not None and checksum(data) != expected:
        raise Damaged(f"{path} is damaged (it does not match its checksum)")
    try:
        yield data
    except Exception as error:  # a parser of bytes from anywhere: every kind means the same
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Damaged(f"{path} is damaged, or no Parquet file ({reason[:100]})") from None


MARK = ".crosslingual"  # in a folder that we made and may remove


def own_folder(folder: Path) -> None:
    """Make a folder that `remove_folder` may remove; one that we made before is emptied.

    Raises:
        OSError: something that is not ours is there.
    """
    remove_folder(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def remove_folder(folder: Path, *marks: str) -> None:
    """Remove a folder of ours, if it is there.

    Args:
        folder: what to remove.
        marks: files of which a folder of ours has one; besides the mark of `own_folder`.

    Raises:
        OSError: it is not ours.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    ours = [folder / name for name in (MARK, *marks) if (folder / name).is_file()]
    if folder.is_symlink() or not folder.is_dir() or not ours:
        raise OSError(f"{folder}: something that was not made here; move it, or name another folder")
    for path in folder.iterdir():
        if path not in ours:  # the marks last: who is stopped here may go on
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.rmtree(folder)


TABLES = "tables.json"  # the checksums of the tables in a folder


def write_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write `<name>.parquet` to a folder, and its checksum to the folder's tables.json."""
    folder.mkdir(parents=True, exist_ok=True)
    written = write_parquet(table, folder / f"{name}.parquet")
    try:
        known = read_json(folder / TABLES)
    except (Damaged, OSError):
        known = {}
    write_json(folder / TABLES, known | {f"{name}.parquet": written})


def read_table(path: Path) -> pd.DataFrame:
    """Return a table of ours, checked where its folder has its checksum, or a stranger's.

    Raises:
        Damaged: see `read_parquet`.
        OSError: there is none.
    """
    if not path.is_file():
        raise OSError(f"{path}: no such table; the command that makes it has to run first")
    listing = path.parent / TABLES
    known = read_json(listing) if listing.is_file() else {}
    try:
        return read_parquet(path, known.get(path.name))
    except Damaged as error:
        raise Damaged(f"{error}; run the command that made it once more") from None
