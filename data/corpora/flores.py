"""FLORES-200: `devtest/deu_Latn.devtest` (upstream) or `dev/flores-dev.de`, a sentence a line.

The group is the article's URL where the metadata file is there; sentences come in the order of the
articles, so blocks of 5 stand in for articles where it is not.
"""

from collections.abc import Sequence
from pathlib import Path

from ..bitext import Sentence
from ..hub import configs, languages, rows
from ..text import first_existing, read_lines, read_sentences, same_length
from .reader import ManyParallel

HUB, REVISION = "mteb/FloresBitextMining", "2144d16cc15edd22d4a9237d12bff5f31f5c07fc"
PLUS = "openlanguagedata/flores_plus"  # gated: needs an account's consent
BLOCK = 5


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the languages that a folder has in a split."""
    found = sorted(_files(root, split))
    if not found:
        raise OSError(f"{root}: no {split}/xxx_Yyyy.{split} or {split}/flores-{split}.xx files")
    return found


def read(root: Path, split: str, code: str) -> list[Sentence]:
    """Return the sentences of a language; the id is the 1-based line number."""
    path = _files(root, split)[code]
    texts = read_sentences(path)
    return _numbered(texts, _articles(path, split, len(texts)))


def hub_codes(split: str) -> list[str]:
    """Return the codes of the languages on the hub: a column each.

    Raises:
        OSError: it cannot be read; it has devtest only.
    """
    if split != "devtest":
        raise OSError(f"{HUB} has devtest only; take flores-plus/{split}, or name a `data_dir`")
    return languages(HUB, split, REVISION)


def hub_read(split: str, code: str) -> list[Sentence]:
    """Return the sentences of a language from the hub, which has no articles there."""
    texts = [row[code].strip() for row in rows(HUB, None, split, [code], REVISION)]
    return _numbered(texts, _blocks(len(texts)))


def plus_codes(split: str) -> list[str]:
    """Return the codes of the languages of FLORES+: a configuration each."""
    return sorted(name for name in configs(PLUS) if name != "default")


def plus_read(split: str, code: str) -> list[Sentence]:
    """Return the sentences of a language of FLORES+, with their articles."""
    table = rows(PLUS, code, split, ["id", "text", "url"])
    return [Sentence(str(row["id"]), row["text"].strip(), row["url"]) for row in table]


def _numbered(texts: Sequence[str], groups: Sequence[str]) -> list[Sentence]:
    return [
        Sentence(str(i), text, group)
        for i, (text, group) in enumerate(zip(texts, groups, strict=True), start=1)
    ]


def _blocks(n: int) -> list[str]:
    return [f"block {i // BLOCK}" for i in range(n)]


def _files(root: Path, split: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in (root / split, root):
        for path in sorted(folder.glob(f"*.{split}*")):
            if not path.name.startswith("metadata"):
                found.setdefault(path.name.split(".")[0], path)
        for path in sorted(folder.glob(f"flores-{split}.*")):
            found.setdefault(path.name.split(".")[1], path)
    return found


def _articles(path: Path, split: str, n: int) -> list[str]:
    """Return the URL of each line's article, or blocks of 5 lines without a metadata file."""
    name = f"metadata_{split}.tsv"
    metadata = first_existing([path.parent / name, path.parent.parent / name])
    if metadata is None:
        return _blocks(n)
    lines = [line.split("\t") for _, line in read_lines(metadata)]
    if not lines or "URL" not in lines[0]:
        raise ValueError(f"{metadata}:1: no column URL in the header")
    column = lines[0].index("URL")
    short = next((i for i, cells in enumerate(lines, start=1) if len(cells) <= column), None)
    if short is not None:
        raise ValueError(f"{metadata}:{short}: no column URL in this line")
    same_length(path, n, metadata, len(lines) - 1)
    return [cells[column] for cells in lines[1:]]


READER = ManyParallel(codes, read, hub_codes, hub_read)
PLUS_READER = ManyParallel(codes, read, plus_codes, plus_read)
