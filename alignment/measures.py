"""The measures: a table to read. A measure turns paired representations into rows of scores.

The first of a family is its default. Everything known of a measure is here and nowhere else; the fields
are explained in `measure`. To add one, write its function and its entry.
"""

import numpy as np

from .measure import Measure, Measures, Parameter
from .retrieval import cosine_contrast, hubs, many_to_many, one_to_one, strong
from .similarity import (
    cca,
    cka,
    dissimilarities,
    estimators,
    isotropy,
    knn,
    matrix_form,
    neurons,
    procrustes,
)
from .similarity.inference import FEW, MANY

# Cosines: unchanged by one rotation of both sides and by the length of any vector; not by moving both
# sides, nor by a rotation of one side.
_COSINE = frozenset({"joint rotation", "row scaling", "permutation of pairs"})
_RIGID = frozenset({"rotation", "neuron permutation", "isotropic scaling", "translation", "swap"})
_LINEAR = _RIGID | {"neuron scaling", "linear map"}
_RAW = _RIGID - {"translation"}  # cosines within a language
_NEURON = frozenset({"neuron scaling", "isotropic scaling", "translation", "swap"})
_ONE_SIDE = _RIGID - {"swap"}

_DRAWN = f"{FEW} re-pairings"
_HUBNESS = "Radovanović et al. 2010; Feldbauer & Flexer 2019"


def accuracy_at(m: int) -> Measure:
    """Accuracy among m candidates, in closed form from the rank."""
    credit = one_to_one.accuracy_at(m)
    return Measure(
        f"accuracy@{m}", "retrieval", "[0, 1]", f"1/{m}", _COSINE, "closed form from the rank",
        compute=one_to_one.rank_measure(credit), gold=many_to_many.ranked(credit),
        any_size=True, proportion=True,
    )  # fmt: skip


def recall_at(k: int) -> Measure:
    """The share of sentences whose translation is among the k nearest."""
    credit = one_to_one.recall_at(k)
    return Measure(
        f"recall@{k}", "retrieval", "[0, 1]", f"{k}/n", _COSINE, "Järvelin & Kekäläinen 2002",
        compute=one_to_one.rank_measure(credit), gold=many_to_many.ranked(credit), proportion=True,
    )  # fmt: skip


def ratio_accuracy_at(k: int) -> Measure:
    """Accuracy by the ratio margin among the k nearest."""
    return Measure(
        f"ratio_accuracy@{k}", "retrieval", "[0, 1]", "Σ c m / n²", _COSINE, "Artetxe & Schwenk 2019",
        compute=lambda pairing: one_to_one.ratio_accuracy(pairing, k),
        gold=lambda side: many_to_many.ratio_accuracy(side, k), neighbours=k, proportion=True,
    )  # fmt: skip


def csls_accuracy_at(k: int) -> Measure:
    """Accuracy by CSLS, whose densities are over the k nearest."""
    return Measure(
        f"csls_accuracy@{k}", "retrieval", "[0, 1]", "Σ c m / n²", _COSINE, "Conneau et al. 2018",
        compute=lambda pairing: one_to_one.csls_accuracy(pairing, k), neighbours=k, proportion=True,
    )  # fmt: skip


def heldout_cca_at(c: int) -> Measure:
    """Held-out CCA of c principal components a side."""
    return Measure(
        f"heldout_cca@{c}", "subspace", "[-1, 1]", "0", _RIGID,
        f"{c} components a side, 5 folds of documents",
        estimate=estimators.heldout(c), value=lambda x, y: cca.heldout_cca(x, y, components=c),
    )  # fmt: skip


def svcca_at(keep: float) -> Measure:
    """SVCCA of the components that hold a share of the variance, or of a number of components."""
    return Measure(
        f"svcca@{keep}", "subspace", "[0, 1]", _DRAWN, _RIGID, "Raghu et al. 2017",
        estimate=estimators.svcca(keep), value=lambda x, y: cca.svcca(x, y, keep), inflated=True,
    )  # fmt: skip


