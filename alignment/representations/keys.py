"""What a model is fed for a sentence, and the key of that in the store."""

from ...data import Sentence
from .store import key


def fed(prefix: str, sentence: Sentence) -> tuple[str, tuple[int, int] | None]:
    """Return what a model is fed for a sentence, or for a word in its context, and where the word is."""
    if sentence.context is None:
        return prefix + sentence.text, None
    text, start, end = sentence.context
    return prefix + text, (len(prefix) + start, len(prefix) + end)


def sentence_key(prefix: str, sentence: Sentence) -> bytes:
    """Return the key under which the store has the vector of a sentence."""
    text, span = fed(prefix, sentence)
    return key(text if span is None else f"{text}\0{span[0]}:{span[1]}")
