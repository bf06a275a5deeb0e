"""Read text as it is: strict UTF-8, one sentence a line, errors with file and line.

Files come from anywhere, so that what is read at once is bounded: a line by LONGEST, and what is
unpacked by UNPACKED, unless the packed file is a fair part of it.
"""

import gzip
import lzma
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import cast

LONGEST = 16 << 20  # bytes of a line
UNPACKED = 32 << 20  # bytes that a compressed file may hold whatever its size
RATIO = 200  # of unpacked to packed bytes, beyond that; texts are packed by 3 to 20

_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)  # of compressed data


def open_binary(path: Path) -> BufferedIOBase:
    """Open a plain, `.gz` or `.xz` file for reading bytes.

    Raises:
        OSError: it cannot be read, or is no file (a pipe would be waited for).
    """
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "no regular file"
        raise OSError(f"{path} is {kind}; name a file")
    if path.suffix == ".gz":
        return cast("BufferedIOBase", gzip.open(path, "rb"))
    if path.suffix == ".xz":
        return cast("BufferedIOBase", lzma.open(path, "rb"))
    return path.open("rb")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""Yield (1-based line number, line without its end) of a UTF-8 text file.

    Only LF and CR LF end a line: a lone CR, U+0085 and U+2028 are characters of the sentence. A byte
    order mark at the start is dropped.

    Raises:
        ValueError: bytes that are not UTF-8, a line longer than LONGEST: with file:line.
        OSError: the file cannot be read or decompressed; it holds far more than its size.
    """
    number, total = 0, 0
    try:
        with open_binary(path) as stream:
            most = max(UNPACKED, RATIO * path.stat().st_size) if path.suffix in (".gz", ".xz") else None
            while raw := stream.readline(LONGEST + 1):
                number, total = number + 1, total + len(raw)
                if len(raw) > LONGEST:
                    raise ValueError(f"{path}:{number}: a line of more than {LONGEST >> 20} MiB")
                if most is not None and total > most:
                    raise OSError(
                        f"{path}:{number}: more than {RATIO} times as large as the compressed file; "
                        "unpack it if that is right"
                    )
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                line = raw.removesuffix(b"\n").removesuffix(b"\r")
                try:
                    yield number, line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise ValueError(
                        f"{path}:{number}: byte {error.start + 1} is not UTF-8; convert the file"
                    ) from None
    except _DAMAGE as error:
        raise OSError(f"{path}:{number + 1}: compressed data is damaged ({error})") from None


def read_text(path: Path, largest: int) -> str:
    """Return the text of a small file.

    Raises:
        ValueError: more than `largest` bytes, or not UTF-8.
        OSError: it cannot be read.
    """
    try:
        with open_binary(path) as stream:
            data = stream.read(largest + 1)
    except _DAMAGE as error:
        raise OSError(f"{path}: compressed data is damaged ({error})") from None
    if len(data) > largest:
        raise ValueError(f"{path}: more than {largest:,} bytes, which no file of this kind needs")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start + 1} is not UTF-8; convert the file") from None


def read_sentences(path: Path) -> list[str]:
    """Return the sentences of a file, one a line, stripped of outer whitespace.

    Raises:
        ValueError: an empty line, bytes that are not UTF-8, a NUL: with file:line.
    """
    sentences = []
    for number, line in read_lines(path):
        text = line.strip()
        if not text:
            raise ValueError(f"{path}:{number}: empty line; every line must hold a sentence")
        check_text(f"{path}:{number}", text)
        sentences.append(text)
    return sentences


def check_text(where: str, text: str) -> None:
    """Raise a ValueError where a text has a NUL, or half of a character (a lone surrogate)."""
    if "\0" in text:
        raise ValueError(f"{where}: a NUL character; remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = f"U+{ord(text[error.start]):04X}"
        raise ValueError(f"{where}: half of a character ({code}); repair the text") from None


def same_length(first: Path, n: int, second: Path, m: int) -> None:
    """Raise a ValueError naming both files unless they have as many lines."""
    if n != m:
        raise ValueError(f"{first} has {n} lines but {second} has {m}; line i must translate line i")


def first_existing(candidates: list[Path]) -> Path | None:
    """Return the first path that exists, tried as it is, then with `.gz` and `.xz`."""
    for path in candidates:
        for variant in (path, path.with_name(path.name + ".gz"), path.with_name(path.name + ".xz")):
            if variant.is_file():
                return variant
    return None
