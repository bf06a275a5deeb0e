"""Making checkpoints: intermediate tasks, mixtures, controls."""

from typing import TYPE_CHECKING

from ..data.lazy_names import exports

if TYPE_CHECKING:
    from .live import AlignmentCallback as AlignmentCallback
    from .live import alignment_evaluator as alignment_evaluator
    from .training import TrainResult as TrainResult
    from .training import train as train

__getattr__, __dir__ = exports(
    __name__,
    {
        **dict.fromkeys(("TrainResult", "train"), ".training"),
        **dict.fromkeys(("AlignmentCallback", "alignment_evaluator"), ".live"),
    },
)
