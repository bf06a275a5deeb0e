"""The settings of `extract`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..options import Folder, Names, option, options_class
from ..representations.options import ENDINGS, WorkOptions

if TYPE_CHECKING:
    from ...data import Bitext
    from ...data.gold import GoldBitext


@options_class
class ExtractOptions(WorkOptions):
    """What `extract` can be asked for."""

    texts: Folder | None = option(
        "A file instead of a corpus: a sentence a line, or id TAB sentence; .gz and .xz too.",
        default=None,
    )
    language: str | None = option("Code of the texts; by default the file's ending.", default=None)
    corpus: "str | Sequence[str] | Sequence[Bitext] | Sequence[GoldBitext]" = option(
        "pocket, tatoeba, flores[/dev], …: see `list corpora`; in Python bitexts or texts, too.",
        default="pocket",
        kw_only=False,
    )
    languages: Names = option(
        "all, or tags and codes: de,ru,swh; the pivot comes with them.", default="all"
    )
    pivot: str = option("The target language.", default="en")
    layers: Names = option("all, last, or numbers: 0,4-6.", default="all")
    pooling: Names = option(
        "mean, first, last, max, weighted, native, …; several by commas.", default="mean"
    )
    words: bool = option(
        "A vector for each word (between spaces) of a sentence, pooled from its tokens.", default=False
    )
    format: str = option("Of the files.", default="npy", choices=ENDINGS)
    store_dtype: str = option(
        "Precision of the vectors written and stored.", default="float32", choices=("float32", "float16")
    )

    def check(self) -> None:
        """Refuse a language without a file."""
        if self.language is not None and self.texts is None:
            raise ValueError("`language` is that of `texts`; of a corpus name `languages`")
