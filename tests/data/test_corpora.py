"""Corpora in their upstream layouts: small ones written here, real ones where they are at hand."""

import gzip

import pytest

from crosslingual.data import CORPORA, hub, load
from crosslingual.data.corpora import load_haystack, tatoeba


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.fixture
def corpora(tmp_path):
    write(tmp_path / "tatoeba/tatoeba.deu-eng.deu", "Hallo.\nTschüs.\n")
    write(tmp_path / "tatoeba/tatoeba.deu-eng.eng", "Hello.\nBye.\n")
    write(tmp_path / "tatoeba/tatoeba.cmn-eng.cmn", "你好。\n")
    write(tmp_path / "tatoeba/tatoeba.cmn-eng.eng", "Hi.\n")
    for code, text in (("deu_Latn", "A"), ("eng_Latn", "B"), ("zho_Hant", "C")):
        write(tmp_path / f"flores/devtest/{code}.devtest", "".join(f"{text}{i}\n" for i in range(6)))
        write(tmp_path / f"flores/dev/{code}.dev", "".join(f"{text}{i}\n" for i in range(7)))
    urls = "".join(f"http://{i // 3}\tx\n" for i in range(6))
    write(tmp_path / "flores/metadata_devtest.tsv", "URL\tdomain\n" + urls)
    for kind, code, text in (("src", "eng", "B"), ("ref", "deu", "A"), ("ref", "fra-CA", "D")):
        write(tmp_path / f"ntrex/NTREX-128/newstest2019-{kind}.{code}.txt", f"{text}1\r\n{text}2\r\n")
    write(tmp_path / "ntrex/DOCUMENT_IDS.tsv", "bbc.1\ncnn.2\n")
    for code, text in (("en", "B"), ("zh", "A")):
        write(tmp_path / f"tico19/tico19-test.{code}", f"{text}1\n{text}2\n")
    write(tmp_path / "tico19/tico19-test.info", "wiki_9:1\thttp://x\nPubMed_7:1\thttp://y\n")
    english = "# newdoc id = n1\n# sent_id = s1\n# text = One.\n1\tOne\n\n# sent_id = s2\n# text = Two.\n1\tTwo\n\n"
    chinese = "# sent_id = s2\n# text = 二。\n1\t二\n\n# newdoc id = n1\n# sent_id = s1\n# text = 一。\n1\t一\n"
    write(tmp_path / "pud/UD_English-PUD/en_pud-ud-test.conllu", english)
    (tmp_path / "pud/UD_Chinese-PUD").mkdir()
    (tmp_path / "pud/UD_Chinese-PUD/zh_pud-ud-test.conllu.gz").write_bytes(
        gzip.compress(chinese.encode())
    )
    return tmp_path


def rows(bitext):
    return list(zip(bitext.source.texts, bitext.target.texts, strict=True))


def test_tatoeba(corpora):
    chinese, german = load("tatoeba", data_dir=corpora)
    assert (german.source.language, german.source.code, german.target.language) == ("de", "deu", "en")
    assert rows(german) == [("Hallo.", "Hello."), ("Tschüs.", "Bye.")]
    assert german.source.ids == german.target.ids == ("deu-eng.1", "deu-eng.2")
    assert german.groups is None
    assert rows(chinese) == [("你好。", "Hi.")]
    assert rows(load("tatoeba", data_dir=corpora / "tatoeba", languages="zh")[0]) == rows(chinese)


def test_flores(corpora):
    german, chinese = load("flores", data_dir=corpora)
    assert (chinese.source.language, chinese.source.code) == ("zh-Hant", "zho_Hant")
    assert rows(german)[5] == ("A5", "B5")
    assert german.groups == ("http://0",) * 3 + ("http://1",) * 3
    dev = load("flores/dev", data_dir=corpora)[0]
    assert len(dev) == 7
    assert dev.groups == ("block 0",) * 5 + ("block 1",) * 2
    pairs = load("flores", data_dir=corpora, pairs="all")
    assert [(b.source.code, b.target.code) for b in pairs] == [
        ("deu_Latn", "eng_Latn"), ("deu_Latn", "zho_Hant"), ("eng_Latn", "zho_Hant"),
    ]  # fmt: skip
    (pair,) = load("flores", data_dir=corpora, pairs="zh-Hant-de")
    assert (pair.source.language, pair.target.language) == ("zh-Hant", "de")