def ridge_cca_at(ridge: float) -> Measure:
    """CCA with a ridge, as a share of the mean squared singular value."""
    return Measure(
        f"ridge_cca@{ridge}", "subspace", "[0, 1]", _DRAWN, _RIGID, "Vinod 1976",
        estimate=estimators.decomposed(lambda x, y: cca.ridge_cca(x, y, ridge), full_rank=False),
        value=lambda x, y: cca.ridge_cca(x, y, ridge), inflated=True,
    )  # fmt: skip


def mutual_knn_at(k: int) -> Measure:
    """The share of a sentence's k nearest that both languages agree on."""
    return Measure(
        f"mutual_knn@{k}", "neighbourhood", "[0, 1]", f"{k} / (n-1)", _RAW, "Huh et al. 2024",
        estimate=estimators.neighbours(k, jaccard=False),
        value=lambda x, y: knn.mutual_knn(x, y, k), matrix=matrix_form.neighbour_matrix(k),
    )  # fmt: skip


def jaccard_knn_at(k: int) -> Measure:
    """The Jaccard overlap of a sentence's k nearest in both languages."""
    return Measure(
        f"jaccard_knn@{k}", "neighbourhood", "[0, 1]", "hypergeometric", _RAW, "Wang et al. 2020",
        estimate=estimators.neighbours(k, jaccard=True), value=lambda x, y: knn.jaccard_knn(x, y, k),
    )  # fmt: skip


def hubness_skew_at(k: int) -> Measure:
    """The skewness of how often sentences are among the k nearest."""
    return Measure(
        f"hubness_skew@{k}", "hubness", "unbounded", "none", _COSINE, _HUBNESS,
        statistic=hubs.hubness(hubs.skewness, k), neighbours=k, best=None, higher_is_better=False,
    )  # fmt: skip


def hub_share_at(k: int) -> Measure:
    """The share of all k-nearest places that hubs take."""
    return Measure(
        f"hub_share@{k}", "hubness", "[0, 1]", "none", _COSINE, _HUBNESS,
        statistic=hubs.hubness(hubs.hub_share, k), neighbours=k, best=None, higher_is_better=False,
    )  # fmt: skip


def antihub_rate_at(k: int) -> Measure:
    """The share of sentences that no query has among its k nearest."""
    return Measure(
        f"antihub_rate@{k}", "hubness", "[0, 1]", "none", _COSINE, _HUBNESS,
        statistic=hubs.hubness(hubs.antihub_rate, k), neighbours=k, best=None, higher_is_better=False,
    )  # fmt: skip


_PARAMETERS = {
    "accuracy": Parameter("m", accuracy_at, least=2),
    "recall": Parameter("k", recall_at),
    "ratio_accuracy": Parameter("k", ratio_accuracy_at),
    "csls_accuracy": Parameter("k", csls_accuracy_at),
    "heldout_cca": Parameter("c", heldout_cca_at),
    "svcca": Parameter("v", svcca_at, least=1e-9, most=1, fraction=True),
    "ridge_cca": Parameter("r", ridge_cca_at, least=0, most=1e12, fraction=True),
    "mutual_knn": Parameter("k", mutual_knn_at),
    "jaccard_knn": Parameter("k", jaccard_knn_at),
    "hubness_skew": Parameter("k", hubness_skew_at),
    "hub_share": Parameter("k", hub_share_at),
    "antihub_rate": Parameter("k", antihub_rate_at),
}

