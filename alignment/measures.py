"""The measures: a table to read. A measure turns paired representations into rows of scores.

The first of a family is its default. `invariances` name what leaves a value unchanged when done to ONE
side (cosines across languages: to both); what is not named changes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..data.languages import nearest
from . import cca, cka, estimators, geometry, hubness, neighbourhood, neurons, retrieval, rsa, shape
from .contrast import contrast, dprime, matched_cosine
from .estimates import FEW, MANY, Estimator, Matched
from .pairing import Pairing
from .retrieval import Outcome, Statistic
from .views import View

DEFAULT = "default"


@dataclass(frozen=True)
class Measure:
    """A named way to turn paired representations into a number. One of four functions is set.

    `compute` gives outcomes per sentence, whose mean is the score; `statistic` values with their
    leave-one-group-out values; `geometry` those of each side by itself; `estimate` a value of two views
    with null, z, p and interval. With that comes `value`, the number alone, for floors and grids. A
    `pooled` measure is of all languages of a corpus at once; see `strong`.
    """

    name: str
    family: str
    range: str
    null: str
    invariances: frozenset[str]
    source: str
    compute: Callable[[Pairing], list[Outcome]] | None = None
    statistic: Callable[[Pairing], list[Statistic]] | None = None
    geometry: Callable[[Matched], list[Statistic]] | None = None
    estimate: Estimator | None = None
    value: Callable[[View, View], float] | None = None
    pooled: bool = False
    best: float | None = 1.0  # the value of perfect agreement, if there is one
    higher_is_better: bool = True
    # whether its null grows with the width of a side: then n-gram vectors, of a width as large as the
    # corpus, are no floor for it
    inflated: bool = False

    def towards_best(self, start: float, value: float) -> float:
        """Return how far a value is on its way from `start` to perfect agreement, 1 being there."""
        if self.best is None or start == self.best:
            return float("nan")
        return (value - start) / (self.best - start)


# Cosines: unchanged by one rotation of both sides and by the length of any vector; not by moving both
# sides, nor by a rotation of one side.
_COSINE = frozenset({"joint rotation", "row scaling", "permutation of pairs"})
_RIGID = frozenset({"rotation", "neuron permutation", "isotropic scaling", "translation", "swap"})
_LINEAR = _RIGID | {"neuron scaling", "linear map"}
_RAW = _RIGID - {"translation"}  # cosines within a language
_NEURON = frozenset({"neuron scaling", "isotropic scaling", "translation", "swap"})

_RETRIEVAL = [
    ("accuracy", retrieval.accuracy, "Σ c m / n²", "nearest neighbour by cosine"),
    ("mutual_accuracy", retrieval.mutual_accuracy, "M / n²", "each other's nearest neighbour"),
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
    (
        "within_document_accuracy",
        retrieval.within_document_accuracy,
        "1 / document size",
        "accuracy among the sentences of a document",
    ),
    ("precision_weighted", retrieval.precision_weighted, "found / n²", "MTEB bitext mining"),
    ("mexa", retrieval.mexa, "M / n²", "Kargaran et al. 2024"),
]
_STRONG = [
    ("strong_accuracy", "(1 - same) / n", "Roy et al. 2020 (LAReQA)", True),
    ("same_language_rate", "none", "Roy et al. 2020 (LAReQA)", False),
    ("map@20", "none", "LAReQA's mAP@20", True),
]
_SIMILARITY = [
    Measure(
        "debiased_linear_cka",
        "spectral",
        "[-1, 1]",
        "0 (numerator)",
        _RIGID,
        "Kornblith et al. 2019; HSIC₁ of Song et al. 2012",
        estimate=estimators.linear(debiased=True),
        value=cka.debiased_linear_cka,
    ),
    Measure(
        "linear_cka",
        "spectral",
        "[0, 1]",
        "√(PR PR) / (n-1)",
        _RIGID,
        "Kornblith et al. 2019",
        estimate=estimators.linear(debiased=False),
        value=cka.linear_cka,
        inflated=True,
    ),
    Measure(
        "debiased_rbf_cka",
        "spectral",
        "[-1, 1]",
        "0 (numerator)",
        _RIGID,
        "Kornblith et al. 2019; bandwidth .5 median",
        estimate=estimators.rbf(debiased=True),
        value=lambda x, y: cka.rbf_cka(x, y, debiased=True),
    ),
    Measure(
        "rbf_cka",
        "spectral",
        "[0, 1]",
        "exact mean",
        _RIGID,
        "Kornblith et al. 2019; bandwidth .5 median",
        estimate=estimators.rbf(debiased=False),
        value=cka.rbf_cka,
        inflated=True,
    ),
    Measure(
        "heldout_cca@20",
        "subspace",
        "[-1, 1]",
        "0",
        _RIGID,
        "20 components a side, 5 folds of documents",
        estimate=estimators.heldout(20),
        value=cca.heldout_cca,
    ),
    Measure(
        "mean_cca",
        "subspace",
        "[0, 1]",
        f"{FEW} re-pairings",
        _LINEAR,
        "Hotelling 1936",
        estimate=estimators.decomposed(cca.mean_cca),
        value=cca.mean_cca,
        inflated=True,
    ),
    Measure(
        "mean_squared_cca",
        "subspace",
        "[0, 1]",
        "max rank / (n-1)",
        _LINEAR,
        "Yanai 1974",
        estimate=estimators.squared_cca,
        value=cca.mean_squared_cca,
        inflated=True,
    ),
    Measure(
        "svcca@0.99",
        "subspace",
        "[0, 1]",
        f"{FEW} re-pairings",
        _RIGID,
        "Raghu et al. 2017",
        estimate=estimators.svcca(0.99),
        value=cca.svcca,
        inflated=True,
    ),
    Measure(
        "pwcca",
        "subspace",
        "[0, 1]",
        f"{FEW} re-pairings",
        _RIGID - {"rotation"},
        "Morcos et al. 2018, mean of both weightings",
        estimate=estimators.decomposed(cca.pwcca),
        value=cca.pwcca,
        inflated=True,
    ),
    Measure(
        "ridge_cca@0.1",
        "subspace",
        "[0, 1]",
        f"{FEW} re-pairings",
        _RIGID,
        "Vinod 1976",
        estimate=estimators.decomposed(cca.ridge_cca, full_rank=False),
        value=cca.ridge_cca,
        inflated=True,
    ),
    Measure(
        "procrustes_similarity",
        "shape",
        "[0, 1]",
        f"{FEW} re-pairings",
        _RIGID,
        "Schönemann 1966; Williams et al. 2021",
        estimate=estimators.procrustes(),
        value=shape.procrustes_similarity,
        inflated=True,
    ),
    Measure(
        "procrustes_distance",
        "shape",
        "[0, √2]",
        f"{FEW} re-pairings",
        _RIGID,
        "Williams et al. 2021; squared: Ding et al. 2021",
        estimate=estimators.procrustes(lambda cosine: float(np.sqrt(2 - 2 * cosine))),
        value=shape.procrustes_distance,
        best=0.0,
        higher_is_better=False,
        inflated=True,
    ),
    Measure(
        "angular_distance",
        "shape",
        "[0, π/2]",
        f"{FEW} re-pairings",
        _RIGID,
        "Williams et al. 2021",
        estimate=estimators.procrustes(lambda cosine: float(np.arccos(cosine))),
        value=shape.angular_distance,
        best=0.0,
        higher_is_better=False,
        inflated=True,
    ),
    Measure(
        "mutual_knn@10",
        "neighbourhood",
        "[0, 1]",
        "10 / (n-1)",
        _RAW,
        "Huh et al. 2024",
        estimate=estimators.neighbours(10, jaccard=False),
        value=neighbourhood.mutual_knn,
    ),
    Measure(
        "jaccard_knn@10",
        "neighbourhood",
        "[0, 1]",
        "hypergeometric",
        _RAW,
        "Wang et al. 2020",
        estimate=estimators.neighbours(10, jaccard=True),
        value=neighbourhood.jaccard_knn,
    ),
    Measure(
        "anc",
        "neuron",
        "[-1, 1]",
        "0",
        _NEURON,
        "Del & Fishel 2022, signed",
        estimate=estimators.neuron_correlation(absolute=False),
        value=neurons.anc,
    ),
    Measure(
        "anc_abs",
        "neuron",
        "[0, 1]",
        f"{MANY} re-pairings",
        _NEURON | {"sign flips"},
        "Del & Fishel 2022, absolute",
        estimate=estimators.neuron_correlation(absolute=True),
        value=neurons.anc_abs,
    ),
    Measure(
        "rsa",
        "rsa",
        "[-1, 1]",
        "0",
        _RAW,
        "Kriegeskorte et al. 2008; Mantel 1967 (Spearman of cosines)",
        estimate=estimators.rank_correlation,
        value=rsa.rsa,
    ),
]
MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        *(
            Measure(name, "retrieval", "[0, 1]", null, _COSINE, source, compute=compute)
            for name, compute, null, source in _RETRIEVAL
        ),
        Measure(
            "contrast",
            "contrast",
            "[-2, 2]",
            "0",
            _COSINE,
            "mean cosine difference",
            contrast,
            best=None,
        ),
        Measure(
            "matched_cosine",
            "contrast",
            "[-1, 1]",
            "mean cosine of all pairs",
            _COSINE,
            "mean cosine of translations",
            matched_cosine,
        ),
        Measure(
            "dprime",
            "contrast",
            "unbounded",
            "0 (numerator)",
            _COSINE,
            "Green & Swets 1966",
            statistic=dprime,
            best=None,
        ),
        *_SIMILARITY,
        *(
            Measure(
                name,
                "strong",
                "[0, 1]",
                null,
                _COSINE,
                source,
                pooled=True,
                best=1.0 if higher else None,
                higher_is_better=higher,
            )
            for name, null, source, higher in _STRONG
        ),
        *(
            Measure(
                f"{name}@10",
                "hubness",
                span,
                "none",
                _COSINE,
                "Radovanović et al. 2010; Feldbauer & Flexer 2019",
                statistic=hubness.hubness(summary, 10),
                best=None,
                higher_is_better=False,
            )
            for name, summary, span in (
                ("hubness_skew", hubness.skewness, "unbounded"),
                ("hub_share", hubness.hub_share, "[0, 1]"),
                ("antihub_rate", hubness.antihub_rate, "[0, 1]"),
            )
        ),
        *(
            Measure(
                name,
                "isotropy",
                span,
                "none",
                invariances,
                source,
                geometry=geometry.of_sides(function),
                best=None,
                higher_is_better=higher,
            )
            for name, function, span, invariances, source, higher in (
                (
                    "isoscore",
                    geometry.isoscores,
                    "[0, 1]",
                    _RIGID - {"swap"},
                    "Rudman et al. 2022",
                    True,
                ),
                (
                    "participation_ratio",
                    geometry.participation_ratios,
                    "[1, d]",
                    _RIGID - {"swap"},
                    "Gao et al. 2017",
                    True,
                ),
                (
                    "mean_cosine",
                    geometry.mean_cosines,
                    "[-1, 1]",
                    _COSINE,
                    "Ethayarajh 2019, over all distinct pairs",
                    False,
                ),
            )
        ),
    )
}


def grid_measure(name: str) -> Measure:
    """Return a measure that compares whole representations, as grids need.

    Raises:
        ValueError: none of that name; all of them are given.
    """
    if name not in MEASURES or MEASURES[name].value is None:
        names = ", ".join(known for known, measure in MEASURES.items() if measure.value is not None)
        raise ValueError(f"{name!r} is no measure of grids: one of {names}")
    return MEASURES[name]


def default_measures() -> list[Measure]:
    """Return the first measure of every family.

    And accuracy@100 beside accuracy: languages of unequal size cannot be compared without it.
    """
    alone = [measure for measure in MEASURES.values() if not measure.pooled]
    first = {measure.family: measure.name for measure in reversed(alone)}
    names = {*first.values(), "accuracy@100"}
    return [measure for name, measure in MEASURES.items() if name in names]


def choose_measures(names: str) -> list[Measure]:
    """Return the measures that a comma-separated list names.

    Args:
        names: measures, families, "default" (one a family), "all" (of a bitext: pooled ones by name).

    Raises:
        ValueError: an unknown name; the nearest ones are given.
    """
    families = {measure.family for measure in MEASURES.values()}
    chosen: set[str] = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        # a family may be named as its one measure is (rsa)
        if name in families or name == "all":
            every = "" if name != "all" else name
            chosen |= {m.name for m in MEASURES.values() if name == m.family or (every and not m.pooled)}
        elif name in MEASURES:
            chosen.add(name)
        elif name == DEFAULT:
            chosen |= {measure.name for measure in default_measures()}
        else:
            raise ValueError(f"unknown measure {name!r}: {nearest(name, [*MEASURES, *families])}")
    if not chosen:
        raise ValueError("--measures names no measure")
    return [measure for measure in MEASURES.values() if measure.name in chosen]
