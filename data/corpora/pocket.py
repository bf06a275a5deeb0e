"""The built-in sample: a few small texts in twelve languages (see pocket/README.md).

One TSV: id, group, then a column a language tag.
"""

from functools import lru_cache
from pathlib import Path

from ..bitext import Sentence
from ..text import read_lines
from .reader import ManyParallel

ROOT = Path(__file__).parents[1] / "pocket"


def codes(root: Path, split: str) -> list[str]:
    """Return the tags of the twelve languages."""
    return list(_table(root)[0][2:])


def read(root: Path, split: str, code: str) -> list[Sentence]:
    """Return the sentences of a language."""
    header, *lines = _table(root)
    column = header.index(code)
    return [Sentence(line[0], line[column], line[1]) for line in lines]


@lru_cache(maxsize=1)
def _table(root: Path) -> list[list[str]]:
    return [line.split("\t") for _, line in read_lines(root / "pocket.tsv")]


READER = ManyParallel(codes, read)