def test_ntrex(corpora):
    german, french = load("ntrex", data_dir=corpora)
    assert french.source.language == "fr-CA"
    assert rows(german) == [("A1", "B1"), ("A2", "B2")]
    assert german.groups == ("bbc.1", "cnn.2")


def test_tico19(corpora):
    (chinese,) = load("tico19", data_dir=corpora)
    assert rows(chinese) == [("A1", "B1"), ("A2", "B2")]
    assert chinese.groups == ("wiki_9", "PubMed_7")
    (corpora / "tico19/tico19-test.info").unlink()
    assert load("tico19", data_dir=corpora)[0].groups is None


def test_pud_is_joined_by_id_whatever_the_order(corpora):
    (chinese,) = load("pud", data_dir=corpora)
    assert chinese.source.language == "zh-Hant"
    assert rows(chinese) == [("二。", "Two."), ("一。", "One.")]


def test_the_environment_names_the_folder(corpora, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_DATA", str(corpora))
    assert len(load("tatoeba")) == 2


def test_limit_keeps_the_first_sentences(corpora):
    assert rows(load("flores", data_dir=corpora, limit=2)[0]) == [("A0", "B0"), ("A1", "B1")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "tatoba"}, "unknown corpus 'tatoba': did you mean tatoeba"),
        ({"name": "flores/test"}, "no split 'test': did you mean devtest"),
        ({"name": "flores", "languages": "de,xx"}, "unknown language 'xx'"),
        ({"name": "flores", "pivot": "fi"}, "unknown language 'fi'"),
        ({"name": "flores", "pairs": "de-xx"}, "'de-xx' is no pair"),
        ({"name": "tatoeba", "pairs": "de-zh"}, "pairs with eng only"),
        ({"name": "tatoeba", "pivot": "de"}, "pairs with eng only"),
        ({"name": "flores", "languages": "en"}, "no pair of languages is left"),
        ({"name": "flores", "data_dir": "/nowhere"}, "no such folder"),
    ],
)
def test_what_is_wrong_is_named(corpora, arguments, message):
    with pytest.raises((ValueError, OSError), match=message):
        load(**({"data_dir": corpora} | arguments))


@pytest.mark.parametrize(
    ("file", "text", "corpus", "message"),
    [
        ("tatoeba/tatoeba.deu-eng.eng", "Hello.\n", "tatoeba", r"deu has 2 lines but .*eng has 1"),
        ("flores/devtest/deu_Latn.devtest", "A\n\n", "flores", r"deu_Latn.devtest:2: empty line"),
        (
            "flores/metadata_devtest.tsv",
            "URL\nx\n",
            "flores",
            r"6 lines but .*metadata_devtest.tsv has 1",
        ),
        ("tico19/tico19-test.info", "a:1\n", "tico19", r"has 2 lines but .*tico19-test.info has 1"),
        ("ntrex/DOCUMENT_IDS.tsv", "a\n", "ntrex", r"has 2 lines but .*DOCUMENT_IDS.tsv has 1"),
        (
            "pud/UD_English-PUD/en_pud-ud-test.conllu",
            "# text = a\n1\ta\n\n",
            "pud",
            r"conllu:3: .*sent_id",
        ),
        (
            "pud/UD_English-PUD/en_pud-ud-test.conllu",
            "# sent_id = s1\n# text = a\n1\ta\n\n# sent_id = s9\n# text = a\n1\ta\n",
            "pud",
            "2 ids stand on one side only, first 's2', 's9'",
        ),
    ],
)
def test_broken_layouts_are_named(corpora, file, text, corpus, message):
    write(corpora / file, text)
    with pytest.raises(ValueError, match=message):
        load(corpus, data_dir=corpora)


def test_an_empty_folder_says_what_was_expected(tmp_path):
    for name in ("tatoeba", "flores", "ntrex", "pud"):
        with pytest.raises(OSError, match="no .* files"):
            load(name, data_dir=tmp_path)


def test_pocket_is_whole():
    bitexts = load("pocket")
    assert len(bitexts) == 11
    assert {b.source.language for b in bitexts} | {"en"} == set(
        "en de fr es it ru zh ar tr hi sw fi".split()
    )
    for bitext in bitexts:
        assert len(bitext) == 218
        assert len(set(bitext.groups)) == 58
        assert len(set(bitext.source.texts)) == 218
    english = bitexts[0].target
    assert english.sentences[0].text.startswith("The bakery on the corner opens at six")
    assert english.sentences[9].id == "umbrella-2"
    assert english.sentences[-1].text == "Don't forget your scarf."
    scripts = {"ru": "а", "zh": "的", "ar": "ا", "hi": "क"}
    for bitext in bitexts:
        if letter := scripts.get(bitext.source.language):
            assert sum(letter in text for text in bitext.source.texts) > 60


