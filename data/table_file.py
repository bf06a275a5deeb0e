"""Read a user's table: TSV, CSV, JSON lines or Parquet, with every row where it is and whole.

TSV is split at tabs, quotes are characters; CSV is read with quoting; of JSON and Parquet the types are
kept, so that what is no text can be refused where a text belongs.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .nearest import closest
from .text import LONGEST, check_text, read_lines

Fields = Mapping[str, object]
ENDINGS = ".tsv, .csv, .jsonl or .parquet"


def read_rows(path: Path) -> Iterator[tuple[int, Fields]]:
    """Yield (1-based line, or row of Parquet; column -> value) of a table.

    Raises:
        ValueError: too few or too many cells, a column twice, a line that is none of the format: with
            file and line; an ending that names no format.
        OSError: the file cannot be read or decompressed.
    """
    suffix = Path(path.name.removesuffix(".gz").removesuffix(".xz")).suffix
    if suffix in (".jsonl", ".ndjson"):
        yield from _json_rows(path)
    elif suffix == ".parquet":
        yield from _parquet_rows(path)
    elif suffix in (".csv", ".tsv"):
        header: list[str] = []
        for number, cells in quoted_lines(path) if suffix == ".csv" else _tabbed(path):
            if not header:
                header = cells
                _refuse_twice(f"{path}:{number}", header)
            elif len(cells) != len(header):
                raise ValueError(
                    f"{path}:{number}: {len(cells)} cells where the header has {len(header)}; a cell "
                    f"with a {'comma needs quotes' if suffix == '.csv' else 'tab cannot be read'}"
                )
            else:
                yield number, dict(zip(header, cells, strict=True))
    else:
        raise ValueError(f"{path}: a table must end in {ENDINGS} (or in .gz, .xz after that)")


def text_of(where: str, row: Fields, column: str, *, number: bool = False) -> str:
    """Return the text in a column of a row, stripped.

    Args:
        where: file and line, for the message.
        row: from `read_rows`.
        column: its name.
        number: whether an integer does, too, as in ids.

    Raises:
        ValueError: no such column (the nearest are named), no text, an empty one, a character that no
            text has.
    """
    if column not in row:
        raise ValueError(f"{where}: no column {column!r}: {closest(column, row)}")
    value = row[column]
    if number and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        shown = "null" if value is None else f"{type(value).__name__} {str(value)[:40]}"
        raise ValueError(f"{where}: {column!r} must hold text, got {shown}")
    if not value.strip():
        raise ValueError(f"{where}: empty {column!r}; every cell must hold text")
    check_text(where, value)
    return value.strip()


def _tabbed(path: Path) -> Iterator[tuple[int, list[str]]]:
    return ((number, line.split("\t")) for number, line in read_lines(path))


def quoted_lines(path: Path, separator: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the line at which a record of a CSV file begins, and its cells."""
    lines = (f"{line}\n" for _, line in read_lines(path))
    csv.field_size_limit(LONGEST)
    reader = csv.reader(lines, strict=True, delimiter=separator)
    begin = 1
    try:
        for cells in reader:
            if cells:
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}:{begin}: {error}") from None


def _json_rows(path: Path) -> Iterator[tuple[int, Fields]]:
    for number, line in read_lines(path):
        where = f"{path}:{number}"

        def once(pairs: Sequence[tuple[str, object]], where: str = where) -> dict[str, object]:
            _refuse_twice(where, [name for name, _ in pairs])
            return dict(pairs)

        row = read_json_line(where, line, once)
        if not isinstance(row, dict):
            raise ValueError(f"{where}: no JSON object")
        yield number, row


def read_json_line(where: str, line: str, pairs: object = None) -> object:
    """Return the value of a line of JSON.

    Raises:
        ValueError: no JSON, or too deep.
    """
    try:
        return json.loads(line, object_pairs_hook=pairs)  # type: ignore[arg-type]
    except RecursionError:
        raise ValueError(f"{where}: too many lists or objects in each other") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: no JSON object ({error.msg})") from None
    except ValueError as error:  # an integer of thousands of digits, or `pairs`
        raise ValueError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None


def _parquet_rows(path: Path) -> Iterator[tuple[int, Fields]]:
    import pyarrow.parquet as pq

    if path.suffix != ".parquet":
        raise ValueError(f"{path}: a Parquet file is compressed inside; decompress the file")
    if not path.is_file():
        raise OSError(f"{path}: no such file")
    try:
        table = pq.read_table(path)
        names = list(map(str, table.column_names))
        rows = table.to_pylist()
    except Exception as error:  # a parser of bytes from anywhere: every kind means the same
        raise ValueError(f"{path}: no Parquet file ({' '.join(str(error).split())[:100]})") from None
    _refuse_twice(str(path), names)
    yield from enumerate(rows, start=1)


def _refuse_twice(where: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{where}: column {name!r} is there twice")
