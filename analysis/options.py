"""The settings of `retention`, `locate` and `heatmap`."""

from typing import TYPE_CHECKING

from ..alignment.options import Folder, option, options_class

if TYPE_CHECKING:
    from ..alignment.runs.results import Result


@options_class
class RetentionOptions:
    """What `retention` can be asked for."""

    base: "Result | Folder | None" = option(
        "The base checkpoint's run, scored with the same settings.", default=None, kw_only=False
    )
    dev: "Result | Folder | None" = option(
        "Run of the fine-tuned checkpoint on another corpus, by which each side's best layer is chosen.",
        default=None,
    )
    base_dev: "Result | Folder | None" = option("Likewise, of the base.", default=None)
    margin: float | None = option(
        "The greatest loss that counts as retained, in units of the score, named beforehand: verdicts.",
        default=None,
        least=0.0,
    )
    measure: str = option("What is shown and drawn; all are in the table.", default="accuracy")
    direction: str = option(
        "forward, backward, mean; both, where a measure has only that.", default="mean"
    )
    pooling: str = option("What is shown, where the runs have several.", default="")
    map: str = option("Likewise; none if no other is named.", default="")
    out: Folder | None = option(
        "Folder of the table and figure; by default RUN/retention (Python: temporary).", default=None
    )
    seed: int = option("Seed of the resamples.", default=0, least=0, most=2**63 - 1)

    def check(self) -> None:
        """Refuse a choice of layers for one side only."""
        if self.base is None:
            raise ValueError("`base` is missing: the run of the base checkpoint")
        if (self.dev is None) != (self.base_dev is None):
            raise ValueError("`dev` and `base_dev` go together")
        if self.margin is not None and self.dev is None:
            raise ValueError(
                "a verdict reads each checkpoint's best layer, too: `margin` needs `dev` and `base_dev`"
            )


@options_class
class LocateOptions:
    """What `locate` can be asked for."""

    tuned: Folder | None = option(
        "The fine-tuned checkpoint: a folder or a hub id.", default=None, kw_only=False, argument=True
    )
    corpus: str = option("pocket, tatoeba, flores[/dev], …", default="pocket")
    languages: str = option("all, or tags and codes: de,ru,swh.", default="all")
    sentences: int = option("Of each language pair.", default=200, least=2)
    data_dir: Folder | None = option(
        "Folder of the corpora; else $CROSSLINGUAL_DATA, else the hub.", default=None
    )
    device: str = option("auto, cpu, cuda or cuda:1.", default="auto")
    out: Folder | None = option("Folder of the table (Python: temporary).", default=None)
