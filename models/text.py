"""The text of the family: rows of sentences that translate each other, from an explicit list."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..data import Bitext, Side, load
from ..data.parallel import sides_of
from .recipe import LANGUAGES, Portion


@dataclass(frozen=True)
class Row:
    """One sentence in the languages that a corpus has it in."""

    corpus: str
    texts: Mapping[str, str]  # tag -> sentence


def read_rows(portions: Sequence[Portion], data_dir: Path | None) -> list[Row]:
    """Return the rows of some portions of corpora, in their order.

    Raises:
        ValueError: a portion reaches beyond its corpus.
        OSError: a corpus is not there.
    """
    rows = []
    for portion in portions:
        texts: dict[str, dict[str, str]] = {}
        for side, _ in sides_of(read_bitexts(portion, data_dir)):
            for one in side.sentences:
                texts.setdefault(one.id, {})[side.language] = one.text
        rows += [Row(portion.corpus, texts[i]) for i in sorted(texts, key=int)]
    return rows


def read_bitexts(portion: Portion, data_dir: Path | None) -> list[Bitext]:
    """Return what a portion has of each language of the family, with English.

    Raises:
        ValueError: the portion reaches beyond its corpus.
        OSError: the corpus is not there.
    """
    bitexts = [one for one in load(portion.corpus, data_dir=data_dir) if isinstance(one, Bitext)]
    ours = [one for one in bitexts if {one.source.language, one.target.language} <= {*LANGUAGES}]
    unit_of = {
        one.id: one.group or one.id if portion.unit == "document" else one.id
        for bitext in ours
        for one in bitext.target.sentences
    }
    units = list(dict.fromkeys(unit_of[i] for i in sorted(unit_of, key=int)))
    if portion.last > len(units):
        raise ValueError(
            f"{portion.corpus} has {len(units)} {portion.unit}s; the family is made of those to "
            f"{portion.last}"
        )
    wanted = set(units[portion.first - 1 : portion.last])

    def part(side: Side) -> Side:
        return replace(side, sentences=tuple(one for one in side.sentences if unit_of[one.id] in wanted))

    return [replace(one, source=part(one.source), target=part(one.target)) for one in ours]


def without_translations(rows: Sequence[Row], rng: np.random.Generator) -> list[Row]:
    """Return the same sentences, each in a row of its own: nothing says what translates what."""
    alone = [Row(row.corpus, {tag: text}) for row in rows for tag, text in row.texts.items()]
    return [alone[i] for i in rng.permutation(len(alone))]


def normalised(text: str) -> str:
    """Return a text's letters and digits, folded: two texts that agree in them are one sentence.

    >>> normalised("Tom’s  CAFÉ!") == normalised("toms café")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(re.sub(r"[^\w\s]|_", "", folded).split())
