"""Many-to-many gold against loops over queries, and nulls against every relabelling."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.retrieval.many_to_many import gold_sides, gold_surface
from crosslingual.alignment.retrieval.pairing import pair_vectors
from crosslingual.data import GoldBitext, Sentence, Side, load
from crosslingual.data.gold import with_negatives
from tests.verbs import score

GOLD_MEASURES = {name: known.gold for name, known in MEASURES.items() if known.gold is not None}
DIRECT = set(GOLD_MEASURES) - {"accuracy@100"}


def random_gold(rng, n=23, m=31, d=5):
    x, y = (rng.normal(size=(size, d)).astype(np.float32) for size in (n, m))
    pairs = np.unique(rng.integers(0, [n, m], size=(40, 2)), axis=0)
    y[pairs[:, 1]] += 0.7 * x[pairs[:, 0]]
    return x, y, pairs


def by_hand(name, x, y, pairs, query):
    """Return what a query contributes, by a loop over its candidates."""
    unit = [
        side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x.astype(float), y.astype(float))
    ]
    cosines = unit[0] @ unit[1].T
    gold = set(pairs[pairs[:, 0] == query, 1].tolist())
    row = cosines[query]
    order = sorted(range(len(y)), key=lambda j: -row[j])
    rank = next(r for r, j in enumerate(order) if j in gold)
    others = [row[j] for j in range(len(y)) if j not in gold]
    own = max((unit[0] @ unit[0][query])[i] for i in range(len(x)) if i != query)
    margins = [
        row[j] / ((np.sort(row)[-4:].mean() + np.sort(cosines[:, j])[-4:].mean()) / 2) for j in order[:4]
    ]
    right = [j in gold for j in order[:20]]
    return {
        "accuracy": order[0] in gold,
        "auc": 1 - rank / (len(y) - len(gold)),
        "mrr": 1 / (1 + rank),
        "recall@5": rank < 5,
        "ratio_accuracy@4": order[int(np.argmax(margins))] in gold,
        "contrast": np.mean([row[j] for j in gold]) - np.mean(others),
        "matched_cosine": np.mean([row[j] for j in gold]),
        "strong_accuracy": order[0] in gold and row[order[0]] > own,
        "same_language_rate": own >= row[order[0]],
        "map@20": sum(np.mean(right[: r + 1]) for r in range(20) if right[r]) / min(20, len(gold)),
    }[name]


@pytest.mark.parametrize("name", sorted(DIRECT))
def test_measures_are_their_definitions(rng, name):
    x, y, pairs = random_gold(rng)
    forward, backward = gold_sides(x, y, pairs)
    for side, (a, b, gold) in ((forward, (x, y, pairs)), (backward, (y, x, pairs[:, ::-1]))):
        found, _ = GOLD_MEASURES[name](side)
        expected = [by_hand(name, a, b, gold, query) for query in np.unique(gold[:, 0])]
        assert found == pytest.approx(np.array(expected, float), abs=1e-6)


@pytest.mark.parametrize("name", sorted(DIRECT - {"contrast", "matched_cosine"}))
def test_nulls_are_the_mean_over_every_relabelling(rng, name):
    """Hubs, a query of two golds, a candidate of two queries, one of none."""
    x, y = rng.normal(size=(4, 2)).astype(np.float32), rng.normal(size=(5, 2)).astype(np.float32)
    y[1] = 3 * x.mean(axis=0)  # a hub
    pairs = np.array([[0, 0], [0, 1], [1, 1], [2, 3]])
    values = []
    for order in permutations(range(5)):
        relabelled = np.c_[pairs[:, 0], np.array(order)[pairs[:, 1]]]
        values.append(GOLD_MEASURES[name](gold_sides(x, y, relabelled)[0])[0].mean())
    null = GOLD_MEASURES[name](gold_sides(x, y, pairs)[0])[1]
    if name in ("map@20", "same_language_rate"):
        assert np.isnan(null), "none is known"
    else:
        assert null == pytest.approx(np.mean(values), abs=1e-9)


@pytest.mark.parametrize(
    "name", ["accuracy", "accuracy@100", "auc", "mrr", "recall@5", "ratio_accuracy@4", "contrast"]
)
def test_of_one_to_one_gold_it_is_the_pairing(rng, name):
    x = rng.normal(size=(120, 6)).astype(np.float32)
    y = (x + rng.normal(size=(120, 6))).astype(np.float32)
    y[7] = y[8]  # a tie
    rows = np.arange(120)
    forward, _ = gold_sides(x, y, np.stack([rows, rows], axis=1))
    found, _ = GOLD_MEASURES[name](forward)
    pairing = pair_vectors(x, y, classes=(rows, rows), groups=rows)
    expected = MEASURES[name].compute(pairing)[0]
    assert expected.direction == "forward"
    assert found == pytest.approx(expected.sentences, abs=1e-6)


def test_surface_and_vectors_agree(rng):
    x, y, pairs = random_gold(rng)
    a, b = (side / np.linalg.norm(side.astype(float), axis=1, keepdims=True) for side in (x, y))
    for ours, theirs in zip(
        gold_surface(a @ b.T, a @ a.T, b @ b.T, pairs), gold_sides(x, y, pairs), strict=True
    ):
        for name in DIRECT:
            assert GOLD_MEASURES[name](ours)[0] == pytest.approx(
                GOLD_MEASURES[name](theirs)[0], abs=1e-6
            )


def test_a_second_translation_is_right_where_an_index_would_say_wrong(rng):
    x = rng.normal(size=(10, 4)).astype(np.float32)
    y, rows = np.roll(x, -1, axis=0), np.arange(10)
    wrong, right = np.c_[rows, rows], np.r_[np.c_[rows, rows], np.c_[rows, (rows - 1) % 10]]
    assert GOLD_MEASURES["accuracy"](gold_sides(x, y, wrong)[0])[0].mean() == 0
    assert GOLD_MEASURES["accuracy"](gold_sides(x, y, right)[0])[0].mean() == 1


@pytest.fixture
def lexicon():
    """The pocket corpus's sentences with a second German form each."""
    (bitext,) = load("pocket", languages="de")
    n = len(bitext)
    more = tuple(Sentence(f"{s.id}b", s.text.upper() + "!") for s in bitext.source.sentences[: n // 2])
    source = Side("de", "de", (*bitext.source.sentences, *more))
    gold = (*((i, i) for i in range(n)), *((n + i, i) for i in range(n // 2)))
    return GoldBitext("own", "test", source, bitext.target, gold, "word")


def test_scores_of_a_lexicon(tiny_bert, lexicon, tmp_path):
    options = {"measures": "retrieval,strong,contrast", "store": tmp_path / "s"}
    options |= {"maps": "none,centre,procrustes", "map_fit": "in-sample", "out": tmp_path / "run"}
    table = score(tiny_bert, [lexicon], **options)
    assert set(table["unit"]) == {"word"}
    assert set(table["measure"]) == set(GOLD_MEASURES)
    assert set(table["duplicates"]) == {"gold"}
    assert (table["n"] == len(lexicon)).all()
    assert set(zip(table["direction"], table["candidates"], strict=True)) == {
        ("forward", 218),
        ("mean", 218),
        ("backward", 327),
    }
    assert (table["low"] <= table["value"] + 1e-12).all()
    assert (table["value"] <= table["high"] + 1e-12).all()
    wide = table.pivot(index=["map", "layer", "measure"], columns="direction", values="value")
    assert np.allclose(wide["mean"], (wide["forward"] + wide["backward"]) / 2)
    again = score(tiny_bert, [lexicon], **options)
    pd.testing.assert_frame_equal(again, table)


def test_intervals_are_over_connected_components(tiny_bert, lexicon, tmp_path):
    table = score(tiny_bert, [lexicon], measures="accuracy", store=tmp_path / "s")
    assert set(table["groups"]) == {218}
    assert set(table["interval"]) == {"group bootstrap"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"errors": True, "measures": "accuracy"}, "many-to-many gold has no `errors`"),
        ({"null": "length"}, "many-to-many gold has no `null` length"),
        ({"measures": "spectral"}, "many-to-many gold has other measures: accuracy"),
        ({"maps": "ladder", "map_fit": "in-sample"}, "no map decomposition"),
        ({"protocol": "mteb"}, "protocol mteb is of sentences; own/test de-en has words"),
    ],
)
def test_what_a_lexicon_does_not_have(tiny_bert, lexicon, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        score(tiny_bert, [lexicon], store=tmp_path / "s", **options)


def test_xsim_with_hard_negatives(tiny_bert, tmp_path):
    """Candidates without gold can only take hits away; a negative equal to nothing takes none."""
    (bitext,) = load("pocket", languages="de")
    path = tmp_path / "negatives"
    path.write_text("".join(f"{text[:-1]} not.\n" for text in bitext.target.texts), "utf-8")
    plain = score(tiny_bert, [bitext], protocol="xsim", store=tmp_path / "s")
    hard = score(
        tiny_bert, "pocket", languages="de", protocol="xsim", hard_negatives=path, store=tmp_path / "s"
    )
    assert set(plain["direction"]) == set(hard["direction"]) == {"forward"}
    assert hard["candidates"].tolist() == [2 * 218]
    assert hard["value"].item() <= plain["value"].item()
    assert hard["null"].item() == pytest.approx(1 / (2 * 218))
    with pytest.raises(ValueError, match="go with sentences of one-to-one gold"):
        score(tiny_bert, [with_negatives(bitext, path)], hard_negatives=path, store=tmp_path / "s")


def test_one_component_has_no_interval_and_few_candidates_no_rank(tiny_bert, lexicon, tmp_path):
    n = len(lexicon.target.sentences)
    one = replace(lexicon, gold=tuple((0, j) for j in range(8)) + tuple((i, 0) for i in range(1, 8)))
    table = score(tiny_bert, [one], measures="accuracy", store=tmp_path / "s")
    assert table["low"].isna().all()
    assert table["value"].notna().all()
    assert table["candidates"].max() <= max(n, len(lexicon.source.sentences))
    with pytest.raises(ValueError, match="own/test de-en: 20 candidates are too few for accuracy@100"):
        score(tiny_bert, [lexicon.head(20)], measures="accuracy@100", store=tmp_path / "s")


def test_all_candidates_right(rng):
    x = rng.normal(size=(3, 4)).astype(np.float32)
    pairs = np.array([[i, j] for i in range(3) for j in range(3)])
    for name in ("accuracy", "auc", "mrr", "map@20"):
        assert (GOLD_MEASURES[name](gold_sides(x, x, pairs)[0])[0] == 1).all(), name


def test_hard_negatives_go_by_classes(tiny_bert, tmp_path):
    """A corpus said twice: by class every copy of the translation is right, by index one is."""
    (bitext,) = load("pocket", languages="de", limit=30)
    twice = [
        replace(side, sentences=(*side.sentences, *(s._replace(id=s.id + "b") for s in side.sentences)))
        for side in (bitext.source, bitext.target)
    ]
    doubled = replace(bitext, source=twice[0], target=twice[1])
    path = tmp_path / "n"
    path.write_text("something else\n")
    assert len(with_negatives(doubled, path)) == 4 * len(bitext)
    assert len(with_negatives(doubled, path, by_class=False)) == 2 * len(bitext)
