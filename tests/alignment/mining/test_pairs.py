"""Mining against a straight-line computation, and what margins and strategies promise."""

import numpy as np
import pytest

from crosslingual.alignment.mining.pairs import MARGINS, STRATEGIES, MinedPairs, mine_pairs
from crosslingual.alignment.neighbours.exact import neighbours


def sides(rng, n=60, m=80, d=16):
    """Half of the sources have a noisy translation; the others are distractors."""
    x = rng.standard_normal((n, d), dtype=np.float32)
    y = rng.standard_normal((m, d), dtype=np.float32)
    y[: n // 2] = x[: n // 2] + rng.standard_normal((n // 2, d), dtype=np.float32)
    return x, y


def straight_line(x, y, k, margin, strategy):
    """LASER's mining, written with loops from the paper's formulas (no ties in the data)."""
    x, y = (side.astype(float) / np.linalg.norm(side.astype(float), axis=1)[:, None] for side in (x, y))
    cos = (x @ y.T).astype(np.float32).astype(float)
    near_x = [sorted(range(len(y)), key=lambda j: -cos[i, j])[:k] for i in range(len(x))]
    near_y = [sorted(range(len(x)), key=lambda i: -cos[i, j])[:k] for j in range(len(y))]
    mean_x = [np.mean([cos[i, j] for j in near_x[i]]) for i in range(len(x))]
    mean_y = [np.mean([cos[i, j] for i in near_y[j]]) for j in range(len(y))]

    def score(i, j):
        b = (mean_x[i] + mean_y[j]) / 2
        return {
            "ratio": cos[i, j] / b,
            "distance": cos[i, j] - b,
            "absolute": cos[i, j],
            "csls": 2 * cos[i, j] - mean_x[i] - mean_y[j],
        }[margin]

    forward = [(i, max(near_x[i], key=lambda j: score(i, j))) for i in range(len(x))]
    backward = [(max(near_y[j], key=lambda i: score(i, j)), j) for j in range(len(y))]
    found = {
        "forward": forward,
        "backward": backward,
        "intersection": [pair for pair in forward if pair in backward],
        "union": list(dict.fromkeys(forward + backward)),
        "max": [],
    }[strategy]
    if strategy == "max":
        taken_x, taken_y = set(), set()
        for i, j in sorted(set(forward + backward), key=lambda pair: -score(*pair)):
            if i not in taken_x and j not in taken_y:
                found.append((i, j))
                taken_x.add(i)
                taken_y.add(j)
    return sorted(((score(i, j), i, j) for i, j in found), reverse=True)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("margin", MARGINS)
def test_mining_is_the_straight_line_computation(rng, margin, strategy):
    x, y = sides(rng)
    pairs = mine_pairs(neighbours(x, y, 4), margin=margin, strategy=strategy)
    expected = straight_line(x, y, 4, margin, strategy)
    assert [(i, j) for _, i, j in expected] == list(zip(pairs.source, pairs.target, strict=True))
    assert pairs.score == pytest.approx([score for score, _, _ in expected], abs=1e-9)


def as_set(pairs: MinedPairs) -> set[tuple[int, int]]:
    return set(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))


def test_strategies_contain_each_other(rng):
    """intersection ⊆ max ⊆ union = forward ∪ backward. Negative half: no two are equal here."""
    found = neighbours(*sides(rng), 4)
    mined = {strategy: as_set(mine_pairs(found, strategy=strategy)) for strategy in STRATEGIES}
    assert mined["intersection"] < mined["max"] < mined["union"]
    assert mined["union"] == mined["forward"] | mined["backward"]
    for place in (0, 1):
        assert len({pair[place] for pair in mined["max"]}) == len(mined["max"])
        assert len({pair[place] for pair in mined["union"]}) < len(mined["union"])


def test_csls_is_twice_the_distance_margin_and_a_ratio_is_neither(rng):
    found = neighbours(*sides(rng), 10)
    csls, distance, ratio = (mine_pairs(found, margin=name) for name in ("csls", "distance", "ratio"))
    assert csls.score == pytest.approx(2 * distance.score, abs=1e-15)
    assert as_set(csls) == as_set(distance)
    assert as_set(ratio) != as_set(distance)


def test_where_all_cosines_are_negative_no_ratio_is_mined(rng, caplog):
    """Unguarded, a ratio of two negative numbers ranks the worst pair first."""
    x = np.array([[1, 0.1 * i] for i in range(8)], np.float32)
    found = neighbours(x, -x, 3)
    with caplog.at_level("INFO"):
        assert len(mine_pairs(found, margin="ratio")) == 0
    assert "8 sentences have no ratio" in caplog.text
    assert len(mine_pairs(found, margin="distance")) > 0


def test_one_candidate_is_the_nearest(rng):
    """stopes: the margin scores the nearest by cosine and does not choose among the k."""
    found = neighbours(*sides(rng), 4)
    first = mine_pairs(found, strategy="forward", extract=1)
    assert as_set(first) == set(enumerate(found.rows.ids[:, 0].tolist()))
    assert as_set(mine_pairs(found, strategy="forward")) != as_set(first)


def test_equal_scores_come_by_source_then_target():
    x = np.eye(6, dtype=np.float32)
    pairs = mine_pairs(neighbours(x, x, 2))
    assert pairs.source.tolist() == pairs.target.tolist() == list(range(6))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": "cosine"}, "unknown margin 'cosine': one of ratio, distance"),
        ({"strategy": "greedy"}, "unknown strategy 'greedy': one of max, intersection"),
    ],
)
def test_what_is_wrong_is_named(rng, options, message):
    with pytest.raises(ValueError, match=message):
        mine_pairs(neighbours(*sides(rng), 4), **options)


def test_as_many_neighbours_as_sentences_are_no_margin(rng):
    x = rng.standard_normal((4, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="a margin of 4 neighbours needs more"):
        mine_pairs(neighbours(x, x, 4))
