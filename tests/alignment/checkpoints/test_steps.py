"""Steps and tokens are read off the names that hubs and trainers give."""

import pytest

from crosslingual.alignment.checkpoints.steps import steps_in


@pytest.mark.parametrize(
    ("name", "step", "tokens"),
    [
        ("step1000-tokens4B", 1000, 4 * 10**9),
        ("step50000-tokens210B", 50000, 210 * 10**9),
        ("global_step500", 500, None),
        ("checkpoint-20", 20, None),
        ("stage1-step-40000", 40000, None),
        ("step_80k", 80000, None),
        ("iter_0000500", 500, None),
        ("steps-12", 12, None),
        ("stage1-step1413814-tokens11.8T", 1413814, 11_800_000_000_000),
        ("main", None, None),
        ("v1.0", None, None),
        ("stepwise", None, None),
    ],
)
def test_names(name, step, tokens):
    assert steps_in(name) == (step, tokens)
