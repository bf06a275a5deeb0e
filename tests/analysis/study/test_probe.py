"""What a training takes is known from a few of its steps: what is around them is paid once."""

from types import SimpleNamespace

import pytest

from crosslingual.analysis.study import probe
from crosslingual.analysis.study.work import Worker
from crosslingual.training.recipe import Phase, Recipe, TaskPart


@pytest.mark.parametrize("phases", [1, 2])
def test_seconds_of_a_whole_training(monkeypatch, phases):
    """A clock that goes half a second at a step, and 3 s (a slow first step, too) for all around them."""
    now = [0.0]
    monkeypatch.setattr(probe, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def train(recipe, folder, *, data_dir, device, progress):
        now[0] += 3.0
        for phase in recipe.phases:
            now[0] += 2.0  # what a phase begins with
            for step in range(1, phase.steps + 1):
                now[0] += 0.5
                progress("training", step, phase.steps)

    monkeypatch.setattr(probe, "train", train)
    asked = tuple(Phase(f"p{n}", (TaskPart("rte"),), steps=200, batch=4) for n in range(phases))
    found = probe._train(Worker(None, "cpu"), Recipe("r", "base", asked))
    assert found == pytest.approx(3.0 + phases * (2.0 + 200 * 0.5))


def test_seconds_of_a_recipe_without_steps(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(probe, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(probe, "train", lambda *_, **__: now.__setitem__(0, now[0] + 4.0))
    asked = Recipe("r", "base", (Phase("copy", (), control="resave"),))
    assert probe._train(Worker(None, "cpu"), asked) == 4.0
