"""`crosslingual index`: FAISS indexes of sentences, built, described, searched."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options

if TYPE_CHECKING:
    from ..alignment.recall import Recall

app = typer.Typer(no_args_is_help=True, help="FAISS indexes of sentences: build, info, search.")
_Option = typer.Option

_Checkpoint = Annotated[str | None, _Option(help=f"{options.MODEL}  [default: the index's own]")]


@app.command()
def build(
    texts: Annotated[Path, typer.Argument(help="A sentence a line, or id TAB sentence.")],
    checkpoint: Annotated[str, _Option(help=options.MODEL)],
    out: Annotated[Path, _Option(help="Folder to make.")],
    layer: Annotated[str, _Option(help="last, or a number.")] = "last",
    pooling: options.Pooling = "mean",
    factory: Annotated[
        str, _Option(help="FAISS factory string: Flat (exact), IVF1024,Flat, HNSW32, IVF256,PQ48, …")
    ] = "Flat",
    gpu: Annotated[bool, _Option("--gpu", help="Train and fill it on all GPUs.")] = False,
    dtype: options.Dtype = "float32",
    max_length: options.MaxLength = None,
    prefix: options.Prefix = "",
    store: options.Store = None,
) -> None:
    """Build an index of the sentences of a file, by cosine, and save it with a manifest."""
    from ..alignment.lookup import build_lookup
    from ..data.haystack import read_side
    from .progress import configure_notes, progress

    configure_notes()
    model = options.opened(checkpoint, dtype=dtype, max_length=max_length, prefix=prefix)
    with progress("encoding", "sentences") as encoded:
        index, recall = build_lookup(
            model,
            read_side(texts),
            out,
            layer=layer,
            pooling=pooling,
            factory=factory,
            gpu=gpu,
            store=store,
            progress=encoded,
        )
    typer.echo(f"index: {len(index.ids)} sentences in {out} ({factory}, layer {index.about['layer']})")
    typer.echo(_told(recall, "its own sentences"))


@app.command()
def info(folder: Annotated[Path, typer.Argument(help="Of an index.")]) -> None:
    """Say what an index is of; its files are not read."""
    from ..alignment.index import read_manifest

    manifest = read_manifest(folder)
    for name in ("rows", "dim", "metric"):
        typer.echo(f"{name:<12} {manifest[name]}")
    for name, value in manifest["about"].items():
        typer.echo(f"{name:<12} {value if isinstance(value, str) else json.dumps(value)}")


@app.command()
def search(
    folder: Annotated[Path, typer.Argument(help="Of an index.")],
    queries: Annotated[Path, typer.Argument(help="A sentence a line, or id TAB sentence.")],
    k: Annotated[int, _Option(help="Nearest sentences of each query.", min=1)] = 5,
    out: Annotated[Path | None, _Option(help="A TSV; standard output by default.")] = None,
    nprobe: Annotated[
        int | None, _Option("--nprobe", "--ef-search", help="Effort of an approximate index.")
    ] = None,
    recall: Annotated[
        float | None, _Option(help="Instead: the least effort of this recall, as 0.99.")
    ] = None,
    checkpoint: _Checkpoint = None,
    store: options.Store = None,
) -> None:
    """Look sentences up; of an approximate index, say what it misses."""
    from ..alignment.index import read_manifest
    from ..alignment.lookup import search_lookup
    from ..data.haystack import read_side
    from .progress import configure_notes, progress
    from .tsv import tsv, write_tsv

    configure_notes()
    if nprobe is not None and recall is not None:
        raise ValueError("--nprobe and --recall: give one of them")
    about = read_manifest(folder)["about"]
    opening = {name: about[name] for name in ("dtype", "max_length", "prefix")}
    model = options.opened(checkpoint or about["checkpoint"], **opening)
    with progress("encoding", "sentences") as encoded:
        found, told = search_lookup(
            folder,
            model,
            read_side(queries),
            k=k,
            effort=nprobe,
            recall=recall,
            store=store,
            progress=encoded,
        )
    if out is None:
        typer.echo(tsv(found), nl=False)
    else:
        write_tsv(found, out)
        typer.echo(f"found: {len(found)} rows in {out}")
    typer.echo(_told(told, "the queries"), err=True)


def _told(recall: "Recall | None", queries: str) -> str:
    if recall is None:
        return "exact: it finds what `neighbours` finds, up to the last digit of float32"
    name = recall.parameter
    at = f" at its default {name}" if recall.effort is None else f" at {name} {recall.effort}"
    return f"recall@{recall.k} {recall.value:.4f}{at}, on {recall.sample} of {queries}"
