"""What score tables show: figures, retention, averages of benchmarks; results for a notebook."""

from typing import TYPE_CHECKING

from ..data.lazy_names import exports

if TYPE_CHECKING:
    from ..alignment.drawing import save as save
    from .figures.heatmap import select as select
    from .results import GridResult as GridResult
    from .results import RetentionResult as RetentionResult
    from .results import ScoreResult as ScoreResult
    from .results import compare as compare
    from .results import heatmap as heatmap
    from .results import retention as retention
    from .results import score as score

__getattr__, __dir__ = exports(
    __name__,
    {
        "save": "..alignment.drawing",
        "select": ".figures.heatmap",
        **dict.fromkeys(
            (
                *("GridResult", "RetentionResult", "ScoreResult"),
                *("compare", "heatmap", "retention", "score"),
            ),
            ".results",
        ),
    },
)
