"""Names of languages in a figure: codes, in English, or in the languages themselves."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import langcodes

from ...data.languages import likely_script, standard_tag

# written from left to right, a letter next to the other: what matplotlib can set in a font that has them
PAIR = re.compile(r"[a-z]{2,3}-[a-z]{2,3}")
PLAIN = {"Latn", "Cyrl", "Grek", "Armn", "Geor", "Hans", "Hant", "Hani", "Jpan", "Kore", "Hang"}


def named_languages(tags: Iterable[str], names: str) -> list[str]:
    """Return what languages are called in a figure.

    Args:
        tags: of languages, or of pairs of them (de-en); other words stay as they are.
        names: codes, english or own (in English where no font here has the letters, or where letters
            are joined or run from right to left).
    """
    return [tag if names == "codes" else _named(tag, names) for tag in tags]


def _named(tag: str, names: str) -> str:
    """Return the name of a language, or of both of a pair."""
    parts = tag.split("-") if PAIR.fullmatch(tag) else [tag]
    return " – ".join(_name(part, names) for part in parts)


def _name(tag: str, names: str) -> str:
    try:
        language: Any = langcodes.Language.get(standard_tag(tag))
        if not language.is_valid():
            return tag
    except (ValueError, langcodes.LanguageTagError):
        return tag
    own = str(language.autonym())
    if names == "own" and likely_script(tag) in PLAIN and _can_be_set(own):
        return own
    return str(language.display_name())


@cache
def _can_be_set(text: str) -> bool:
    """Return whether the font of the figures has all letters of a text."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    letters = get_font(findfont(FontProperties())).get_charmap()
    return all(ord(letter) in letters for letter in text)
