"""The settings of `compare`."""

from typing import TYPE_CHECKING

from ..options import Names, option, options_class
from ..representations.options import WorkOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...data import Bitext
    from ..representations.source import CheckpointLike

BETWEEN = ("layers", "languages", "all")
SIDES = ("translations", "same")


@options_class
class CompareOptions(WorkOptions):
    """What `compare` can be asked for."""

    other: "CheckpointLike | None" = option(
        "A second checkpoint, on the same sentences.", default=None, cli=False, kw_only=False
    )
    corpus: "str | Sequence[Bitext]" = option(
        "pocket, tatoeba, flores[/dev], ntrex, pud, tico19; in Python also bitexts.",
        default="pocket",
        kw_only=False,
    )
    languages: Names = option("all, or tags and codes: de,ru,swh.", default="all")
    pivot: str = option("The language they are joined to, one of those compared.", default="en")
    measure: str = option("One with a grid; see `list measures`.", default="debiased_linear_cka")
    between: str = option(
        "layers; languages (at each layer); all (languages × layers).", default="layers", choices=BETWEEN
    )
    sides: str | None = option(
        "Of layers: translations, or same sentences; by default same with two checkpoints.", default=None
    )
    layers: Names = option("all, last, or numbers: 0,4-6.", default="all")
    pooling: str = option("See `list poolings`.", default="mean")
    maps: Names = option(
        "none, centre, standardise, without-outliers@3, subspace@3; several by commas.",
        default="none",
        flags=("--maps", "--map"),
    )
    map_fit: str = option("in-sample: other maps than none are fitted on what is measured.", default="")
    intervals: bool = option("Also an interval for every cell (slow).", default=False)
    permutations: int = option(
        "Re-pairings for p-values that hold for all cells together.", default=0, least=0
    )
    precision: str = option(
        "float64, or float32 within a stated bound.", default="float64", choices=("float64", "float32")
    )

    def check(self) -> None:
        """Refuse what does not go together."""
        if self.sides not in (None, *SIDES):
            raise ValueError(f"unknown `sides` {self.sides!r}: one of {', '.join(SIDES)}")
        if self.sides is not None and self.between != "layers":
            raise ValueError("`sides` goes with `between` layers; the other grids have all languages")
