"""A user's own files, good and bad."""

import pytest

from crosslingual.data.corpora.files import table, two_files


@pytest.fixture
def write(tmp_path):
    def put(name, text):
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name

    return put


def test_two_files_and_their_groups(write):
    bitext = two_files(
        write("a.de", "Eins\nZwei\n"),
        write("a.en", "One\nTwo"),
        source_language="deu",
        target_language="en",
        groups=write("docs", "x\nx\n"),
    )
    assert (bitext.corpus, bitext.split) == ("files", "a.de+a.en")
    assert (bitext.source.language, bitext.source.code) == ("de", "deu")
    assert list(zip(bitext.source.texts, bitext.target.texts, strict=True)) == [
        ("Eins", "One"),
        ("Zwei", "Two"),
    ]
    assert bitext.groups == ("x", "x")


def test_unequal_lengths_name_both_files_and_counts(write):
    with pytest.raises(ValueError, match=r"a.de has 2 lines but .*a.en has 1"):
        two_files(
            write("a.de", "1\n2\n"), write("a.en", "1\n"), source_language="de", target_language="en"
        )


TABLES = {
    "t.tsv": 'de\tmy en\tdoc\tname\n"Eins"\tOne\ta\tx\nZwei\tTwo\tb\ty\n',
    "t.csv": 'de,my en,doc,name\n"""Eins""",One,a,x\nZwei,"Two",b,y\n',
    "t.jsonl": '{"de": "\\"Eins\\"", "my en": "One", "doc": "a", "name": "x"}\n'
    '{"de": "Zwei", "my en": "Two", "doc": "b", "name": "y"}\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(write, name):
    bitext = table(
        write(name, TABLES[name]),
        source_column="de",
        target_column="my en",
        target_language="en",
        id_column="name",
        group_column="doc",
    )
    assert bitext.source.texts == ('"Eins"', "Zwei")
    assert bitext.target.texts == ("One", "Two")
    assert bitext.source.ids == ("x", "y")
    assert bitext.groups == ("a", "b")
    assert (bitext.source.language, bitext.target.language) == ("de", "en")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.tsv", "de\ten\na\n", r"t.tsv:2: 1 cells where the header has 2"),
        ("t.tsv", "dee\ten\na\tb\n", r"t.tsv:2: no column 'de': did you mean dee"),
        ("t.tsv", "de\ten\na\t \n", r"t.tsv:2: empty 'en'"),
        ("t.jsonl", '{"de": "a", "en": "b"}\n{"de": \n', r"t.jsonl:2: no JSON object"),
        ("t.jsonl", '["a"]\n', r"t.jsonl:1: no JSON object"),
        ("t.csv", 'de,en\n"a,b\n', r"t.csv:\d: "),
        ("t.txt", "x", "must end in .tsv, .csv, .jsonl or .parquet"),
    ],
)
def test_broken_tables_are_named(write, name, text, message):
    with pytest.raises(ValueError, match=message):
        table(write(name, text), source_column="de", target_column="en")


def test_an_id_twice_is_named(write):
    with pytest.raises(ValueError, match=r"t.tsv:3: id '1' is in line 2 already"):
        table(
            write("t.tsv", "id\tde\ten\n1\ta\tb\n1\tc\td\n"),
            source_column="de",
            target_column="en",
            id_column="id",
        )