# what the hub's tables look like; loaded here from local parquet: configuration, split, columns
HUB = {
    "tatoeba": (
        None,
        "test",
        {
            "sentence1": ["Hallo.\n", "Bonjour."],
            "sentence2": ["Hello.\n", "Good day."],
            "lang": ["deu-eng", "fra-eng"],
        },
    ),
    "flores": (
        None,
        "devtest",
        {"deu_Latn": ["Hallo. "], "eng_Latn": ["Hello."], "fra_Latn": ["Bonjour."], "id": [7]},
    ),
    "flores-plus": ("deu_Latn", "devtest", {"id": [1], "text": ["Hallo. "], "url": ["http://a"]}),
    "ntrex": (None, "test", {"deu_Latn": ["Hallo."], "eng_Latn": ["Hello."], "fra_Latn": ["Bonjour."]}),
    "pud": ("de_pud", "test", {"sent_id": ["n01"], "text": ["Hallo."]}),
}


def local_hub(tmp_path, monkeypatch, columns, names=()):
    """Put a local parquet file in place of the hub; return what is asked of it."""
    import datasets

    datasets.Dataset.from_dict(columns).to_parquet(str(tmp_path / "t.parquet"))
    real, asked = datasets.load_dataset, []

    def local(hub_id, config_name, *, split, revision):
        asked.append((hub_id, config_name, split, revision))
        return real(
            "parquet", data_files=str(tmp_path / "t.parquet"), split="train", cache_dir=str(tmp_path)
        )

    monkeypatch.setattr(datasets, "load_dataset", local)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda *a, **k: sorted(names))
    return asked


@pytest.mark.parametrize("name", HUB)
def test_hub_tables_become_bitexts(name, tmp_path, monkeypatch):
    import datasets

    config, split, columns = HUB[name]
    names = [config, config.replace("deu", "eng").replace("de", "en")] if config else []
    asked = local_hub(tmp_path, monkeypatch, columns, names)
    bitexts = {bitext.source.language: bitext for bitext in load(name)}
    assert set(bitexts) == ({"de"} if config else {"de", "fr"})
    assert bitexts["de"].source.texts == ("Hallo.",) and bitexts["de"].target.language == "en"
    assert asked[0][:3] == (CORPORA[name].hub, config, split)
    if config is None:
        assert bitexts["fr"].source.texts == ("Bonjour.",)
        assert len(asked) == 1, "all languages by one call"
        assert len(asked[0][3]) == 40, "a revision that stays as it is"
    hub._table.cache_clear()
    tatoeba._hub_pairs.cache_clear()
    monkeypatch.setattr(
        datasets, "load_dataset", lambda *a, **k: (_ for _ in ()).throw(ConnectionError("off"))
    )
    with pytest.raises(OSError, match=r"cannot be read from the hub \(off\); `data_dir`"):
        load(name)


@pytest.mark.parametrize("name", ["in22-gen", "in22-conv"])
def test_a_column_for_every_language(name, tmp_path, monkeypatch):
    columns = {"asm_Beng": ["ক। "], "eng_Latn": ["One."], "hin_Deva": ["एक।"], "id": [1]}
    asked = local_hub(tmp_path, monkeypatch, columns)
    bitexts = {bitext.source.language: bitext for bitext in load(name)}
    assert set(bitexts) == {"as", "hi"} and bitexts["as"].source.texts == ("ক।",)
    assert bitexts["hi"].target.texts == ("One.",)
    assert asked[0][:3] == (CORPORA[name].hub, None, "test") and len(asked[0][3]) == 40
    with pytest.raises(OSError, match=r"read from the hub \(mteb/IN22"):
        load(name, data_dir=tmp_path)


PAIRED = {
    "iwslt2017": (["ar-en", "en-ar", "en-fr", "it-nl"], ("sentence1", "sentence2"), "en"),
    "biblenlp": (["eng-deu", "eng-fra"], ("eng", "deu"), "eng"),
    "nusax": (["eng-ace"], ("sentence1", "sentence2"), "eng"),
    "webfaq": (["deu-eng", "deu-fra", "eng-fra"], ("question1", "question2"), "eng"),
}


