"""A cache of mteb's is read as vectors of the texts that are in it."""

import hashlib
import json

import numpy as np
import pytest

from crosslingual.alignment.representations.opening import open_vectors
from crosslingual.data import load
from tests.verbs import score


@pytest.fixture
def cache(tmp_path, rng):
    """As its numpy backend writes it: rows in the order of arrival, room for more after them."""
    (bitext,) = load("pocket", languages="de")
    texts = list(dict.fromkeys([*bitext.target.texts, *bitext.source.texts]))
    values = np.zeros((1000, 6), np.float32)
    values[: len(texts)] = rng.standard_normal((len(texts), 6))
    place = {text: row for row, text in enumerate(texts)}
    for source, target in zip(bitext.source.texts, bitext.target.texts, strict=True):
        values[place[source]] = values[place[target]] + 0.01
    values.tofile(tmp_path / "vectors.npy")
    index = {hashlib.sha256(text.encode()).hexdigest(): row for text, row in place.items()}
    (tmp_path / "index.json").write_text(json.dumps(index))
    (tmp_path / "dimension").write_text("6")
    return tmp_path


def test_vectors_are_found_by_what_their_texts_say(cache):
    table = score(f"vectors:{cache}", "pocket", languages="de", measures="accuracy")
    assert set(table["layer"]) == {0} and (table["value"] > 0.95).all()
    with pytest.raises(ValueError, match="fr texts are not in the cache"):
        score(f"vectors:{cache}", "pocket", languages="fr", measures="accuracy")
    with pytest.raises(ValueError, match="pooled already"):
        score(f"vectors:{cache}", "pocket", languages="de", pooling="first")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("index.json", "[1]", "no index of mteb's cache"),
        ("index.json", "{}", "no rows"),
        ("index.json", '{"a": 100000}', "names rows that vectors.npy does not have"),
        ("dimension", "0", "no vectors of mteb's cache"),
        ("dimension", "many", "no vectors of mteb's cache"),
    ],
)
def test_what_is_damaged_is_said(cache, name, content, message):
    (cache / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        open_vectors(cache)
