"""A table is read alike in every format, and what is not whole is refused with file and line."""

import csv
import json

import pandas as pd
import pytest

from crosslingual.data.corpora.files import table
from crosslingual.data.table_file import read_rows, text_of
from crosslingual.probes.tasks import of_table

ROWS = [{"de": f"Satz, {i}", "en": f'a "sentence" {i}', "group": f"g{i // 2}"} for i in range(8)]
FORMATS = ("tsv", "csv", "jsonl", "parquet")


def write(folder, ending, rows, columns=("de", "en", "group")):
    path = folder / f"t.{ending}"
    if ending == "parquet":
        pd.DataFrame(rows, columns=list(columns)).to_parquet(path)
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    elif ending == "csv":
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
    else:
        lines = ["\t".join(columns), *("\t".join(str(row[name]) for name in columns) for row in rows)]
        path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_holds_the_same(tmp_path, ending):
    path = write(tmp_path, ending, ROWS)
    assert [dict(row) for _, row in read_rows(path)] == ROWS
    bitext = table(path, source_column="de", target_column="en", group_column="group")
    assert bitext.source.texts == tuple(row["de"] for row in ROWS)
    assert bitext.groups == tuple(row["group"] for row in ROWS)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("value", ["", "  ", "a\0b", None, 7, 2.5, True, ["a"], "\ud800"])
def test_what_is_no_text_is_refused(tmp_path, ending, value):
    if ending in ("tsv", "csv") and (not isinstance(value, str) or value == "\ud800"):
        pytest.skip("these files hold text only")
    rows = [dict(row) for row in ROWS]
    rows[3]["de"] = value
    if ending == "parquet":
        if value == "\ud800":
            pytest.skip("Parquet holds UTF-8 only")
        if not isinstance(value, str) and value is not None:
            rows = [row | {"de": value} for row in rows]  # a column has one type
    path = write(tmp_path, ending, rows)
    line = {"parquet": 4, "jsonl": 4}.get(ending, 5)
    first = line if isinstance(value, str) or value is None or ending == "jsonl" else 1
    with pytest.raises(ValueError, match=rf"t\.{ending}:{first}: "):
        table(path, source_column="de", target_column="en")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.tsv", "de\ten\na\tb\tc\n", "t.tsv:2: 3 cells where the header has 2"),
        ("t.tsv", "de\ten\na\n", "t.tsv:2: 1 cells where the header has 2"),
        ("t.csv", "de,en\na,b\na,b,c\n", "t.csv:3: 3 cells where the header has 2; .* quotes"),
        ("t.csv", "de,en\na\n", "t.csv:2: 1 cells where the header has 2"),
        ("t.csv", 'de,en\n"a\nb",c\nd\n', "t.csv:4: 1 cells"),
        ("t.csv", 'de,en\n"abc,def\n', "t.csv:2: "),
        ("t.csv", "de,en,de\na,b,c\n", "t.csv:1: column 'de' is there twice"),
        ("t.tsv", "de\ten\tde\na\tb\tc\n", "t.tsv:1: column 'de' is there twice"),
        ("t.jsonl", '{"de": "a", "de": "b", "en": "c"}\n', "t.jsonl:1: column 'de' is there twice"),
        ("t.jsonl", '{"de": "a"}\n', "t.jsonl:1: no column 'en'"),
        ("t.jsonl", "[1]\n", "t.jsonl:1: no JSON object"),
        ("t.jsonl", '{"de": ' + "[" * 100_000 + "\n", "t.jsonl:1: too many lists"),
        ("t.jsonl", '{"de": ' + "9" * 5000 + "}\n", "t.jsonl:1: "),
        ("t.parquet", "PAR1", "no Parquet file"),
        ("t.xlsx", "PK", "a table must end in .tsv, .csv, .jsonl or .parquet"),
    ],
)
@pytest.mark.parametrize("reader", ["bitext", "probe"])
def test_broken_tables(tmp_path, name, text, message, reader):
    """By the one reader: for a user's bitext and for a user's examples."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message if reader == "bitext" else name):
        if reader == "bitext":
            table(path, source_column="de", target_column="en")
        else:
            list(of_table(path))


def test_numbers_are_ids_but_no_text():
    row = {"id": 7, "text": "a"}
    assert text_of("f:1", row, "id", number=True) == "7"
    with pytest.raises(ValueError, match="f:1: 'id' must hold text, got int 7"):
        text_of("f:1", row, "id")
    with pytest.raises(ValueError, match="must hold text, got bool"):
        text_of("f:1", {"id": True}, "id", number=True)
