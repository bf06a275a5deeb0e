"""LAReQA's retrieval made of XQuAD: questions, and the sentences of all languages as candidates.

Right is, in every language, the sentence that holds the answer; so a question has as many right
candidates as there are languages, and a model that finds only its own language's has a low mAP@20.
Sentences end at . ! ? and their like: LAReQA's own splitter is not known here, nor does a candidate
bring its context along. Source: Roy et al. 2020, https://arxiv.org/abs/2004.05484.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ..bitext import Sentence, Side
from ..gold import GoldBitext
from ..languages import standard_tag
from ..tasks.files import squad
from .reader import ManyToMany

PIVOT = "mul"  # ISO 639-2: several languages
# a full stop of scripts without spaces, or another's before a space; what closes a quotation stays
_END = re.compile(r"[。！？]+[”’」』）]*|[.!?؟۔।]+[\"”’»)\]]*(?=\s)")


def codes(root: Path, split: str) -> list[str]:
    """Return the codes of the languages in XQuAD's folder, and the pool of them all, last."""
    found = sorted(_files(root))
    if not found:
        raise OSError(f"{root}: no xquad.XX.json files there")
    return [*found, PIVOT]


def read_pairs(root: Path, split: str, code: str, limit: int | None) -> GoldBitext:
    """Return the questions of a language, and the sentences of all.

    Raises:
        ValueError: a question that is not there in all languages.
    """
    files = _files(root)
    pool, right = _pool(tuple(files.items()))
    questions: list[Sentence] = []
    gold: list[tuple[int, int]] = []
    for where, row in squad(files[code]):
        if len(right[row["id"]]) != len(files):
            raise ValueError(f"{where}: question {row['id']} is not answered in all languages")
        gold += [(len(questions), place) for place in right[row["id"]]]
        questions.append(Sentence(row["id"], row["question"].strip()))
    source = Side(standard_tag(code), code, tuple(questions))
    found = GoldBitext("lareqa", split, source, Side(PIVOT, PIVOT, pool), tuple(gold))
    return found if limit is None else found.having(found.gold[: limit * len(files)])


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text begin and end.

    >>> [("One. Two 3.5?" + " Three")[a:b] for a, b in sentences("One. Two 3.5? Three")]
    ['One.', 'Two 3.5?', 'Three']
    """
    ends = [match.end() for match in _END.finditer(text)]
    spans = zip([0, *ends], [*ends, len(text)], strict=True)
    found = []
    for begin, end in spans:
        inside = text[begin:end]
        if inside.strip():
            begin += len(inside) - len(inside.lstrip())
            found.append((begin, begin + len(inside.strip())))
    return found


@lru_cache(maxsize=1)
def _pool(files: tuple[tuple[str, Path], ...]) -> tuple[tuple[Sentence, ...], Mapping[str, list[int]]]:
    """Return every sentence of every context, and for each question the places of the right ones."""
    pool: list[Sentence] = []
    right: dict[str, list[int]] = {}
    for code, path in files:
        known: dict[str, tuple[int, list[tuple[int, int]]]] = {}
        for _, row in squad(path):
            context = row["context"]
            if context not in known:
                spans = sentences(context)
                known[context] = len(pool), spans
                number = len(known)
                pool += [
                    Sentence(f"{code} {number}.{i}", context[a:b], f"{code} {number}")
                    for i, (a, b) in enumerate(spans)
                ]
            first, spans = known[context]
            start = row["answers"][0][1]
            held = max(i for i, (begin, _) in enumerate(spans) if i == 0 or begin <= start)
            right.setdefault(row["id"], []).append(first + held)
    return tuple(pool), right


def _files(root: Path) -> dict[str, Path]:
    folder = root / "xquad" if (root / "xquad").is_dir() else root
    return {path.name.split(".")[1]: path for path in sorted(folder.glob("xquad.*.json*"))}


READER = ManyToMany(codes, read_pairs)
