"""The schedule: shares as published, one task a step, rows as epochs go, nothing but seed and step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosslingual.training.mixture import CAP, TaskSchedule, proportions

NINE = {"anli+": 1_104_934, "mnli": 392_702, "qqp": 363_846, "squad2": 130_319, "squad": 87_599,
        "hellaswag": 39_905, "ccg": 38_015, "cosmosqa": 25_588, "csqa": 9_741}  # fmt: skip


def test_shares_of_the_published_mixture():
    """p_m = min(e_m, K) / Σ min(e_i, K), K = 2^17 (Phang et al. 2020)."""
    shares = dict(zip(NINE, proportions(NINE, "capped"), strict=True))
    assert CAP == 131_072
    assert shares["anli+"] == shares["mnli"] == shares["qqp"] == pytest.approx(131_072 / 724_383)
    assert shares["csqa"] == pytest.approx(9_741 / 724_383)


def test_samplers():
    sizes = {"a": 100, "b": 300, "c": 10_000}
    assert proportions(sizes, "proportional").tolist() == pytest.approx(
        [100 / 10_400, 300 / 10_400, 10_000 / 10_400]
    )
    assert proportions(sizes, "capped", cap=300).tolist() == pytest.approx([1 / 7, 3 / 7, 3 / 7])
    assert proportions(sizes, "uniform").tolist() == pytest.approx([1 / 3] * 3)
    roots = np.sqrt([100, 300, 300])
    assert proportions(sizes, "temperature", cap=300, temperature=2.0) == pytest.approx(
        roots / roots.sum()
    )
    assert proportions(sizes, "temperature") == pytest.approx(proportions(sizes, "capped"))


def test_wrong_samplers():
    with pytest.raises(ValueError, match="unknown sampler 'proportionl': did you mean proportional"):
        proportions({"a": 1}, "proportionl")
    with pytest.raises(ValueError, match="b has no training examples"):
        proportions({"a": 1, "b": 0}, "capped")


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=4),
    st.integers(1, 7),
    st.integers(1, 3),
    st.integers(0, 9),
)
def test_every_row_once_an_epoch(sizes, batch, micro, seed):
    lengths = [np.random.default_rng(seed).integers(1, 9, size) for size in sizes]
    schedule = TaskSchedule(
        lengths, [1 / len(sizes)] * len(sizes), steps=40, batch=batch, micro_batches=micro, seed=seed
    )
    batches = list(schedule)
    assert len(batches) == len(schedule) == 40 * micro
    seen = {task: [] for task in range(len(sizes))}
    for step in range(40):
        of_step = batches[step * micro : (step + 1) * micro]
        assert {task for some in of_step for task, _, _ in some} == {int(schedule.tasks[step])}, (
            "one task a step"
        )
        for some in of_step:
            assert len(some) == batch
            for task, row, _ in some:
                seen[task].append(row)
    for task, rows in seen.items():
        size = sizes[task]
        for start in range(0, len(rows) - size + 1, size):
            assert sorted(rows[start : start + size]) == list(range(size))
    draws = [draw for some in batches for _, _, draw in some]
    assert draws == list(range(len(draws)))


def test_a_step_needs_no_step_before_it():
    def make():
        return TaskSchedule([range(50), [3] * 7], [0.5, 0.5], steps=30, batch=4, micro_batches=2, seed=3)

    whole = [make().rows(step) for step in range(30)]
    for step in (29, 0, 17):
        assert (make().rows(step) == whole[step]).all()


def test_shares_are_kept_and_seeds_differ():
    tasks = TaskSchedule([[1], [1], [1]], [0.7, 0.2, 0.1], steps=20_000, batch=1, seed=5).tasks
    counts = np.bincount(tasks) / 20_000
    assert counts == pytest.approx([0.7, 0.2, 0.1], abs=4 * np.sqrt(0.25 / 20_000))
    assert (
        tasks != TaskSchedule([[1], [1], [1]], [0.7, 0.2, 0.1], steps=20_000, batch=1, seed=6).tasks
    ).any()


def test_a_batch_is_of_like_length(rng):
    """Less than a tenth of padding where batches as drawn have nearly a half; the order is no order of length."""
    lengths = np.clip(rng.lognormal(3.5, 0.6, size=3_001).astype(int), 4, 256)
    schedule = TaskSchedule([lengths], [1.0], steps=600, batch=16, seed=1)
    batches = [lengths[schedule.rows(step)[0]] for step in range(600)]
    padded = sum(len(batch) * batch.max() for batch in batches)
    assert sum(batch.sum() for batch in batches) / padded > 0.9
    drawn = [lengths[rng.permutation(3_001)[:16]] for _ in range(600)]
    assert sum(batch.sum() for batch in drawn) / sum(16 * batch.max() for batch in drawn) < 0.6
    means = [batch.mean() for batch in batches]
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.15
