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


def test_ids_are_those_of_a_corpus(folder, tmp_path_factory, rng):
    """Rows of one corpus are never served for another, though all number their sentences from 1."""
    from crosslingual.data import Bitext, Sentence, Side
    from crosslingual.data.bitext import join

    def bitext(corpus: str) -> Bitext:
        sentences = tuple(Sentence(str(i), f"{corpus} {i}") for i in range(30))
        return join(corpus, "dev", *(Side(code, code, sentences) for code in ("de", "en")))

    place = tmp_path_factory.mktemp("vectors")

    def put(folder, noise):
        folder.mkdir(parents=True, exist_ok=True)
        for code in ("de", "en"):
            np.save(folder / f"{code}.npy", rng.standard_normal((30, 6)) + noise)
            (folder / f"{code}.ids").write_text("".join(f"{i}\n" for i in range(30)))

    one, two = bitext("one"), bitext("two")
    put(place, 0)
    given = GivenVectors(place)
    before = given.fingerprint
    given.refuse_mixed([one.source, one.target])
    with pytest.raises(ValueError, match="ids of one/dev and of two/dev are different sentences"):
        given.refuse_mixed([one.source, two.source])
    put(place / "two" / "dev", 100)
    again = GivenVectors(place)
    again.refuse_mixed([one.source, two.source])
    assert again.read(one.source, [0]).mean() < 1 < 99 < again.read(two.source, [0]).mean()
    assert again.fingerprint != before


def test_a_held_out_map_on_noise_finds_nothing(tmp_path, rng, monkeypatch):
    """A map is fitted on vectors of its own; without them it is refused."""
    from crosslingual.data import Sentence, Side
    from crosslingual.data.bitext import join

    def bitext(corpus):
        sides = [
            Side(code, code, tuple(Sentence(str(i), f"{corpus} {code} {i}") for i in range(200)))
            for code in ("de", "en")
        ]
        return join(corpus, "dev", *sides)

    def put(folder):
        folder.mkdir(parents=True)
        for code in ("de", "en"):
            np.save(folder / f"{code}.npy", rng.standard_normal((200, 16)).astype(np.float32))
            (folder / f"{code}.ids").write_text("".join(f"{i}\n" for i in range(200)))

    put(tmp_path / "v")
    monkeypatch.setattr("crosslingual.alignment.maps.fitting.load", lambda *a, **k: [bitext("fitted")])
    options = {"maps": "procrustes", "map_fit": "flores/dev", "measures": "accuracy"}
    with pytest.raises(ValueError, match="are different sentences; put the vectors of"):
        score(f"vectors:{tmp_path / 'v'}", [bitext("scored")], **options)
    put(tmp_path / "v" / "fitted" / "dev")
    table = score(f"vectors:{tmp_path / 'v'}", [bitext("scored")], **options)
    mapped = table[table["map"] == "procrustes"]
    assert (mapped["value"] < 0.05).all()
