"""Words in context: pairs of word types from word-aligned sentences, one occurrence of each.

An alignment is a line `0-0 1-2 …` in Pharaoh's format: word i of the source sentence, counted from 0
between white space, goes with word j of the target's. Of every pair of types one occurrence is taken,
by seed, so that frequent words do not outweigh the others; its vector is pooled from its tokens in the
sentence. Retrieving another occurrence of the same type counts as right.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .bitext import Bitext, Context, Sentence, Side
from .languages import standard_tag
from .text import read_lines, read_sentences, same_length

_WORD = re.compile(r"\S+")


def aligned_words(
    source: Path,
    target: Path,
    alignment: Path,
    *,
    source_language: str,
    target_language: str,
    seed: int = 0,
    limit: int | None = None,
) -> Bitext:
    """Return the words of two line-aligned files as a bitext, a row per pair of types.

    The group of a row is the sentence its occurrence comes from.

    Args:
        source: a sentence a line, words separated by white space.
        target: line i translates line i.
        alignment: line i aligns their words.
        source_language: code of the source's language.
        target_language: code of the target's language.
        seed: which occurrence of a pair of types is taken.
        limit: at most this many, the first, sentences.

    Raises:
        ValueError: unequal numbers of lines, an index outside its sentence, no pair (file:line).
    """
    texts = read_sentences(source), read_sentences(target)
    links = [line for _, line in read_lines(alignment)]
    same_length(source, len(texts[0]), target, len(texts[1]))
    same_length(source, len(texts[0]), alignment, len(links))
    rng = np.random.default_rng(seed)
    chosen: dict[tuple[str, str], tuple[float, int, re.Match[str], re.Match[str]]] = {}
    for row, line in enumerate(links[:limit]):
        words = [list(_WORD.finditer(side[row])) for side in texts]
        for i, j in _links(alignment, row + 1, line, words):
            pair = words[0][i], words[1][j]
            drawn = float(rng.random())  # the least of all occurrences: each is as likely
            types = pair[0].group().lower(), pair[1].group().lower()
            if types not in chosen or drawn < chosen[types][0]:
                chosen[types] = (drawn, row, *pair)
    if not chosen:
        raise ValueError(f"{alignment}: no aligned words there")
    sides: tuple[list[Sentence], list[Sentence]] = ([], [])
    for types, (_, row, *found) in chosen.items():
        for side, word, match, text in zip(
            sides, types, found, (texts[0][row], texts[1][row]), strict=True
        ):
            context = Context(text, *match.span())
            side.append(Sentence(f"{types[0]}\t{types[1]}", word, str(row + 1), context))
    return Bitext(
        "files",
        f"{source.name}+{target.name}",
        *(
            Side(standard_tag(code), code, tuple(side))
            for code, side in zip((source_language, target_language), sides, strict=True)
        ),
    )


def _links(
    path: Path, number: int, line: str, words: list[list[re.Match[str]]]
) -> Iterator[tuple[int, int]]:
    """Yield the pairs of a line's alignment."""
    for link in line.split():
        ends = link.split("-")
        if len(ends) != 2 or not all(end.isdecimal() for end in ends):
            raise ValueError(f"{path}:{number}: {link!r} is no link of Pharaoh's format, as 0-0 or 3-5")
        i, j = map(int, ends)
        for at, side, name in ((i, words[0], "source"), (j, words[1], "target")):
            if at >= len(side):
                raise ValueError(
                    f"{path}:{number}: link {link}: word {at} lies outside the {name} sentence, whose "
                    f"{len(side)} words count from 0"
                )
        yield i, j
