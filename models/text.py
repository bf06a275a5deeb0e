"""The text of the family: rows of sentences that translate each other, from an explicit list."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data import Bitext, load
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
    return [row for portion in portions for row in _read(portion, data_dir)]


def _read(portion: Portion, data_dir: Path | None) -> list[Row]:
    bitexts = [one for one in load(portion.corpus, data_dir=data_dir) if isinstance(one, Bitext)]
    texts: dict[str, dict[str, str]] = {}
    groups: dict[str, str] = {}
    for side, _ in sides_of(bitexts):
        for one in side.sentences if side.language in LANGUAGES else ():
            texts.setdefault(one.id, {})[side.language] = one.text
            groups[one.id] = one.group or one.id
    ids = sorted(texts, key=int)
    units = ids if portion.unit == "sentence" else list(dict.fromkeys(groups[i] for i in ids))
    if portion.last > len(units):
        raise ValueError(
            f"{portion.corpus} has {len(units)} {portion.unit}s; the family is made of those to "
            f"{portion.last}"
        )
    wanted = set(units[portion.first - 1 : portion.last])
    unit_of = groups if portion.unit == "document" else {i: i for i in ids}
    return [Row(portion.corpus, texts[i]) for i in ids if unit_of[i] in wanted]


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
