"""The settings of `study`."""

from ...alignment.options import Folder, option, options_class
from ...alignment.runs.progress import Progress


@options_class
class StudyOptions:
    """With what a study is run; what it asks is in its file."""

    out: Folder | None = option(
        "Folder of the study, where a stopped one goes on; by default runs/NAME.",
        default=None,
        kw_only=False,
    )
    data_dir: Folder | None = option(
        "Folder of the corpora and tasks; else $CROSSLINGUAL_DATA, else the hub.", default=None
    )
    device: str = option("auto, cpu, cuda or cuda:1.", default="auto")
    processes: int | None = option(
        "Checkpoints at once, the cores divided among them; by default one a core for small models on a "
        "CPU, else one.",
        default=None,
        least=1,
        most=4096,
    )
    engine: str = option(
        "local: this machine; ray: a task a checkpoint on a cluster (extra cluster).",
        default="local",
        choices=("local", "ray"),
    )
    address: str = option("ray: of the cluster, or auto; by default one of this machine.", default="")
    cpus: int = option("ray: cores of a checkpoint.", default=1, least=1, most=4096)
    gpus: float = option("ray: GPUs of a checkpoint.", default=0.0, least=0.0, most=64.0)
    share: str = option(
        "Do only a part of the checkpoints: 2/8, the second of eight tasks of an array job.",
        default="",
    )
    progress: Progress | None = option(
        "Called with (stage, done, of how many) as the work goes on.", default=None, cli=False
    )
