"""The settings of `efficiency`."""

from ...alignment.checkpoints.options import LoadOptions
from ...alignment.options import Folder, Names, option, options_class
from ...alignment.runs.progress import Progress

SCENARIOS = ("offline", "single-stream", "shapes", "retrieve", "task", "generate")
FORMS = ("bfloat16", "int8", "compile")


@options_class
class EfficiencyOptions(LoadOptions):
    """What is timed, on which sentences, and how often."""

    corpus: str = option(
        "Of sentences that all languages have: pocket, flores, ntrex, pud.", default="pocket"
    )
    languages: Names = option("all, or tags and codes: de,ru,swh.", default="all")
    data_dir: Folder | None = option(
        "Folder of the corpora; else $CROSSLINGUAL_DATA, else the hub.", default=None
    )
    scenario: str = option(
        "offline: batches; single-stream: a sentence; shapes: random tokens; retrieve: and its search; "
        "task: with a head; generate: read and write.",
        default="offline",
        choices=SCENARIOS,
    )
    task: str = option("task: which, with its split; xnli, xquad/dev, …", default="xnli")
    limit: int = option("Sentences (or examples) of a language that are timed.", default=48, least=1)
    bucketing: bool = option(
        "Batches of sentences that are about equally long.", default=True, off="--no-bucketing"
    )
    lengths: Names = option("shapes: tokens of a text.", default="16,32,64,128,256,512")
    items: Names = option("retrieve: sizes of the index.", default="10000,100000")
    forms: Names = option("Reduced forms of the first one: bfloat16, int8, compile.", default="")
    align: str = option(
        "A corpus, as tatoeba: what share of its translations each of them retrieves.", default=""
    )
    loads: int = option("How often each is loaded; what intervals rest on.", default=5, least=5)
    blocks: int = option("Blocks of rounds a load.", default=4, least=2)
    seconds: float = option(
        "How long is timed, about; loading comes on top.", default=60.0, least=0.1, most=1e6
    )
    margin: float = option(
        "Times are the same within 1/(1 + margin) and 1 + margin.", default=0.02, least=1e-4, most=1.0
    )
    seed: int = option("Seed of the orders and resamples.", default=0, least=0, most=2**63 - 1)
    out: Folder | None = option(
        "Folder of the tables and figures; by default runs/CHECKPOINT-efficiency (Python: temporary).",
        default=None,
    )
    progress: Progress | None = option(
        "Called with (stage, done, of how many) as the work goes on.", default=None, cli=False
    )

    def check(self) -> None:
        """Refuse what cannot be timed."""
        if self.memory is not None:
            raise ValueError("`memory` reads a model block by block, which is not timed; leave it out")
        for name in ("lengths", "items"):
            for part in str(getattr(self, name)).split(","):
                if not part.strip().isdecimal() or not 1 <= int(part) <= 10**7:
                    raise ValueError(f"`{name}` are numbers by commas, 1 to 10,000,000; got {part!r}")
