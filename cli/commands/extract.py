"""`crosslingual extract`: vectors to take away."""

from ...alignment.extraction.options import ExtractOptions
from ..generate import command
from ..messages import say
from ..shared import EncoderArgument, run_folder


@command
def extract(checkpoint: EncoderArgument, options: ExtractOptions) -> None:
    """Write the vectors of sentences to files, layer by layer; vectors:FOLDER scores them.

    crosslingual extract ./my-model --corpus flores --data-dir data --languages de,sw --layers 0,6,12

    crosslingual extract ./my-model --texts news.de --format safetensors --out vectors/news
    """
    from dataclasses import replace

    from ...alignment.extraction.extracting import extract as extracted
    from ..progress import reported

    names = options.texts if options.texts is not None else str(options.corpus).replace("/", "-")
    folder = run_folder(options.out, f"vectors-{run_folder(None, checkpoint).name}", str(names))
    with reported() as progress:
        settings = vars(replace(options, out=folder, progress=progress))
        result = extracted(checkpoint, **settings)
    for pooling in result.poolings:
        layers = ", ".join(map(str, result.vectors(pooling).available))
        say(f"{pooling}: layers {layers}")
    for row in result.table.to_dict("records"):
        say(f"{row['sentences']:>8,} vectors a layer in {folder / row['file']}")
    say(f"score them: crosslingual score vectors:{folder}")
