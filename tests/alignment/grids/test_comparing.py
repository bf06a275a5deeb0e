"""`compare`: what stands where, one n, the numbers of `score`, finished grids kept."""

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.runs.table import COLUMNS, GRID_COLUMNS
from crosslingual.data import Bitext, Sentence, Side, load
from tests.conftest import make_tiny
from tests.verbs import compare, score


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("other") / "other-bert", seed=1)


@pytest.fixture
def options(tmp_path):
    return {"languages": "de,sw", "store": tmp_path / "s", "out": tmp_path / "run"}


def test_layers_of_translations(tiny_bert, options):
    table = compare(tiny_bert, **options)
    assert list(table.columns) == [*COLUMNS, *GRID_COLUMNS]
    assert len(table) == 2 * 4 * 4
    assert set(zip(table["source"], table["target"], strict=True)) == {("de", "en"), ("sw", "en")}
    assert not table["key"].duplicated().any()
    same = table[table["layer"] == table["other_layer"]]
    scores = score(tiny_bert, "pocket", measures="debiased_linear_cka", **(options | {"out": None}))
    for column in ("value", "null", "z"):
        assert same[column].to_numpy() == pytest.approx(scores[column].to_numpy(), abs=1e-6)
    assert set(table["n"]) == {218} and set(table["groups"]) == {58}
    assert (table["q"] >= table["p"] - 1e-15).all()


def test_two_checkpoints_on_the_same_sentences(tiny_bert, other, options):
    table = compare(
        tiny_bert, other, layers="0,3", maps="none,standardise", map_fit="in-sample", **options
    )
    assert len(table) == 2 * 3 * 2 * 2, "two maps, three languages, two layers by two"
    assert (table["source"] == table["target"]).all()
    assert set(table["checkpoint"]) == {str(tiny_bert)} and set(table["other_checkpoint"]) == {
        str(other)
    }
    across = compare(tiny_bert, other, layers="0,3", sides="translations", **options)
    assert set(across["target"]) == {"en"} and len(across) == 2 * 2 * 2


def test_a_checkpoint_with_itself(tiny_bert, options):
    table = compare(tiny_bert, tiny_bert, **options)
    same = table[table["layer"] == table["other_layer"]]
    assert same["value"].to_numpy() == pytest.approx(np.ones(len(same)), abs=1e-9)
    within = compare(tiny_bert, sides="same", **options)
    assert within["value"].to_numpy() == pytest.approx(table["value"].to_numpy(), abs=1e-9)


def test_languages_and_all(tiny_bert, options):
    table = compare(tiny_bert, between="languages", layers="1,2", measure="mutual_knn@10", **options)
    assert len(table) == 2 * 3 * 3
    assert (table["layer"] == table["other_layer"]).all()
    whole = compare(tiny_bert, between="all", layers="1,2", measure="mutual_knn@10", **options)
    assert len(whole) == 6 * 6
    merged = table.merge(whole, on=["source", "target", "layer", "other_layer"])
    assert len(merged) == len(table)
    assert merged["value_x"].to_numpy() == pytest.approx(merged["value_y"].to_numpy())


def test_a_grid_uses_the_intersection_of_ids(tiny_bert, options):
    whole = load("pocket", languages="de,sw")
    short = whole[1]
    keep = [*range(0, 100), *range(110, 218)][::-1]
    cut = Bitext(
        short.corpus, short.split,
        *(Side(s.language, s.code, tuple(s.sentences[i] for i in keep)) for s in (short.source, short.target)),
    )  # fmt: skip
    options.pop("languages")
    table = compare(tiny_bert, corpus=[whole[0], cut], between="languages", layers="2", **options)
    assert set(table["n"]) == {208}
    aligned = compare(tiny_bert, corpus=[whole[0], short], between="languages", layers="2", **options)
    # the order of the second corpus' rows does not matter: joined by id, not by row
    difference = np.abs(table["value"].to_numpy() - aligned["value"].to_numpy())
    assert difference.max() < 0.1
    alone = Bitext(
        "pocket",
        "x",
        *(Side(c, c, tuple(Sentence(f"{c}{i}", f"{i}") for i in range(9))) for c in ("aa", "bb")),
    )
    with pytest.raises(ValueError, match="the languages share 0 sentence ids"):
        compare(tiny_bert, corpus=[alone], between="languages", **options)


def test_finished_grids_are_kept(tiny_bert, options, monkeypatch):
    from crosslingual.alignment.grids import grid_cell as module

    first = compare(tiny_bert, **options)
    original, calls = module.grid, []

    def counted(*arguments, **keywords):
        calls.append(arguments[0])
        return original(*arguments, **keywords)

    monkeypatch.setattr(module, "grid", counted)
    pd.testing.assert_frame_equal(compare(tiny_bert, **options), first)
    assert not calls
    more = compare(tiny_bert, **(options | {"languages": "de,sw,fi"}))
    assert len(calls) == 1 and len(more) == 3 * 16


def test_intervals_and_permutations(tiny_bert, options):
    table = compare(tiny_bert, layers="1,2", intervals=True, permutations=19, **options)
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()
    assert set(table["interval"]) == {"group"}
    assert (table["p_family"] >= 0.05 - 1e-12).all()


def test_bad_input(tiny_bert, other, tmp_path, options):
    for wrong, message in (
        ({"between": "layer"}, "unknown `between` 'layer': one of layers, languages, all"),
        ({"sides": "both"}, "unknown `sides` 'both'"),
        ({"sides": "same", "between": "all"}, "`sides` goes with `between` layers"),
        (
            {"measure": "accuracy"},
            "'accuracy' cannot be computed as a grid: choose one of debiased_linear_cka",
        ),
        ({"maps": "center"}, "unknown map 'center'"),
        ({"memory": 1e-6}, "take more `memory`, or `device_map` auto"),
    ):
        with pytest.raises(ValueError, match=message):
            compare(tiny_bert, **(options | wrong))
    long = make_tiny(tmp_path / "long", max_position_embeddings=64)
    with pytest.raises(ValueError, match="encoded with different max_length"):
        compare(tiny_bert, long, **options)
    wide = make_tiny(tmp_path / "wide", hidden_size=64)
    with pytest.raises(
        ValueError, match="anc has no value in any cell: ANC pairs neuron j .* 32 and 64"
    ):
        compare(tiny_bert, wide, measure="anc", **options)
    assert len(compare(tiny_bert, wide, **options)) == 3 * 16, "other widths are no matter to CKA"
