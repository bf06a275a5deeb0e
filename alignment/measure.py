"""What is known of a measure, and how a name with a parameter (`recall@7`) becomes one."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..data.nearest import closest

if TYPE_CHECKING:
    from .retrieval.many_to_many import GoldSide, QueryOutcomes
    from .retrieval.pairing import Pairing
    from .retrieval.strong import StrongNeighbours, StrongOutcomes
    from .similarity.inference import Estimator, Matched
    from .similarity.matrix_form import MatrixForm
    from .similarity.view import View
    from .statistics.outcomes import Outcome, Statistic

NUMBER = re.compile(r"-?\d+")
DEFAULT = "default"  # the name of the first measure of every family


@dataclass(frozen=True)
class Measure:
    """A named way to turn paired representations into a number.

    What it is computed from is the one of these that is set: `compute` gives outcomes per sentence,
    whose mean is the score; `statistic` values with their leave-one-group-out values; `geometry` those
    of each side by itself; `estimate` a value of two views with null, z, p and interval; `strong`
    outcomes among the sentences of all languages of a corpus at once.
    """

    name: str
    family: str
    range: str
    null: str
    invariances: frozenset[str]  # what leaves the value unchanged when done to one side
    source: str
    compute: "Callable[[Pairing], list[Outcome]] | None" = None
    statistic: "Callable[[Pairing], list[Statistic]] | None" = None
    geometry: "Callable[[Matched], list[Statistic]] | None" = None
    estimate: "Estimator | None" = None
    strong: "Callable[[StrongNeighbours], StrongOutcomes] | None" = None
    value: "Callable[[View, View], float] | None" = None  # of `estimate`: the number alone
    matrix: "MatrixForm | None" = None  # a product of two n × n matrices: grids by one product
    gold: "Callable[[GoldSide], QueryOutcomes] | None" = None  # its form where gold is many-to-many
    neighbours: int = 0  # how many of a sentence's nearest it looks at
    best: float | None = 1.0  # the value of perfect agreement, if there is one
    higher_is_better: bool = True
    proportion: bool = False  # a share of sentences, of which there are log-odds
    any_size: bool = False  # whether values compare between corpora of different sizes
    inflated: bool = False  # its null grows with the width: n-gram vectors are no floor for it
    mteb: str = ""  # its name in MTEB's result files

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest possible value, infinite where `range` names no number.

        >>> from crosslingual import MEASURES
        >>> MEASURES["accuracy"].bounds, MEASURES["dprime"].bounds
        ((0.0, 1.0), (-inf, inf))
        """
        ends = self.range.strip("[]()").split(", ")
        if len(ends) != 2:
            return -math.inf, math.inf
        low, high = (float(end) if NUMBER.fullmatch(end) else None for end in ends)
        return -math.inf if low is None else low, math.inf if high is None else high

    def towards_best(self, start: float, value: float) -> float:
        """Return how far a value is on its way from `start` to perfect agreement, 1 being there."""
        if self.best is None or start == self.best:
            return float("nan")
        return (value - start) / (self.best - start)


@dataclass(frozen=True)
class Parameter:
    """A family of measures that differ in a number: `recall@k`."""

    symbol: str  # k
    make: Callable[[int], Measure] | Callable[[float], Measure]
    least: int | float = 1
    most: int | float = 2**31 - 1
    fraction: bool = False  # whether numbers below 1 are allowed

    def measure(self, text: str) -> Measure | None:
        """Return the measure of a parameter as it is written; None where that is no such number."""
        try:
            number: int | float = int(text)
        except ValueError:
            if not self.fraction:
                return None
            try:
                number = float(text)
            except ValueError:
                return None
        known = str(number) == text and self.least <= number <= self.most
        return self.make(number) if known else None  # type: ignore[arg-type]


class Measures(dict[str, Measure]):
    """The measures by name; one with another parameter (`recall@7`) is made when it is asked for."""

    def __init__(self, listed: Iterable[Measure], parameters: Mapping[str, Parameter]) -> None:
        """Take the measures that are listed, and the families of further ones."""
        super().__init__({measure.name: measure for measure in listed})
        self.parameters = parameters

    def __missing__(self, name: str) -> Measure:
        """Return the measure of a family, by its parameter."""
        stem, at, text = name.partition("@")
        found = self.parameters[stem].measure(text) if at and stem in self.parameters else None
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        """Return whether there is a measure of that name."""
        try:
            return isinstance(name, str) and self[name] is not None
        except KeyError:
            return False

    @property
    def families(self) -> list[str]:
        """The families, in the order of the table."""
        return list(dict.fromkeys(measure.family for measure in self.values()))

    def defaults(self) -> list[Measure]:
        """Return the first measure of every family that is computed unasked.

        And accuracy@100 with accuracy: languages of unequal size cannot be compared without it.
        """
        first = {m.family: m.name for m in reversed(self.values()) if m.strong is None}
        names = {*first.values(), "accuracy@100"}
        return [measure for name, measure in self.items() if name in names]

    def choose(self, names: str) -> list[Measure]:
        """Return the measures that a comma-separated list names, in the order of the table.

        >>> from crosslingual import MEASURES
        >>> [measure.name for measure in MEASURES.choose("recall@7,accuracy")]
        ['accuracy', 'recall@7']

        Args:
            names: measures, families, "default" (one a family), "all" (strong ones by name only).

        Raises:
            ValueError: an unknown name; the nearest ones are given.
        """
        chosen: dict[str, Measure] = {}
        for name in filter(None, (part.strip() for part in names.split(","))):
            # a family may be named as its one measure is (rsa)
            if name in self.families:
                chosen |= {m.name: m for m in self.values() if m.family == name}
            elif name == "all":
                chosen |= {m.name: m for m in self.values() if m.strong is None}
            elif name == DEFAULT:
                chosen |= {m.name: m for m in self.defaults()}
            elif name in self:
                chosen[name] = self[name]
            else:
                known = [
                    *self,
                    *self.families,
                    *(f"{stem}@{p.symbol}" for stem, p in self.parameters.items()),
                ]
                raise ValueError(f"unknown measure {name!r}: {closest(name, known)}")
        if not chosen:
            raise ValueError("no measure given: pass `measures`, as accuracy,mrr, or leave it out")
        listed = [measure for name, measure in self.items() if name in chosen]
        return listed + [measure for name, measure in chosen.items() if name not in self.keys()]

    def with_value(self, name: str) -> Measure:
        """Return a measure that compares whole representations, as grids need.

        Raises:
            ValueError: none of that name; all of them are given.
        """
        if name not in self or self[name].value is None:
            names = ", ".join(known for known, measure in self.items() if measure.value is not None)
            raise ValueError(f"{name!r} cannot be computed as a grid: choose one of {names}")
        return self[name]
