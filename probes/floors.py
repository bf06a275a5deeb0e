"""Floors of a probe: the most frequent class, and character n-grams without a model."""

import numpy as np
import scipy.sparse
from jaxtyping import Float

from ..data.surface import surface_vectors
from .material import DEV, TEST, TRAIN, Labelled, Material

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # scikit-learn's C


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
    strength of the penalty is the one of greatest accuracy on dev.
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
    fitted = [LogisticRegression(C=c, max_iter=200, tol=1e-3).fit(x, y) for c in STRENGTHS]
    best = fitted[int(np.argmax([(one.predict(x_dev) == y_dev).mean() for one in fitted]))]
    return {
        language: (best.predict(whole[rows[language, TEST]]) == material.parts[language, TEST].labels)
        .astype(np.float64)
        for language in material.languages
    }  # fmt: skip


def _grams(parts: list[Labelled], *, words: bool) -> scipy.sparse.csr_array:
    """Return n-grams; a word begins and ends with a mark, so that one of a single letter has any."""
    mark = "\x02" if words else ""
    sides = []
    for number in range(len(parts[0].sides)):
        texts = [f"{mark}{text}{mark}" for part in parts for text in part.sides[number].texts]
        sides.append(surface_vectors(texts, [])[0])
    return scipy.sparse.csr_array(scipy.sparse.hstack(sides))
