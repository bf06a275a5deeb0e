"""The settings of `score`: what decides its numbers besides checkpoint and corpus, and their checks."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .ladder import RUNGS
from .maps import check_fit
from .measures import DEFAULT
from .protocols import RetrievalProtocol
from .scored import NULLS

LADDER = "ladder"  # stands for all rungs
_OPTIONS = {
    "duplicates": ("class", "index"),
    "resample": ("group", "sentence"),
    "null": NULLS,
    "store_dtype": ("float32", "float16"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that decides the numbers, besides checkpoint and corpus; the flags of `score`."""

    layers: str = "all"
    pooling: str = "mean"
    maps: str = "none"
    map_fit: str = ""  # CORPUS/split, or in-sample
    measures: str = DEFAULT
    protocol: str = ""
    duplicates: str = "class"
    resample: str = "group"
    null: str = "shuffle"
    seed: int = 0
    family: str | None = None
    stage: str | None = None
    recipe: str | None = None
    train_seed: int | None = None
    store_dtype: str = "float32"
    random_twin: bool = False  # adds a column and changes no other

    @property
    def pooling_names(self) -> list[str]:
        """The poolings, each once."""
        return _split(self.pooling)

    @property
    def map_names(self) -> list[str]:
        """The maps, each once."""
        names = [each for name in _split(self.maps) for each in (RUNGS if name == LADDER else [name])]
        return list(dict.fromkeys(names))

    def labels(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Return family, stage, recipe and training seed: as set, else from crosslingual.json."""
        known = {"family": "", "stage": "", "recipe": "", "train_seed": about.get("seed")} | {
            name: about[name] for name in ("family", "stage", "recipe") if name in about
        }
        flags = {name: getattr(self, name) for name in known}
        return known | {name: flag for name, flag in flags.items() if flag is not None}

    def check(self) -> None:
        """Refuse what is no option.

        Raises:
            ValueError: an unknown option or map, or a map that is not said what to fit on.
        """
        for name in self.map_names:
            check_fit(name, self.map_fit)
        for field, options in _OPTIONS.items():
            if getattr(self, field) not in options:
                raise ValueError(
                    f"unknown {field} {getattr(self, field)!r}: one of {', '.join(options)}"
                )

    def under(self, protocol: RetrievalProtocol, limit: int | None) -> "Settings":
        """Return the settings with what a protocol decides.

        Raises:
            ValueError: one of them, or the limit, was chosen otherwise.
        """
        asked = {**asdict(self), "limit": limit}
        usual = {**asdict(Settings()), "limit": None}
        decided = {"pooling", "layers", *protocol.settings} | ({"limit"} if protocol.limit else set())
        for name in sorted(decided, key=lambda name: (name == "map_fit", name)):  # maps before it
            if asked[name] not in (usual[name], protocol.settings.get(name)):
                raise ValueError(
                    f"protocol {protocol.name} decides the {name}; leave that out or take no protocol"
                )
        return replace(self, **protocol.settings)


def _split(names: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))
