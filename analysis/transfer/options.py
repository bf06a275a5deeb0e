"""The settings of `transfer`."""

from ...alignment.options import Folder, check_layer, option, options_class


@options_class
class TransferOptions:
    """What alignment is related to, and how."""

    tasks: str = option(
        "Task scores: files or folders by commas, of train, lm-evaluation-harness, mteb, or a .tsv with "
        "checkpoint, task, language, metric, value.",
        default="",
        kw_only=False,
    )
    base: str | None = option(
        "What changes are from; by default the pretrained checkpoint of the same family and size.",
        default=None,
    )
    measure: str = option("Of alignment.", default="accuracy")
    direction: str = option(
        "forward, backward, mean; both, where a measure has only that.", default="mean"
    )
    corpus: str = option("Which, where the runs have several; as tatoeba.", default="")
    pooling: str = option("Likewise.", default="")
    map: str = option("Likewise.", default="")
    layer: str = option("A number, last, or best: the best of a checkpoint on average.", default="best")
    correlation: str = option("Which.", default="pearson", choices=("pearson", "spearman"))
    covariates: Folder | None = option(
        "A .tsv of language and numbers, as the log of pretraining sizes, with a header: partial "
        "correlations.",
        default=None,
    )
    seed: int = option("Seed of the resamples.", default=0, least=0, most=2**63 - 1)
    out: Folder | None = option("Folder of the tables and figure (Python: temporary).", default=None)

    def check(self) -> None:
        """Refuse a layer that is none, and no task scores."""
        if not self.tasks:
            raise ValueError("`tasks` is missing: files or folders of task scores")
        check_layer(self.layer)
