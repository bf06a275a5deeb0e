"""The same sentences in several languages: what languages are compared on."""

from pathlib import Path

from ..bitext import Bitext
from .loading import load


def parallel_texts(
    corpus: str, *, data_dir: str | Path | None = None, languages: str = "all", limit: int | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the texts of every language: the same sentences, in the same order; English first.

    Args:
        corpus: of bitexts with English, which say the same where their English sentence is the same.
        data_dir: where it is; else the hub.
        languages: all, or tags and codes by commas.
        limit: how many sentences at most.

    Raises:
        ValueError: no sentence that all languages have; what `load` refuses.
        OSError: the corpus is not there.

    >>> texts = parallel_texts("pocket", languages="de,sw", limit=2)
    >>> {language: len(own) for language, own in texts.items()}
    {'en': 2, 'de': 2, 'sw': 2}
    """
    found = load(corpus, data_dir=data_dir, languages=languages, pivot="en")
    bitexts = [one for one in found if isinstance(one, Bitext)]
    if len(bitexts) < len(found) or not bitexts:
        raise ValueError(f"`corpus` {corpus} has no parallel sentences; take flores or ntrex")
    rows = [dict(zip(one.target.texts, one.source.texts, strict=True)) for one in bitexts]
    common = [text for text in rows[0] if all(text in row for row in rows)][:limit]
    if not common:
        names = ", ".join(one.source.language for one in bitexts)
        raise ValueError(
            f"`corpus` {corpus} has no sentence that {names} all have, so that languages cannot be "
            "compared; take flores, ntrex or fewer `languages`"
        )
    texts = {bitexts[0].target.language: tuple(common)}
    return texts | {
        one.source.language: tuple(row[text] for text in common)
        for one, row in zip(bitexts, rows, strict=True)
    }
