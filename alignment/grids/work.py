"""What a grid is made of: the representations of both lists, and how it is computed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..similarity.view import View
from ..statistics.centring import Matrix

MEMORY = 2 << 30  # bytes of laid-out matrices, or of kept decompositions

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Computation:
    """How a grid is computed: what changes its cost, and no value beyond a certified bound."""

    precision: str = "float64"  # or float32 products, whose certified `bound` is returned
    memory: int = MEMORY  # bytes; matrices are laid out in as many parts as that needs
    device: str = "cpu"  # where the product of the laid-out matrices runs: cpu, cuda, …
    progress: Progress | None = None  # called with (representations or pairs done, of how many)

    def __post_init__(self) -> None:
        """Refuse another precision."""
        if self.precision not in ("float64", "float32"):
            raise ValueError(f"precision must be float64 or float32, got {self.precision!r}")

    def step(self, done: int, total: int) -> None:
        """Report that so much is done."""
        if self.progress is not None:
            self.progress(done, total)


DEFAULTS = Computation()


class Work:
    """The representations of a grid: every one once, though it may be on both sides."""

    def __init__(self, left: Sequence[Matrix], right: Sequence[Matrix] | None) -> None:
        self.within = right is None
        self.a, self.b = len(left), len(left if right is None else right)
        if not self.a or not self.b:
            raise ValueError("a grid needs at least one representation a side")
        self._items = [left] if right is None else [left, right]
        first = self[0]
        self.n, self.width = first.n, first.width

    def __len__(self) -> int:
        return sum(len(items) for items in self._items)

    def __getitem__(self, i: int) -> View:
        side, at = ("left", i) if i < self.a else ("right", i - self.a)
        view = View(self._items[0 if i < self.a else 1][at], f"{side} representation {at}")
        if hasattr(self, "n") and view.n != self.n:
            raise ValueError(
                f"all representations must hold the same sentences, got {self.n} and {view.n} rows "
                f"({view.name})"
            )
        return view

    @property
    def columns(self) -> slice:
        """Where the right side's representations are."""
        return slice(0, self.a) if self.within else slice(self.a, None)

    @property
    def size(self) -> int:
        """Bytes of all coordinates in float64."""
        return 8 * len(self) * int(self.n * self.width)

    def prefers_features(self, memory: int, null: bool) -> bool:
        """Whether d × d products of each pair fit, and cost less than laid-out n × n matrices."""
        pairs = self.a * (self.a + 1) / 2 if self.within else self.a * self.b
        made = len(self) * self.n**2 * self.width  # the n × n matrices
        by_features = pairs * 2 * self.n * self.width**2 + (made if null else 0)
        parts = max(1.0, len(self) * self.n**2 * 4 / memory)
        by_product = parts * made + pairs * self.n**2
        return bool(by_features < by_product and self.size <= memory)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the cells to compute; within one list the upper triangle."""
        for i in range(self.a):
            yield from ((i, j) for j in range(i if self.within else 0, self.b))


def refuse_beyond(memory: int, size: int, what: str) -> None:
    """Refuse what takes more bytes than the memory."""
    if size > memory:
        raise ValueError(
            f"{what} take {size / 1e9:.2f} GB, more than the memory of {memory / 1e9:.2f} GB; "
            "raise `memory`, or compare fewer layers or sentences"
        )
