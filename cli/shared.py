"""What several commands have: their argument, their output, the folder they write to."""

from pathlib import Path
from typing import Annotated

import typer

ENCODER = "pocket-xs, -s, -m (built in), a model folder or a hub id."
MODEL = "pocket-xs, -s, -m (built in), a model folder, a hub id, or vectors:DIR (.npy per language)."

CheckpointArgument = Annotated[str, typer.Argument(help=MODEL)]
EncoderArgument = Annotated[str, typer.Argument(help=ENCODER)]
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON lines.")]


def run_folder(out: str | Path | None, *names: str) -> Path:
    """Return the run folder: as asked for, else runs/CHECKPOINT-WHAT."""
    return Path(out) if out is not None else Path("runs") / "-".join(Path(name).name for name in names)
