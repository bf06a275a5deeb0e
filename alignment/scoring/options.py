"""The settings of `score`."""

from typing import TYPE_CHECKING

from ..checkpoints.options import STAGES
from ..measure import DEFAULT
from ..options import Folder, Names, option, options_class
from ..representations.options import WorkOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...data import AnyBitext

NULLS = ("shuffle", "length", "document")


@options_class
class FileOptions:
    """A bitext of your own, with `corpus` files."""

    source: str | None = option("files: a sentence a line, as de=news.de.", default=None)
    target: str | None = option("files: its translations, as en=news.en.", default=None)
    source_file: Folder | None = option("files: instead, the file alone.", default=None)
    target_file: Folder | None = option("files: instead, the file alone.", default=None)
    source_language: str | None = option("files: code of the source.", default=None)
    target_language: str | None = option("files: code of the target.", default=None)
    group_file: Folder | None = option("files: the document of each line.", default=None)
    gold_file: Folder | None = option(
        "files: pairs of line numbers by tab, many-to-many; any lengths.", default=None
    )
    alignment_file: Folder | None = option(
        "files: word alignments (0-0 1-2); scores words in context.", default=None
    )
    lexicon: Folder | None = option(
        "files: words and translations, by tab, instead of sentences.", default=None
    )
    table: Folder | None = option("files: a .tsv, .csv or .jsonl instead.", default=None)
    source_column: str | None = option("files: column of the table.", default=None)
    target_column: str | None = option("files: column of the table.", default=None)
    id_column: str | None = option("files: column of the table.", default=None)
    group_column: str | None = option("files: column of the table.", default=None)


@options_class
class ScoreOptions(FileOptions, WorkOptions):
    """What `score` can be asked for."""

    corpus: "str | Sequence[AnyBitext]" = option(
        "pocket, tatoeba, flores[/dev], ntrex, pud, tico19, words, lareqa; files: yours; or bitexts.",
        default="pocket",
        kw_only=False,
    )
    languages: Names = option("all, or tags and codes: de,ru,swh.", default="all")
    pivot: str = option("The target language.", default="en")
    pairs: Names | None = option("Instead of a pivot: de-fr,ru-zh or all.", default=None)
    layers: Names = option("all, last, or numbers: 0,4-6.", default="all")
    pooling: Names = option(
        "mean, first, last, max, weighted, native, …; several by commas.", default="mean"
    )
    maps: Names = option(
        "none, centre, standardise, without-outliers@3, subspace@3, procrustes, ridge, decomposition.",
        default="none",
        flags=("--maps", "--map"),
    )
    map_fit: str = option(
        "What other maps than none are fitted on: CORPUS/split, or in-sample.", default=""
    )
    measures: Names = option(
        "Names or families by commas, or all; by default the first of each family.", default=DEFAULT
    )
    protocol: str = option(
        "laser, xtreme, xtreme-r, jiant, mteb, mexa, …: see `list protocols`.", default=""
    )
    duplicates: str = option(
        "class: retrieving an identical text is right; index: it is not.",
        default="class",
        choices=("class", "index"),
    )
    resample: str = option(
        "group: intervals over documents where known; sentence.",
        default="group",
        choices=("group", "sentence"),
    )
    null: str = option(
        "What the null re-pairs: all sentences, those of a decile of length, those of a document.",
        default="shuffle",
        choices=NULLS,
    )
    random_init: bool = option(
        "Score three randomly initialised copies of the model too: column random.",
        default=False,
        flags=("--random-init", "--random-twin"),
    )
    hard_negatives: Folder | None = option(
        "More candidates: a file of sentences in the target's language (xsim++).", default=None
    )
    noise: str = option(
        "Noise in the source, char@0.1 or word@0.2: a share of its characters or words.", default=""
    )
    errors: bool = option("Write what was retrieved instead of missed translations.", default=False)
    revisions: str | None = option(
        "All of one model by a pattern (step*): branches, tags, or folders in its folder.", default=None
    )
    store_dtype: str = option(
        "Precision of stored vectors.", default="float32", choices=("float32", "float16")
    )
    family: str | None = option("Series of models, a column of the table.", default=None)
    stage: str | None = option("Column of the table.", default=None, choices=STAGES)
    recipe: str | None = option("Name of the training recipe, a column of the table.", default=None)
    train_seed: int | None = option(
        "Seed of the training, a column of the table.", default=None, least=0
    )
