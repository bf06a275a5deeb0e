"""How a corpus is read: the functions that its module declares, one of four kinds.

`root` is a folder in the corpus's upstream layout, `split` one of its splits, `code` its own code of a
language. What comes from the hub needs no folder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..bitext import Sentence
from ..gold import GoldBitext
from ..haystack import Haystack

Codes = Callable[[Path, str], list[str]]  # root, split
HubCodes = Callable[[str], list[str]]  # split
PairOfSides = tuple[list[Sentence], list[Sentence]]


@dataclass(frozen=True)
class ManyParallel:
    """Every language has the same sentences, joined by id: any two make a bitext."""

    codes: Codes
    read: Callable[[Path, str, str], list[Sentence]]  # root, split, code
    hub_codes: HubCodes | None = None
    hub_read: Callable[[str, str], list[Sentence]] | None = None  # split, code
    tags: Mapping[str, str] = field(default_factory=dict)  # code -> tag, where the corpus declares it


@dataclass(frozen=True)
class Pairs:
    """Every language has sentences of its own with one pivot, the last of the codes."""

    codes: Codes
    read: Callable[[Path, str], PairOfSides]  # root, code
    hub_codes: HubCodes | None = None
    hub_read: Callable[[str], PairOfSides] | None = None  # code


@dataclass(frozen=True)
class ManyToMany:
    """Every language has many-to-many gold with one pivot, the last of the codes."""

    codes: Codes
    read: Callable[[Path, str, str, int | None], GoldBitext]  # root, split, code, limit


@dataclass(frozen=True)
class Haystacks:
    """Two languages' sentences that are to be mined; the pivot is the last of the codes."""

    codes: Codes
    read: Callable[[Path, str, str, int | None], Haystack]  # root, split, code, limit
    hub_codes: HubCodes | None = None
    hub_read: Callable[[str, str], Haystack] | None = None  # split, code


Reader = ManyParallel | Pairs | ManyToMany
