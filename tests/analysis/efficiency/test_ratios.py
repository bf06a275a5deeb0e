"""Ratios of times: coverage, power, and what may be said, on simulated times."""

import numpy as np
import pandas as pd
import pytest

from crosslingual.analysis.efficiency.ratios import (
    FASTER,
    INCONCLUSIVE,
    SAME,
    SLOWER,
    Ratio,
    block_medians,
    nested_interval,
    verdict,
)
from crosslingual.analysis.efficiency.replicates import _orders

LOADS, BLOCKS, ROUNDS = 5, 4, 30


def simulated(rng, ratio=1.0, noise=0.08, drift=0.3, placing=0.002):
    """Samples of two subjects: common drift, heavy tails, a random effect of every load."""
    load, block, number, which = np.indices((LOADS, BLOCKS, ROUNDS, 2)).reshape(4, -1)
    own = rng.normal(0, placing, (LOADS, 2)) + np.log([1, ratio])
    common = rng.normal(0, drift, (LOADS, BLOCKS))
    log = common[load, block] + number % 3 + own[load, which] + noise * rng.standard_t(3, len(load))
    return pd.DataFrame(
        {
            "load": load,
            "block": block,
            "round": number,
            "subject": np.array(["a", "b"])[which],
            "wall": np.exp(log),
        }
    )


def found(samples, seed=0):
    return nested_interval(block_medians(samples, "a", "b", "wall"), seed)


def test_medians_are_those_of_each_block(rng):
    samples = simulated(rng)
    medians = block_medians(samples, "a", "b", "wall")
    assert medians.shape == (LOADS, BLOCKS)
    part = samples[(samples["load"] == 3) & (samples["block"] == 2)]
    times = {name: own.sort_values("round")["wall"].to_numpy() for name, own in part.groupby("subject")}
    assert medians[3, 2] == pytest.approx(np.median(np.log(times["b"] / times["a"])))
    assert found(samples).ratio == pytest.approx(np.exp(medians.mean()))


def test_what_drifts_meets_both(rng):
    """Common drift of any size changes nothing."""
    samples = simulated(rng)
    drifting = samples.assign(wall=samples["wall"] * np.exp(samples["load"] + 2.0 * samples["round"]))
    assert found(drifting) == pytest.approx(found(samples))


def test_intervals_cover(rng):
    """The 95 % interval holds the truth in 93 % and more, of equals and of unequals."""
    for ratio, replicates in ((1.0, 200), (1.03, 100)):
        intervals = [found(simulated(rng, ratio)) for _ in range(replicates)]
        assert np.mean([one.low <= ratio <= one.high for one in intervals]) >= 0.93


def test_three_percent_are_found_and_the_smallest_difference_is_true(rng):
    """A slowdown is slower, its inverse faster; what is found with power .8 is found so often."""
    verdicts = [verdict(found(simulated(rng, 1.03, noise=0.05)), 0.02) for _ in range(60)]
    assert verdicts.count(SLOWER) >= 54 and FASTER not in verdicts
    verdicts = [verdict(found(simulated(rng, 1 / 1.03, noise=0.05)), 0.02) for _ in range(60)]
    assert verdicts.count(FASTER) >= 54 and SLOWER not in verdicts
    size = np.mean([found(simulated(rng)).detectable for _ in range(60)])
    clear = [found(simulated(rng, 1 + size)).low > 1 for _ in range(120)]
    assert 0.6 <= np.mean(clear) <= 0.95


def test_noise_is_inconclusive(rng):
    verdicts = [verdict(found(simulated(rng, placing=0.05)), 0.02) for _ in range(60)]
    assert verdicts.count(SAME) <= 3


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.99, 1.01, 0.992, 1.009), SAME),
        ((1.001, 1.02, 1.002, 1.019), SAME),  # sure, and smaller than the margin
        ((1.01, 1.05, 1.015, 1.045), SLOWER),
        ((0.95, 0.98, 0.955, 0.975), FASTER),
        ((0.97, 1.05, 0.98, 1.04), INCONCLUSIVE),
    ],
)
def test_verdicts(ends, expected):
    assert verdict(Ratio(1.0, *ends, 0.01), 0.02) == expected


def test_blocks_without_a_unit_are_left_out(rng):
    """A language that some blocks did not meet."""
    medians = rng.normal(0, 0.01, (LOADS, BLOCKS))
    medians[0, 1:] = np.nan
    medians[4] = np.nan
    one = nested_interval(medians, 0)
    kept = [row[~np.isnan(row)].mean() for row in medians[:4]]
    assert one.ratio == pytest.approx(np.exp(np.mean(kept)))
    assert one.low < one.ratio < one.high
    whole = nested_interval(np.full((LOADS, BLOCKS), 0.03), 0)
    assert whole.low == whole.high == pytest.approx(np.exp(0.03)) and whole.detectable == 0


@pytest.mark.parametrize("subjects", [2, 3, 5])
def test_each_is_as_often_at_every_place(rng, subjects):
    orders = np.array(list(_orders(subjects, 3 * subjects, rng)))
    assert orders.shape == (3 * subjects, subjects)
    for place in range(subjects):
        assert np.bincount(orders[:, place]).tolist() == [3] * subjects
    assert len(list(_orders(subjects, subjects + 1, rng))) == subjects + 1
