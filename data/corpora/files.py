"""A user's own bitext: two line-aligned files, or a table with named columns."""

from pathlib import Path

from ..bitext import Bitext, Sentence, Side, join
from ..languages import standard_tag
from ..table_file import read_rows, text_of
from ..text import read_sentences, same_length


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
    """Return the bitext that two columns of a table hold; see `table_file`.

    The languages default to the names of the columns.

    Raises:
        ValueError: a missing column (nearest names), a cell without text, a broken line, an id twice.
    """
    sources: list[Sentence] = []
    targets: list[Sentence] = []
    first_line: dict[str, int] = {}
    for number, row in read_rows(path):
        where = f"{path}:{number}"
        source, target = (text_of(where, row, column) for column in (source_column, target_column))
        name = text_of(where, row, id_column, number=True) if id_column else str(len(sources) + 1)
        if name in first_line:
            raise ValueError(f"{where}: id {name!r} is in line {first_line[name]} already")
        first_line[name] = number
        group = text_of(where, row, group_column, number=True) if group_column else None
        sources.append(Sentence(name, source, group))
        targets.append(Sentence(name, target, group))
    return join(
        "files",
        path.name,
        _side(source_language or source_column, sources),
        _side(target_language or target_column, targets),
        limit=limit,
    )


def _side(code: str, sentences: list[Sentence]) -> Side:
    return Side(standard_tag(code), code, tuple(sentences))
