"""Tatoeba similarity search, LASER v1: `tatoeba.XXX-eng.XXX` and `tatoeba.XXX-eng.eng`.

Every pair has English sentences of its own, so pairs cannot be joined through English and scores do
not compare across languages; sizes run from 104 to 1,000.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from ..bitext import Sentence
from ..hub import rows
from ..text import first_existing, read_sentences, same_length
from .reader import Pairs

PIVOT = "eng"
HUB, REVISION = "mteb/tatoeba-bitext-mining", "69e8f12da6e31d59addadda9a9c8a2e601a0e282"


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the languages in a folder, English last."""
    found = {
        path.name.split(".")[1].removesuffix("-eng")
        for path in root.glob("tatoeba.*-eng.*")
        if path.name.split(".")[1].endswith("-eng")
    }
    if not found:
        raise OSError(f"{root}: no tatoeba.XXX-eng.XXX files there (LASER's data/tatoeba/v1)")
    return [*sorted(found), PIVOT]


def read_pair(root: Path, code: str) -> tuple[list[Sentence], list[Sentence]]:
    """Return the sentences of a language and their English translations, line by line."""
    paths = []
    for side in (code, PIVOT):
        name = f"tatoeba.{code}-eng.{side}"
        path = first_existing([root / name])
        if path is None:
            raise OSError(f"{root / name}: no such file")
        paths.append(path)
    source, target = (read_sentences(path) for path in paths)
    same_length(paths[0], len(source), paths[1], len(target))
    return _sentences(code, source), _sentences(code, target)


def hub_codes(split: str) -> list[str]:
    """Return the codes of the languages on the hub, English last."""
    return [*sorted(_hub_pairs()), PIVOT]


def hub_read_pair(code: str) -> tuple[list[Sentence], list[Sentence]]:
    """Return a pair from the hub; its texts end with a newline there, stripped here."""
    source, target = zip(*_hub_pairs()[code], strict=True)
    return _sentences(code, source), _sentences(code, target)


@lru_cache(maxsize=1)
def _hub_pairs() -> dict[str, list[tuple[str, str]]]:
    """Return the pairs of every language: of one read, not of one for each language."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows(HUB, None, "test", ["lang", "sentence1", "sentence2"], REVISION):
        pair = row["sentence1"].strip(), row["sentence2"].strip()
        found.setdefault(row["lang"].removesuffix("-eng"), []).append(pair)
    return found


def _sentences(code: str, texts: Sequence[str]) -> list[Sentence]:
    return [Sentence(f"{code}-eng.{i}", text) for i, text in enumerate(texts, start=1)]


READER = Pairs(codes, read_pair, hub_codes, hub_read_pair)
