"""Execute the notebooks and write what they show to docs/notebooks, a page each with its figures.

HF_HUB_OFFLINE=1 python docs/render.py [--data-dir DIR] [03-retention …]
"""

import argparse
import os
import re
import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

ROOT = Path(__file__).parents[1]
SHOWN = ("execute_result", "display_data")  # bars and notes are for who waits


def main() -> None:
    """Render every notebook."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", help="real corpora; without it only what is built in")
    parser.add_argument("names", nargs="*", help="notebooks; without names all of them")
    given = parser.parse_args()
    os.environ.pop("CROSSLINGUAL_DATA", None)
    if given.data_dir:
        os.environ["CROSSLINGUAL_DATA"] = given.data_dir
    out = ROOT / "docs" / "notebooks"
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if given.names and path.stem not in given.names:
            continue
        shutil.rmtree(out / f"{path.stem}_files", ignore_errors=True)
        book = nbformat.read(path, 4)
        NotebookClient(book, timeout=600, resources={"metadata": {"path": str(out)}}).execute()
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.outputs = [one for one in cell.outputs if _is_shown(one)]
        body, resources = MarkdownExporter().from_notebook_node(
            book, {"output_files_dir": f"{path.stem}_files"}
        )
        for name, data in resources["outputs"].items():
            (out / name).parent.mkdir(exist_ok=True)
            (out / name).write_bytes(data)
        body = re.sub(r"<style scoped>.*?</style>\n", "", body, flags=re.DOTALL)
        body = body.replace(".ipynb)", ".md)")
        body = "\n".join(line.rstrip() for line in body.splitlines())
        (out / f"{path.stem}.md").write_text(re.sub(r"\n{3,}", "\n\n", body).strip() + "\n", "utf-8")


def _is_shown(output: nbformat.NotebookNode) -> bool:
    if output.output_type == "stream":
        return bool(output.name == "stdout")
    return output.output_type in SHOWN and not any("widget" in kind for kind in output.data)


if __name__ == "__main__":
    main()
