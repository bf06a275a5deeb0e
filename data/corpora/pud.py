"""Parallel Universal Dependencies: the sentence text of CoNLL-U treebanks, joined on `sent_id`.

Files are `de_pud.conllu` or upstream's `UD_German-PUD/de_pud-ud-test.conllu`. The order of sentences
differs between treebanks; groups are the `newdoc id`s. The Chinese treebank is in traditional script.
"""

from collections.abc import Mapping
from pathlib import Path

from ..bitext import Sentence
from ..hub import configs, rows
from ..text import read_lines
from .reader import ManyParallel

TAGS: Mapping[str, str] = {"zh": "zh-Hant"}
HUB, REVISION = "commul/universal_dependencies", "2.17"  # a revision for each release of UD


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the treebanks in a folder."""
    found = sorted(_files(root))
    if not found:
        raise OSError(f"{root}: no xx_pud.conllu or UD_*-PUD/xx_pud-ud-test.conllu files there")
    return found


def read(root: Path, split: str, code: str) -> list[Sentence]:
    """Return the sentences of a treebank in file order.

    Raises:
        ValueError: a sentence without text or id (file:line).
    """
    path = _files(root)[code]
    sentences: list[Sentence] = []
    document: str | None = None
    comments: dict[str, str] = {}
    words = False
    number = 0
    for number, line in read_lines(path):
        if line.startswith("#"):
            name, _, value = line[1:].partition("=")
            comments[name.strip()] = value.strip()
        elif line.strip():
            words = True
        elif words:
            document = _finish(path, number, comments, document, sentences)
            comments, words = {}, False
    if words:
        _finish(path, number, comments, document, sentences)
    return sentences


def hub_codes(split: str) -> list[str]:
    """Return the codes of the treebanks on the hub."""
    return sorted(n.removesuffix("_pud") for n in configs(HUB, REVISION) if n.endswith("_pud"))


def hub_read(split: str, code: str) -> list[Sentence]:
    """Return the sentences of a treebank from the hub, which has no documents."""
    table = rows(HUB, f"{code}_pud", "test", ["sent_id", "text"], REVISION)
    return [Sentence(row["sent_id"], row["text"].strip()) for row in table]


def _finish(
    path: Path,
    number: int,
    comments: Mapping[str, str],
    document: str | None,
    sentences: list[Sentence],
) -> str | None:
    """Add the sentence that ends before line `number`; return the document it belongs to."""
    for needed in ("sent_id", "text"):
        if not comments.get(needed):
            raise ValueError(f"{path}:{number}: the sentence above has no '# {needed} = …'")
    document = comments.get("newdoc id", document)
    sentences.append(Sentence(comments["sent_id"], comments["text"], document))
    return document


def _files(root: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for pattern in ("*_pud.conllu*", "*_pud-ud-test.conllu*", "UD_*-PUD/*_pud-ud-test.conllu*"):
        for path in sorted(root.glob(pattern)):
            found.setdefault(path.name.split("_pud")[0], path)
    return found


READER = ManyParallel(codes, read, hub_codes, hub_read, TAGS)
