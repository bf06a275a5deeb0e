"""Local files of labelled tasks: rows as they stand there, with file and line of each."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ..rows import Columns
from ..table_file import quoted_lines, read_json_line
from ..text import read_lines

Located = Iterator[tuple[str, Columns]]  # file:line, and what is there


def lines_of_tabs(*columns: str) -> Callable[[Path], Located]:
    """Return a reader of tab-separated lines, not quoted; without columns the first line has them."""

    def read(path: Path) -> Located:
        names = list(columns)
        for number, line in read_lines(path):
            fields = line.split("\t")
            if not names:
                names = fields
                continue
            if len(fields) != len(names):
                raise ValueError(f"{path}:{number}: {len(fields)} columns, expected {len(names)}")
            yield f"{path}:{number}", dict(zip(names, fields, strict=True))

    return read


def quoted(path: Path, separator: str = ",") -> Located:
    """Read separated values with a header, quoted as in CSV."""
    header: list[str] = []
    for number, cells in quoted_lines(path, separator):
        if not header:
            header = cells
        elif len(cells) != len(header):
            raise ValueError(f"{path}:{number}: {len(cells)} cells where the header has {len(header)}")
        else:
            yield f"{path}:{number}", dict(zip(header, cells, strict=True))


def json_lines(path: Path) -> Located:
    """Read a JSON object a line."""
    for number, line in read_lines(path):
        if not line.strip():
            continue
        row = read_json_line(f"{path}:{number}", line)
        if not isinstance(row, dict):
            raise ValueError(f"{path}:{number}: no JSON object")
        yield f"{path}:{number}", row


def squad(path: Path) -> Located:
    """Read the questions of a SQuAD file (1.1 or 2.0); `title` falls back to the article's number."""
    try:
        articles = json.loads("\n".join(line for _, line in read_lines(path)))["data"]
        for a, article in enumerate(articles):
            for p, paragraph in enumerate(article["paragraphs"]):
                for q, question in enumerate(paragraph["qas"]):
                    there = question.get("answers") or []
                    yield (
                        f"{path}: data[{a}].paragraphs[{p}].qas[{q}]",
                        {
                            "id": question["id"],
                            "title": article.get("title") or f"{path.name.split('.json')[0]} {a}",
                            "context": paragraph["context"],
                            "question": question["question"],
                            "answers": [(one["text"], one["answer_start"]) for one in there],
                            "is_impossible": question.get("is_impossible", False),
                        },
                    )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a SQuAD file ({type(error).__name__}: {error})") from None


def word_tag(separator: str) -> Callable[[Path], Located]:
    """Return a reader of a word and its tag a line, sentences apart by empty lines."""

    def read(path: Path) -> Located:
        words: list[str] = []
        tags: list[str] = []
        begin = 1
        for number, line in read_lines(path):
            if line.strip():
                word, found, tag = line.rpartition(separator)
                if not found or not word.strip() or not tag.strip():
                    raise ValueError(f"{path}:{number}: not a word, {separator!r} and a tag")
                begin = begin if words else number
                words.append(word.strip())
                tags.append(tag.strip())
            elif words:
                yield f"{path}:{begin}", {"words": words, "tags": tags}
                words, tags = [], []
        if words:
            yield f"{path}:{begin}", {"words": words, "tags": tags}

    return read


def word_spans(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where words stand in a text, from which character to which, one after the other.

    Raises:
        ValueError: something else than white space is between them.
    """
    places, at = [], 0
    for word in words:
        at += len(text[at:]) - len(text[at:].lstrip())
        if not text.startswith(word, at):
            raise ValueError(f"the word {word!r} does not follow in the text: {text[at : at + 30]!r}")
        places.append((at, at + len(word)))
        at += len(word)
    if text[at:].strip():
        raise ValueError(f"the text goes on behind the last word: {text[at : at + 30]!r}")
    return places


def conllu(path: Path) -> Located:
    """Read the words of CoNLL-U sentences, column by column; ranges and empty nodes are left out.

    A document without a `newdoc id` is the one before. `spans` are the places of the words in `text`,
    where that is known; the words of a range ("du": de, le) all have its place.
    """
    rows: list[list[str]] = []
    written: list[tuple[str, int]] = []  # as it is in the text, and for how many words
    inside = 0  # the last word of the latest range
    comments: Mapping[str, str] = {}
    document, begin = "", 1

    def finish() -> Columns:
        columns = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        text = comments.get("text")
        try:
            places = word_spans(text, [form for form, _ in written]) if text else []
        except ValueError as error:
            raise ValueError(f"{path}:{begin}: {error}") from None
        spans = [place for place, (_, n) in zip(places, written, strict=bool(text)) for _ in range(n)]
        about = {"sent_id": comments.get("sent_id"), "document": document, "text": text, "spans": spans}
        return columns | about

    for number, line in read_lines(path):
        if line.startswith("#"):
            name, _, value = line[1:].partition("=")
            comments = {**comments, name.strip(): value.strip()}
            document = comments.get("newdoc id", document)
        elif line.strip():
            fields = line.split("\t")
            if len(fields) != len(_COLUMNS):
                raise ValueError(f"{path}:{number}: {len(fields)} columns; CoNLL-U has {len(_COLUMNS)}")
            begin = begin if rows else number
            first, _, last = fields[0].partition("-")
            if last.isdecimal():
                written.append((fields[1], int(last) - int(first) + 1))
                inside = int(last)
            elif first.isdecimal():
                rows.append(fields)
                if int(first) > inside:
                    written.append((fields[1], 1))
        elif rows:
            yield f"{path}:{begin}", finish()
            rows, written, inside, comments = [], [], 0, {}
    if rows:
        yield f"{path}:{begin}", finish()


_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
