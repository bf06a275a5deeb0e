"""Probes from texts to the table: planted vectors, what is held out, floors, resuming, real data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.probes import layer
from crosslingual.probes.control import make_controls
from crosslingual.probes.layer import probe_layer
from crosslingual.probes.material import ALL, DEV, TEST, TRAIN, load_material
from crosslingual.probes.probing import probe
from crosslingual.probes.resampling import intervals, p_value
from crosslingual.probes.rows import _outcomes, _p
from tests.conftest import make_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("probe") / "tiny")


@pytest.fixture
def table(tmp_path):
    """Sixty items in two languages, each with a class that its words tell in English only."""
    rows = ["language\tgroup\ttext\tlabel"]
    for i in range(60):
        label = ("sun", "rain")[i % 2]
        rows.append(f"en\titem {i}\tthe {label} of day {i}\t{label}")
        rows.append(f"sw\titem {i}\tsiku {i * 7}\t{label}")
    path = tmp_path / "table.tsv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_items_stay_together_over_all_languages(table):
    for seed in (0, 1):
        material = load_material("weather", table=table, seed=seed)
        sides = {
            part: [set(material.parts[language, part].groups) for language in ("en", "sw")]
            for part in (TRAIN, DEV, TEST)
        }
        assert all(one == other for one, other in sides.values())
        assert not sides[TRAIN][0] & sides[TEST][0] and not sides[TRAIN][0] & sides[DEV][0]
        assert len(set().union(*(one for one, _ in sides.values()))) == 60
    other = load_material("weather", table=table, seed=2)
    assert other.parts["en", TEST].groups != material.parts["en", TEST].groups


def test_what_is_planted_at_a_layer_in_some_languages_is_found_there(table, rng):
    """A probe learnt in English reads it in Swahili where it is the same direction."""
    material = load_material("weather", table=table)
    for planted in ("en", "en sw"):
        vectors = {}
        for (language, part), labelled in material.parts.items():
            x = rng.standard_normal((len(labelled), 8))
            if language in planted:
                x[:, 3] = 6 * labelled.labels - 3
            vectors[language, part] = x
        found = probe_layer(material, vectors, ["en"], controls=make_controls(material, ["en"]))
        assert found["en"].right.mean() > 0.95 and found["en"].converged
        assert (found["sw"].right.mean() > 0.95) == (planted == "en sw")
        assert found["en"].controls.shape == (20,) and abs(found["en"].controls.mean() - 0.5) < 0.2


def test_answers_do_not_depend_on_the_number_of_threads(tiny, table, tmp_path):
    given = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(probe(tiny, "weather", table=table, store=tmp_path / "s"))
    finally:
        torch.set_num_threads(given)
    pd.testing.assert_frame_equal(found[0].items, found[1].items)
    pd.testing.assert_frame_equal(found[0].table, found[1].table, rtol=1e-2)  # the gap it is solved to


def test_the_table(tiny, table, tmp_path):
    done = probe(tiny, "weather", table=table, store=tmp_path / "s", out=tmp_path / "run")
    frame = done.to_frame()
    assert set(frame["layer"]) == {0, 1, 2, 3} and list(frame["test"][:2]) == ["en", "sw"]
    assert frame["converged"].all() and (frame["n_train"] > 20).all()
    inside = frame[["accuracy_low", "accuracy", "accuracy_high"]].to_numpy()
    assert (np.diff(inside, axis=1) >= 0).all()
    english = frame[frame["test"] == "en"]
    assert (english["surface"] == 1).all(), "n-grams tell the word"
    assert (english["accuracy"] == english["ceiling"]).all() and (english["gap"] == 0).all()
    assert english["accuracy"].max() > 0.9
    swahili = frame[frame["test"] == "sw"]
    assert (swahili["gap"] == swahili["ceiling"] - swahili["accuracy"]).all()
    assert done.transfer_matrix(2).loc["en", "sw"] == swahili.set_index("layer")["accuracy"][2]
    assert "weather" in done._repr_html_() and "<table" in done._repr_html_()
    again = probe(tiny, "weather", table=table, store=tmp_path / "s", out=tmp_path / "run")
    pd.testing.assert_frame_equal(again.to_frame(), frame)
    same = done.difference(again)
    assert not same[["difference", "low", "high"]].any(axis=None) and (same["p"] == 1).all()
    layers = done.difference(done, layer=3, other_layer=0)
    means = frame.set_index(["test", "layer"])["accuracy"]
    assert layers["other_layer"].eq(0).all() and len(layers) == 2
    for row in layers.to_dict("records"):
        assert row["difference"] == pytest.approx(means[row["test"], 3] - means[row["test"], 0])
    with pytest.raises(ValueError, match="no task, languages and layer in common"):
        done.difference(done, layer=3, other_layer=9)


def test_finished_layers_are_kept(tiny, table, tmp_path, monkeypatch):
    from crosslingual.probes import rows

    def stop(stage, done, of):
        if (stage, done) == ("probing", 2):
            raise KeyboardInterrupt

    options = {"table": table, "store": tmp_path / "s", "out": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        probe(tiny, "weather", progress=stop, **options)
    fitted, real = [], rows.probe_layer
    monkeypatch.setattr(rows, "probe_layer", lambda *a, **o: fitted.append(1) or real(*a, **o))
    whole = probe(tiny, "weather", **options)
    assert len(fitted) == 2 * 2, "two layers, in two languages each"
    fresh = probe(tiny, "weather", **(options | {"out": None}))
    pd.testing.assert_frame_equal(whole.to_frame(), fresh.to_frame())


def test_languages_are_told_apart_by_all_of_them_together(tiny, tmp_path):
    done = probe(tiny, "language", languages="de,sw", store=tmp_path / "s", layers="0", limit=60)
    frame = done.to_frame()
    assert set(frame["train"]) == {ALL} and set(frame["test"]) == {"en", "de", "sw"}
    assert frame["ceiling"].isna().all() and (frame["accuracy"] > 0.6).all()
    assert frame["n_train"].iloc[0] == 180


def test_untrained_copies_are_a_floor(tiny, tmp_path):
    options = {"languages": "de", "store": tmp_path / "s", "layers": "2", "limit": 60}
    with_copies = probe(tiny, "length", random_init=True, **options).to_frame()
    assert with_copies["random"].between(0, 1).all()
    plain = probe(tiny, "length", **options).to_frame()
    pd.testing.assert_frame_equal(with_copies.drop(columns="random"), plain)


def test_texts_that_are_cut_are_told_of(tiny, table, tmp_path, caplog):
    table.write_text(table.read_text().replace("the sun of day 2\t", "the sun" + 90 * " of day" + "\t"))
    short = open_checkpoint(tiny, max_length=60)
    probe(short, "weather", table=table, store=tmp_path / "s", layers="0")
    assert "1 texts are longer than the 60 tokens that the model is fed, and cut" in caplog.text


def test_a_run_knows_what_the_model_is_fed(tiny, table, tmp_path):
    """Another length in the same folder is another result, not the first one again."""
    options = {"table": table, "store": tmp_path / "s", "layers": "2"}
    whole = probe(tiny, "weather", out=tmp_path / "run", **options).to_frame()
    short = open_checkpoint(tiny, max_length=3)
    again = probe(short, "weather", out=tmp_path / "run", **options).to_frame()
    fresh = probe(short, "weather", **options).to_frame()
    pd.testing.assert_frame_equal(again, fresh)
    assert set(again["max_length"]) == {3} and not np.allclose(again["accuracy"], whole["accuracy"])


def test_the_written_table_is_the_result(tiny, table, tmp_path):
    found = probe(tiny, "weather", table=table, store=tmp_path / "s", layers="1", out=tmp_path / "run")
    written = pd.read_parquet(tmp_path / "run" / "probes.parquet")
    assert {"p", "q", "p_holm"} <= set(written)
    pd.testing.assert_frame_equal(written, found.to_frame())
    some = probe(tiny, "weather", table=table, languages="en", store=tmp_path / "s", layers="1")
    assert set(some.to_frame()["test"]) == {"en"}


def test_a_language_that_cannot_be_learnt_in_has_no_ceiling(tiny, table, tmp_path, caplog):
    rows = table.read_text().splitlines()
    table.write_text(
        "\n".join(row.replace("\train", "\tsun") if row[:2] == "sw" else row for row in rows)
    )
    frame = probe(tiny, "weather", table=table, store=tmp_path / "s", layers="1").to_frame()
    ceilings = frame.set_index("test")["ceiling"]
    assert np.isnan(ceilings["sw"]) and np.isfinite(ceilings["en"])
    assert "examples in sw are all 'sun': nothing to tell apart; no in-language probe" in caplog.text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((0.2, 0.1, 0.3), 0.0001),
        ((0.2, 0.2, 0.2), 0.3),
        ((-0.2, -0.2, -0.2), 1.0),
        ((0.0, 0.0, 0.0), 1.0),
    ],
)
def test_an_interval_without_width_tells_nothing_of_the_error(value, expected):
    assert p_value(*value, 50, 0.3) == pytest.approx(expected, rel=0.05)
    assert np.isnan(p_value(0.1, np.nan, np.nan, 50, 0.3))


@pytest.mark.parametrize("count", [6, 200])
def test_p_rejects_as_often_as_it_says(rng, count):
    """A probe and n-grams right in 70 % of tests, each for itself; groups of four that hang together."""
    rejected = 0
    for seed in range(400):
        right, beside = (
            rng.binomial(1, np.repeat(np.clip(rng.normal(0.7, 0.1, count), 0, 1), 4)).astype(float)
            for _ in range(2)
        )
        tested = layer.Tested(right, right * np.nan, np.empty(0), 1.0, 0.0, True, 1)
        outcomes = _outcomes(tested, None, beside, "")
        groups = np.repeat(np.arange(count), 4)
        ends = intervals({"x": outcomes}, {"x": groups}, seed)["x"]
        rejected += _p(outcomes, ends, 0.25, count) < 0.05
    assert 0.015 * 400 <= rejected <= 0.085 * 400


def test_what_few_groups_tell():
    """Four groups that are all right: the p-value is no less than their chance."""
    right = np.ones(8)
    tested = layer.Tested(right, right * np.nan, np.empty(0), 1.0, 0.0, True, 1)
    outcomes = _outcomes(tested, None, np.zeros(8), "")
    ends = intervals({"x": outcomes}, {"x": np.repeat(np.arange(4), 2)}, 0)["x"]
    assert _p(outcomes, ends, 0.25, 4) == 0.5**4


def test_depth_is_that_of_the_model_whatever_layers_are_asked_for(tiny, tmp_path):
    options = {"languages": "de", "store": tmp_path / "s", "controls": 0, "out": tmp_path / "run"}
    for layers, expected in (("1", [1 / 3]), ("0-3", [0, 1 / 3, 2 / 3, 1])):
        table = probe(tiny, "length", layers=layers, **options).to_frame()
        assert sorted(set(table["depth"])) == pytest.approx(expected)


def test_nothing_to_learn_from_is_said_before_anything_is_encoded(tiny, table, tmp_path):
    lines = table.read_text().splitlines()
    material = load_material("weather", table=table)
    parts = {key: part for key, part in material.parts.items() if key != ("en", DEV)}
    cases = [
        (replace(material, parts=parts), "weather: no dev examples in en"),
        ([line.replace("\train", "\tsun") for line in lines], "examples in en are all 'sun': nothing"),
    ]
    for given, message in cases:
        if isinstance(given, list):
            table.write_text("\n".join(given) + "\n")
            given = load_material("weather", table=table)
        with pytest.raises(ValueError, match=message):
            probe(tiny, given, store=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_texts_that_stand_in_training_too_are_told_of(table, caplog):
    lines = table.read_text().splitlines()
    table.write_text(
        "\n".join([lines[0], *(line.replace("siku 7\t", "siku 0\t") for line in lines[1:])])
    )
    load_material("weather", table=table)
    told = [line for line in caplog.messages if "test texts stand in training" in line]
    assert len(told) <= 1
    table.write_text(
        "\n".join([lines[0], *(f"en\titem {i}\tthe same\t{('sun', 'rain')[i % 2]}" for i in range(60))])
    )
    tests = len(load_material("weather", table=table).parts["en", TEST])
    assert f"weather (en): {tests} of {tests} test texts stand in training, too" in caplog.text


def test_several_languages_to_learn_from(tiny, tmp_path):
    done = probe(
        tiny, "length", train="en,de", languages="de,sw", store=tmp_path / "s", layers="last", limit=50
    )
    matrix = done.transfer_matrix()
    assert matrix.index.tolist() == ["en", "de"] and set(matrix.columns) == {"en", "de", "sw"}
    with pytest.raises(ValueError, match="trained on en, de: name one"):
        done.heatmap()
    assert done.heatmap("de").axes


def test_maps_are_fitted_on_training_items(tiny, tmp_path):
    plain, centred = (
        probe(
            tiny, "length", languages="de", store=tmp_path / "s", layers="1", map=name, controls=0
        ).to_frame()
        for name in ("none", "centre")
    )
    assert set(centred["map"]) == {"centre"}
    # a shift of the language trained on is taken away by standardising anyway
    assert centred.loc[0, "accuracy"] == pytest.approx(plain.loc[0, "accuracy"], abs=0.02)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("en\titem 1\tx", r"table.tsv:122: 3 cells where the header has 4"),
        ("en\titem 1\t \tsun", r"table.tsv:122: empty 'text'"),
    ],
)
def test_lines_that_are_no_examples(table, line, message):
    table.write_text(table.read_text() + line + "\n")
    with pytest.raises(ValueError, match=message):
        load_material("weather", table=table)


def test_what_cannot_be_probed(tiny, table, tmp_path):
    with pytest.raises(ValueError, match="unknown probing task 'topik': did you mean topic"):
        load_material("topik")
    with pytest.raises(ValueError, match="weather has no training examples in 'de'"):
        probe(tiny, "weather", table=table, train="de", store=tmp_path / "s")
    with pytest.raises(ValueError, match="weather has no test in fr: en, sw"):
        probe(tiny, "weather", table=table, test=["fr"], store=tmp_path / "s")
    text = table.read_text()
    table.write_text(text.replace("language\tgroup", "tongue\tgroup"))
    with pytest.raises(ValueError, match="no column 'language': did you mean tongue"):
        load_material("weather", table=table)
    table.write_text(text)
    tested = load_material("weather", table=table).parts["sw", TEST].groups
    changed = [
        row.replace("\train\n", "\tsnow\n") if row.split("\t")[1] in tested else row
        for row in text.splitlines(keepends=True)
    ]
    table.write_text("".join(changed))
    with pytest.raises(
        ValueError, match="of the test is of classes that its training does not have \\(snow\\)"
    ):
        load_material("weather", table=table)


def test_real_files(real_data):
    topic = load_material("topic", data_dir=real_data)
    assert len(topic.languages) == 10 and len(topic.classes) == 7
    assert [len(topic.parts["sw", part]) for part in (TRAIN, DEV, TEST)] == [701, 99, 204]
    assert set(topic.parts["de", TEST].groups) == set(topic.parts["sw", TEST].groups)
    nli = load_material("nli", data_dir=real_data, languages="en,sw")
    assert nli.parts["sw", TEST].groups == nli.parts["en", TEST].groups
    assert nli.parts["sw", TEST].second is not None


def test_command(tiny, table, tmp_path, command):
    done = command(
        "probe", tiny, "--task", "weather", "--table", table, "--out", tmp_path / "r",
        "--store", tmp_path / "s",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "weather, learnt in en, layer" in done.stdout and "majority" in done.stdout
    assert (tmp_path / "r" / "figures" / "weather-en.png").stat().st_size > 5_000
    assert (tmp_path / "r" / "probes.parquet").is_file()
