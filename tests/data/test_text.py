"""Text is read as it is, or refused with file and line."""

import gzip
import lzma

import pytest

from crosslingual.data.text import read_lines, read_sentences


def lines(path):
    return [line for _, line in read_lines(path)]


def test_only_lf_and_crlf_end_a_line(tmp_path):
    path = tmp_path / "t"
    path.write_bytes("a\r\nb\rb\u2028b\x85b\nc".encode())
    assert lines(path) == ["a", "b\rb\u2028b\x85b", "c"]


def test_a_byte_order_mark_is_dropped_at_the_start_only(tmp_path):
    path = tmp_path / "t"
    path.write_bytes("\ufeffa\n\ufeffb\n".encode())
    assert lines(path) == ["a", "\ufeffb"]


@pytest.mark.parametrize(("suffix", "opener"), [(".gz", gzip.open), (".xz", lzma.open)])
def test_compressed_files(tmp_path, suffix, opener):
    path = tmp_path / f"t{suffix}"
    with opener(path, "wb") as stream:
        stream.write(b"eins\nzwei\n")
    assert lines(path) == ["eins", "zwei"]
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(OSError, match=rf"t{suffix}:\d+: compressed data is damaged"):
        lines(path)


def test_outer_whitespace_is_stripped_and_inner_kept(tmp_path):
    path = tmp_path / "t"
    path.write_text("  a  b\t \nc\n", "utf-8")
    assert read_sentences(path) == ["a  b", "c"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\n\nb\n", r"t:2: empty line"),
        (b"a\nb\xff\n", r"t:2: byte 2 is not UTF-8"),
        (b"a\n \n", r"t:2: empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, data, message):
    path = tmp_path / "t"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_sentences(path)
