"""Making checkpoints: intermediate tasks, mixtures, controls."""

from typing import TYPE_CHECKING

from ..data.lazy_names import exports

if TYPE_CHECKING:
    from .training import TrainResult as TrainResult
    from .training import train as train

__getattr__, __dir__ = exports(__name__, dict.fromkeys(("TrainResult", "train"), ".training"))
