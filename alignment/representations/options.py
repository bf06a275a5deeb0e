"""What every verb that encodes sentences takes."""

from pathlib import Path

from ..checkpoints.options import LoadOptions
from ..options import Folder, option, options_class
from ..runs.progress import Progress

ENDINGS = ("npy", "safetensors", "parquet")  # of files of vectors


@options_class
class StoreOptions(LoadOptions):
    """Where vectors are kept, which are encoded, and how far the work is."""

    store: Folder | bool | None = option(
        "Where vectors are kept; by default $CROSSLINGUAL_HOME/store.", default=None, off="--no-store"
    )
    share: str = option(
        "Encode only a part of the sentences: 2/8, of eight tasks of an array job; the last goes on.",
        default="",
    )
    progress: Progress | None = option(
        "Called with (stage, done, of how many) as the work goes on.", default=None, cli=False
    )


@options_class
class WorkOptions(StoreOptions):
    """Where data come from, and where results are kept."""

    data_dir: Folder | None = option(
        "Folder of the corpora and tasks; else $CROSSLINGUAL_DATA, else the hub.", default=None
    )
    limit: int | None = option("Use only the first N sentences (or examples).", default=None, least=1)
    seed: int = option("Seed of everything that is drawn.", default=0, least=0, most=2**63 - 1)
    out: Folder | None = option(
        "Run folder, where a stopped run goes on; by default runs/CHECKPOINT-WHAT (Python: temporary).",
        default=None,
    )

    @property
    def folder(self) -> Path | None:
        """The run folder, if there is one."""
        return None if self.out is None else Path(self.out)
