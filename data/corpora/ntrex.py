"""NTREX-128: `newstest2019-src.eng.txt` and `newstest2019-ref.XXX.txt`, a segment a line.

English is the original, all else was translated from it. Groups are the documents named, a line
each, in DOCUMENT_IDS.tsv.
"""

from pathlib import Path

from ..bitext import Sentence
from ..hub import languages, rows
from ..text import first_existing, read_sentences, same_length
from .reader import ManyParallel

HUB, REVISION = "mteb/NTREXBitextMining", "66b8b27efc99658903127730575e9fa0cb9f075c"


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the languages in a folder."""
    found = sorted(_files(root))
    if not found:
        raise OSError(f"{root}: no newstest2019-ref.XXX.txt files there (NTREX's folder NTREX-128)")
    return found


def read(root: Path, split: str, code: str) -> list[Sentence]:
    """Return the segments of a language; the id is the 1-based line number."""
    path = _files(root)[code]
    texts = read_sentences(path)
    documents = first_existing([root / "DOCUMENT_IDS.tsv", root.parent / "DOCUMENT_IDS.tsv"])
    groups: list[str] | list[None] = [None] * len(texts)
    if documents is not None:
        groups = read_sentences(documents)
        same_length(path, len(texts), documents, len(groups))
    return [Sentence(str(i), text, groups[i - 1]) for i, text in enumerate(texts, start=1)]


def hub_codes(split: str) -> list[str]:
    """Return the codes of the languages on the hub: a column each."""
    return languages(HUB, split, REVISION)


def hub_read(split: str, code: str) -> list[Sentence]:
    """Return the segments of a language from the hub, which has no documents."""
    table = rows(HUB, None, split, [code], REVISION)
    return [Sentence(str(i), row[code].strip()) for i, row in enumerate(table, start=1)]


def _files(root: Path) -> dict[str, Path]:
    """Map code -> file; the references, and the English source where no reference has its code."""
    found: dict[str, Path] = {}
    for folder in (root, root / "NTREX-128"):
        for path in sorted(folder.glob("newstest2019-*.*.txt*")):
            kind, code = path.name.removeprefix("newstest2019-").split(".")[:2]
            if kind == "ref" or code not in found:
                found[code] = path
    return found


READER = ManyParallel(codes, read, hub_codes, hub_read)
