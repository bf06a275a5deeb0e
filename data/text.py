"""Read text as it is: strict UTF-8, one sentence a line, errors with file and line."""

import gzip
import lzma
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import cast


def open_binary(path: Path) -> BufferedIOBase:
    """Open a plain, `.gz` or `.xz` file for reading bytes."""
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
        ValueError: bytes that are not UTF-8, with file:line.
        OSError: the file cannot be read or decompressed.
    """
    number = 0
    try:
        with open_binary(path) as stream:
            for number, raw in enumerate(stream, start=1):
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                line = raw.removesuffix(b"\n").removesuffix(b"\r")
                try:
                    yield number, line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise ValueError(
                        f"{path}:{number}: byte {error.start + 1} is not UTF-8; convert the file"
                    ) from None
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise OSError(f"{path}:{number + 1}: compressed data is damaged ({error})") from None


def read_sentences(path: Path) -> list[str]:
    """Return the sentences of a file, one a line, stripped of outer whitespace.

    Raises:
        ValueError: an empty line or bytes that are not UTF-8, with file:line.
    """
    sentences = []
    for number, line in read_lines(path):
        text = line.strip()
        if not text:
            raise ValueError(f"{path}:{number}: empty line; every line must hold a sentence")
        sentences.append(text)
    return sentences


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
