"""The text of the family: what is listed, and nothing else."""

import gzip
import itertools
import json
import re
from pathlib import Path

import pytest

from crosslingual.data import load
from crosslingual.models.recipe import DEV, LANGUAGES, SIZES, TRAIN, Portion
from crosslingual.models.text import normalised, read_rows


@pytest.fixture
def corpora(tmp_path):
    folder = tmp_path / "ntrex"
    folder.mkdir()
    for kind, code, text in (
        ("src", "eng", "B"),
        ("ref", "deu", "A"),
        ("ref", "swa", "S"),
        ("ref", "kor", "T"),
    ):
        lines = "".join(f"{text}{i}\n" for i in range(6))
        (folder / f"newstest2019-{kind}.{code}.txt").write_text(lines)
    (folder / "DOCUMENT_IDS.tsv").write_text("a\na\nb\nb\nc\nc\n")
    return tmp_path


def test_a_portion_is_of_documents_or_of_sentences(corpora):
    rows = read_rows([Portion("ntrex", "document", 2, 2)], corpora)
    assert [row.texts for row in rows] == [
        {"en": f"B{i}", "de": f"A{i}", "sw": f"S{i}"} for i in (2, 3)
    ], "Korean is no language of the family"
    rows = read_rows([Portion("ntrex", "sentence", 5, 6)], corpora)
    assert [row.texts["en"] for row in rows] == ["B4", "B5"]
    with pytest.raises(ValueError, match="ntrex has 3 documents; the family is made of those to 4"):
        read_rows([Portion("ntrex", "document", 1, 4)], corpora)


def test_the_list_is_what_may_be_trained_on():
    """NTREX's first 103 documents, FLORES dev to 797, TICO-19; dev is what comes after, and no other."""
    assert {portion.corpus for portion in (*TRAIN, *DEV)} == {"ntrex", "flores/dev", "tico19"}
    for portion in TRAIN:
        for other in DEV:
            if portion.corpus == other.corpus:
                assert portion.unit == other.unit and portion.last < other.first
    assert TRAIN[0].last == 103 and TRAIN[1].last == 797


def test_scales_are_a_factor_of_three_apart():
    bodies = [size.layers * (8 * size.width**2 + 11 * size.width) for size in SIZES]
    assert all(larger >= 3 * smaller for smaller, larger in itertools.pairwise(bodies))
    assert len(LANGUAGES) == len(set(LANGUAGES)) == 12


def test_texts_that_agree_in_letters_are_one_sentence():
    assert normalised("Tom’s  CAFÉ, 2!") == normalised("toms café 2")
    assert normalised("ﬁne") == "fine" and normalised("你好。") == "你好"
    assert normalised("snake_case") != normalised("snake case")


def key(text: str) -> str:
    return normalised(text).replace(" ", "")


def test_no_sentence_is_one_of_those_the_family_is_scored_on(real_data):
    ours = {key(text) for row in read_rows(TRAIN, real_data) for text in row.texts.values()}
    assert len(ours) > 40_000
    for corpus in ("tatoeba", "flores", "pud", "pocket"):
        for bitext in load(corpus, data_dir=real_data):
            for side in (bitext.source, bitext.target):
                assert not ours & set(map(key, side.texts)), bitext.name


EVALUATION = (
    "bucc flores/devtest masakhapos pawsx pud sib200 tatoeba tydiqa wikiann xcopa xnli xquad".split()
)
# What is no sentence and met by chance: a word, a mark of a translator.
SHORT = {key("söyledi"), key("{NS}"), key("क्या")}
ENDS = re.compile(r"(?<=[.!?。؟।！？])\s*")


def fields(path: Path):
    """Whatever could be a sentence in a file: fields, JSON strings, columns of treebanks."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as stream:
        raw = stream.read()
    for line in raw.splitlines():
        yield from line.split("\t")
    if "json" in path.name:
        for literal in re.findall(r'"(?:[^"\\]|\\.)*"', raw):
            yield json.loads(literal)
        return
    for block in raw.split("\n\n"):
        columns = [line.split("\t") for line in block.splitlines() if not line.startswith("#")]
        for column in (0, 1):
            yield "".join(one[column].split(":")[-1] for one in columns[:400] if len(one) > column)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_sentence_is_in_any_evaluation_of_any_language(real_data):
    """SIB-200 is FLORES dev and devtest with topics: of it the training text has dev, and no more."""
    ours: dict[str, set[str]] = {}
    for row in read_rows(TRAIN, real_data):
        for text in row.texts.values():
            ours.setdefault(key(text), set()).add(row.corpus)
    met = set()
    for name in EVALUATION:
        for path in sorted((real_data / name).rglob("*")):
            if path.is_file() and not path.name.startswith(("README", "LICENSE")):
                parts = {part for text in fields(path) for part in (text, *ENDS.split(text))}
                met |= {(name, found) for found in map(key, parts) if found and found in ours}
    assert ("sib200", key("Zayat was unhurt in the accident.")) in met, "it finds what there is"
    others = {found for name, found in met if not (name == "sib200" and ours[found] == {"flores/dev"})}
    assert others <= SHORT
