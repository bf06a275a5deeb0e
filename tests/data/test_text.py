"""Text is read as it is, or refused with file and line."""

import gzip
import lzma
import os

import pytest

from crosslingual.data.text import LONGEST, check_text, read_lines, read_sentences


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


def test_lines_are_bounded(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"a\n" + b"x" * (LONGEST + 1) + b"\n")
    with pytest.raises(ValueError, match=r"long\.txt:2: a line of more than 16 MiB"):
        list(read_lines(path))


@pytest.mark.parametrize("line", [b"x" * 100_000, b"ab\n"])
@pytest.mark.parametrize("ending", ["gz", "xz"])
def test_bombs_are_refused(tmp_path, line, ending, monkeypatch):
    """What unpacks to hundreds of times its size is no text; what packs as texts do is read."""
    monkeypatch.setattr("crosslingual.data.text.UNPACKED", 1 << 20)
    pack = {"gz": gzip.compress, "xz": lzma.compress}[ending]
    path = tmp_path / f"bomb.{ending}"
    path.write_bytes(pack(line * (3_000_000 // len(line))))
    with pytest.raises((OSError, ValueError), match="more than 200 times|a line of more than"):
        for _ in read_lines(path):
            pass
    path.write_bytes(pack("".join(f"sentence {i * i} of many\n" for i in range(90_000)).encode()))
    assert sum(1 for _ in read_lines(path)) == 90_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        list(read_lines(tmp_path / "pipe"))


@pytest.mark.parametrize("ending", ["gz", "xz"])
def test_damaged_compression_is_an_error_with_its_line(tmp_path, ending, rng):
    pack = {"gz": gzip.compress, "xz": lzma.compress}[ending]
    whole = pack("".join(f"{i} {rng.integers(1 << 40)}\n" for i in range(3000)).encode())
    path = tmp_path / f"a.{ending}"
    for trial in range(60):
        data = bytearray(whole)
        if trial % 3:
            data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        else:
            del data[rng.integers(len(data)) :]
        path.write_bytes(bytes(data))
        try:
            lines = [line for _, line in read_lines(path)]
        except (OSError, ValueError) as error:
            assert str(path) in str(error)
        else:
            assert len(lines) == 3000 or not lines, "a header's field that nothing depends on"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_no_text_has_these(text):
    with pytest.raises(ValueError, match="f:1: "):
        check_text("f:1", text)
