"""The measures: a table to read. A measure turns a pairing into one or more rows of scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from . import retrieval
from .contrast import contrast, dprime
from .pairing import Pairing
from .retrieval import Outcome


@dataclass(frozen=True)
class Measure:
    """A named way to turn paired representations into a number.

    `compute` gives outcomes per sentence, whose mean is the score; `statistic` a value and its
    leave-one-group-out values, where the score is no such mean. Just one of them is set.
    """

    name: str
    family: str
    range: str
    null: str
    invariances: frozenset[str]
    source: str
    compute: Callable[[Pairing], list[Outcome]] | None = None
    statistic: Callable[[Pairing], tuple[float, np.ndarray]] | None = None
    higher_is_better: bool = True


# Cosines: unchanged by one rotation of both sides and by the length of any vector; not by moving both
# sides, nor by a rotation of one side.
_COSINE = frozenset({"joint rotation", "row scaling", "permutation of pairs"})
_RETRIEVAL = [
    ("accuracy", retrieval.accuracy, "Σ c m / n²", "nearest neighbour by cosine"),
    ("mutual_accuracy", retrieval.mutual_accuracy, "M / n²", "Kargaran et al. 2024 (MEXA)"),
    (
        "accuracy@100",
        retrieval.rank_measure(retrieval.accuracy_at(100)),
        "1/100",
        "closed form from the rank",
    ),
    ("auc", retrieval.rank_measure(retrieval.auc_credit), "1/2", "Mann & Whitney 1947"),
    ("mrr", retrieval.rank_measure(retrieval.reciprocal_rank), "H(n) / n", "Voorhees 1999"),
    ("recall@5", retrieval.rank_measure(retrieval.recall_at(5)), "5/n", "Järvelin & Kekäläinen 2002"),
    ("f1_weighted", retrieval.f1_weighted, "Σ 2c/(1+c) / n²", "MTEB bitext mining"),
    ("ratio_accuracy@4", retrieval.ratio_accuracy, "Σ c m / n²", "Artetxe & Schwenk 2019"),
]
MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        *(
            Measure(name, "retrieval", "[0, 1]", null, _COSINE, source, compute=compute)
            for name, compute, null, source in _RETRIEVAL
        ),
        Measure("contrast", "contrast", "[-2, 2]", "0", _COSINE, "mean cosine difference", contrast),
        Measure(
            "dprime",
            "contrast",
            "unbounded",
            "0 (numerator)",
            _COSINE,
            "Green & Swets 1966",
            statistic=dprime,
        ),
    )
}


def choose_measures(names: str) -> list[Measure]:
    """Return the measures that a comma-separated list of names and families names, "all" for all.

    Raises:
        ValueError: an unknown name; the nearest ones are given.
    """
    from ..data.languages import nearest

    families = {measure.family for measure in MEASURES.values()}
    chosen: dict[str, Measure] = {}
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name in MEASURES:
            chosen[name] = MEASURES[name]
        elif name in families or name == "all":
            chosen |= {m.name: m for m in MEASURES.values() if name in (m.family, "all")}
        else:
            raise ValueError(f"unknown measure {name!r}: {nearest(name, [*MEASURES, *families])}")
    if not chosen:
        raise ValueError("--measures names no measure")
    return [measure for measure in MEASURES.values() if measure.name in chosen]
