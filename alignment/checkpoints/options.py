"""What opens a checkpoint: the same settings for every verb."""

from ..options import option, options_class

DTYPES = ("float32", "bfloat16", "float16")


@options_class
class LoadOptions:
    """How a checkpoint is opened and run."""

    revision: str | None = option("Branch, tag or commit on the hub.", default=None)
    dtype: str = option("What the model computes in.", default="float32", choices=DTYPES)
    max_length: int | None = option("Tokens of a text; by default what the model takes.", default=None)
    prefix: str = option('Text put before every sentence, as e5\'s "query: ".', default="")
    device: str = option("auto, cpu, cuda or cuda:1.", default="auto")
    device_map: str | None = option("auto: spread the model over several devices.", default=None)
    batch_tokens: int | None = option("Tokens of a batch, padding included.", default=None, least=1)
    allow_pickle: bool = option("Read pickled weights where there are no safetensors.", default=False)
