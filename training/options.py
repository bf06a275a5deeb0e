"""The settings of `train`."""

from ..alignment.options import Folder, option, options_class
from ..alignment.runs.progress import Progress


@options_class
class TrainOptions:
    """What `train` can be asked for; what is trained on is in the recipe."""

    out: Folder = option("Gets a folder for every phase.", default="runs/train", kw_only=False)
    data_dir: Folder | None = option(
        "Folder of the corpora and tasks; else $CROSSLINGUAL_DATA, else the hub.", default=None
    )
    device: str = option("auto, cpu, cuda or cuda:1.", default="auto")
    allow_parallel_leak: bool = option(
        "Test on translations of what was trained on; recorded with the scores.", default=False
    )
    progress: Progress | None = option(
        "Called with (stage, done, of how many) as the work goes on.", default=None, cli=False
    )
