"""What opens a checkpoint: the same settings for every verb."""

from dataclasses import fields

from ...data.rows import Columns
from ..options import Gigabytes, option, options_class

STAGES = ("pretrained", "intermediate", "target")  # of training
DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")
DTYPES = ("float32", "bfloat16", "float16")


@options_class
class LoadOptions:
    """How a checkpoint is opened and run."""

    revision: str | None = option("Branch, tag or commit on the hub.", default=None)
    dtype: str = option("What the model computes in.", default="float32", choices=DTYPES)
    max_length: int | None = option(
        "Tokens of a text; by default what the model takes.", default=None, least=1, most=10**9
    )
    prefix: str | None = option(
        "Text put before every sentence, as e5's \"query: \"; by default the folder's default prompt.",
        default=None,
    )
    device: str = option("auto, cpu, cuda or cuda:1.", default="auto")
    device_map: str | None = option(
        "Spread the model over several devices.", default=None, choices=DEVICE_MAPS
    )
    original: str | None = option(
        "The checkpoint it was quantised from: how far their vectors agree is stored.", default=None
    )
    memory: Gigabytes = option(
        "Gigabytes of matrices (by default 4; a grid's 2), or of weights before they go block by block.",
        default=None,
        least=1e-6,
        most=1e6,
    )
    batch_tokens: int | None = option("Tokens of a batch, padding included.", default=None, least=1)
    allow_pickle: bool = option("Read pickled weights where there are no safetensors.", default=False)

    def opening(self) -> Columns:
        """Return what opens a checkpoint, as keywords of `open_checkpoint`."""
        return {field.name: getattr(self, field.name) for field in fields(LoadOptions)}

    @property
    def memory_bytes(self) -> int | None:
        """The same in bytes."""
        return None if self.memory is None else int(float(self.memory) * 1e9)
