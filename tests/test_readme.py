"""The README's commands and its script do what they say, word for word."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [README, *((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("data", "training"))]


def block(language: str, marker: str, page: str = README) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    (chosen,) = [text for text in blocks if marker in text]
    return chosen


@pytest.fixture
def newcomer(tmp_path, tiny_bert):
    """A folder with two models in it, and a way to run something there."""
    for name in ("my-model", "my-tuned-model"):
        (tmp_path / name).symlink_to(tiny_bert)
    shim = tmp_path / "bin" / "crosslingual"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m crosslingual "$@"\n')
    shim.chmod(0o755)
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1", "CROSSLINGUAL_HOME": str(tmp_path / "home"),
        "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_the_script(newcomer, tmp_path):
    script = block("python", "from crosslingual import score, heatmap, probe, retention")
    done = newcomer(sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    for name in ("alignment.png", "retention.png", "length.png"):
        assert (tmp_path / name).stat().st_size > 10_000
    assert "3 pairs" in done.stdout or "of 3" in done.stdout


def test_your_own_sentences_in_python(newcomer):
    code = block("python", "Bitext(", PAGES[1])
    done = newcomer(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr


def test_thirty_seconds(newcomer, tmp_path):
    install, *others = block("sh", "runs/pocket-s-pocket").splitlines()
    assert install.startswith("pip install -c constraints.txt '.[cpu]'")
    done = newcomer("bash", "-euc", "\n".join(others))
    assert done.returncode == 0, done.stderr
    printed, shown = done.stdout.splitlines(), block("text", "macro mean").splitlines()
    assert [printed[0], printed[2]] == [shown[0], shown[2]]
    for line, expected in zip(printed[3:5], shown[3:5], strict=True):
        assert line.split()[0] == expected.split()[0]
        assert float(line.split()[3]) == pytest.approx(float(expected.split()[3]), abs=0.01)
    assert (tmp_path / "runs" / "pocket-s-pocket" / "figures" / "accuracy-mean.png").is_file()


def test_your_data(newcomer, tmp_path):
    commands = block("sh", "crosslingual mine")
    (tmp_path / "news.de").write_text("".join(f"Satz {i}\n" for i in range(12)))
    (tmp_path / "news.en").write_text("".join(f"Sentence {i}\n" for i in range(12)))
    (tmp_path / "de-en.tsv").write_text("".join(f"Wort{i}\tword{i % 9}\n" for i in range(12)))
    done = newcomer("bash", "-euc", commands)
    assert done.returncode == 0, done.stderr
    assert "figure: runs/news/figures/mrr-mean.png" in done.stdout
    assert re.search(r"pairs: \d+ in pairs.tsv \(layer 3", done.stdout)


def test_every_command_of_the_table_is_one(newcomer):
    rows = re.findall(r"\| `([^`]+)`(?:, `([^`]+)`)? \| \[", README)
    assert len(rows) >= 10
    for line in (line for row in rows for line in row if line):
        arguments = line.split()
        flags = [word for word in arguments if word.startswith("--")]
        command = [word for word in arguments[:2] if word.islower() and word.isalpha()][
            : 1 + (arguments[0] in ("index", "plot", "study"))
        ]
        done = newcomer("crosslingual", *command, "--help")
        assert done.returncode == 0, line
        assert all(flag in done.stdout for flag in flags), line


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for link, _, anchor in re.findall(r"\]\((?!http)([^)#]*)(#([^)]+))?\)", page.read_text("utf-8")):
            target = page.parent / link if link else page
            assert target.exists(), (page.name, link)
            if anchor:
                heads = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
                assert anchor in slugs, (page.name, link, anchor)


def test_the_generated_tables_are_up_to_date():
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "tables.py"), "--check"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"run docs/tables.py {done.stderr}"
