"""Many-to-many gold and words in context: what the files say, and what is wrong with them."""

import numpy as np
import pytest

from crosslingual.data import Sentence, Side, join, load
from crosslingual.data.aligned import aligned_words
from crosslingual.data.corpora import lareqa
from crosslingual.data.gold import GoldBitext, read_gold, read_lexicon, with_negatives
from crosslingual.data.tasks.files import squad

CODES = {"source_language": "de", "target_language": "en"}


def file(folder, name, *lines):
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def words(side):
    return [sentence.text for sentence in side.sentences]


def test_a_lexicon_has_each_word_once_and_its_translations(tmp_path):
    path = file(tmp_path, "l", "Bank\tbank", "Bank\tbench", "Ufer\tbank", "Haus\thouse", "Bank\tbank")
    found = read_lexicon(path, **CODES)
    assert words(found.source) == ["Bank", "Ufer", "Haus"]
    assert words(found.target) == ["bank", "bench", "house"]
    assert found.gold == ((0, 0), (0, 1), (1, 0), (2, 2))
    assert found.unit == "word"
    assert [part.tolist() for part in found.components] == [[0, 0, 1], [0, 0, 1]]
    assert words(found.head(2).source) == ["Bank"]
    assert found.head(2).gold == ((0, 0), (0, 1))


@pytest.mark.parametrize("line", ["alone", "a\tb\tc", "a\t ", ""])
def test_lines_that_are_no_pair_of_words(tmp_path, line):
    with pytest.raises(ValueError, match="l:2: expected a word, a tab and its translation"):
        read_lexicon(file(tmp_path, "l", "a\tb", line), **CODES)


def test_an_empty_lexicon(tmp_path):
    with pytest.raises(ValueError, match="no pair of words"):
        read_lexicon(file(tmp_path, "l"), **CODES)


def test_gold_ids_join_sides_of_any_length(tmp_path):
    source, target = file(tmp_path, "s", "eins", "zwei"), file(tmp_path, "t", "one", "two", "deux", "x")
    found = read_gold(source, target, file(tmp_path, "g", "1\t1", "2\t2", "2\t3"), **CODES)
    assert found.gold == ((0, 0), (1, 1), (1, 2))
    assert [part.tolist() for part in found.components] == [[0, 1], [0, 1, 1, -1]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\t5", "g:1: gold id '5' does not exist: .*t has lines 1 to 4"),
        ("3\t1", "g:1: gold id '3' does not exist: .*s has lines 1 to 2"),
        ("0\t1", "gold id '0' does not exist"),
        ("x\t1", "gold id 'x' does not exist"),
        ("1 1", "g:1: expected a line of"),
    ],
)
def test_gold_ids_that_do_not_exist(tmp_path, line, message):
    source, target = file(tmp_path, "s", "eins", "zwei"), file(tmp_path, "t", "one", "two", "deux", "x")
    with pytest.raises(ValueError, match=message):
        read_gold(source, target, file(tmp_path, "g", line), **CODES)


def test_hard_negatives_are_candidates_without_gold(tmp_path):
    sides = [
        Side(code, code, (Sentence("1", f"{code} a"), Sentence("2", f"{code} b")))
        for code in ("de", "en")
    ]
    bitext = join("own", "test", *sides)
    found = with_negatives(bitext, file(tmp_path, "n", "en c", "en d", "en d"))
    assert found.gold == ((0, 0), (1, 1))
    assert words(found.target) == ["en a", "en b", "en c", "en d", "en d"]
    with pytest.raises(ValueError, match="n:2: 'en b' is no negative"):
        with_negatives(bitext, file(tmp_path, "n", "en c", "en b"))


def test_the_corpus_of_lexicons(real_data):
    (german,) = load("words", data_dir=real_data, languages="de")
    assert isinstance(german, GoldBitext)
    assert (german.source.language, german.target.language) == ("de", "en")
    assert (len(german), len(german.target.sentences)) == (2000, 2000)
    assert words(german.target)[0] == "dedication"
    assert len(load("words/train", data_dir=real_data)) == 6
    with pytest.raises(OSError, match="on no hub"):
        load("words")


def aligned(tmp_path, *links, source=("der Hund bellt", "Der  Hund der Frau"), **options):
    return aligned_words(
        file(tmp_path, "s", *source),
        file(tmp_path, "t", "the dog barks", "the woman's dog"),
        file(tmp_path, "a", *links),
        **CODES,
        **options,
    )


