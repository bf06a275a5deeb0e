"""Bitexts whose gold is many-to-many: lexicons, and sides of any length joined by pairs of ids.

A row of the source may belong to several rows of the target and the other way round; rows without gold
are candidates only. The group of a pair is its connected component: words that share translations do not
count as independent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse
from jaxtyping import Int64

from .bitext import Bitext, Sentence, Side
from .languages import standard_tag
from .text import read_lines, read_sentences

WORD, SENTENCE = "word", "sentence"


@dataclass(frozen=True)
class GoldBitext:
    """Two sides, and the pairs (row of the source, row of the target) that belong together."""

    corpus: str
    split: str
    source: Side
    target: Side
    gold: tuple[tuple[int, int], ...]
    unit: str = SENTENCE

    def __len__(self) -> int:
        """Return the number of gold pairs."""
        return len(self.gold)

    @property
    def name(self) -> str:
        """Name the bitext in messages: corpus/split source-target."""
        return f"{self.corpus}/{self.split} {self.source.code}-{self.target.code}"

    def head(self, limit: int | None) -> "GoldBitext":
        """Return the first `limit` pairs and the rows they need, all of them for None."""
        return self if limit is None or limit >= len(self.gold) else self.having(self.gold[:limit])

    def having(self, kept: Sequence[tuple[int, int]]) -> "GoldBitext":
        """Return some of the pairs and the rows they need."""
        rows = [list(dict.fromkeys(pair[side] for pair in kept)) for side in (0, 1)]
        place = [{row: at for at, row in enumerate(side)} for side in rows]
        sides = [
            replace(side, sentences=tuple(side.sentences[row] for row in mine))
            for side, mine in zip((self.source, self.target), rows, strict=True)
        ]
        gold = tuple((place[0][i], place[1][j]) for i, j in kept)
        return replace(self, source=sides[0], target=sides[1], gold=gold)

    @cached_property
    def pairs(self) -> Int64[np.ndarray, "p 2"]:
        """The gold pairs as an array."""
        return np.array(self.gold, np.int64).reshape(-1, 2)

    @cached_property
    def components(self) -> tuple[Int64[np.ndarray, "n"], Int64[np.ndarray, "m"]]:
        """The connected component of every row of both sides, 0 … C - 1; -1 for rows without gold."""
        n, m = len(self.source.sentences), len(self.target.sentences)
        i, j = self.pairs.T
        graph = scipy.sparse.coo_array((np.ones(len(i)), (i, n + j)), shape=(n + m, n + m))
        labels = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
        known = np.zeros(n + m, bool)
        known[i] = known[n + j] = True
        found = np.full(n + m, -1, np.int64)
        found[known] = np.unique(labels[known], return_inverse=True)[1]
        return found[:n], found[n:]


AnyBitext = Bitext | GoldBitext


def read_lexicon(
    path: Path,
    *,
    source_language: str,
    target_language: str,
    corpus: str = "files",
    split: str = "",
    swapped: bool = False,
    limit: int | None = None,
) -> GoldBitext:
    """Return the lexicon of a file: a word, a tab, a translation, one pair a line.

    A word in several lines has several translations. A line that stood there before counts once.

    Args:
        path: the file.
        source_language: code of the source's language.
        target_language: code of the target's language.
        corpus: its name in tables.
        split: likewise; by default the file's name.
        swapped: the target's words stand first.
        limit: at most this many, the first, pairs.

    Raises:
        ValueError: a line that is not two words and a tab (file:line), no line at all.
    """
    rows: tuple[dict[str, int], dict[str, int]] = ({}, {})
    gold: dict[tuple[int, int], None] = {}
    for number, line in read_lines(path):
        words = [word.strip() for word in line.split("\t")]
        if len(words) != 2 or not all(words):
            raise ValueError(f"{path}:{number}: expected a word, a tab and its translation")
        i, j = (
            known.setdefault(word, len(known))
            for known, word in zip(rows, words[:: -1 if swapped else 1], strict=True)
        )
        gold[i, j] = None
    if not gold:
        raise ValueError(f"{path}: no pair of words there")
    sides = [
        Side(standard_tag(code), code, tuple(Sentence(word, word) for word in known))
        for code, known in zip((source_language, target_language), rows, strict=True)
    ]
    return GoldBitext(corpus, split or path.name, sides[0], sides[1], tuple(gold), WORD).head(limit)


def read_gold(
    source: Path,
    target: Path,
    pairs: Path,
    *,
    source_language: str,
    target_language: str,
    limit: int | None = None,
) -> GoldBitext:
    """Return two files of sentences, of any lengths, joined by a file of pairs of line numbers.

    Args:
        source: a sentence a line; line numbers, from 1, are ids.
        target: likewise.
        pairs: a line of the source, a tab, a line of the target; many-to-many.
        source_language: code of the source's language.
        target_language: code of the target's language.
        limit: at most this many, the first, pairs.

    Raises:
        ValueError: an empty line, a pair of ids that do not exist (file:line), no pair.
    """
    sides = [
        Side(
            standard_tag(code),
            code,
            tuple(Sentence(str(i), text) for i, text in enumerate(read_sentences(path), start=1)),
        )
        for code, path in ((source_language, source), (target_language, target))
    ]
    gold = dict.fromkeys(_id_pairs(pairs, sides, (source, target)))
    if not gold:
        raise ValueError(f"{pairs}: no gold pair there")
    split = f"{source.name}+{target.name}"
    return GoldBitext("files", split, sides[0], sides[1], tuple(gold)).head(limit)


def with_negatives(bitext: AnyBitext, path: Path, *, by_class: bool = True) -> GoldBitext:
    """Return a bitext whose target has more candidates: sentences that are nearly translations.

    xsim++ is the ratio accuracy among these: https://aclanthology.org/2023.acl-short.10. Documents are
    not known any more.

    Args:
        bitext: the sentences.
        path: a sentence a line, in the target's language.
        by_class: a sentence identical to the translation is right, too.

    Raises:
        ValueError: an empty line, a sentence that is one of the target's (file:line), a bitext that
            has many-to-many gold already, words.
    """
    if isinstance(bitext, GoldBitext) or bitext.unit == WORD:
        raise ValueError(f"{bitext.name}: `hard_negatives` go with sentences of one-to-one gold")
    known = set(bitext.target.texts)
    negatives = read_sentences(path)
    for number, text in enumerate(negatives, start=1):
        if text in known:
            raise ValueError(
                f"{path}:{number}: {text[:40]!r} is no negative but a sentence of the target"
            )
    more = (Sentence(f"negative {i}", text) for i, text in enumerate(negatives, start=1))
    target = replace(bitext.target, sentences=(*bitext.target.sentences, *more))
    rows: dict[str, list[int]] = {}
    names = bitext.target.texts if by_class else bitext.target.ids
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    gold = tuple((row, other) for row, name in enumerate(names) for other in rows[name])
    return GoldBitext(bitext.corpus, f"{bitext.split}+{path.name}", bitext.source, target, gold)


def _id_pairs(path: Path, sides: Sequence[Side], files: Sequence[Path]) -> Iterator[tuple[int, int]]:
    for number, line in read_lines(path):
        ids = line.split("\t")
        if len(ids) != 2:
            raise ValueError(f"{path}:{number}: expected a line of {files[0]}, a tab, one of {files[1]}")
        rows = []
        for one, side, file in zip(ids, sides, files, strict=True):
            n = len(side.sentences)
            if not one.strip().isdecimal() or not 1 <= int(one) <= n:
                raise ValueError(
                    f"{path}:{number}: gold id {one.strip()!r} does not exist: {file} has lines 1 to {n}"
                )
            rows.append(int(one) - 1)
        yield rows[0], rows[1]
