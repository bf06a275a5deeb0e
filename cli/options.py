"""Options that several commands have, and the checkpoint that they open."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..alignment.checkpoint import Checkpoint

_Option = typer.Option
MODEL = "A model folder, a hub id, or vectors:DIR (.npy per language)."

CheckpointArgument = Annotated[str, typer.Argument(help=MODEL)]
EncoderArgument = Annotated[str, typer.Argument(help="A model folder or a hub id.")]
DataDir = Annotated[
    Path | None, _Option(help="Folder of the corpora; else $CROSSLINGUAL_DATA, else the hub.")
]
Languages = Annotated[str, _Option(help="all, or tags and codes: de,ru,swh.")]
Layers = Annotated[str, _Option(help="all, last, or numbers: 0,4-6.")]
Pooling = Annotated[str, _Option(help="See `crosslingual list poolings`.")]
Maps = Annotated[
    str,
    _Option(
        "--map",
        help="none, centre, standardise, without-outliers@3, subspace@3, procrustes, ridge; several by "
        "commas, or ladder for none,centre,procrustes,ridge.",
    ),
]
MapFit = Annotated[
    str, _Option(help="What other maps than none are fitted on: CORPUS/split, or in-sample.")
]
InSampleMaps = Annotated[
    str, _Option("--map", help="none, centre, standardise, without-outliers@3, subspace@3.")
]
InSample = Annotated[
    str, _Option("--map-fit", help="in-sample: other maps than none are fitted on what is measured.")
]
Store = Annotated[
    Path | None, _Option(help="Where vectors are kept.  [default: $CROSSLINGUAL_HOME/store]")
]
NoStore = Annotated[bool, _Option("--no-store", help="Keep no vectors after the run.")]
Dtype = Annotated[str, _Option(help="float32, bfloat16 or float16 to compute in.")]
MaxLength = Annotated[int | None, _Option(help="Tokens; the model's own by default.")]
Prefix = Annotated[str, _Option(help='Put before every text, as e5\'s "query: ".')]
Revision = Annotated[str | None, _Option(help="Branch, tag or commit on the hub.")]
Device = Annotated[str, _Option(help="auto, cpu, cuda, cuda:1, …")]
BatchTokens = Annotated[int | None, _Option(help="Padded tokens of a batch.")]
Limit = Annotated[int | None, _Option(help="Only the first N sentences.", min=1)]


def opened(checkpoint: str, **opening: Any) -> "Checkpoint | str":
    """Return an opened checkpoint; `vectors:DIR` stays what it is."""
    from ..alignment.checkpoint import open_checkpoint
    from ..alignment.vectors import PREFIX

    if checkpoint.startswith(PREFIX):
        return checkpoint
    return open_checkpoint(checkpoint, **opening)
