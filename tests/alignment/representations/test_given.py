"""Vectors computed elsewhere are scored like a model's."""

import numpy as np
import pytest

from crosslingual.alignment.representations.given import GivenVectors
from crosslingual.data import load
from tests.verbs import score


@pytest.fixture
def folder(tmp_path, rng):
    (bitext,) = load("pocket", languages="de")
    shared = rng.standard_normal((2, 218, 8)).astype(np.float32)
    order = rng.permutation(218)
    for name, values, rows in (("de", shared, np.arange(218)), ("en", shared + 0.01, order)):
        np.save(tmp_path / f"{name}.npy", values[:, rows])
        (tmp_path / f"{name}.ids").write_text("".join(f"{bitext.source.ids[i]}\n" for i in rows))
    return tmp_path


def test_rows_are_found_by_id(folder):
    table = score(f"vectors:{folder}", "pocket", languages="de", measures="accuracy")
    assert (table["value"] == 1).all()
    assert sorted(set(table["layer"])) == [0, 1]
    assert set(table["n"]) == {218}


def test_what_is_wrong_is_named(folder, tmp_path_factory):
    with pytest.raises(ValueError, match="neither fr.npy nor fr.npy there"):
        score(f"vectors:{folder}", "pocket", languages="fr")
    with pytest.raises(ValueError, match="layer 5 is out of range"):
        score(f"vectors:{folder}", "pocket", languages="de", layers="5")
    values = np.load(folder / "de.npy")
    values[1, 7] = np.nan
    np.save(folder / "de.npy", values)
    with pytest.raises(
        ValueError, match=r"de.npy: layer 1 is not finite, or too large, for 1 sentences, first "
    ):
        score(f"vectors:{folder}", "pocket", languages="de")
    (folder / "de.ids").write_text("a\n")
    with pytest.raises(ValueError, match="has 218 rows but .*de.ids has 1 lines"):
        score(f"vectors:{folder}", "pocket", languages="de")
    with pytest.raises(ValueError, match="no .npy files there"):
        GivenVectors(tmp_path_factory.mktemp("empty"))
