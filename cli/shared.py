"""What several commands have: their argument, their output, the folder they write to."""

from pathlib import Path
from typing import Annotated

import typer

ENCODER = "pocket-xs, -s, -m (built in), a model folder or a hub id."
MODEL = "pocket-xs, -s, -m (built in), a model folder, a hub id, or vectors:DIR (.npy per language)."
SEVERAL = f"{MODEL[:-1]}, or family:NAME (see `list families`)."

SeveralArgument = Annotated[str, typer.Argument(help=SEVERAL)]
CheckpointArgument = Annotated[str, typer.Argument(help=MODEL)]
EncoderArgument = Annotated[str, typer.Argument(help=ENCODER)]
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON lines.")]


def run_folder(out: str | Path | None, *names: str) -> Path:
    """Return the run folder: as asked for, else runs/CHECKPOINT-WHAT."""
    if out is not None:
        return Path(out)
    return Path("runs") / "-".join(Path(name).name.replace(":", "-") for name in names)
