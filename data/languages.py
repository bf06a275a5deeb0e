"""One tag per language, whatever code a corpus uses for it.

Corpora name the same language `deu`, `de`, `ger` or `deu_Latn`. Scores of one language must meet
in one row, so every code is turned into a short BCP 47 tag: the macrolanguage's code where one is
customary (`cmn` -> `zh`), without region, and without the script the language is usually written in
(`zho_Hans` -> `zh`, but `zho_Hant` -> `zh-Hant`).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

import langcodes

from .nearest import closest

# What the general rule would merge or misname although the corpora keep it apart.
EXCEPTIONS: Mapping[str, str] = {
    "kzj": "kzj",  # Coastal Kadazan: retired in favour of dtp, but Tatoeba has both
    "arq": "arq",  # Algerian and Egyptian Arabic are languages of their own here
    "arz": "arz",
    "prs": "prs",  # Dari, distinct from Persian (NTREX, FLORES)
    "twi": "tw",  # Twi, distinct from Akan (FLORES)
    "azb": "azb",  # South Azerbaijani distinct from North (FLORES)
    "eng-gb": "en-GB",  # NTREX has several regional versions of these languages
    "eng-in": "en-IN",
    "eng-us": "en-US",
    "fra-ca": "fr-CA",
    "por-br": "pt-BR",
    "spa-mx": "es-MX",
    "gsw-be": "gsw-BE",  # Bern and Zürich: cantons, which BCP 47 regions cannot say
    "gsw-zh": "gsw-ZH",
}
# Scripts that are another name for a language's usual one.
_SAME_SCRIPT = {("ko", "Hang"): "Kore"}


@lru_cache(maxsize=4096)
def standard_tag(code: str) -> str:
    """Return the tag under which the scores of the language `code` are reported.

    Args:
        code: ISO 639-1/2/3 code, BCP 47 tag or FLORES code (`deu`, `de`, `deu_Latn`, `zh-TW`).

    Returns:
        The tag of the macrolanguage, with a script only where it is not the usual one.

    Raises:
        ValueError: `code` is no well-formed language code.

    >>> [standard_tag(code) for code in ("deu", "ger", "deu_Latn", "cmn", "zho_Hant", "zh-TW", "kzj")]
    ['de', 'de', 'de', 'zh', 'zh-Hant', 'zh-Hant', 'kzj']
    """
    code = code.strip().replace("_", "-")
    for known in (code.lower(), code.lower().split("-")[0]):  # fra-CA; prs_Arab
        if known in EXCEPTIONS:
            return EXCEPTIONS[known]
    if code in EXCEPTIONS.values():
        return code
    try:
        if not re.match(r"[A-Za-z]{2,3}\b", code):
            raise langcodes.LanguageTagError
        language = langcodes.Language.get(langcodes.standardize_tag(code, macro=True))
        if language.language is None:  # und, which langcodes takes for no language at all
            return "und"
    except (langcodes.LanguageTagError, ValueError, KeyError, IndexError):
        raise ValueError(f"{code!r} is no language code") from None
    script = language.maximize().script
    script = _SAME_SCRIPT.get((language.language, script or ""), script)
    usual = langcodes.Language.get(language.language).maximize().script
    # `maximize` fills in a script only where likely subtags know the language.
    return f"{language.language}-{script}" if script and script != usual else language.language


def likely_script(tag: str) -> str:
    """Return the code of the script that a language is usually written in; "" where it is not known.

    >>> likely_script("de"), likely_script("zh")
    ('Latn', 'Hans')
    """
    return langcodes.Language.get(tag, normalize=False).maximize().script or ""


def choose(wanted: str, codes: Iterable[str], tags: Mapping[str, str] | None = None) -> list[str]:
    """Return the corpus codes that a `languages` argument names, in the corpus's order.

    Args:
        wanted: "all", or codes or tags joined by commas: `de,ru` and `deu,rus` name the same.
        codes: the corpus's own codes.
        tags: code -> tag where the corpus declares it; otherwise `standard_tag`.

    Raises:
        ValueError: a name matches no code; the nearest ones are given.
    """
    codes = list(codes)
    if wanted.strip().lower() == "all":
        return codes
    tag_of = {code: (tags or {}).get(code) or standard_tag(code) for code in codes}
    chosen: set[str] = set()
    for name in filter(None, (part.strip() for part in wanted.split(","))):
        if name in tag_of:
            chosen.add(name)
            continue
        try:
            tag = standard_tag(name)
        except ValueError:
            tag = name
        hits = [code for code in codes if tag_of[code] == tag]
        if not hits:
            known = list(dict.fromkeys(tag_of.values()))
            shown = "there are " + ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
            # spelling says something about a code, and nothing about `german`
            hint = closest(name, [*codes, *known]) if len(name) <= 3 else shown
            raise ValueError(f"unknown language {name!r} here: {hint}")
        chosen.update(hits)
    return [code for code in codes if code in chosen]
