"""Floors of a probe: the most frequent class, and character n-grams without a model."""

import logging
import warnings
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import scipy.special
from jaxtyping import Float, Int64

from ..data.surface import surface_vectors
from .classifiers.families import CHOOSING
from .classifiers.linear import GAP
from .material import DEV, TEST, TRAIN, Labelled, Material

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

logger = logging.getLogger(__name__)

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # scikit-learn's C
TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)  # of the gradient
STEPS = 2000  # of each
NEWTON = 8  # steps of the biases, which are near their best


def majority(material: Material, train: list[str], language: str) -> float:
    """Return the accuracy of the best constant answer: training's or the test's own most frequent.

    Where a language has one class, the test is that of all languages.
    """
    tested = material.languages if material.joint else [language]
    counts, test = (
        np.bincount(
            np.concatenate([material.parts[one, part].labels for one in languages]),
            minlength=len(material.classes),
        )
        for languages, part in ((train, TRAIN), (tested, TEST))
    )
    return float(max(test[counts.argmax()], test.max()) / test.sum())


def surface(material: Material, train: list[str]) -> dict[str, Float[np.ndarray, "n"]]:
    """Return by language which answers are right of a logistic regression on character n-grams.

    TF-IDF over the texts of all parts (labels are not looked at); of pairs, both texts side by side. The
    strength of the penalty is the one of greatest accuracy on dev. Solved to the gap that probes are
    (`linear.GAP`): a floor that stopped early would be another floor.
    """
    from sklearn.linear_model import LogisticRegression

    keys = list(material.parts)
    whole = _grams([material.parts[key] for key in keys], words=material.of_words)
    ends = np.cumsum([0, *(len(material.parts[key]) for key in keys)])
    rows = {key: np.arange(ends[i], ends[i + 1]) for i, key in enumerate(keys)}

    def joined(part: str) -> tuple[scipy.sparse.csr_array, np.ndarray]:
        some = [(one, part) for one in train if (one, part) in rows]
        labels = np.concatenate([material.parts[key].labels for key in some])
        return whole[np.concatenate([rows[key] for key in some])], labels

    (x, y), (x_dev, y_dev) = joined(TRAIN), joined(DEV)
    models = [LogisticRegression(C=c, max_iter=STEPS, warm_start=True) for c in STRENGTHS]
    tried = [(solve(one, x, y, CHOOSING).predict(x_dev) == y_dev).mean() for one in models]
    best = solve(models[int(np.argmax(tried))], x, y, GAP)
    return {
        language: (best.predict(whole[rows[language, TEST]]) == material.parts[language, TEST].labels)
        .astype(np.float64)
        for language in material.languages
    }  # fmt: skip


def solve(
    model: "LogisticRegression", x: scipy.sparse.csr_array, y: Int64[np.ndarray, "n"], least: float
) -> "LogisticRegression":
    """Fit a logistic regression until its objective is certified to be near its least value.

    scikit-learn's solver goes on, from where it was, at ever lower tolerances.

    Args:
        model: with a warm start.
        x: a row per text.
        y: labels, two classes or more.
        least: the gap to be reached.
    """
    from sklearn.exceptions import ConvergenceWarning

    for tolerance in TOLERANCES:
        model.set_params(tol=tolerance)
        with warnings.catch_warnings():  # of steps at their limit: the gap says whether it matters
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x, y)
        reached = gap(model, x, y)
        if reached <= least:
            return model
    logger.warning("the n-gram floor at C = %g is solved to %.1g of its loss only", model.C, reached)
    return model


def gap(model: "LogisticRegression", x: scipy.sparse.csr_array, y: Int64[np.ndarray, "n"]) -> float:
    """Return how far a fitted model is from the optimum at most, as a share of the objective.

    f(W, b) = mean loss + λ/2 ‖W‖², λ = 1 / (C n). With b at its best for W, by Newton steps, f is
    strongly convex in W, so that f - f* ≤ ‖∇_W f‖² / (2 λ), to which is added what b was off.
    """
    n, penalty = len(y), 1 / (model.C * len(y))
    scores, each = model.decision_function(x), np.searchsorted(model.classes_, y)
    if scores.ndim == 1:  # of two classes scikit-learn has one set of weights
        scores = np.stack([np.zeros(n), scores], axis=1)
    size, rows = penalty / 2 * np.square(model.coef_).sum(), np.arange(n)

    def objective() -> float:
        return float((scipy.special.logsumexp(scores, axis=1) - scores[rows, each]).mean() + size)

    before = objective()
    for _ in range(NEWTON):
        chances = scipy.special.softmax(scores, axis=1)
        wrong = chances.copy()
        wrong[rows, each] -= 1
        curvature = np.diag(chances.mean(axis=0)) - chances.T @ chances / n
        scores = scores - np.linalg.pinv(curvature) @ wrong.mean(axis=0)
    gradient = (x.T @ wrong[:, -len(model.coef_) :]).T / n + penalty * model.coef_
    least = objective() - np.square(gradient).sum() / (2 * penalty)
    return float((before - least) / before)


def _grams(parts: list[Labelled], *, words: bool) -> scipy.sparse.csr_array:
    """Return n-grams; a word begins and ends with a mark, so that one of a single letter has any."""
    mark = "\x02" if words else ""
    sides = []
    for number in range(len(parts[0].sides)):
        texts = [f"{mark}{text}{mark}" for part in parts for text in part.sides[number].texts]
        sides.append(surface_vectors(texts, [])[0])
    return scipy.sparse.csr_array(scipy.sparse.hstack(sides))
