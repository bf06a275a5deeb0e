"""Noise in sentences, at a stated rate: how much alignment hangs on their exact spelling and order.

Character noise changes each character that is no space with the given probability: it is dropped,
swapped with the next, doubled with another one, or replaced, each as likely; other characters are drawn
from the text itself, so that the script stays. Word noise drops a word, swaps it with the next, or
repeats it; in scripts without spaces a character counts as a word. What happens to a text depends on the
text and the seed alone (after Belinkov & Bisk 2018).
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .bitext import Bitext, Side
from .nearest import closest

# Han, kana, Thai, Lao, Burmese, Khmer: written without spaces between words
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORDS = re.compile(rf"(\s*)([{_UNSPACED}]|[^\s{_UNSPACED}]+)")
_ALONE = re.compile(rf"[{_UNSPACED}]")


def parse_noise(text: str) -> tuple[str, float]:
    """Return kind and rate of "char@0.1" or "word@0.2".

    Raises:
        ValueError: another kind; a rate that is not between 0 and 1.
    """
    kind, _, rate = text.partition("@")
    if kind not in KINDS:
        raise ValueError(f"unknown `noise` {text!r}: {closest(kind, KINDS)} (as char@0.1)")
    try:
        value = float(rate)
    except ValueError:
        value = float("nan")
    if not 0 < value <= 1:
        raise ValueError(f"`noise` {text!r}: the rate must be above 0 and at most 1, as {kind}@0.1")
    return kind, value


def with_noise(bitext: Bitext, noise: str, seed: int = 0) -> Bitext:
    """Return a bitext whose source is noisy; its split says so.

    Args:
        bitext: one-to-one, of sentences.
        noise: see `parse_noise`.
        seed: of what is drawn.

    Raises:
        ValueError: no such noise; words in context.
    """
    kind, rate = parse_noise(noise)
    if bitext.unit == "word":
        raise ValueError(f"{bitext.name}: `noise` is of sentences, not of words in context")
    split = f"{bitext.split}+{noise}"
    source = _noisy(bitext.source, kind, rate, seed)
    sides = (replace(side, corpus=f"{bitext.corpus}/{split}") for side in (source, bitext.target))
    return Bitext(bitext.corpus, split, *sides)


def _noisy(side: Side, kind: str, rate: float, seed: int) -> Side:
    changed = []
    for sentence in side.sentences:
        key = f"{seed}\0{kind}\0{rate}\0{sentence.text}".encode()
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()[:8], "big"))
        changed.append(sentence._replace(text=KINDS[kind](sentence.text, rate, rng)))
    return replace(side, sentences=tuple(changed))


def _characters(text: str, rate: float, rng: np.random.Generator) -> str:
    letters = [one for one in text if not one.isspace()]
    made: list[str] = []
    rest = list(text)
    while rest:
        one = rest.pop(0)
        if one.isspace() or rng.random() >= rate:
            made.append(one)
            continue
        way = rng.integers(4)
        if way == 1 and rest and not rest[0].isspace():
            made += [rest.pop(0), one]
        elif way == 2:
            made += [one, letters[rng.integers(len(letters))]]
        elif way == 3:
            made.append(letters[rng.integers(len(letters))])
    return "".join(made).strip() or text


def _words(text: str, rate: float, rng: np.random.Generator) -> str:
    made: list[tuple[str, str]] = []  # what is before a word, and the word
    rest = _WORDS.findall(text)
    while rest:
        gap, word = rest.pop(0)
        if rng.random() >= rate:
            made.append((gap, word))
            continue
        way = rng.integers(3)
        if way == 1 and rest:
            between, other = rest.pop(0)
            made += [(gap, other), (between, word)]
        elif way == 2:
            made += [(gap, word), ("" if _ALONE.fullmatch(word) else " ", word)]
    return "".join(gap + word for gap, word in made).strip() or text


KINDS: dict[str, Callable[[str, float, np.random.Generator], str]] = {
    "char": _characters,
    "word": _words,
}
