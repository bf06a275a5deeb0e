"""`load` turns the name of a corpus into bitexts, `load_haystack` into what is mined."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from ..bitext import Bitext, Side, join
from ..gold import GoldBitext
from ..haystack import Haystack
from ..languages import choose, standard_tag
from ..nearest import closest
from . import pocket
from .reader import Haystacks, ManyParallel, ManyToMany, Pairs, Reader
from .table import CORPORA, HAYSTACKS, Corpus


def load(
    name: str,
    *,
    data_dir: str | Path | None = None,
    languages: str = "all",
    pivot: str = "en",
    pairs: str | None = None,
    limit: int | None = None,
) -> list[Bitext] | list[GoldBitext]:
    """Return the bitexts of a corpus, a bitext for each pair of languages asked for.

    Args:
        name: a key of `CORPORA`, with a split if not the default one: `flores`, `flores/dev`.
        data_dir: a folder that holds the corpus (or a folder of its name); otherwise the environment
            variable CROSSLINGUAL_DATA, otherwise the hub.
        languages: "all" or codes and tags joined by commas: the sources.
        pivot: the target of every bitext.
        pairs: instead of a pivot, `de-fr,ru-zh` or "all" pairs among `languages`.
        limit: keep at most this many sentences.

    Raises:
        ValueError: unknown corpus, split, language; text that breaks the corpus's layout.
        OSError: the corpus is not where it was looked for.
    """
    base, _, split = name.partition("/")
    if base in HAYSTACKS:
        raise ValueError(
            f"{base} has no bitext but a haystack; crosslingual mine --corpus {base} mines it"
        )
    if base == "files":
        raise ValueError("files of your own are read by `score`; elsewhere give bitexts")
    if base not in CORPORA:
        raise ValueError(f"unknown corpus {base!r}: {closest(base, [*CORPORA, 'files'])}")
    corpus = CORPORA[base]
    split = _split(corpus, split)
    root = find_root(corpus, data_dir)
    if root is None and not corpus.hub:
        raise OSError(f"{base} is on no hub; `data_dir` names the folder that holds it")
    asked = _Asked(base, split, root, languages, pivot, pairs, limit)
    reader = corpus.reader
    if isinstance(reader, ManyToMany):
        return [_named(bitext) for bitext in _many_to_many(reader, asked)]
    if isinstance(reader, Pairs):
        return _pairs_of_their_own(reader, asked)
    assert isinstance(reader, ManyParallel)  # haystacks have a table of their own
    return _many_parallel(reader, asked)


def _named(bitext: GoldBitext) -> GoldBitext:
    """Return a bitext whose sides know their corpus."""
    name = f"{bitext.corpus}/{bitext.split}"
    source, target = (replace(side, corpus=name) for side in (bitext.source, bitext.target))
    return replace(bitext, source=source, target=target)


@dataclass(frozen=True)
class _Asked:
    """What `load` is asked for, and where it is read."""

    corpus: str
    split: str
    root: Path | None  # None: from the hub
    languages: str
    pivot: str
    pairs: str | None
    limit: int | None

    def codes(self, reader: Reader) -> list[str]:
        """Return the codes of the languages there are."""
        return _codes(self.corpus, reader, self.root, self.split)

    def chosen(
        self, codes: list[str], tags: Mapping[str, str], *, one_target: bool
    ) -> list[tuple[str, str]]:
        """Return (source code, target code) of every bitext asked for."""
        return _pairs(
            self.corpus, codes, tags, self.languages, self.pivot, self.pairs, one_target=one_target
        )


def _many_to_many(reader: ManyToMany, asked: _Asked) -> list[GoldBitext]:
    codes = asked.codes(reader)
    tags = {code: standard_tag(code) for code in codes}
    assert asked.root is not None  # `codes` refuses the hub
    return [
        reader.read(asked.root, asked.split, code, asked.limit)
        for code, _ in asked.chosen(codes, tags, one_target=True)
    ]


def _pairs_of_their_own(reader: Pairs, asked: _Asked) -> list[Bitext]:
    codes = asked.codes(reader)
    tags = {code: standard_tag(code) for code in codes}
    bitexts = []
    for code, target in asked.chosen(codes, tags, one_target=True):
        if asked.root is not None:
            rows = reader.read(asked.root, code)
        else:
            assert reader.hub_read is not None  # what has hub codes has this
            rows = reader.hub_read(code)
        source, other = (
            Side(tags[name], name, tuple(side)) for name, side in zip((code, target), rows, strict=True)
        )
        bitexts.append(join(asked.corpus, asked.split, source, other, limit=asked.limit))
    return bitexts


def _many_parallel(reader: ManyParallel, asked: _Asked) -> list[Bitext]:
    codes = asked.codes(reader)
    tags = {code: reader.tags.get(code) or standard_tag(code) for code in codes}
    chosen = asked.chosen(codes, tags, one_target=False)

    def read(code: str) -> Side:
        if asked.root is not None:
            return Side(tags[code], code, tuple(reader.read(asked.root, asked.split, code)))
        assert reader.hub_read is not None  # what has hub codes has this
        return Side(tags[code], code, tuple(reader.hub_read(asked.split, code)))

    sides = {code: read(code) for code in dict.fromkeys(code for pair in chosen for code in pair)}
    return [join(asked.corpus, asked.split, sides[a], sides[b], limit=asked.limit) for a, b in chosen]


def load_haystack(
    name: str,
    language: str,
    *,
    data_dir: str | Path | None = None,
    limit: int | None = None,
) -> Haystack:
    """Return the haystack of a language and English.

    Args:
        name: `bucc`, with a split if not the sample: `bucc/training`.
        language: the code or tag of the source.
        data_dir: as for `load`.
        limit: at most this many, the first, sentences of each side.

    Raises:
        ValueError: no haystack of that name, no such language; text that breaks the corpus's layout.
        OSError: it is not where it was looked for.
    """
    base, _, split = name.partition("/")
    if base not in HAYSTACKS:
        known = " or ".join(HAYSTACKS)
        raise ValueError(f"{base!r} is no corpus to mine; {known} is one, or give two files")
    corpus = HAYSTACKS[base]
    split, root, reader = _split(corpus, split), find_root(corpus, data_dir), corpus.reader
    assert isinstance(reader, Haystacks)
    codes = _codes(base, reader, root, split)
    chosen = choose(language, codes, {code: standard_tag(code) for code in codes})
    if len(chosen) != 1 or chosen[0] == codes[-1]:
        raise ValueError(f"`languages` {language!r}: name one of {', '.join(codes[:-1])}")
    if root is not None:
        return reader.read(root, split, chosen[0], limit)
    assert reader.hub_read is not None  # what has hub codes has this
    return reader.hub_read(split, chosen[0]).head(limit)


def _codes(name: str, reader: Reader | Haystacks, root: Path | None, split: str) -> list[str]:
    """Return the codes of a corpus's languages, in a folder or on the hub."""
    if root is not None:
        return reader.codes(root, split)
    if isinstance(reader, ManyToMany) or reader.hub_codes is None:
        raise OSError(f"{name} is on no hub; `data_dir` names the folder that holds it")
    return reader.hub_codes(split)


