"""The settings of `probe` and `erase`."""

from typing import TYPE_CHECKING

from ..alignment.options import Folder, Names, option, options_class
from ..alignment.representations.options import WorkOptions

if TYPE_CHECKING:
    from .material import Material

FAMILIES = ("linear", "ridge", "mlp")


@options_class
class TaskOptions(WorkOptions):
    """Which layers of which checkpoint, and whose examples."""

    languages: Names = option("Those there are examples of.", default="all")
    layers: Names = option("all, last, or 0,4-6.", default="all")
    pooling: str = option("See `list poolings`.", default="mean")
    corpus: str = option("Parallel sentences of language and length.", default="pocket")
    table: Folder | None = option(
        "Your examples: .tsv, .csv, .jsonl or .parquet of language, group, text (text2), label.",
        default=None,
    )
    limit: int | None = option(
        "Examples of a part and language; by default all, of words 1,000 sentences.",
        default=None,
        least=1,
    )
    seed: int = option("Of cuts, permutations and resamples.", default=0, least=0, most=2**63 - 1)


@options_class
class ProbeOptions(TaskOptions):
    """What `probe` can be asked for."""

    task: "str | Material" = option(
        "pos, ner, number, topic, nli … (list probes); any name with a table.",
        default="length",
        kw_only=False,
    )
    train: Names = option("Languages fitted on, each for itself; all: on all at once.", default="en")
    test: Names = option("Languages tested in.", default="all")
    map: str = option("Map of vectors into the space of the language trained on.", default="none")
    map_fit: str = option(
        "Parallel text it is fitted on: CORPUS/split; by default the training examples.", default=""
    )
    family: str = option("ridge: a first look.", default="linear", choices=FAMILIES)
    controls: int | None = option(
        "Label sets with nothing to find; by default 20, of words 5.", default=None, least=0
    )
    codelength: bool = option("Bits of the training labels, sent block by block.", default=False)
    random_init: bool = option(
        "Probe three randomly initialised copies of the model, too.",
        default=False,
        flags=("--random-init", "--random-twin"),
    )


@options_class
class EraseOptions(TaskOptions):
    """What `erase` can be asked for."""

    task: "str | Material" = option(
        "Whose labels are erased (list probes).", default="language", kw_only=False
    )
    train: str = option(
        "The language whose examples they are fitted on; of language: all.", default="en"
    )
    pivot: str = option("Language that the others' sentences retrieve.", default="en")
