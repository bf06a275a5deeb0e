"""What figures take."""

from ...alignment.drawing import STYLES, Sheet, sheet
from ...alignment.options import Folder, Names, check_layer, option, options_class

AXES = ("step", "tokens", "parameters", "parameters_body")
NAMES = ("codes", "english", "own")


@options_class
class FigureOptions:
    """What every figure takes: the width it is printed at, its type, its names."""

    width: str = option("column (84 mm), page (174), slide (254), or millimetres.", default="page")
    style: str = option("Of paper, of a talk, of a talk in the dark.", default="paper", choices=STYLES)
    title: bool = option("Write above it what it shows.", default=True, off="--no-title")
    names: str = option("Languages by code, in English, their own.", default="codes", choices=NAMES)
    languages: Names = option("Which of the run's: all, or de,ru.", default="all")

    def sheet(self) -> Sheet:
        """Return what it is drawn on."""
        return sheet(self.width, self.style)

    def check(self) -> None:
        """Refuse a width that is none."""
        self.sheet()


@options_class
class ChosenOptions(FigureOptions):
    """Which scores of a run are shown."""

    measure: str | None = option(
        "By default accuracy (of heatmaps accuracy@100 where sizes differ), else the first.",
        default=None, kw_only=False,
    )  # fmt: skip
    corpus: str | None = option("Which corpus, if the run has several.", default=None)
    direction: str | None = option("forward, backward, mean, both.", default=None)
    pooling: str | None = option("Which pooling, if the run has several.", default=None)
    map: str | None = option("Which map, if the run has several.", default=None)


@options_class
class HeatmapOptions(ChosenOptions):
    """How the rows of a heatmap are ordered, and its colours."""

    sort: str = option("Order of the rows.", default="table", choices=("table", "name", "value"))
    group: str = option("Rows that are drawn together.", default="none", choices=("none", "script"))
    vmin: float | None = option(
        "Lower end of the colours; by default the null.", default=None, least=-1e9, most=1e9
    )
    vmax: float | None = option(
        "Upper end of the colours; by default the best.", default=None, least=-1e9, most=1e9
    )

    def check(self) -> None:
        """Refuse ends of the colours that are none."""
        super().check()
        if self.vmin is not None and self.vmax is not None and self.vmin >= self.vmax:
            raise ValueError(f"`vmin` {self.vmin:g} must be below `vmax` {self.vmax:g}")


@options_class
class CurveOptions(ChosenOptions):
    """What curves over checkpoints show."""

    by: str | None = option(
        "The axis; by default the first that the checkpoints differ in.", default=None, choices=AXES
    )
    lines: str = option("A line a layer or a language.", default="layer", choices=("layer", "language"))
    layer: int | None = option(
        "With `lines` language; by default each checkpoint's last.", default=None, least=0, most=10**6
    )


@options_class
class LayersOptions(ChosenOptions):
    """What curves along the layers show."""

    lines: str | None = option(
        "A line a language or a checkpoint; by default checkpoints, where there are several.",
        default=None, choices=("language", "checkpoint"),
    )  # fmt: skip


@options_class
class ForestOptions(ChosenOptions):
    """What a forest plot shows."""

    shown: str = option(
        "Scores, or changes against the base (of a run of retention or study).",
        default="score", choices=("score", "delta"),
    )  # fmt: skip
    layer: str = option(
        "best (of scores the same for all pairs of a checkpoint), last, or a number.", default="best"
    )

    def check(self) -> None:
        """Refuse a layer that is none."""
        super().check()
        check_layer(self.layer)


@options_class
class PartsOptions(ChosenOptions):
    """What stacked parts show."""

    layer: str = option("best (the same for all pairs), last, or a number.", default="best")

    def check(self) -> None:
        """Refuse a layer that is none."""
        super().check()
        check_layer(self.layer)


@options_class
class SentencesOptions(FigureOptions):
    """What a picture of sentences shows."""

    corpus: str = option("Of which sentences.", default="pocket", kw_only=False)
    data_dir: Folder | None = option(
        "Folder of the corpora; else $CROSSLINGUAL_DATA, else the hub.", default=None
    )
    layer: str = option("last, or a number.", default="last")
    limit: int = option("Sentences of a language.", default=50, least=3, most=10_000)
    method: str = option("pca, or umap (where it is installed).", default="pca", choices=("pca", "umap"))

    def check(self) -> None:
        """Refuse a layer that is none."""
        super().check()
        if self.layer != "last" and not self.layer.isdecimal():
            raise ValueError(f"`layer` must be last or a number, got {self.layer!r}")
