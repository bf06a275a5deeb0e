"""A user's own bitext: two line-aligned files, or a table (TSV, CSV or JSONL) with named columns."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..bitext import Bitext, Sentence, Side, join
from ..languages import standard_tag
from ..nearest import closest
from ..text import read_lines, read_sentences, same_length


def two_files(
    source: Path,
    target: Path,
    *,
    source_language: str,
    target_language: str,
    groups: Path | None = None,
    limit: int | None = None,
) -> Bitext:
    """Return the bitext of two line-aligned files.

    Args:
        source: a sentence a line.
        target: line i translates line i of `source`.
        source_language: code of the source's language.
        target_language: code of the target's language.
        groups: a file with the document of each line.
        limit: keep at most this many lines.

    Raises:
        ValueError: unequal numbers of lines (both names and counts), an empty line, bad bytes.
    """
    texts, translations = read_sentences(source), read_sentences(target)
    same_length(source, len(texts), target, len(translations))
    names: list[str] | list[None] = [None] * len(texts)
    if groups is not None:
        names = read_sentences(groups)
        same_length(source, len(texts), groups, len(names))
    ids = [str(i) for i in range(1, len(texts) + 1)]
    return join(
        "files",
        f"{source.name}+{target.name}",
        _side(source_language, [Sentence(*row) for row in zip(ids, texts, names, strict=True)]),
        _side(target_language, [Sentence(*row) for row in zip(ids, translations, names, strict=True)]),
        limit=limit,
    )


def table(
    path: Path,
    *,
    source_column: str,
    target_column: str,
    source_language: str | None = None,
    target_language: str | None = None,
    id_column: str | None = None,
    group_column: str | None = None,
    limit: int | None = None,
) -> Bitext:
    """Return the bitext that two columns of a `.tsv`, `.csv` or `.jsonl` file hold.

    TSV is split at tabs, quotes are characters; CSV is read with quoting. The languages default to
    the names of the columns.

    Raises:
        ValueError: a missing column (nearest names), an empty cell, a broken line, an id twice.
    """
    sources: list[Sentence] = []
    targets: list[Sentence] = []
    wanted = [source_column, target_column, id_column, group_column]
    first_line: dict[str, int] = {}
    for number, row in _rows(path):
        for column in filter(None, wanted):
            if column not in row:
                raise ValueError(f"{path}:{number}: no column {column!r}: {closest(column, row)}")
            if not row[column].strip():
                raise ValueError(f"{path}:{number}: empty {column!r}; every cell must hold text")
        name = row[id_column].strip() if id_column else str(len(sources) + 1)
        if name in first_line:
            raise ValueError(f"{path}:{number}: id {name!r} stood in line {first_line[name]} already")
        first_line[name] = number
        group = row[group_column].strip() if group_column else None
        sources.append(Sentence(name, row[source_column].strip(), group))
        targets.append(Sentence(name, row[target_column].strip(), group))
    return join(
        "files",
        path.name,
        _side(source_language or source_column, sources),
        _side(target_language or target_column, targets),
        limit=limit,
    )


def _side(code: str, sentences: list[Sentence]) -> Side:
    return Side(standard_tag(code), code, tuple(sentences))


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    suffix = Path(path.name.removesuffix(".gz").removesuffix(".xz")).suffix
    if suffix in (".jsonl", ".ndjson"):
        yield from _json_rows(path)
    elif suffix == ".csv":
        text = io.StringIO("".join(f"{line}\n" for _, line in read_lines(path)), newline="\n")
        reader = csv.DictReader(text, strict=True, restval="")
        try:
            for cells in reader:
                yield reader.line_num, {k: v for k, v in cells.items() if isinstance(k, str)}
        except csv.Error as error:
            raise ValueError(f"{path}:{reader.line_num}: {error}") from None
    elif suffix == ".tsv":
        header: list[str] | None = None
        for number, line in read_lines(path):
            fields = line.split("\t")
            if header is None:
                header = fields
            elif len(fields) != len(header):
                raise ValueError(
                    f"{path}:{number}: {len(fields)} columns where the header has {len(header)}"
                )
            else:
                yield number, dict(zip(header, fields, strict=True))
    else:
        raise ValueError(f"{path}: a table must end in .tsv, .csv or .jsonl (or those with .gz, .xz)")


def _json_rows(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, line in read_lines(path):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}:{number}: no JSON object ({error.msg})") from None
        if not isinstance(row, dict):
            raise ValueError(f"{path}:{number}: no JSON object")
        yield (
            number,
            {key: value if isinstance(value, str) else str(value) for key, value in row.items()},
        )
