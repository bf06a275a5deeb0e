"""Measure how well a multilingual model puts sentences that mean the same in the same place.

    from crosslingual import score, heatmap

    result = score("./my-model", "pocket", languages="de,ru,sw")
    result.heatmap().savefig("alignment.png")

The verbs are those of the command line: score, extract, compare, mine, probe, erase, train, retention,
locate, study, transfer, efficiency, heatmap; `help(crosslingual.score)` lists every option. `load` reads
a corpus, `open_checkpoint` a model, `read` the result in a run folder. MEASURES, CORPORA, TASKS,
POOLINGS, PROTOCOLS and FAMILIES are the tables of what there is.

Nothing heavy is imported before it is asked for.
"""

from typing import TYPE_CHECKING

from .data.lazy_names import exports

if TYPE_CHECKING:
    from .alignment.checkpoints.families import FAMILIES as FAMILIES
    from .alignment.checkpoints.opening import open_checkpoint as open_checkpoint
    from .alignment.encoding.pooling import POOLINGS as POOLINGS
    from .alignment.extraction.extracting import extract as extract
    from .alignment.measures import MEASURES as MEASURES
    from .alignment.mining.mining import mine as mine
    from .alignment.protocols import PROTOCOLS as PROTOCOLS
    from .analysis.efficiency.measuring import efficiency as efficiency
    from .analysis.interventions import locate as locate
    from .analysis.report.making import report as report
    from .analysis.results import compare as compare
    from .analysis.results import heatmap as heatmap
    from .analysis.results import read as read
    from .analysis.results import retention as retention
    from .analysis.results import score as score
    from .analysis.study.studying import study as study
    from .analysis.transfer.relating import transfer as transfer
    from .data.corpora import CORPORA as CORPORA
    from .data.corpora import load as load
    from .data.tasks import TASKS as TASKS
    from .probes.erasing import erase as erase
    from .probes.probing import probe as probe
    from .training.training import train as train

__version__ = "0.1.0"

__getattr__, __dir__ = exports(
    __name__,
    {
        **dict.fromkeys(("score", "compare", "retention", "heatmap", "read"), ".analysis.results"),
        "locate": ".analysis.interventions",
        "study": ".analysis.study.studying",
        "transfer": ".analysis.transfer.relating",
        "efficiency": ".analysis.efficiency.measuring",
        "report": ".analysis.report.making",
        "extract": ".alignment.extraction.extracting",
        "mine": ".alignment.mining.mining",
        "probe": ".probes.probing",
        "erase": ".probes.erasing",
        "train": ".training.training",
        "load": ".data.corpora",
        "open_checkpoint": ".alignment.checkpoints.opening",
        "MEASURES": ".alignment.measures",
        "CORPORA": ".data.corpora",
        "FAMILIES": ".alignment.checkpoints.families",
        "TASKS": ".data.tasks",
        "POOLINGS": ".alignment.encoding.pooling",
        "PROTOCOLS": ".alignment.protocols",
    },
)
