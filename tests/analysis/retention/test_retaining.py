"""Retention: nothing between a checkpoint and itself, what was planted where it was planted."""

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.runs.folder import read_scores
from crosslingual.alignment.runs.table import MACRO
from crosslingual.analysis.options import RetentionOptions
from crosslingual.analysis.retention.comparison import NO_FLOOR
from crosslingual.analysis.retention.deltas import delta_heatmap, in_words
from crosslingual.analysis.retention.retaining import compare_runs as retention
from crosslingual.training.phases import run_recipe
from crosslingual.training.recipe import Phase, Recipe
from tests.conftest import make_tiny
from tests.verbs import score


@pytest.fixture(scope="module")
def runs(minilm, tmp_path_factory):
    """A model scored, its copy by `resave`, and another of the same shape."""
    folder = tmp_path_factory.mktemp("retention")
    base = make_tiny(folder / "base")
    (copy,) = run_recipe(
        Recipe("r", str(base), (Phase("copy", (), control="resave"),)), folder / "train"
    )
    other = make_tiny(folder / "other", seed=5)
    options = {
        "languages": "de,sw,fr",
        "measures": "accuracy,mrr,contrast,debiased_linear_cka,heldout_cca@20",
        "store": folder / "store",
    }
    for name, path in (("base", base), ("copy", copy.folder), ("other", other)):
        score(path, "pocket", out=folder / f"run-{name}", **options)
    score(base, "pocket", out=folder / "run-mean", **(options | {"pooling": "max"}))
    return folder


def test_resave_is_nothing_everywhere(runs):
    table = retention(runs / "run-copy", runs / "run-base")
    kinds = table[["measure", "direction"]].drop_duplicates()
    assert len(table) == (3 + 1) * 4 * len(kinds), "languages and their mean, layers"
    assert {"accuracy", "mrr", "dprime", "debiased_linear_cka", "heldout_cca@20"} <= {*kinds["measure"]}
    for name in ("delta", "delta_low", "delta_high"):
        assert (table[name] == 0).all()
    there = table["note"] == ""
    assert (table.loc[there, "ratio"] == 1).all()
    assert table.loc[~there, ["ratio", "ratio_low"]].isna().all(axis=None)
    assert "0 gained, 0 lost, 3 show neither" in in_words(
        table[(table["measure"] == "mrr") & (table["direction"] == "mean") & (table["layer"] == 3)]
    )


def test_delta_is_the_difference_of_what_is_above_the_nulls(runs):
    table = retention(runs / "run-other", runs / "run-base")
    expected = (table["value"] - table["null"].fillna(0)) - (
        table["base"] - table["base_null"].fillna(0)
    )
    assert table["delta"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-12)
    one = table[(table["measure"] == "mrr") & (table["direction"] == "mean") & (table["layer"] == 2)]
    macro, rest = one[one["source"] == MACRO].iloc[0], one[one["source"] != MACRO]
    assert macro["delta"] == pytest.approx(rest["delta"].mean())
    assert ((table["delta_low"] <= table["delta"]) & (table["delta"] <= table["delta_high"])).all()


def test_the_best_layer_is_chosen_on_other_sentences(runs):
    table = retention(runs / "run-other", runs / "run-base", dev=(runs / "run-other", runs / "run-base"))
    best = table[
        (table["chosen"] == "best") & (table["measure"] == "mrr") & (table["direction"] == "mean")
    ]
    equal = table[
        (table["chosen"] == "equal") & (table["measure"] == "mrr") & (table["direction"] == "mean")
    ]
    macro, rest = best[best["source"] == MACRO].iloc[0], best[best["source"] != MACRO]
    assert macro["delta"] == pytest.approx(rest["delta"].mean())
    assert macro["delta_low"] < macro["delta"] < macro["delta_high"] and pd.isna(macro["layer"])
    assert macro["delta_high"] - macro["delta_low"] < (rest["delta_high"] - rest["delta_low"]).max()
    for row in rest.to_dict("records"):
        there = equal[equal["source"] == row["source"]]
        assert row["layer"] == there.loc[there["value"].idxmax(), "layer"]
        assert row["base_layer"] == there.loc[there["base"].idxmax(), "layer"]
        assert row["delta_low"] <= row["delta"] <= row["delta_high"]
        assert np.isnan(row["ratio_low"])


