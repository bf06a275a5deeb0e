"""The settings of `export`."""

from ...alignment.options import check_layer, option, options_class

INTERVALS = ("brackets", "plus-minus", "none")


@options_class
class ExportOptions:
    """What of a run a table shows."""

    measure: str = option("Of a table for a paper; by default the first.", default="")
    direction: str = option("forward, backward, mean, both; by default the main one.", default="")
    pooling: str = option("Which, where a run has several.", default="")
    map: str = option("Likewise; none if no other is named.", default="")
    layer: str = option(
        "best (the same for all pairs of a checkpoint), last, or a number.", default="best"
    )
    interval: str = option("How intervals are written.", default="brackets", choices=INTERVALS)
    decimals: int = option("Of all numbers.", default=3, least=1, most=8)

    def check(self) -> None:
        """Refuse a layer that is none."""
        check_layer(self.layer)
