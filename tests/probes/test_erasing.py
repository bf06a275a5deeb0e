"""Erasing a concept layer by layer: what is left of it, of retrieval, and of as many random directions."""

import numpy as np
import pandas as pd
import pytest

from crosslingual.probes.erasing import erase
from tests.conftest import make_tiny


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = make_tiny(tmp_path_factory.mktemp("erase") / "tiny")
    return folder, erase(folder, languages="de,sw", store=folder.parent / "s", out=folder.parent / "run")


def test_the_language_is_gone_and_random_directions_leave_it(found):
    table = found[1].to_frame()
    assert set(table["erased"]) == {"none", "leace", "random"} and set(table["test"]) == {
        "en",
        "de",
        "sw",
    }
    means = found[1].summary()["accuracy"]
    assert (means["none"] > 0.6).all() and (means["random"] > means["leace"] + 0.2).all()
    assert (means["leace"] <= 0.45).all(), "a third of the sentences is of each language"
    assert table["majority"].round(3).unique() == [0.333]
    assert (table["rank"] == table["erased"].map({"none": 0, "leace": 2, "random": 2})).all()


def test_retrieval_is_of_the_same_items_before_and_after(found):
    table = found[1].to_frame().set_index(["layer", "test", "erased"])
    assert table.xs("en", level="test")["retrieval"].isna().all(), "it would retrieve itself"
    some = table.xs("de", level="test")
    assert some["retrieval"].between(0, 1).all()
    before = some["retrieval"].xs("none", level="erased")
    for one in ("leace", "random"):
        after = some.xs(one, level="erased")
        assert np.allclose(after["change"], after["retrieval"] - before)
        assert (after["change_low"] <= after["change"]).all()
    assert not some.xs("none", level="erased")[["change", "change_low", "change_high"]].any(axis=None)


def test_a_pivot_that_is_not_there_is_refused(found):
    options = {"languages": "de,sw", "store": found[0].parent / "s", "layers": "1"}
    with pytest.raises(ValueError, match="unknown `pivot` 'xx' here"):
        erase(found[0], pivot="xx", **options)


def test_a_second_run_reads_the_first(found, monkeypatch):
    folder, first = found
    monkeypatch.setattr("crosslingual.probes.erasing.leace", None)
    again = erase(folder, languages="de,sw", store=folder.parent / "s", out=folder.parent / "run")
    pd.testing.assert_frame_equal(again.to_frame(), first.to_frame())
    assert len(again.curves().axes) == 2 and "<table" in again._repr_html_()


def test_command(found, tmp_path, command):
    folder = found[0]
    done = command(
        "erase", folder, "--languages", "de", "--layers", "1", "--store", folder.parent / "s",
        "--out", tmp_path / "r",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "language: 1 directions erased" in done.stdout
    assert (tmp_path / "r" / "figures" / "language-erased.png").stat().st_size > 5_000
