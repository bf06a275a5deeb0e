"""What is extracted: the sentences of a file, a list or a corpus, or their words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...data import Bitext, Sentence, Side, load
from ...data.bitext import Context
from ...data.gold import GoldBitext
from ...data.haystack import UNKNOWN, read_side
from .options import ExtractOptions


def sides_of(options: ExtractOptions) -> list[Side]:
    """Return every language's sentences once, whatever pairs they are in.

    Raises:
        ValueError: nothing to extract; one id of two sentences.
        OSError: they are not there.
    """
    if options.texts is not None:
        sides = [read_side(Path(options.texts), options.language)]
        if options.limit is not None:
            sides = [replace(side, sentences=side.sentences[: options.limit]) for side in sides]
    elif isinstance(options.corpus, str):
        bitexts = load(
            options.corpus,
            data_dir=options.data_dir,
            languages=str(options.languages),
            pivot=options.pivot,
            limit=options.limit,
        )
        sides = _merged(bitexts)
    elif all(isinstance(one, str) for one in options.corpus):
        texts = options.corpus[: options.limit]
        sentences = tuple(Sentence(str(i), str(text)) for i, text in enumerate(texts, start=1))
        sides = [Side(UNKNOWN, UNKNOWN, sentences)]
    else:
        sides = _merged([one for one in options.corpus if isinstance(one, Bitext | GoldBitext)])
    if not any(side.sentences for side in sides):
        raise ValueError("there is no sentence to extract")
    return [in_words(side) for side in sides] if options.words else sides


def _merged(bitexts: Sequence[Bitext | GoldBitext]) -> list[Side]:
    """Return the languages of some bitexts: English of Tatoeba is another in every pair."""
    found: dict[tuple[str, str], tuple[Side, dict[str, Sentence]]] = {}
    for side in (side for bitext in bitexts for side in (bitext.source, bitext.target)):
        _, known = found.setdefault((side.corpus, side.code), (side, {}))
        for one in side.sentences:
            if known.setdefault(one.id, one)[1:] != one[1:]:
                raise ValueError(f"{side.corpus} {side.code}: the id {one.id!r} is of two sentences")
    return [replace(side, sentences=tuple(known.values())) for side, known in found.values()]


def in_words(side: Side) -> Side:
    """Return the words of a side, between spaces, each in its sentence; their ids are SENTENCE.PLACE.

    >>> in_words(Side("en", "en", (Sentence("7", "Where is it?"),))).sentences[1]
    Sentence(id='7.2', text='is', group=None, context=Context(text='Where is it?', start=6, end=8))
    """
    return replace(side, sentences=tuple(_words(side)))


def _words(side: Side) -> Iterator[Sentence]:
    for sentence in side.sentences:
        if sentence.context is not None:
            raise ValueError(f"{side.corpus} {side.code} has words already; leave out `words`")
        for place, found in enumerate(re.finditer(r"\S+", sentence.text), start=1):
            context = Context(sentence.text, *found.span())
            yield Sentence(f"{sentence.id}.{place}", found[0], sentence.group, context)
