"""`crosslingual index`: FAISS indexes of sentences, built, described, searched."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...alignment.lookup.options import BuildOptions, SearchOptions
from ..generate import command
from ..messages import say
from ..shared import MODEL

if TYPE_CHECKING:
    from ...alignment.lookup.recall import Recall

app = typer.Typer(no_args_is_help=True, help="FAISS indexes of sentences: build, info, search.")


@app.command()
@command
def build(
    texts: Annotated[Path, typer.Argument(help="A sentence a line, or id TAB sentence.")],
    options: BuildOptions,
    checkpoint: Annotated[str, typer.Option(help=MODEL)],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
) -> None:
    """Build an index of the sentences of a file, by cosine, and save it with a manifest."""
    from dataclasses import replace

    from ...alignment.lookup.lookup import build_lookup
    from ...data.haystack import read_side
    from ..progress import reported

    with reported() as progress:
        index, recall = build_lookup(
            checkpoint, read_side(texts), out, replace(options, progress=progress)
        )
    say(f"index: {len(index.ids)} sentences in {out} ({options.factory}, layer {index.about['layer']})")
    say(_quality(recall, "its own sentences"))


@app.command()
def info(folder: Annotated[Path, typer.Argument(help="Folder of an index.")]) -> None:
    """Say what an index is of; its files are not read."""
    from ...alignment.lookup.index import read_manifest

    manifest = read_manifest(folder)
    for name in ("rows", "dim", "metric"):
        say(f"{name:<12} {manifest[name]}")
    for name, value in manifest["about"].items():
        say(f"{name:<12} {value if isinstance(value, str) else json.dumps(value)}")


@app.command()
@command
def search(
    folder: Annotated[Path, typer.Argument(help="Folder of an index.")],
    queries: Annotated[Path, typer.Argument(help="A sentence a line, or id TAB sentence.")],
    options: SearchOptions,
    out: Annotated[Path | None, typer.Option(help="A TSV; standard output by default.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help=f"{MODEL}  [default: the index's own]")] = None,
) -> None:
    """Look sentences up; of an approximate index, say what it misses."""
    from dataclasses import replace

    from ...alignment.lookup.index import read_manifest
    from ...alignment.lookup.lookup import search_lookup
    from ...alignment.representations.given import PREFIX
    from ...data.haystack import read_side
    from ..progress import reported
    from ..tsv import as_tsv, write_tsv

    about = read_manifest(folder)["about"]
    name = checkpoint or about["checkpoint"]
    if not str(name).startswith(PREFIX):  # as the index was built
        built = {key: about[key] for key in ("dtype", "max_length", "prefix")}
        options = replace(options, **built)
    with reported() as progress:
        nearest, recall = search_lookup(
            folder, name, read_side(queries), replace(options, progress=progress)
        )
    if out is None:
        say(as_tsv(nearest), nl=False)
    else:
        write_tsv(nearest, out)
        say(f"found: {len(nearest)} rows in {out}")
    say(_quality(recall, "the queries"), err=True)


def _quality(recall: "Recall | None", queries: str) -> str:
    if recall is None:
        return "exact index: results equal brute-force search up to float32 rounding"
    name = recall.parameter
    at = f" at its default {name}" if recall.effort is None else f" at {name} {recall.effort}"
    if name is None:
        at = " (what compression loses no effort brings back)"
    return f"recall@{recall.k} {recall.value:.4f}{at}, on {recall.sample} of {queries}"
