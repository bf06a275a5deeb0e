"""Random initialisation: untrained weights of the same architecture, and the floor they make."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from crosslingual.alignment.checkpoints.checkpoint import RANDOM_SEEDS as SEEDS
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from tests.verbs import score


@pytest.fixture
def checkpoint(tiny_bert):
    return open_checkpoint(tiny_bert)


def weights(checkpoint):
    return {name: value.clone() for name, value in checkpoint.load().state_dict().items()}


def test_a_twin_has_the_architecture_and_other_weights(checkpoint):
    own = weights(checkpoint)
    first, second = (weights(copy) for copy in checkpoint.random_copies()[:2])
    assert {name: value.shape for name, value in own.items()} == {
        name: value.shape for name, value in first.items()
    }
    matrix = next(name for name in own if name.endswith("query.weight"))
    assert not torch.equal(own[matrix], first[matrix])
    assert not torch.equal(second[matrix], first[matrix])


def test_a_twin_is_decided_by_its_seed_and_disturbs_no_other_randomness(checkpoint):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    once = weights(replace(checkpoint, random_seed=1))
    assert torch.equal(torch.rand(3), expected)
    again = weights(replace(checkpoint, random_seed=1))
    assert all(torch.equal(once[name], again[name]) for name in once)


def test_twins_are_encoded_as_themselves(checkpoint):
    prints = {one.fingerprint for one in (checkpoint, *checkpoint.random_copies())}
    assert len(prints) == 1 + len(SEEDS)
    assert all(copy.parameters == checkpoint.parameters for copy in checkpoint.random_copies())


def test_the_floor_is_the_mean_over_the_twins(checkpoint, tmp_path):
    options = {"languages": "de", "measures": "accuracy,debiased_linear_cka,strong_accuracy"}
    options |= {"store": tmp_path / "s", "maps": "none,centre", "map_fit": "in-sample"}
    plain = score(checkpoint, "pocket", **options)
    assert plain["random"].isna().all()
    floored = score(checkpoint, "pocket", random_init=True, out=tmp_path / "run", **options)
    pd.testing.assert_frame_equal(floored.drop(columns="random"), plain.drop(columns="random"))
    values = [score(copy, "pocket", **options)["value"] for copy in checkpoint.random_copies()]
    assert np.allclose(floored["random"], np.mean(values, axis=0), atol=1e-12)
    written = pd.read_parquet(tmp_path / "run" / "scores.parquet")
    assert np.array_equal(written["random"], floored["random"])


def test_given_vectors_have_no_architecture(tmp_path):
    np.save(tmp_path / "de.npy", np.zeros((3, 4), np.float32))
    with pytest.raises(ValueError, match="vectors have no architecture"):
        score(f"vectors:{tmp_path}", "pocket", random_init=True)