@pytest.mark.parametrize("name", PAIRED)
def test_a_table_for_every_pair(name, tmp_path, monkeypatch):
    """English is on the side that the pair's name says; a row with a blank side is left out."""
    names, columns, pivot = PAIRED[name]
    texts = {columns[0]: ["a. ", "b.", "c."], columns[1]: ["1.", " ", "3."]}
    asked = local_hub(tmp_path, monkeypatch, texts, names)
    (bitext,) = load(name, languages={"iwslt2017": "ar", "nusax": "ace"}.get(name, "de"))
    pair = asked[0][1]
    assert pair in names and (pair != "en-ar") and bitext.target.language == "en"
    english_first = pair.startswith(f"{pivot}-")
    first, second = ("a.", "c."), ("1.", "3.")
    assert bitext.source.texts == (second if english_first else first)
    assert bitext.target.texts == (first if english_first else second)
    assert bitext.source.ids == bitext.target.ids == (f"{pair}.1", f"{pair}.3")
    assert asked[0][0] == CORPORA[name].hub and len(asked[0][3]) == 40


def test_what_a_hub_copy_does_not_have_is_said(tmp_path, monkeypatch):
    local_hub(tmp_path, monkeypatch, HUB["flores"][2])
    with pytest.raises(OSError, match="has devtest only; take flores-plus/dev, or name a `data_dir`"):
        load("flores/dev")
    with pytest.raises(OSError, match="has bucc/training only"):
        load_haystack("bucc", "de")


def test_the_hub_has_buccs_training_haystack(tmp_path, monkeypatch):
    """One row a language: all sentences of both sides, and the gold by place, from 1."""
    row = {
        "sentence1": [["Eins.", "Zwei. ", "Drei."]],
        "sentence2": [["Two.", "Four.", "One.", "Five."]],
        "gold": [[[1, 3], [2, 1], [1, 3]]],
    }
    asked = local_hub(tmp_path, monkeypatch, row, ["de-en", "zh-en"])
    found = load_haystack("bucc/training", "de")
    assert asked == [("mteb/BUCC", "de-en", "test", "414572247440f0ccacf7eb0bb70a31533a0e5443")]
    assert found.name == "bucc/training de-en" and found.target.language == "en"
    texts = [dict(zip(side.ids, side.texts, strict=True)) for side in (found.source, found.target)]
    assert [(texts[0][a], texts[1][b]) for a, b in found.gold] == [("Eins.", "One."), ("Zwei.", "Two.")]
    cut = load_haystack("bucc/training", "de", limit=2)
    assert cut.source.texts == ("Eins.", "Zwei.") and cut.target.texts == ("Two.", "Four.")
    assert [(texts[0][a], texts[1][b]) for a, b in cut.gold] == [("Zwei.", "Two.")]
    with pytest.raises(ValueError, match="name one of de, zh"):
        load_haystack("bucc/training", "all")


def test_a_hub_table_without_the_column_is_named(tmp_path, monkeypatch):
    import datasets

    table = datasets.Dataset.from_dict({"sentence": ["a"]})
    monkeypatch.setattr(datasets, "load_dataset", lambda *a, **k: table)
    with pytest.raises(ValueError, match="no column 'text' among sentence"):
        hub.rows("x/y", "deu", "test", ["text"])


# corpus, bitexts, a language, its rows
REAL = [
    ("tatoeba", 112, "deu", 1000),
    ("flores", 21, "deu_Latn", 1012),
    ("flores/dev", 14, "de", 997),
    ("ntrex", 24, "rus", 1997),
    ("tico19", 7, "ru", 2100),
    ("pud", 10, "zh", 1000),
]


@pytest.mark.parametrize(("name", "count", "code", "n"), REAL)
def test_real_corpora(real_data, name, count, code, n):
    bitexts = {bitext.source.code: bitext for bitext in load(name, data_dir=real_data)}
    assert len(bitexts) == count
    assert len(bitexts[code]) == n
    tags = [bitext.source.language for bitext in bitexts.values()]
    assert len(set(tags)) == count
    if name == "tatoeba":
        assert sum(map(len, bitexts.values())) == 88_877
    if name == "ntrex":
        assert len(set(bitexts[code].groups or ())) == 123
    if name == "flores":
        assert len(set(bitexts[code].groups or ())) == 281
