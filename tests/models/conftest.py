"""A toy world: three languages with a word each for every thing, so that it is known what aligns."""

import numpy as np
import pytest

from crosslingual.models.recipe import Size, TrainingSettings
from crosslingual.models.text import Row
from crosslingual.models.vectors import Pieces
from crosslingual.models.vocabulary import make_tokenizer

TAGS = ("en", "de", "zh")
THINGS = 40
FIRST = {"en": 0x3400, "de": 0xAC00, "zh": 0x1200}  # letters that no two share


def word(tag: str, thing: int) -> str:
    """A word of one letter: a piece of its own."""
    return chr(FIRST[tag] + thing)


@pytest.fixture(scope="package")
def rows() -> list[Row]:
    rng = np.random.default_rng(0)
    drawn = [rng.choice(THINGS, rng.integers(3, 7)) for _ in range(300)]
    return [
        Row("toy", {tag: " ".join(word(tag, i) for i in things) for tag in TAGS}) for things in drawn
    ]


@pytest.fixture(scope="package")
def tokenizer(rows):
    return make_tokenizer([text for row in rows for text in row.texts.values()], 400, 32)


@pytest.fixture(scope="package")
def pieces(rows, tokenizer) -> Pieces:
    return Pieces.of(rows, tokenizer)


@pytest.fixture
def small() -> tuple[Size, TrainingSettings]:
    settings = TrainingSettings(
        vector_steps=30, vector_batch=64, steps=12, batch=16, masked=0.3, longest=32, translation=0.3
    )
    return Size("toy", 32, 2), settings
