"""Bitexts: two languages' sentences, joined by id.

Conventions: row i of the source translates row i of the target. The group of a row is the document,
article or premise it comes from: the unit of resampling. Where no group is known, a row is its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

MINIMUM = 4  # with fewer sentences neither a margin (k = 4 of n) nor an interval means anything


class Context(NamedTuple):
    """The sentence a word occurs in, and from which character to which."""

    text: str
    start: int
    end: int


class Sentence(NamedTuple):
    """A sentence: its id within the corpus, its text, the document it belongs to (if known).

    Or a word, whose vector is pooled from its tokens in a context, if it has one.
    """

    id: str
    text: str
    group: str | None = None
    context: Context | None = None


@dataclass(frozen=True)
class Side:
    """The sentences of one language: its tag, the corpus's own code for it, the sentences in order."""

    language: str
    code: str
    sentences: tuple[Sentence, ...]
    corpus: str = ""  # corpus/split whose ids these are: other corpora number from 1, too

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The texts, in row order."""
        return tuple(sentence.text for sentence in self.sentences)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids, in row order."""
        return tuple(sentence.id for sentence in self.sentences)


@dataclass(frozen=True)
class Bitext:
    """Two sides of equal length; row i of `source` translates row i of `target`."""

    corpus: str
    split: str
    source: Side
    target: Side

    def __len__(self) -> int:
        """Return the number of sentence pairs."""
        return len(self.source.sentences)

    def head(self, limit: int | None) -> "Bitext":
        """Return the first `limit` pairs, all of them for None."""
        sides = (replace(side, sentences=side.sentences[:limit]) for side in (self.source, self.target))
        return Bitext(self.corpus, self.split, *sides)

    @property
    def name(self) -> str:
        """Name the bitext in messages: corpus/split source-target."""
        return f"{self.corpus}/{self.split} {self.source.code}-{self.target.code}"

    @property
    def unit(self) -> str:
        """What a row is: a sentence, or a word in its context."""
        return "word" if self.source.sentences[0].context else "sentence"

    @cached_property
    def groups(self) -> tuple[str, ...] | None:
        """The group of each row, or None where the corpus does not know it."""
        groups = [sentence.group for sentence in self.source.sentences]
        known = [group for group in groups if group is not None]
        return tuple(known) if len(known) == len(groups) else None


def join(corpus: str, split: str, source: Side, target: Side, *, limit: int | None = None) -> Bitext:
    """Join two sides by sentence id, in the source's order.

    Args:
        corpus: name of the corpus.
        split: name of the split.
        source: the language that is joined to the pivot.
        target: the pivot.
        limit: keep at most this many sentences.

    Raises:
        ValueError: an id occurs twice on a side, or is on one side only.
    """
    rows = {sentence.id: sentence for sentence in target.sentences}
    for side in (source, target):
        if len(set(side.ids)) < len(side.ids):
            twice = next(i for k, i in enumerate(side.ids) if i in side.ids[:k])
            raise ValueError(f"{corpus}/{split} {side.code}: the id {twice!r} occurs twice")
    here, there = set(source.ids), set(rows)
    if here != there:
        lonely = [i for i in (*source.ids, *target.ids) if (i in here) != (i in there)]
        raise ValueError(
            f"{corpus}/{split}: {source.code} has {len(here)} sentences and {target.code} has "
            f"{len(there)}; {len(lonely)} ids stand on one side only, first {_some(lonely)}"
        )
    ordered = tuple(rows[sentence.id] for sentence in source.sentences)
    source = replace(source, corpus=f"{corpus}/{split}")
    target = replace(target, sentences=ordered, corpus=f"{corpus}/{split}")
    return Bitext(corpus, split, source, target).head(limit)


def _some(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:3]))
