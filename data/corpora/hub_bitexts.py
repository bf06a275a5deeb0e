"""Bitexts that are read from the hub only, as mteb reads them: a column a language, or a table a pair.

Rows in which a side is blank (a verse that a translation leaves out) are left out of that pair.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..bitext import Sentence
from ..hub import configs, languages, rows
from .reader import ManyParallel, PairOfSides, Pairs


class Repository(NamedTuple):
    """Where a corpus is on the hub."""

    id: str
    revision: str
    split: str


def columns(there: Repository) -> ManyParallel:
    """Return the reader of a table with a column for every language, as deu_Latn."""

    def codes(split: str) -> list[str]:
        return languages(there.id, there.split, there.revision)

    def read(split: str, code: str) -> list[Sentence]:
        table = rows(there.id, None, there.split, [code], there.revision)
        return [Sentence(str(i), row[code].strip()) for i, row in enumerate(table, start=1)]

    return ManyParallel(_hub_only(there.id), _hub_only(there.id), codes, read)


def pairs(
    there: Repository, pivot: str, columns: tuple[str, str] | None = ("sentence1", "sentence2")
) -> Pairs:
    """Return the reader of a table for every pair, named as de-en or en-de.

    Args:
        there: the repository.
        pivot: the code of the language that all others are paired with.
        columns: of the texts of the first and of the second code; None: they are named by the codes.
    """

    @cache  # asked for by every language
    def named() -> dict[str, str]:
        """Return the table of each language; of both orders that which ends in the pivot."""
        found = {}
        for name in sorted(configs(there.id, there.revision)):
            first, _, second = name.partition("-")
            if pivot in (first, second) and re.fullmatch(r"\w+-\w+", name) and first != second:
                code = second if first == pivot else first
                if code not in found or second == pivot:
                    found[code] = name
        return found

    def codes(split: str) -> list[str]:
        return [*sorted(named()), pivot]

    def read(code: str) -> PairOfSides:
        name = named()[code]
        own = name.split("-")
        places = dict(zip(own, columns or own, strict=True))
        table = rows(there.id, name, there.split, list(places.values()), there.revision)
        whole = [
            (i, (row[places[code]] or "").strip(), (row[places[pivot]] or "").strip())
            for i, row in enumerate(table, start=1)
        ]
        kept = [row for row in whole if row[1] and row[2]]
        sides = [[Sentence(f"{name}.{row[0]}", str(row[side])) for row in kept] for side in (1, 2)]
        return sides[0], sides[1]

    return Pairs(_hub_only(there.id), _hub_only(there.id), codes, read)


def _hub_only(hub: str) -> Callable[..., Any]:
    def refuse(root: Path, *_: str) -> None:
        raise OSError(f"{root}: this corpus is read from the hub ({hub}); leave out `data_dir`")

    return refuse


IN22_GEN = Repository("mteb/IN22GenBitextMining", "aed6ff7eed647cd6eead02f70efa23a4e67329dc", "test")
IN22_CONV = Repository("mteb/IN22ConvBitextMining", "2747bf03e02df02cc08b9cce64d0d053fef2a826", "test")
IWSLT = Repository(
    "mteb/IWSLT2017BitextMining", "14034eed1824a54d866c93a988319b77b2e90217", "validation"
)
BIBLE = Repository("mteb/biblenlp-corpus", "94c4293ca75c04b908c6b8e30d15788fe20fb409", "train")
NUSAX = Repository("mteb/NusaXBitextMining", "6db681bd37d6827f8d132590429ce33a2af4c96e", "train")
WEBFAQ = Repository("PaDaS-Lab/webfaq-bitexts", "a1bc0e8fd36c3d5015bd64c14ca098596774784a", "default")

READERS: dict[str, ManyParallel | Pairs] = {
    "in22-gen": columns(IN22_GEN),
    "in22-conv": columns(IN22_CONV),
    "iwslt2017": pairs(IWSLT, "en"),
    "biblenlp": pairs(BIBLE, "eng", None),
    "nusax": pairs(NUSAX, "eng"),
    "webfaq": pairs(WEBFAQ, "eng", ("question1", "question2")),
}