# fmt: off
MEASURES = Measures([
    Measure(
        "accuracy", "retrieval", "[0, 1]", "Σ c m / n²", _COSINE, "nearest neighbour by cosine",
        compute=one_to_one.accuracy, gold=many_to_many.accuracy, proportion=True, mteb="accuracy",
    ),
    Measure(
        "mutual_accuracy", "retrieval", "[0, 1]", "M / n²", _COSINE, "each other's nearest neighbour",
        compute=one_to_one.mutual_accuracy, proportion=True,
    ),
    accuracy_at(100),
    Measure(
        "auc", "retrieval", "[0, 1]", "1/2", _COSINE, "Mann & Whitney 1947",
        compute=one_to_one.rank_measure(one_to_one.auc_credit),
        gold=many_to_many.ranked(one_to_one.auc_credit), any_size=True,
    ),
    Measure(
        "mrr", "retrieval", "[0, 1]", "H(n) / n", _COSINE, "Voorhees 1999",
        compute=one_to_one.rank_measure(one_to_one.reciprocal_rank),
        gold=many_to_many.ranked(one_to_one.reciprocal_rank),
    ),
    recall_at(5),
    Measure(
        "f1_weighted", "retrieval", "[0, 1]", "Σ 2c/(1+c) / n²", _COSINE, "MTEB bitext mining",
        compute=one_to_one.f1_weighted, mteb="f1",
    ),
    ratio_accuracy_at(4),
    csls_accuracy_at(10),
    Measure(
        "within_document_accuracy", "retrieval", "[0, 1]", "1 / document size", _COSINE,
        "accuracy among the sentences of a document", compute=one_to_one.within_document_accuracy,
        proportion=True,
    ),
    Measure(
        "precision_weighted", "retrieval", "[0, 1]", "found / n²", _COSINE, "MTEB bitext mining",
        compute=one_to_one.precision_weighted, mteb="precision",
    ),
    Measure(
        "mexa", "retrieval", "[0, 1]", "M / n²", _COSINE, "Kargaran et al. 2024",
        compute=one_to_one.mexa, neighbours=2, proportion=True,
    ),
    Measure(
        "contrast", "contrast", "[-2, 2]", "0", _COSINE, "mean cosine difference",
        compute=cosine_contrast.contrast, gold=many_to_many.contrast, best=None, any_size=True,
    ),
    Measure(
        "matched_cosine", "contrast", "[-1, 1]", "mean cosine of all pairs", _COSINE,
        "mean cosine of translations",
        compute=cosine_contrast.matched_cosine, gold=many_to_many.matched_cosine,
    ),
    Measure(
        "dprime", "contrast", "unbounded", "0 (numerator)", _COSINE, "Green & Swets 1966",
        statistic=cosine_contrast.dprime, best=None, any_size=True,
    ),
    Measure(
        "debiased_linear_cka", "spectral", "[-1, 1]", "0 (numerator)", _RIGID,
        "Kornblith et al. 2019; HSIC₁ of Song et al. 2012",
        estimate=estimators.linear(debiased=True), value=cka.debiased_linear_cka,
        matrix=matrix_form.DEBIASED_LINEAR, any_size=True,
    ),
    Measure(
        "linear_cka", "spectral", "[0, 1]", "√(PR PR) / (n-1)", _RIGID, "Kornblith et al. 2019",
        estimate=estimators.linear(debiased=False), value=cka.linear_cka, matrix=matrix_form.LINEAR,
        inflated=True,
    ),
    Measure(
        "debiased_rbf_cka", "spectral", "[-1, 1]", "0 (numerator)", _RIGID,
        "Kornblith et al. 2019; bandwidth .5 median", estimate=estimators.rbf(debiased=True),
        value=lambda x, y: cka.rbf_cka(x, y, debiased=True), matrix=matrix_form.DEBIASED_RBF,
        any_size=True,
    ),
    Measure(
        "rbf_cka", "spectral", "[0, 1]", "exact mean", _RIGID,
        "Kornblith et al. 2019; bandwidth .5 median",
        estimate=estimators.rbf(debiased=False), value=cka.rbf_cka, matrix=matrix_form.RBF,
        inflated=True,
    ),
    heldout_cca_at(20),
    Measure(
        "mean_cca", "subspace", "[0, 1]", _DRAWN, _LINEAR, "Hotelling 1936",
        estimate=estimators.decomposed(cca.mean_cca), value=cca.mean_cca, inflated=True,
    ),
    Measure(
        "mean_squared_cca", "subspace", "[0, 1]", "max rank / (n-1)", _LINEAR, "Yanai 1974",
        estimate=estimators.squared_cca, value=cca.mean_squared_cca, matrix=matrix_form.PROJECTOR,
        inflated=True,
    ),
    svcca_at(0.99),
    Measure(
        "pwcca", "subspace", "[0, 1]", _DRAWN, _RIGID - {"rotation"},
        "Morcos et al. 2018, mean of both weightings",
        estimate=estimators.decomposed(cca.pwcca), value=cca.pwcca, inflated=True,
    ),
    ridge_cca_at(0.1),
    Measure(
        "procrustes_similarity", "shape", "[0, 1]", _DRAWN, _RIGID,
        "Schönemann 1966; Williams et al. 2021",
        estimate=estimators.procrustes(), value=procrustes.procrustes_similarity, inflated=True,
    ),
    Measure(
        "procrustes_distance", "shape", "[0, √2]", _DRAWN, _RIGID,
        "Williams et al. 2021; squared: Ding et al. 2021",
        estimate=estimators.procrustes(lambda cosine: float(np.sqrt(2 - 2 * cosine))),
        value=procrustes.procrustes_distance, best=0.0, higher_is_better=False, inflated=True,
    ),
    Measure(
        "angular_distance", "shape", "[0, π/2]", _DRAWN, _RIGID, "Williams et al. 2021",
        estimate=estimators.procrustes(lambda cosine: float(np.arccos(cosine))),
        value=procrustes.angular_distance, best=0.0, higher_is_better=False, inflated=True,
    ),
    mutual_knn_at(10),
    jaccard_knn_at(10),
    Measure(
        "anc", "neuron", "[-1, 1]", "0", _NEURON, "Del & Fishel 2022, signed",
        estimate=estimators.neuron_correlation(absolute=False), value=neurons.anc, any_size=True,
    ),
    Measure(
        "anc_abs", "neuron", "[0, 1]", f"{MANY} re-pairings", _NEURON | {"sign flips"},
        "Del & Fishel 2022, absolute",
        estimate=estimators.neuron_correlation(absolute=True), value=neurons.anc_abs,
    ),
    Measure(
        "rsa", "rsa", "[-1, 1]", "0", _RAW,
        "Kriegeskorte et al. 2008; Mantel 1967 (Spearman of cosines)",
        estimate=estimators.rank_correlation, value=dissimilarities.rsa, matrix=matrix_form.RANKS,
        any_size=True,
    ),
    Measure(
        "strong_accuracy", "strong", "[0, 1]", "(1 - same) / n", _COSINE, "Roy et al. 2020 (LAReQA)",
        strong=strong.strong_accuracy, gold=many_to_many.strong_accuracy, proportion=True,
    ),
    Measure(
        "same_language_rate", "strong", "[0, 1]", "none", _COSINE, "Roy et al. 2020 (LAReQA)",
        strong=strong.same_language_rate, gold=many_to_many.same_language_rate, best=None,
        higher_is_better=False,
    ),
    Measure(
        "map@20", "strong", "[0, 1]", "none", _COSINE, "LAReQA's mAP@20",
        strong=strong.mean_average_precision, gold=many_to_many.mean_average_precision,
    ),
    hubness_skew_at(10),
    hub_share_at(10),
    antihub_rate_at(10),
    Measure(
        "isoscore", "isotropy", "[0, 1]", "none", _ONE_SIDE, "Rudman et al. 2022",
        geometry=isotropy.of_sides(isotropy.isoscores), best=None,
    ),
    Measure(
        "participation_ratio", "isotropy", "[1, d]", "none", _ONE_SIDE, "Gao et al. 2017",
        geometry=isotropy.of_sides(isotropy.participation_ratios), best=None,
    ),
    Measure(
        "mean_cosine", "isotropy", "[-1, 1]", "none", _COSINE,
        "Ethayarajh 2019, over all distinct pairs",
        geometry=isotropy.of_sides(isotropy.mean_cosines), best=None, higher_is_better=False,
    ),
], _PARAMETERS)
# fmt: on
