"""Many scores at once are each one's own; the mean over languages is the mean of those that have it."""

import numpy as np
import pyarrow as pa
import pytest

from crosslingual.analysis.retention.cell_pairs import ALIKE, CELL, OUTCOMES, WHOSE, ScoredCell, Sides
from crosslingual.analysis.retention.claims import languages_like_these
from crosslingual.analysis.retention.comparison import (
    NO_FLOOR,
    NO_SHARE,
    OverLanguages,
    compared,
    keyed,
    stacked,
)
from crosslingual.analysis.retention.paired import Means, average, difference, log_odds, means_of, ratio

KEYS = [
    ("accuracy", "mean", 0),
    ("accuracy", "mean", 1),
    ("mrr", "mean", 1),
    ("hubness_skew@10", "both", 1),
]


def scores(rng, keys, n=80):
    """Scores of two checkpoints, with their nulls and floors."""
    both = np.concatenate([np.linspace(0.6, 0.8, len(keys)), np.linspace(0.5, 0.7, len(keys))])
    means = means_of((rng.random((n, 2 * len(keys))) < both).astype(float), np.arange(n) // 2)
    facts = {"value": means.values[: len(keys)], "base": means.values[len(keys) :]}
    facts |= {name: np.full(len(keys), 0.01) for name in ("null", "base_null")}
    facts |= {"surface": np.full(len(keys), 0.2), "n": np.full(len(keys), n)}
    return means, facts


def test_each_of_many_is_what_it_is_alone(rng):
    means, facts = scores(rng, KEYS)
    facts["surface"][1] = 0.99
    facts["null"][2] = facts["surface"][2] = np.nan
    found = compared(means, facts, [key[0] for key in KEYS])
    for at in range(len(KEYS)):
        pair = Means(means.values[[at, at + 4]], means.influences[:, [at, at + 4]])
        nulls = np.nan_to_num([facts["null"][at], facts["base_null"][at]])
        for name, span in (
            ("delta", difference(pair.below(nulls))),
            ("ratio", ratio(pair.below(nulls))),
        ):
            if name == "delta" or not found["note"][at]:
                ends = [found[name][at], found[f"{name}_low"][at], found[f"{name}_high"][at]]
                assert ends == pytest.approx([span.value, span.low, span.high], rel=1e-12)
        if KEYS[at][0] == "accuracy":
            assert found["log_odds_low"][at] == pytest.approx(log_odds(pair).low, rel=1e-12)
    assert list(found["note"]) == ["", NO_FLOOR, "", NO_SHARE]
    assert np.isnan(found["ratio"][[1, 3]]).all() and np.isnan(found["log_odds"][[2, 3]]).all()


def test_the_mean_over_languages_is_that_of_those_that_have_the_score(rng):
    """One language has no score at a layer; one has more sentences than the others."""
    whole, parts = OverLanguages(), []
    for language in range(9):
        keys = KEYS[:3] if language != 4 else KEYS[:2]
        means, facts = scores(rng, keys, n=120 if language == 2 else 80)
        columns = keyed(keys) | facts | compared(means, facts, [key[0] for key in keys])
        whole.add(keys, means, columns)
        parts.append((keys, means, columns))
    found = whole.columns()
    assert list(zip(found["measure"], found["layer"], strict=True)) == [(m, at) for m, _, at in KEYS[:3]]
    for at, key in enumerate(KEYS[:3]):
        having = [
            (means, keys.index(key), len(keys), columns) for keys, means, columns in parts if key in keys
        ]
        pairs = [
            Means(means.values[[i, i + k]], means.influences[:, [i, i + k]]) for means, i, k, _ in having
        ]
        expected = difference(average(pairs))
        ends = [found[f"delta{end}"][at] for end in ("", "_low", "_high")]
        assert ends == pytest.approx([expected.value, expected.low, expected.high], rel=1e-9)
        assert found["n"][at] == sum(columns["n"][i] for _, i, _, columns in having)
        assert found["value"][at] == pytest.approx(np.mean([c["value"][i] for _, i, _, c in having]))
        deltas, errors = (
            np.array([columns[name][i] for _, i, _, columns in having])
            for name in ("delta", "delta_error")
        )
        like = languages_like_these(deltas, errors, expected.error, 60)
        assert found["like_low"][at] == pytest.approx(like.low, rel=1e-9)


def test_one_language_has_no_mean(rng):
    one = OverLanguages()
    means, facts = scores(rng, KEYS)
    one.add(KEYS, means, facts | compared(means, facts, [key[0] for key in KEYS]))
    assert one.columns() is None


def test_parts_of_a_table_are_stacked_in_order(rng):
    means, facts = scores(rng, KEYS)
    columns = keyed(KEYS) | facts | compared(means, facts, [key[0] for key in KEYS])
    table = stacked([{"source": "de"} | columns, {"source": "sw", "verdict": "lost"} | columns])
    assert list(table["source"]) == ["de"] * 4 + ["sw"] * 4
    assert list(table["verdict"]) == [""] * 4 + ["lost"] * 4 and table["area"].isna().all()
    assert list(table["layer"]) == [0, 1, 1, 1] * 2 and table["n"].dtype == "int64"


@pytest.mark.parametrize(
    ("ids", "groups", "message"),
    [("abcx", [0, 0, 1, 1], "different sentences"), ("abcd", [0, 1, 2, 3], "other documents")],
)
def test_other_sentences_or_documents_are_refused(ids, groups, message):
    def cell(ids, groups):
        rows = {"layer": [0] * 8, "direction": ["forward"] * 4 + ["backward"] * 4, "id": [*ids, *ids]}
        rows |= {"group": groups * 2, "accuracy": [1.0, 0.0, 1.0, 1.0] * 2}
        items = coded(rows, ("direction", "id"))
        named = {name: ["x"] for name in (*WHOSE, *CELL, *ALIKE)}
        scores = named | {"measure": ["accuracy"], "direction": ["mean"], "layer": [0]}
        scores |= {"value": [0.75], "null": [0.25], "surface": [0.1], "n": [4]}
        return ScoredCell.of(coded(scores, ("measure", "direction")), items, pa.table({}))

    plain = cell("abcd", [0, 0, 1, 1])
    assert Sides(plain, plain, "de").shared() == {(OUTCOMES, 2): [("accuracy", "mean", 0)]}
    with pytest.raises(ValueError, match=message):
        Sides(cell(ids, groups), plain, "de")


def coded(columns, texts):
    arrays = {
        name: pa.array(values).dictionary_encode() if name in texts else pa.array(values)
        for name, values in columns.items()
    }
    return pa.table(arrays)
