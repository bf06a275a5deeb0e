"""TICO-19: `tico19-test.xx`, a segment a line, about COVID-19: PubMed, Wikipedia, news, conversations.

The group is the document, from the ids in `tico19-test.info` where that is there. English is the
original, all else was translated from it.
"""

from pathlib import Path

from ..bitext import Sentence
from ..text import read_lines, read_sentences, same_length
from .reader import ManyParallel

INFO = "info"


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the languages in a folder."""
    found = sorted(_files(root, split))
    if not found:
        raise OSError(f"{root}: no tico19-{split}.xx files there")
    return found


def read(root: Path, split: str, code: str) -> list[Sentence]:
    """Return the segments of a language; the id is the 1-based line number."""
    path = _files(root, split)[code]
    texts = read_sentences(path)
    info = path.with_name(f"tico19-{split}.{INFO}")
    groups: list[str] | list[None] = [None] * len(texts)
    if info.is_file():
        groups = [line.partition("\t")[0].partition(":")[0] for _, line in read_lines(info)]
        same_length(path, len(texts), info, len(groups))
    return [Sentence(str(i), text, groups[i - 1]) for i, text in enumerate(texts, start=1)]


def _files(root: Path, split: str) -> dict[str, Path]:
    """Map code -> file."""
    found = {path.name.split(".")[1]: path for path in sorted(root.glob(f"tico19-{split}.*"))}
    found.pop(INFO, None)
    return found


READER = ManyParallel(codes, read)
