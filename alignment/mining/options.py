"""The settings of `mine`."""

from typing import TYPE_CHECKING

from ..options import Folder, Names, option, options_class
from ..representations.options import WorkOptions

if TYPE_CHECKING:
    from ...data.haystack import Haystack

MARGINS = ("ratio", "distance", "csls", "absolute")
STRATEGIES = ("max", "intersection", "forward", "backward", "union")


@options_class
class MineOptions(WorkOptions):
    """What `mine` can be asked for."""

    haystack: "Haystack | None" = option(
        "The sentences of both languages, where they are not in files or a corpus.",
        default=None,
        cli=False,
        kw_only=False,
    )
    source: Folder | None = option(
        "A sentence a line, or id TAB sentence; .gz and .xz too.", default=None, argument=True
    )
    target: Folder | None = option("The other language, likewise.", default=None, argument=True)
    gold: Folder | None = option("Known pairs: source id TAB target id.", default=None)
    corpus: str | None = option("Instead of files: bucc[/sample|training].", default=None)
    languages: Names | None = option("Of a corpus: its source, as zh.", default=None)
    source_language: str | None = option("Its code; by default the file's ending.", default=None)
    target_language: str | None = option("Its code; by default the file's ending.", default=None)
    layer: Names = option(
        "auto (by the tune split's F1), all, last, 6; by default auto with gold, else last.", default=""
    )
    pooling: str = option("See `list poolings`.", default="mean")
    map: str = option("none, centre, standardise, without-outliers@3, subspace@3.", default="none")
    map_fit: str = option("in-sample: other maps than none are fitted on what is mined.", default="")
    k: int = option("Neighbours of a margin.", default=4, least=1)
    margin: str = option("How a pair is scored.", default="ratio", choices=MARGINS)
    strategy: str = option(
        "Which pairs are kept; max: best first, one to one.", default="max", choices=STRATEGIES
    )
    protocol: str = option(
        "laser, xtreme, jiant, stopes: their k, margin, strategy, threshold.", default=""
    )
    extract: int | None = option(
        "Of how many of the k nearest a pair may be made; all by default.", default=None, least=1
    )
    threshold: float | None = option(
        "Keep pairs of at least this score; by default the one of best F1, with gold.", default=None
    )
    tune_share: float = option(
        "Share of the source sentences to tune on; the others report.", default=0.5, least=0.0, most=1.0
    )
    folds: int | None = option(
        "Instead of one half: this many folds, their counts pooled.", default=None, least=2, most=1000
    )
    oracle: bool = option("Tune on what is reported: too good, and named so.", default=False)
    store_dtype: str = option(
        "Precision of stored vectors.", default="float32", choices=("float32", "float16")
    )