def test_verdicts_need_a_margin_and_other_sentences(runs):
    dev = {name: (runs / f"run-{name}", runs / "run-base") for name in ("copy", "other")}
    plain = retention(runs / "run-copy", runs / "run-base", dev=dev["copy"])
    assert (plain["verdict"] == "").all() and plain["margin"].isna().all()
    for name, allowed in (
        ("copy", {"retained"}),
        ("other", {"lost", "moved", "gained", "inconclusive"}),
    ):
        table = retention(runs / f"run-{name}", runs / "run-base", dev=dev[name], margin=0.001)
        best = table[table["chosen"] == "best"]
        assert (table.loc[table["chosen"] == "equal", "verdict"] == "").all()
        kinds = set(best["measure"])
        assert {"accuracy", "mrr", "debiased_linear_cka", "heldout_cca@20"} <= kinds
        assessed = set(best["verdict"]) - {"not assessable"}
        assert assessed and assessed <= allowed
        assert best[["area", "area_low", "area_high"]].notna().all(axis=None)
    with pytest.raises(ValueError, match="`margin` needs `dev` and `base_dev`"):
        RetentionOptions(base=runs / "run-base", margin=0.05)


def test_below_the_floor_there_is_no_ratio(runs):
    table = retention(runs / "run-other", runs / "run-base")
    below = table[(table["base"] <= table["surface"]) & (table["measure"] == "accuracy")]
    assert len(below) and (below["note"] == NO_FLOOR).all() and below["ratio"].isna().all()


def test_measures_that_are_no_means_have_paired_intervals(runs):
    """Narrower than of two independent runs; of what is lower where it is better there is no share."""
    table = retention(runs / "run-other", runs / "run-base").set_index(["source", "measure", "layer"])
    one = table.loc[("de", "debiased_linear_cka", 2)]
    alone = [
        read_scores(runs / f"run-{name}").query(
            "source == 'de' and measure == 'debiased_linear_cka' and layer == 2"
        ).iloc[0]
        for name in ("other", "base")
    ]  # fmt: skip
    assert one["delta_low"] < one["delta"] < one["delta_high"]
    apart = np.hypot(*(side["high"] - side["low"] for side in alone))
    assert one["delta_high"] - one["delta_low"] < apart
    assert 30 < one["groups"] < one["n"], "documents"
    assert (table.xs("heldout_cca@20", level="measure")["groups"] == 30).all(), "random halves"


def test_several_runs_at_once(runs, command):
    both = [runs / "run-other", runs / "run-copy"]
    done = command("retention", *both, "--base", runs / "run-base", "--measure", "debiased_linear_cka")
    assert done.returncode == 0, done.stderr
    assert all(f"{run}:" in done.stdout for run in both)
    assert all((run / "retention" / "delta-debiased_linear_cka-both.png").is_file() for run in both)


def test_unlike_runs_are_refused(runs, tmp_path):
    with pytest.raises(
        ValueError, match=r"run-mean does not have .* mean .*; score both with the same settings"
    ):
        retention(runs / "run-mean", runs / "run-base")
    with pytest.raises(OSError, match="no cells with sentences' outcomes there"):
        retention(tmp_path, runs / "run-base")


def test_figure_and_command(runs, command, tmp_path):
    done = command(
        "retention",
        runs / "run-other",
        "--base",
        runs / "run-base",
        "--measure",
        "mrr",
        "--out",
        tmp_path / "r",
    )
    assert done.returncode == 0, done.stderr
    assert "of 3 language pairs," in done.stdout and "macro" in done.stdout
    assert (tmp_path / "r" / "retention.parquet").is_file()
    assert (tmp_path / "r" / "delta-mrr-mean.png").stat().st_size > 10_000
    wrong = command("retention", runs / "run-other", "--base", runs / "run-base", "--measure", "mr")
    assert wrong.returncode == 1 and "no --measure mr there: did you mean mrr?" in wrong.stderr
    table = retention(runs / "run-other", runs / "run-base")
    figure = delta_heatmap(table[(table["measure"] == "mrr") & (table["direction"] == "mean")])
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["de-en", "fr-en", "sw-en", "macro"]
