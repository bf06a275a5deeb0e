"""The settings of `report`."""

from ...alignment.options import Folder, option, options_class


@options_class
class ReportOptions:
    """What a page shows, and where it is written."""

    out: Folder | None = option("The file; by default report.html in the first run.", default=None)
    title: str = option("Of the page; by default the names of the runs.", default="")
    errors: int = option(
        "Missed sentences that can be looked through, of each run; the worst.",
        default=20_000, least=0, most=10**6,
    )  # fmt: skip
