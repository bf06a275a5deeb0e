"""Noise: at its rate, in its script, the same for the same text."""

import re
from collections import Counter

import numpy as np
import pytest

from crosslingual.data import Bitext, Sentence, Side, load
from crosslingual.data.noise import parse_noise, with_noise

LONG = "the quick brown fox jumps over the lazy dog " * 200


def bitext(*texts, code="de"):
    sides = [
        Side(name, name, tuple(Sentence(str(i), text) for i, text in enumerate(texts)), "c/test")
        for name in (code, "en")
    ]
    return Bitext("c", "test", *sides)


def noisy(text, noise, seed=0):
    return with_noise(bitext(text, "b"), noise, seed).source.texts[0]


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_so_many_characters_are_changed(rate):
    """A quarter of the changes drops a character, a quarter adds one; spaces stay."""
    text = LONG.strip()
    changed = noisy(text, f"char@{rate}")
    assert changed.count(" ") == text.count(" ")
    letters = len(text.replace(" ", ""))
    # every word alone: how many differ, against 1 - (1 - rate)^length, less replacements by the same
    words = list(zip(text.split(), changed.split(" "), strict=True))
    differ = np.mean([a != b for a, b in words])
    expected = np.mean([1 - (1 - rate) ** len(a) for a, _ in words])
    assert expected * 0.85 <= differ <= expected * 1.08
    assert abs(len(changed) - len(text)) < 4 * np.sqrt(letters * rate / 2)


def test_so_many_words_are_changed():
    text = " ".join(f"w{i}" for i in range(3000))
    words = noisy(text, "word@0.3").split()
    counts = Counter(words)
    assert set(words) <= set(text.split()), "words are whole"
    lost = 1 - len(counts) / 3000
    twice = sum(count == 2 for count in counts.values()) / 3000
    assert lost == pytest.approx(0.1, abs=0.02) and twice == pytest.approx(0.1, abs=0.02)
    order = [int(word[1:]) for word in words]
    assert np.mean(np.diff(order) < 0) == pytest.approx(0.1 / 1.1, abs=0.015), "swapped with the next"


@pytest.mark.parametrize("text", ["我们今天去学校学习语言和历史" * 30, "วันนี้เราไปโรงเรียน" * 30])
def test_scripts_without_spaces(text):
    for noise in ("char@0.3", "word@0.3"):
        changed = noisy(text, noise)
        assert changed != text and set(changed) <= set(text), "the script stays, no space comes in"


def test_the_same_text_has_the_same_noise_wherever_it_is():
    first = with_noise(bitext("one sentence here", "another one there"), "char@0.5")
    second = with_noise(bitext("another one there", "one sentence here"), "char@0.5")
    assert first.source.texts == second.source.texts[::-1]
    assert noisy(LONG, "char@0.1", seed=1) != noisy(LONG, "char@0.1", seed=2)


def test_only_the_source_is_changed_and_the_split_says_so():
    (plain,) = load("pocket", languages="de")
    changed = with_noise(plain, "char@0.2")
    assert changed.target.texts == plain.target.texts
    assert changed.split == f"{plain.split}+char@0.2" and changed.groups == plain.groups
    assert [one.id for one in changed.source.sentences] == [one.id for one in plain.source.sentences]
    assert np.mean([a != b for a, b in zip(plain.source.texts, changed.source.texts, strict=True)]) > 0.9


def test_nothing_is_left_empty():
    for seed in range(50):
        assert noisy("a", "char@1", seed) and noisy("ab cd", "word@1", seed)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ("chars@0.1", "unknown `noise` 'chars@0.1': did you mean char"),
        *(
            (f"char{rate}", "rate must be above 0")
            for rate in ("", "@", "@0", "@1.5", "@nan", "@-1", "@x")
        ),
    ],
)
def test_noise_that_is_none(noise, message):
    with pytest.raises(ValueError, match=re.escape(message) if "did" not in message else message):
        parse_noise(noise)
