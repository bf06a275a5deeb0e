"""`crosslingual cache`: look after the store."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ..messages import say

app = typer.Typer(no_args_is_help=True, help="List, verify and prune stored vectors.")
_Store = Annotated[
    Path | None, typer.Option(help="Root of the store.  [default: $CROSSLINGUAL_HOME/store]")
]


@app.command()
def ls(store: _Store = None) -> None:
    """List what is stored: checkpoint, pooling, dtype, sentences, size."""
    from ...alignment.representations.store import shard_folders, spaces
    from ...alignment.runs.paths import store_root

    root = store_root(store)
    for space in spaces(root):
        about = space / "about.json"
        known = json.loads(about.read_text("utf-8")) if about.is_file() else {}
        shards = shard_folders(space)
        size = sum(file.stat().st_size for shard in shards for file in shard.iterdir())
        rows = sum(json.loads((s / "meta.json").read_text("utf-8"))["shape"][1] for s in shards)
        say(
            f"{space.parent.name}/{space.name}  {known.get('checkpoint', '?')}  "
            f"{rows:,} sentences in {len(shards)} shards, {size / 1e6:,.0f} MB"
        )
    say(f"store: {root}")


@app.command()
def verify(store: _Store = None) -> None:
    """Check every shard against its checksums; exit 1 if one is damaged."""
    from ...alignment.representations.store import verify as check
    from ...alignment.runs.paths import store_root

    root = store_root(store)
    count, damaged = 0, 0
    for path, problem in check(root):
        count += 1
        if problem:
            damaged += 1
            say(f"damaged: {path}: {problem}")
    say(f"{count} shards, {damaged} damaged; `score` encodes damaged ones again")
    if damaged:
        raise typer.Exit(1)


@app.command()
def prune(
    store: _Store = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Delete all vectors of this fingerprint (see ls).")
    ] = None,
) -> None:
    """Delete damaged and unfinished shards; with --checkpoint, a checkpoint's vectors."""
    import shutil

    from ...alignment.representations.store import prune as remove
    from ...alignment.representations.store import spaces
    from ...alignment.runs.paths import store_root

    root = store_root(store)
    removed = remove(root)
    if checkpoint is not None:
        hits = [s for s in spaces(root) if s.parent.name == checkpoint.split("/")[0]]
        if not hits:
            raise ValueError(f"{root}: no fingerprint {checkpoint!r}; see `crosslingual cache ls`")
        for space in hits:
            shutil.rmtree(space)
        removed += hits
    for path in removed:
        say(f"deleted: {path}")
    say(f"{len(removed)} deleted")
