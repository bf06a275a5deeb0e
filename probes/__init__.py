"""Probes: what each layer knows, and whether what was learnt in one language is read in others."""

from typing import TYPE_CHECKING

from ..data.lazy_names import exports

if TYPE_CHECKING:
    from .erasing import ErasureResult as ErasureResult
    from .erasing import erase as erase
    from .material import Material as Material
    from .material import load_material as load_material
    from .probing import probe as probe
    from .result import ProbeResult as ProbeResult
    from .tasks import PROBES as PROBES

__getattr__, __dir__ = exports(
    __name__,
    {
        **dict.fromkeys(("ErasureResult", "erase"), ".erasing"),
        **dict.fromkeys(("Material", "load_material"), ".material"),
        "probe": ".probing",
        "ProbeResult": ".result",
        "PROBES": ".tasks",
    },
)
