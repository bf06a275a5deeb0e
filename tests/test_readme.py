"""The README's examples do what they say."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def block(language: str, marker: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.S)
    (found,) = [text for text in blocks if marker in text]
    return found


@pytest.fixture
def environment(tmp_path):
    return os.environ | {"HF_HUB_OFFLINE": "1", "CROSSLINGUAL_HOME": str(tmp_path / "home")}


@pytest.mark.parametrize(
    ("marker", "model", "figure"),
    [("score(", "intfloat/multilingual-e5-base", "e5.pdf"), ("probe(", "./my-model", "length.png")],
)
def test_python_example(tmp_path, tiny_bert, environment, marker, model, figure):
    code = block("python", marker)
    assert code.count(f'"{model}"') == 1
    code = code.replace(f'"{model}"', repr(str(tiny_bert)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / figure).is_file()


def test_shell_example(tmp_path, tiny_bert, environment):
    commands = block("sh", "crosslingual mine")
    assert commands.count("./my-model") == 5
    (tmp_path / "news.de").write_text("".join(f"Satz {i}\n" for i in range(12)))
    (tmp_path / "news.en").write_text("".join(f"Sentence {i}\n" for i in range(12)))
    (tmp_path / "de-en.tsv").write_text("".join(f"Wort{i}\tword{i % 9}\n" for i in range(12)))
    commands = commands.replace("./my-model", shlex.quote(str(tiny_bert)))
    commands = commands.replace("crosslingual ", f"{sys.executable} -m crosslingual ")
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "figure: runs/news/figures/mrr-mean.png" in done.stdout
    assert "in pairs.tsv (layer 3, score" in done.stdout


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert len(links) > 3
    for link in links:
        assert (Path(__file__).parents[1] / link).exists(), link
