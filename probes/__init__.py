"""Probes: what each layer knows, and whether what was learnt in one language is read in others."""

from .material import Material as Material
from .material import load_material as load_material
from .probing import probe as probe
from .result import ProbeResult as ProbeResult
from .tasks import PROBES as PROBES
