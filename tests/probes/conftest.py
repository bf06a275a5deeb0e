"""Material made by hand: words in sentences, whose vectors a test plants."""

import numpy as np
import pytest

from crosslingual.data import Sentence, Side
from crosslingual.data.bitext import Context
from crosslingual.probes.material import DEV, TEST, TRAIN, Labelled, Material


@pytest.fixture
def make_words():
    """Give a function (words by part, labels by part, classes) -> material in English."""

    def make(words, labels, classes=2, length=5):
        parts = {}
        for part in (TRAIN, DEV, TEST):
            sentences = tuple(
                Sentence(f"{part}{i}", f"w{word}", f"{part} {i // length}", Context(f"w{word}", 0, 9))
                for i, word in enumerate(words[part])
            )
            groups = tuple(str(one.group) for one in sentences)
            side = Side("en", "en", sentences)
            parts["en", part] = Labelled(side, None, np.asarray(labels[part], np.int64), groups)
        return Material("planted", tuple(map(str, range(classes))), parts)

    return make
