"""Surface vectors: what character n-grams alone know, the floor of any alignment score.

Names, numbers and cognates let a retrieval without any model find many translations (FLORES
German-English: three in four). A model's score means something above this floor only.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer


def surface_vectors(
    source: Sequence[str], target: Sequence[str]
) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
    """Return TF-IDF vectors over character 2- to 4-grams of both sides of a bitext.

    Text is NFKC-normalised and lower-cased, n-grams cross word boundaries, and the document
    frequencies are those of the two sides together: weight = tf · (1 + ln((1 + N)/(1 + df))), rows
    of unit length (a text without n-grams in it, one character long, is a zero row).

    Args:
        source: n texts.
        target: m texts.

    Returns:
        Two float64 CSR matrices of shapes (n, v) and (m, v) over one vocabulary.
    """
    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=(2, 4), preprocessor=_normalise, dtype=np.float64
    )
    both = scipy.sparse.csr_matrix(vectorizer.fit_transform([*source, *target]))
    return both[: len(source)], both[len(source) :]


def _normalise(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()
