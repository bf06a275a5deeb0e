"""Trends over scale: what is planted is said, on which axis and in which measurement."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from crosslingual.analysis.study.findings import WHAT
from crosslingual.analysis.study.scaling import scaling_table, slope, statement

TOTAL = {"a": 4e6, "b": 9e6, "c": 20e6, "d": 41e6}
BODY = {"a": 0.5e6, "b": 2e6, "c": 7e6, "d": 20e6}


def runs(value, base, *, seeds=3, total=TOTAL, body=BODY, rng=None, measure="accuracy"):
    """A retention table: of each scale and seed the mean over languages, with a score and its base's."""
    rng = rng or np.random.default_rng(0)
    rows = []
    for scale in total:
        for seed in range(seeds):
            row = dict.fromkeys(WHAT, "x") | {"control": False, "scale": scale, "source": "macro"}
            row |= {"target": "macro", "measure": measure, "train_seed": seed, "chosen": "best"}
            row |= {"parameters": total[scale], "parameters_body": body[scale], "base": base(scale)}
            row["value"] = value(scale) + 0.002 * rng.standard_normal()
            rows.append(row | {"delta": row["value"] - row["base"], "delta_error": 0.002})
    return pd.DataFrame(rows)


def said(table):
    found = scaling_table(table)["statement"].unique()
    assert len(found) == 1
    return found[0]


def log(sizes, scale):
    return np.log(sizes[scale])


def test_a_trend_on_both_axes_and_both_scales_of_measurement():
    more = runs(lambda scale: 0.4 + 0.03 * log(BODY, scale) - 0.5, lambda scale: 0.4)
    assert said(more) == "more is kept at larger scale"
    less = runs(lambda scale: 0.4 - 0.03 * log(BODY, scale) + 0.4, lambda scale: 0.4)
    assert said(less) == "less is kept at larger scale"


def test_no_trend():
    assert said(runs(lambda scale: 0.35, lambda scale: 0.4)) == "no trend found"


def test_a_slope_on_all_parameters_alone_depends_on_the_axis():
    """Scales that differ in vocabulary: the largest matrix is on a middling body."""
    body = {"a": 7e6, "b": 0.5e6, "c": 20e6, "d": 2e6}
    table = runs(lambda scale: 0.03 * log(TOTAL, scale) - 0.2, lambda scale: 0.4, body=body)
    assert said(table) == "depends on the axis"


def test_equal_losses_near_the_ceiling_depend_on_the_scale_of_measurement():
    """From .95 to .90 and from .30 to .25 is the same Δ, and not the same in log-odds."""
    base = {"a": 0.3, "b": 0.5, "c": 0.8, "d": 0.95}
    table = runs(lambda scale: base[scale] - 0.05, base.get)
    assert said(table) == "depends on the scale of measurement"


@pytest.mark.parametrize(("scales", "seeds"), [("ab", 3), ("abcd", 2), ("abc", 1)])
def test_below_three_scales_and_three_seeds_nothing_is_said(scales, seeds):
    total = {scale: TOTAL[scale] for scale in scales}
    table = runs(lambda scale: 0.03 * log(BODY, scale), lambda scale: 0.4, seeds=seeds, total=total)
    found = scaling_table(table)
    assert len(found) == 1 and "slope" not in found
    assert (
        found["statement"]
        .iloc[0]
        .startswith(f"nothing about scale: {len(scales)} scales with {seeds} seeds")
    )


def test_a_measure_that_is_no_share_has_no_log_odds():
    table = scaling_table(
        runs(lambda scale: 0.03 * log(BODY, scale), lambda scale: 0.4, measure="debiased_linear_cka")
    )
    assert set(table["outcome"]) == {"delta"} and len(table) == 2


def test_without_error_of_sentences_it_is_the_regression_line(rng):
    x, y = rng.standard_normal(12), rng.standard_normal(12)
    found = slope(x, y, np.zeros(12))
    expected = scipy.stats.linregress(x, y)
    assert float(found.value) == pytest.approx(expected.slope)
    assert float(found.error) == pytest.approx(expected.stderr)
    half = scipy.stats.t.ppf(0.975, 10) * expected.stderr
    assert found.interval().high == pytest.approx(expected.slope + half)


def test_slopes_cover_the_truth(rng):
    """Seeds differ, and all trainings of a scale share their sentences."""
    covered, x = 0, np.repeat(np.log([4.0, 9.0, 20.0]), 3)
    for _ in range(500):
        shared = np.repeat(0.02 * rng.standard_normal(3), 3)
        y = 0.1 * x + shared + 0.01 * rng.standard_normal(9)
        span = slope(x, y, np.full(9, 0.02)).interval()
        covered += span.low <= 0.1 <= span.high
    assert covered / 500 >= 0.93


def test_slopes_of_both_signs_are_no_statement():
    rows = [
        {"axis": axis, "outcome": outcome, "low": low, "high": low + 0.1}
        for axis in ("parameters", "parameters_body")
        for outcome, low in (("delta", 0.1), ("log_odds", -0.3))
    ]
    assert statement(rows, 3, 3) == "depends on the scale of measurement"
