"""Haystacks: two languages' sentences of which some translate each other, to be mined for those.

Unlike a bitext's, the sides are of unequal length and most sentences have no translation. The gold is
a set of pairs of ids, and a lower bound, for nobody reads all pairs.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .bitext import Sentence, Side
from .languages import standard_tag
from .text import read_lines

logger = logging.getLogger(__name__)

UNKNOWN = "und"  # BCP 47's tag of an undetermined language
Gold = tuple[tuple[str, str], ...]  # (source id, target id)


@dataclass(frozen=True)
class Haystack:
    """Two sides, and which of their sentences are known to translate each other."""

    corpus: str
    split: str
    source: Side
    target: Side
    gold: Gold | None

    @property
    def name(self) -> str:
        """Name the haystack in messages: corpus/split source-target."""
        return f"{self.corpus}/{self.split} {self.source.code}-{self.target.code}"

    def head(self, limit: int | None) -> "Haystack":
        """Return the first `limit` sentences of each side, all for None, and the gold among them."""
        if limit is None:
            return self
        source, target = (
            replace(side, sentences=side.sentences[:limit]) for side in (self.source, self.target)
        )
        if self.gold is None:
            return replace(self, source=source, target=target)
        here, there = set(source.ids), set(target.ids)
        gold = tuple(pair for pair in self.gold if pair[0] in here and pair[1] in there)
        return replace(self, source=source, target=target, gold=gold)


def read_haystack(
    source: Path,
    target: Path,
    gold: Path | None = None,
    *,
    languages: Sequence[str | None] = (None, None),
    corpus: str = "files",
    split: str = "",
    limit: int | None = None,
) -> Haystack:
    """Return the haystack of two files and their gold.

    Args:
        source: a sentence a line; where the first line has a tab, every line is id TAB sentence.
        target: likewise.
        gold: source id TAB target id a line; without ids, the line numbers.
        languages: of source and target; by default what the files' names end in.
        corpus: its name.
        split: its split.
        limit: at most this many, the first, lines of each side; the gold is cut to them.

    Raises:
        ValueError: an empty file or line, an id twice, a gold id that is on neither side.
    """
    left, right = (read_side(*side) for side in zip((source, target), languages, strict=True))
    pairs = None if gold is None else _read_gold(gold, left, right)
    whole = Haystack(corpus, split or f"{source.name}+{target.name}", left, right, pairs)
    return whole.head(limit)


def read_side(path: Path, code: str | None = None) -> Side:
    """Return the sentences of a file; where its first line has a tab, every line is id TAB sentence.

    Args:
        path: plain, .gz or .xz.
        code: of the language; by default what the file's name ends in, if that is one.

    Raises:
        ValueError: an empty file or line, an id twice.
    """
    sentences: list[Sentence] = []
    lines: dict[str, int] = {}
    with_ids = False
    for number, line in read_lines(path):
        name, tab, text = line.partition("\t")
        if number == 1:
            with_ids = bool(tab)
        if with_ids and not tab:
            raise ValueError(f"{path}:{number}: no tab; line 1 is id TAB sentence, so all must be")
        name, text = (name.strip(), text.strip()) if with_ids else (str(number), line.strip())
        if not text or not name:
            raise ValueError(f"{path}:{number}: empty line; every line must hold a sentence")
        if name in lines:
            raise ValueError(f"{path}:{number}: id {name!r} stood in line {lines[name]} already")
        lines[name] = number
        sentences.append(Sentence(name, text))
    if not sentences:
        raise ValueError(f"{path}: no sentence; there is nothing to mine")
    ending = path.name.removesuffix(".gz").removesuffix(".xz").rpartition(".")[2]
    try:
        language = standard_tag(code or ending)
    except ValueError:
        if code:
            raise
        language = ending = UNKNOWN
    return Side(language, code or ending, tuple(sentences))


def _read_gold(path: Path, source: Side, target: Side) -> Gold:
    known = set(source.ids), set(target.ids)
    pairs: dict[tuple[str, str], None] = {}
    twice = 0
    for number, line in read_lines(path):
        ids = [part.strip() for part in line.split("\t")]
        if len(ids) != 2:
            raise ValueError(f"{path}:{number}: expected source id TAB target id, got {line!r}")
        for name, side, which in zip(ids, known, ("source", "target"), strict=True):
            if name not in side:
                raise ValueError(f"{path}:{number}: the {which} has no sentence {name!r}")
        pair = (ids[0], ids[1])
        twice += pair in pairs
        pairs[pair] = None
    if not pairs:
        raise ValueError(f"{path}: no pair; leave out the gold, or give one that has some")
    if twice:
        logger.info("%s: %d pairs are there twice and count once", path, twice)
    return tuple(pairs)
