"""What reaches the terminal is safe, one line an error, and whose fault it is is said."""

import ast
from pathlib import Path

import pytest

import crosslingual.cli
from crosslingual.cli.messages import one_line, printable

CLI = Path(crosslingual.cli.__file__).parent


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\r"])
def test_control_characters_are_written_out(character):
    shown = printable(f"a{character}b")
    assert character not in shown and shown.startswith("a\\") and shown.endswith("b")
    assert printable("ä\tb\nc 日本") == "ä\tb\nc 日本"


def test_everything_is_printed_through_one_function():
    """`say` alone prints; progress goes to its own bar."""
    for path in CLI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                allowed = {"typer.echo": "messages.py", "print": "progress.py"}
                assert path.name == allowed.get(called, path.name), f"{path}: {called}"


def test_an_error_is_one_line():
    assert one_line(ValueError("a\n b\x1b[2J")) == "a b\\x1b[2J"
    assert one_line(FileNotFoundError(2, "No such file", "x\x1by")) == "x\\x1by: No such file"
    assert one_line(MemoryError()) == "MemoryError"


@pytest.mark.parametrize("where", ["file", "text", "column", "language"])
def test_nothing_raw_reaches_the_terminal(tiny_bert, tmp_path, command, where):
    evil = "\x1b]0;owned\x07\u202e"
    name = f"a{evil}.de" if where == "file" else "a.de"
    (tmp_path / name).write_text("".join(f"{evil if where == 'text' else ''} s {i}\n" for i in range(6)))
    (tmp_path / "a.en").write_text("".join(f"t {i}\n" for i in range(5 if where == "file" else 6)))
    (tmp_path / "t.tsv").write_text(f"de{evil}\ten\na\tb\n")
    asked = {
        "column": ["--table", "t.tsv", "--source-column", "de", "--target-column", "en"],
        "language": ["--source", f"d{evil}={name}", "--target", "en=a.en"],
    }.get(where, ["--source", f"de={name}", "--target", "en=a.en"])
    done = command("score", tiny_bert, "--corpus", "files", *asked, "--errors", "--out", "run")
    assert done.returncode == (0 if where == "text" else 1)
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout + done.stderr)


def test_our_own_fault_keeps_its_traceback(command, monkeypatch):
    monkeypatch.setattr("crosslingual.cli.app", lambda **_: 1 // 0)
    done = command("list", "corpora")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr and "please report it" in done.stderr.splitlines()[-1]


def test_a_file_that_ends_early_is_no_interruption(command, monkeypatch):
    def ends(*_: object) -> None:
        raise EOFError("Ran out of input")

    monkeypatch.setattr("crosslingual.alignment.lookup.index.read_manifest", ends)
    done = command("index", "info", "x")
    assert (done.returncode, done.stderr.strip()) == (1, "error: a file ends early (Ran out of input)")
