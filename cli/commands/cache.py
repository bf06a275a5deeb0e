"""`crosslingual cache`: look after the store."""

from pathlib import Path
from typing import Annotated

import typer

from ...data.rows import Columns
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
        known = _read(space / "about.json")
        shards = [_read(shard / "meta.json") for shard in shard_folders(space)]
        size = sum(file.stat().st_size for file in space.rglob("*") if file.is_file())
        rows = sum(shard["shape"][1] for shard in shards if shard)
        damaged = f", {shards.count({})} damaged" if {} in shards else ""
        say(
            f"{space.parent.name}/{space.name}  {known.get('checkpoint', '?')}  "
            f"{rows:,} sentences in {len(shards)} shards{damaged}, {size / 1e6:,.0f} MB"
        )
    say(f"store: {root}")


def _read(path: Path) -> Columns:
    """Return a JSON file of the store; nothing where it is missing or damaged."""
    from ...alignment.runs.files import Damaged, read_json

    try:
        return read_json(path)
    except (Damaged, OSError):
        return {}


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
    from ...alignment.representations.store import prune as remove
    from ...alignment.representations.store import spaces
    from ...alignment.runs.files import remove_folder
    from ...alignment.runs.paths import store_root

    root = store_root(store)
    removed = remove(root)
    if checkpoint is not None:
        hits = [s for s in spaces(root) if s.parent.name == checkpoint.split("/")[0]]
        if not hits:
            raise ValueError(f"{root}: no fingerprint {checkpoint!r}; see `crosslingual cache ls`")
        for space in hits:
            remove_folder(space, "about.json")
        removed += hits
    for path in removed:
        say(f"deleted: {path}")
    say(f"{len(removed)} deleted")
