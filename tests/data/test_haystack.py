"""Haystacks: two files and their gold, BUCC's layout, and what is refused."""

from pathlib import Path

import pytest

from crosslingual.data.corpora import load, load_haystack
from crosslingual.data.haystack import read_haystack


def write(folder: Path, **files: str) -> dict[str, Path]:
    paths = {name: folder / f"{name}.txt" for name in files}
    for name, text in files.items():
        paths[name].write_text(text, "utf-8", newline="")
    return paths


def test_lines_have_ids_where_the_first_has_a_tab(tmp_path):
    files = write(tmp_path, a="x1\tein Satz\r\nx2\tnoch\teiner\n", b="one\ntwo\n", g="x2\t1\n")
    found = read_haystack(files["a"], files["b"], files["g"], languages=("de", "en"))
    assert found.source.ids == ("x1", "x2")
    assert found.source.texts == ("ein Satz", "noch\teiner")
    assert found.target.ids == ("1", "2")
    assert found.gold == (("x2", "1"),)
    assert (found.source.language, found.target.language) == ("de", "en")


def test_a_pair_twice_counts_once_and_is_said(tmp_path, caplog):
    files = write(tmp_path, a="p\tA\nq\tB\n", b="r\tC\ns\tD\n", g="p\tr\np\ts\np\tr\n")
    with caplog.at_level("INFO"):
        found = read_haystack(files["a"], files["b"], files["g"])
    assert found.gold == (("p", "r"), ("p", "s"))
    assert "1 pairs are there twice" in caplog.text


def test_limit_cuts_the_gold_too(tmp_path):
    files = write(tmp_path, a="A\nB\nC\n", b="D\nE\nF\n", g="1\t2\n3\t1\n2\t3\n")
    found = read_haystack(files["a"], files["b"], files["g"], limit=2)
    assert len(found.source.sentences) == len(found.target.sentences) == 2
    assert found.gold == (("1", "2"),)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "", "b": "x\n"}, r"a\.txt: no sentence"),
        ({"a": "A\n\nB\n", "b": "x\n"}, r"a\.txt:2: empty line"),
        ({"a": "p\tA\nB\n", "b": "x\n"}, r"a\.txt:2: no tab; line 1 is id TAB sentence"),
        ({"a": "p\tA\np\tB\n", "b": "x\n"}, r"a\.txt:2: id 'p' stood in line 1"),
        ({"a": "A\n", "b": "x\n", "g": "1\t9\n"}, r"g\.txt:1: the target has no sentence '9'"),
        ({"a": "A\n", "b": "x\n", "g": "0\t1\n"}, r"g\.txt:1: the source has no sentence '0'"),
        ({"a": "A\n", "b": "x\n", "g": "1 1\n"}, r"g\.txt:1: expected source id TAB target id"),
        ({"a": "A\n", "b": "x\n", "g": ""}, r"g\.txt: no pair"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, files, message):
    paths = write(tmp_path, **files)
    with pytest.raises(ValueError, match=message):
        read_haystack(paths["a"], paths["b"], paths.get("g"))


def test_bucc_in_the_shared_tasks_layout_and_xtremes(tmp_path):
    for name in ("sample", "dev"):
        folder = tmp_path / name / "bucc" / ("zh-en" if name == "sample" else "")
        folder.mkdir(parents=True)
        for ending, text in (("zh", "z1\t一\nz2\t二\n"), ("en", "e1\tone\n"), ("gold", "z1\te1\n")):
            (folder / f"zh-en.{name}.{ending}").write_text(text, "utf-8")
        found = load_haystack("bucc", "zh", data_dir=tmp_path / name)
        assert found.name == "bucc/sample zh-en"
        assert found.gold == (("z1", "e1"),)
    with pytest.raises(OSError, match=r"no XX-en\.training\.en files"):
        load_haystack("bucc/training", "zh", data_dir=tmp_path / "dev")
    with pytest.raises(ValueError, match="name one of zh"):
        load_haystack("bucc", "en", data_dir=tmp_path / "dev")
    with pytest.raises(ValueError, match="has no split 'dev'"):
        load_haystack("bucc/dev", "zh", data_dir=tmp_path / "dev")


def test_bucc_is_no_bitext(tmp_path):
    with pytest.raises(ValueError, match="crosslingual mine --corpus bucc"):
        load("bucc", data_dir=tmp_path)


def test_the_real_sample(real_data):
    found = load_haystack("bucc/sample", "zh", data_dir=real_data)
    assert (len(found.source.sentences), len(found.target.sentences)) == (8624, 13589)
    assert found.gold is not None
    assert len(found.gold) == 257
    assert found.source.sentences[0].id == "zh-000000001"
    assert found.target.texts[1].startswith("U.S. military officers believe")
