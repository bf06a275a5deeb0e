"""Every id of the hub that the package names is in one list, with what it was checked against."""

import ast
import json
import re
from pathlib import Path

import yaml

import crosslingual
from crosslingual.cli import main

ROOT = Path(crosslingual.__file__).parent
ID = re.compile(r"[A-Za-z][\w-]+/[A-Za-z][\w.-]+")
# owner/name of other things: splits of corpora, folders, a measure's authors
OTHERS = re.compile(
    r"(science|flores|bucc|words|corpus|runs|docs|studies|notebooks|xlmr|qwen3|tests)/.*"
)


def listed(capsys):
    assert main(["list", "hub", "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def in_the_package():
    for folder in ("data", "alignment/checkpoints"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield from ID.findall(node.value) if ID.fullmatch(node.value) else ()
    for path in (ROOT / "studies").glob("*.yaml"):
        text = path.read_text("utf-8")
        assert yaml.safe_load(text)
        yield from (one for one in re.findall(r"(?:checkpoint|base): (\S+)", text) if ID.fullmatch(one))


def test_every_id_is_listed_with_its_evidence(capsys):
    rows = listed(capsys)
    known = {row["name"] for row in rows}
    assert all(row["checked"] for row in rows)
    assert {row["title"] for row in rows} == {"corpus", "task", "model"}
    found = {one for one in in_the_package() if not OTHERS.fullmatch(one)}
    assert len(found) > 60
    assert found <= known, found - known


def test_families_as_text_and_json(capsys):
    assert main(["list", "families"]) == 0
    shown = capsys.readouterr().out
    assert "facebook/xlm-roberta-xxl: 48 × 4096, 10,696.0 M (9,668.3 M), norm pre, pickles only" in shown
    assert main(["list", "families", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"family", "id", "parameters", "parameters_body", "norm", "objective", "prompt"} <= set(
        rows[0]
    )
