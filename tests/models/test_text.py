"""The text of the family: what is listed, and nothing else."""

import itertools

import pytest

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


def test_no_sentence_is_one_of_an_evaluation(real_data):
    """Tatoeba, FLORES devtest, the built-in sentences; short ones may meet by chance, and are counted."""
    from crosslingual.data import load

    ours = {normalised(text) for row in read_rows(TRAIN, real_data) for text in row.texts.values()}
    assert len(ours) > 5000
    met = []
    for corpus in ("tatoeba", "flores", "pud", "pocket"):
        for bitext in load(corpus, data_dir=real_data):
            for side in (bitext.source, bitext.target):
                met += [text for text in side.texts if normalised(text) in ours]
    long = {text for text in met if len(text.split()) >= 8 or len(text) >= 40}
    assert not long
    assert len(set(met)) < 10, set(met)