def _split(corpus: Corpus, split: str) -> str:
    """Return a split of a corpus, its first by default."""
    if split and split not in corpus.splits:
        raise ValueError(f"corpus {corpus.name} has no split {split!r}: {closest(split, corpus.splits)}")
    return split or corpus.splits[0]


def find_root(corpus: Corpus, data_dir: str | Path | None) -> Path | None:
    """Return the folder of a corpus, or None if it is to come from the hub."""
    if corpus.name == "pocket":
        return pocket.ROOT
    given = data_dir or os.environ.get("CROSSLINGUAL_DATA")
    if not given:
        return None
    root = Path(given)
    if not root.is_dir():
        raise OSError(f"{root}: no such folder; `data_dir` names the folder that holds the corpora")
    named = root / corpus.name
    return named if named.is_dir() else root


def _pairs(
    corpus: str,
    codes: list[str],
    tags: Mapping[str, str],
    languages: str,
    pivot: str,
    pairs: str | None,
    *,
    one_target: bool,
) -> list[tuple[str, str]]:
    """Return (source code, target code) of every bitext asked for."""
    chosen = choose(languages, codes, tags)
    if pairs is None:
        target = codes[-1:] if one_target and pivot == "en" else choose(pivot, codes, tags)
        if len(target) != 1:
            raise ValueError(f"the pivot {pivot!r} must name one language, it names {len(target)}")
        if one_target and target[0] != codes[-1]:
            raise ValueError(f"{corpus} has pairs with {codes[-1]} only; leave out `pivot` {pivot}")
        found = [(code, target[0]) for code in chosen if code != target[0]]
    elif one_target:
        raise ValueError(f"{corpus} has pairs with {codes[-1]} only; leave out `pairs`")
    elif pairs.strip().lower() == "all":
        found = list(combinations(chosen, 2))
    else:
        found = [_pair(pair.strip(), codes, tags) for pair in pairs.split(",")]
    if not found:
        raise ValueError(f"no pair of languages is left in {corpus}: name one besides the pivot")
    return found


def _pair(pair: str, codes: list[str], tags: Mapping[str, str]) -> tuple[str, str]:
    """Split `de-fr` or `zh-Hant-en` at the hyphen where both halves are languages of the corpus."""
    parts = pair.split("-")
    for cut in range(1, len(parts)):
        try:
            (source,) = choose("-".join(parts[:cut]), codes, tags)
            (target,) = choose("-".join(parts[cut:]), codes, tags)
        except ValueError:
            continue
        if source != target:
            return source, target
    raise ValueError(f"{pair!r} is no pair of languages here; write `pairs` de-fr,ru-zh or all")
