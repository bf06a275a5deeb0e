"""The corpora: what each is, where it comes from, and `load`, which turns a name into bitexts.

A corpus module offers `codes(root, split)` and `read(root, split, code)` (or `read_pair` where a
pair's sentences are its own, `read_pairs` where gold is many-to-many), for a folder in the corpus's
upstream layout; and `hub_codes(split)`, `hub_read(split, code)` for the hub. Facts stand in `CORPORA`, a
table to read.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import ModuleType

from ..bitext import Bitext, Side, join
from ..gold import GoldBitext
from ..haystack import Haystack
from ..languages import choose, nearest, standard_tag
from . import bucc, flores, lareqa, ntrex, pocket, pud, tatoeba, words


@dataclass(frozen=True)
class Corpus:
    """What `list corpora` tells of a corpus."""

    name: str
    title: str
    reader: ModuleType
    splits: tuple[str, ...]  # the first is the default
    languages: int
    sentences: str
    groups: str
    licence: str
    citation: str
    hub: str  # id on the hub, or "" where there is none
    verified: str  # what was checked against real files, and what was not


CORPORA: Mapping[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "pocket",
            "built-in sample of everyday and newspaper sentences",
            pocket,
            ("test",),
            12,
            "218",
            "58 small texts",
            "CC0-1.0",
            "written for this project; see crosslingual/data/pocket/README.md",
            "",
            "complete; machine-written, unreviewed by native speakers",
        ),
        Corpus(
            "tatoeba",
            "Tatoeba similarity-search test set (LASER v1)",
            tatoeba,
            ("test",),
            113,
            "104 to 1,000 a pair; 88,877 pairs in 112 languages with English",
            "none",
            "CC BY 2.0 FR (Tatoeba's default)",
            "Artetxe & Schwenk 2019, https://arxiv.org/abs/1812.10464",
            "mteb/tatoeba-bitext-mining",
            "folder: all 112 pairs; hub: columns from memory, not verified",
        ),
        Corpus(
            "flores",
            "FLORES-200 translations of Wikimedia text",
            flores,
            ("devtest", "dev"),
            204,
            "1,012 (devtest), 997 (dev)",
            "article (URL in the metadata file), else blocks of 5",
            "CC BY-SA 4.0",
            "NLLB team 2022, https://arxiv.org/abs/2207.04672",
            "openlanguagedata/flores_plus",
            "folder: 22 languages of devtest, 15 of dev; hub (gated): columns not verified",
        ),
        Corpus(
            "ntrex",
            "NTREX-128 translations of newstest2019",
            ntrex,
            ("test",),
            128,
            "1,997",
            "123 documents (DOCUMENT_IDS.tsv)",
            "CC BY-SA 4.0",
            "Federmann et al. 2022, https://aclanthology.org/2022.sumeval-1.4",
            "davidstap/NTREX",
            "folder: 25 languages; hub: columns not verified, no documents there",
        ),
        Corpus(
            "pud",
            "Parallel Universal Dependencies treebanks (sentence text)",
            pud,
            ("test",),
            23,
            "1,000",
            "documents (newdoc id)",
            "CC BY-SA 3.0 or 4.0, by treebank",
            "Zeman et al. 2017, https://aclanthology.org/K17-3001",
            "universal-dependencies/universal_dependencies",
            "folder: 11 languages; hub: columns not verified, no documents there",
        ),
        Corpus(
            "words",
            "XLing-Eval's bilingual lexicons: words, with many-to-many gold",
            words,
            ("test", "train"),
            8,
            "2,000 pairs (test), up to 5,000 (train), each with English",
            "words that share translations",
            "none stated",
            "Glavaš et al. 2019, https://aclanthology.org/P19-1070",
            "",
            "folder: de fi fr it ru tr (upstream has hr too); no hub copy is known",
        ),
        Corpus(
            "lareqa",
            "XQuAD's questions and the sentences of all its languages, one of each right: mAP@20",
            lareqa,
            ("test",),
            12,
            "1,190 questions a language",
            "questions that share right sentences",
            "CC BY-SA 4.0",
            "Roy et al. 2020, https://arxiv.org/abs/2004.05484",
            "",
            "folder: made of XQuAD's files (5 languages verified) with our own split into sentences",
        ),
        Corpus(
            "bucc",
            "BUCC 2018 bitext mining: haystacks for `crosslingual mine`, not bitexts",
            bucc,
            ("sample", "training", "test"),
            5,
            "zh-en sample: 8,624 and 13,589 with 257 gold pairs",
            "none",
            "none stated (the organisers' terms)",
            "Zweigenbaum et al. 2018, https://comparable.limsi.fr/bucc2018",
            "",
            "folder: the zh-en sample (where XTREME's copies say dev); no hub copy is known",
        ),
    )
}


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
        limit: keep only the first so many sentences.

    Raises:
        ValueError: unknown corpus, split, language; text that breaks the corpus's layout.
        OSError: the corpus is not where it was looked for.
    """
    base, _, split = name.partition("/")
    if base not in CORPORA:
        raise ValueError(f"unknown corpus {base!r}: {nearest(base, [*CORPORA, 'files'])}")
    corpus = CORPORA[base]
    reader = corpus.reader
    if reader is bucc:
        raise ValueError("bucc has no bitext but a haystack; crosslingual mine --corpus bucc mines it")
    split = _split(corpus, split)
    root = find_root(corpus, data_dir)
    if root is None and not corpus.hub:
        raise OSError(f"{base} is on no hub; --data-dir names the folder that holds it")
    codes = reader.codes(root, split) if root else reader.hub_codes(split)
    tags = {code: _tag(reader, code) for code in codes}
    chosen = _pairs(base, codes, tags, languages, pivot, pairs, one_target=hasattr(reader, "PIVOT"))

    if hasattr(reader, "read_pairs"):  # many-to-many
        return [reader.read_pairs(root, split, code, limit) for code, _ in chosen]
    if hasattr(reader, "PIVOT"):
        bitexts = []
        for code, target in chosen:
            source_rows, target_rows = (
                reader.read_pair(root, code) if root else reader.hub_read_pair(code)
            )
            source = Side(tags[code], code, tuple(source_rows))
            other = Side(tags[target], target, tuple(target_rows))
            bitexts.append(join(base, split, source, other, limit=limit))
        return bitexts
    sides = {
        code: Side(
            tags[code],
            code,
            tuple(reader.read(root, split, code) if root else reader.hub_read(split, code)),
        )
        for code in dict.fromkeys(code for pair in chosen for code in pair)
    }
    return [join(base, split, sides[a], sides[b], limit=limit) for a, b in chosen]


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
        limit: only the first so many sentences of each side.

    Raises:
        ValueError: no haystack of that name, no such language; text that breaks the corpus's layout.
        OSError: it is not where it was looked for.
    """
    base, _, split = name.partition("/")
    if base != "bucc":
        raise ValueError(f"{base!r} is no corpus to mine; bucc is one, or give two files")
    split = _split(CORPORA[base], split)
    root = find_root(CORPORA[base], data_dir)
    if root is None:
        raise OSError("bucc is on no hub; --data-dir names the folder that holds it")
    codes = bucc.codes(root, split)
    chosen = choose(language, codes, {code: standard_tag(code) for code in codes})
    if len(chosen) != 1 or chosen[0] == bucc.PIVOT:
        raise ValueError(f"--languages {language!r}: name one of {', '.join(codes[:-1])}")
    return bucc.read(root, split, chosen[0], limit=limit)


def _split(corpus: Corpus, split: str) -> str:
    """Return a split of a corpus, its first by default."""
    if split and split not in corpus.splits:
        raise ValueError(f"corpus {corpus.name} has no split {split!r}: {nearest(split, corpus.splits)}")
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
        raise OSError(f"{root}: no such folder; --data-dir names the folder that holds the corpora")
    named = root / corpus.name
    return named if named.is_dir() else root


def _tag(reader: ModuleType, code: str) -> str:
    declared: Mapping[str, str] = getattr(reader, "TAGS", {})
    return declared.get(code) or standard_tag(code)


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
            raise ValueError(f"{corpus} has pairs with {codes[-1]} only; leave out --pivot {pivot}")
        found = [(code, target[0]) for code in chosen if code != target[0]]
    elif one_target:
        raise ValueError(f"{corpus} has pairs with {codes[-1]} only; leave out --pairs")
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
    raise ValueError(f"{pair!r} is no pair of languages here; write --pairs de-fr,ru-zh or all")
