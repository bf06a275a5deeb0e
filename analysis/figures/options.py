"""What figures take."""

from ...alignment.options import option, options_class

AXES = ("step", "tokens", "parameters", "parameters_body")


@options_class
class HeatmapOptions:
    """Which scores a heatmap shows, and how its rows are ordered."""

    measure: str | None = option(
        "By default accuracy; accuracy@100 where sizes differ.", default=None, kw_only=False
    )
    direction: str | None = option("forward, backward, mean, both.", default=None)
    pooling: str | None = option("Which pooling, if the run has several.", default=None)
    map: str | None = option("Which map, if the run has several.", default=None)
    sort: str = option("Order of the rows.", default="table", choices=("table", "name", "value"))
    group: str = option("Rows that are drawn together.", default="none", choices=("none", "script"))


@options_class
class CurveOptions:
    """What curves over checkpoints show."""

    measure: str | None = option("By default the first of the table.", default=None, kw_only=False)
    by: str | None = option(
        "The axis; by default the first that the checkpoints differ in.", default=None, choices=AXES
    )
    lines: str = option("A line a layer or a language.", default="layer", choices=("layer", "language"))
    layer: int | None = option(
        "With `lines` language; by default each checkpoint's last.", default=None, least=0, most=10**6
    )
    direction: str | None = option("forward, backward, mean, both.", default=None)
    pooling: str | None = option("Which pooling, if the run has several.", default=None)
    map: str | None = option("Which map, if the run has several.", default=None)