def test_one_occurrence_of_each_pair_of_types(tmp_path):
    found = aligned(tmp_path, "0-0 1-1 2-2", "0-0 1-2 3-1")
    pairs = list(zip(words(found.source), words(found.target), strict=True))
    assert sorted(pairs) == [("bellt", "barks"), ("der", "the"), ("frau", "woman's"), ("hund", "dog")]
    assert found.unit == "word"
    for side in (found.source, found.target):
        for _, word, group, (text, start, end) in side.sentences:
            assert text[start:end].lower() == word
            assert text in ("der Hund bellt", "Der  Hund der Frau", "the dog barks", "the woman's dog")
            assert group in "12"


def test_the_seed_chooses_occurrences_with_equal_chances(tmp_path):
    rows = [
        dict(zip(words(found.source), found.groups, strict=True))["hund"]
        for found in (aligned(tmp_path, "1-1", "1-2", seed=seed) for seed in range(200))
    ]
    assert 70 < rows.count("1") < 130
    assert aligned(tmp_path, "1-1", "1-2", seed=3) == aligned(tmp_path, "1-1", "1-2", seed=3)


@pytest.mark.parametrize(
    ("links", "message"),
    [
        (("0-0", "4-0"), "a:2: link 4-0: word 4 lies outside the source sentence, whose 4 words"),
        (("0-3", "0-0"), "a:1: link 0-3: word 3 lies outside the target sentence, whose 3 words"),
        (("0:0", "0-0"), "a:1: '0:0' is no link"),
        (("0-0",), "has 2 lines but .*a has 1"),
        (("", ""), "no aligned words"),
    ],
)
def test_alignments_that_do_not_fit(tmp_path, links, message):
    with pytest.raises(ValueError, match=message):
        aligned(tmp_path, *links)


def test_a_context_has_its_place_in_the_text(tmp_path):
    found = aligned(tmp_path, "0-0", "1-2")
    starts = [sentence.context.start for sentence in found.source.sentences]
    assert np.array_equal(starts, [0, 5])


def test_lexicons_in_upstreams_folders(tmp_path):
    """`bli_datasets/en-de/`, with several sizes of train: the largest is read."""
    for size, pairs in (("1k", 4), ("5k", 9)):
        folder = tmp_path / "bli_datasets" / "en-de"
        folder.mkdir(parents=True, exist_ok=True)
        file(folder, f"yacle.train.freq.{size}.en-de.tsv", *(f"word{i}\tWort{i}" for i in range(pairs)))
    for root in (tmp_path, tmp_path / "bli_datasets"):
        (german,) = load("words/train", data_dir=root)
        assert (german.source.code, len(german)) == ("de", 9)


def test_sentences_of_any_script():
    texts = {
        "It cost 3.5 dollars. “Really?” Yes!": ["It cost 3.5 dollars.", "“Really?”", "Yes!"],
        "他走了。“好！”她说。": ["他走了。", "“好！”", "她说。"],
        "ذهب. لماذا؟ لا أدري": ["ذهب.", "لماذا؟", "لا أدري"],
        " one ": ["one"],
    }
    for text, expected in texts.items():
        assert [text[a:b] for a, b in lareqa.sentences(text)] == expected


def test_questions_and_the_sentences_of_all_languages(real_data):
    """The answer stands in the right sentence of its language, in each language once."""
    files = lareqa._files(real_data / "xquad")
    for bitext in load("lareqa", data_dir=real_data, languages="en,zh"):
        assert len(bitext.source.sentences) == 1190
        code = bitext.source.code
        answers = {row["id"]: row["answers"][0][0] for _, row in squad(files[code])}
        whole = 0
        for i, rows in enumerate(bitext.pairs[:, 1].reshape(1190, 5)):
            right = [bitext.target.sentences[row] for row in rows]
            assert sorted(one.id.split()[0] for one in right) == ["ar", "de", "en", "ru", "zh"]
            (own,) = (one for one in right if one.id.startswith(code))
            whole += answers[bitext.source.sentences[i].id] in own.text
        assert whole > 1160, "but for answers over the end of a sentence"
    assert len(load("lareqa", data_dir=real_data, languages="de", limit=7)[0].source.sentences) == 7
