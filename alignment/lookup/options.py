"""The settings of indexes."""

from ..options import Names, option, options_class
from ..representations.options import StoreOptions


@options_class
class BuildOptions(StoreOptions):
    """What an index is of, and of which kind."""

    layer: Names = option("last, or a number.", default="last")
    pooling: str = option("See `list poolings`.", default="mean")
    factory: str = option(
        "FAISS factory string: Flat (exact), IVF1024,Flat, HNSW32, IVF256,PQ48.", default="Flat"
    )
    gpu: bool = option("Train and fill it on all GPUs.", default=False)


@options_class
class SearchOptions(StoreOptions):
    """How an index is searched."""

    k: int = option("Nearest sentences of each query.", default=5, least=1)
    nprobe: int | None = option(
        "Effort of an approximate index.",
        default=None,
        least=1,
        most=1 << 30,
        flags=("--nprobe", "--ef-search"),
    )
    recall: float | None = option(
        "Instead: the least effort of this recall, as 0.99.", default=None, least=0.0, most=1.0
    )

    def check(self) -> None:
        """Refuse two ways of saying one thing."""
        if self.nprobe is not None and self.recall is not None:
            raise ValueError("`nprobe` and `recall`: give one of them")
