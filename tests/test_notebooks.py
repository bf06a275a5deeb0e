"""The notebooks run as they are, without network, in the time they promise; they are stored bare."""

import os
import re
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LIMIT = 240  # seconds; on two quiet cores the slowest takes 150

nbformat = pytest.importorskip("nbformat")


def read(path):
    return nbformat.read(path, 4)


def test_there_are_four():
    names = [path.stem for path in NOTEBOOKS]
    assert names == ["01-alignment", "02-probes", "03-retention", "04-your-own-model"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_bare_and_their_copies_are_of_them(path):
    book = read(path)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    copy = _with_one_blank_line((ROOT / "docs" / "notebooks" / f"{path.stem}.md").read_text("utf-8"))
    for cell in book.cells:
        text = _with_one_blank_line(cell.source.replace(".ipynb)", ".md)"))
        assert text in copy, "run docs/render.py again"


def _with_one_blank_line(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines()))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("real", [False, True], ids=["built-in", "real"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_run(path, real, tmp_path, monkeypatch, request):
    from nbclient import NotebookClient

    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)
    if real:
        monkeypatch.setenv("CROSSLINGUAL_DATA", str(request.getfixturevalue("real_data")))
    book = read(path)
    began = time.monotonic()
    NotebookClient(book, timeout=LIMIT, resources={"metadata": {"path": str(tmp_path)}}).execute()
    busy = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    assert time.monotonic() - began < LIMIT or busy
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = {kind for one in shown for kind in one.get("data", {})}
    assert "image/png" in kinds and "text/html" in kinds
    assert not [one for one in shown if "warn" in one.get("text", "").lower()]
