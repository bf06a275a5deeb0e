"""Strong alignment against loops, and what weak alignment cannot see."""

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.measures import MEASURES
from crosslingual.alignment.retrieval.strong import StrongNeighbours, nearest_others
from crosslingual.data import Bitext, Sentence, Side, load
from tests.verbs import score


def strong_outcomes(found, language, item, text):
    pool = StrongNeighbours(found, language, item, text, int(item.max()) + 1)
    names = [name for name, known in MEASURES.items() if known.strong is not None]
    return {name: MEASURES[name].strong(pool)[0] for name in names}


def strong_nulls(found, language, item, text, n):
    pool = StrongNeighbours(found, language, item, text, n)
    return MEASURES["strong_accuracy"].strong(pool)[1]


def many(rng, n=25, languages=3, d=16, noise=0.8, offset=0.0):
    """Return vectors of many-parallel sentences, their languages and items."""
    meaning = rng.normal(size=(n, d))
    parts = [
        meaning + noise * rng.normal(size=(n, d)) + offset * rng.normal(size=d) for _ in range(languages)
    ]
    language, item = np.repeat(np.arange(languages), n), np.tile(np.arange(n), languages)
    return np.concatenate(parts).astype(np.float32), language, item


def by_hand(vectors, language, item, text):
    """Return each measure's outcomes by loops over ranked lists."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float64)
    outcomes = {"strong_accuracy": [], "same_language_rate": [], "map@20": []}
    for q in range(len(vectors)):
        candidates = [
            j for j in range(len(vectors)) if not (text[j] == text[q] and language[j] == language[q])
        ]
        ranked = sorted(candidates, key=lambda j: (-np.float32(unit[q] @ unit[j]), j))
        said = {text[j] for j in range(len(vectors)) if item[j] == item[q]}
        right = [text[j] in said for j in ranked]
        outcomes["strong_accuracy"].append(right[0])
        outcomes["same_language_rate"].append(language[ranked[0]] == language[q] and not right[0])
        precision = [sum(right[: r + 1]) / (r + 1) for r in range(20) if right[r]]
        outcomes["map@20"].append(sum(precision) / min(20, sum(right)))
    return {name: np.array(values, dtype=float) for name, values in outcomes.items()}


@pytest.mark.parametrize("duplicates", [False, True])
def test_definitions(rng, duplicates):
    vectors, language, item = many(rng, noise=1.3)
    text = np.arange(len(vectors))
    if duplicates:  # within a language, and one word that is the same in two
        text[[3, 30, 60]] = text[[7, 5, 10]]
        vectors[[3, 30, 60]] = vectors[[7, 5, 10]]
    found = strong_outcomes(nearest_others(vectors, language, text), language, item, text)
    for name, expected in by_hand(vectors, language, item, text).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-12, err_msg=name)
    assert 0.2 < found["strong_accuracy"].mean() < 0.95 and found["same_language_rate"].mean() > 0.02


def test_average_precision_is_scikit_learns(rng):
    from sklearn.metrics import average_precision_score

    vectors, language, item = many(rng, n=6, noise=1.5)  # 17 candidates: nothing is cut off
    text = np.arange(len(vectors))
    found = strong_outcomes(nearest_others(vectors, language, text)[:, :17], language, item, text)[
        "map@20"
    ]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float64)
    for q, ours in enumerate(found):
        rest = np.arange(len(vectors)) != q
        assert ours == pytest.approx(
            average_precision_score(item[rest] == item[q], (unit @ unit[q])[rest])
        )


def test_an_offset_ruins_strong_alignment_and_centring_mends_it(rng):
    vectors, language, item = many(rng, n=100, noise=0.3, offset=3.0)
    text = np.arange(len(vectors))
    centred = vectors - np.stack([vectors[language == a].mean(axis=0) for a in range(3)])[language]

    def means(x):
        found = nearest_others(x, language, text)
        return {k: v.mean() for k, v in strong_outcomes(found, language, item, text).items()}

    raw, mended = means(vectors), means(centred.astype(np.float32))
    assert raw["strong_accuracy"] < 0.05 and raw["same_language_rate"] > 0.9
    assert mended["strong_accuracy"] > 0.9 and mended["same_language_rate"] < 0.05


def test_the_null_is_what_random_pairings_give(rng):
    vectors, language, item = many(rng, n=12, noise=1.0)
    text = np.arange(len(vectors))
    found = nearest_others(vectors, language, text)
    null = strong_nulls(found, language, item, text, 12).mean()
    drawn = []
    for _ in range(3000):
        items = np.concatenate([rng.permutation(12) for _ in range(3)])
        drawn.append(strong_outcomes(found, language, items, text)["strong_accuracy"].mean())
    assert null == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(3000))
    assert 0 < null < 1 / 12


def test_scores_of_a_corpus(tiny_bert, tmp_path):
    options = {"languages": "de,sw", "layers": "0,3", "store": tmp_path / "s", "out": tmp_path / "run"}
    table = score(tiny_bert, "pocket", measures="accuracy,strong", **options)
    strong = table[table["target"] == "mul"]
    assert set(strong["source"]) == {"de", "sw", "en"} and len(strong) == 3 * 2 * 3
    assert set(strong["candidates"]) == {3 * 218 - 1} and set(strong["groups"]) == {58}
    assert set(strong["interval"]) == {"group bootstrap"} and set(table["n"]) == {218}
    assert ((strong["low"] <= strong["value"]) & (strong["value"] <= strong["high"])).all()
    again = score(tiny_bert, "pocket", measures="accuracy,strong", **options)
    assert again.equals(table)
    centred = score(
        tiny_bert, "pocket", measures="strong", maps="none,centre", map_fit="in-sample", **options
    )
    assert set(centred["map"]) == {"none", "centre"}


def test_strong_measures_are_asked_for_by_name():
    assert not any(measure.strong for measure in MEASURES.defaults() + MEASURES.choose("all"))
    assert [m.name for m in MEASURES.choose("strong")] == [
        "strong_accuracy",
        "same_language_rate",
        "map@20",
    ]


def test_what_is_no_pool_is_refused_before_encoding(tiny_bert, tmp_path):
    (german,), (swahili,) = (load("pocket", languages=code) for code in ("de", "sw"))
    options = {"measures": "strong", "store": tmp_path / "s"}
    with pytest.raises(ValueError, match="the languages must be those of one corpus"):
        score(tiny_bert, [german, Bitext("other", "test", swahili.source, swahili.target)], **options)
    with pytest.raises(ValueError, match="the map ridge is fitted on a bitext"):
        score(tiny_bert, "pocket", languages="de", maps="ridge", map_fit="in-sample", **options)
    changed = tuple(one._replace(text=f"{one.text}!") for one in swahili.target.sentences)
    with pytest.raises(ValueError, match="not many-parallel: the en sentence .* is another one"):
        score(
            tiny_bert,
            [german, Bitext("pocket", "test", swahili.source, Side("en", "en", changed))],
            **options,
        )
    renamed = tuple(Sentence(f"x{one.id}", one.text, one.group) for one in swahili.source.sentences)
    with pytest.raises(ValueError, match="the languages share 0 sentence ids"):
        score(
            tiny_bert,
            [german, Bitext("pocket", "test", Side("sw", "sw", renamed), swahili.target)],
            **options,
        )
    assert not (tmp_path / "s").exists()


def test_language_bias_is_where_the_nearest_are(tiny_bert, tmp_path):
    """Rows are shares; those in the own language and the right ones abroad are what other measures say."""
    options = {"languages": "de,sw,zh", "measures": "strong", "store": tmp_path / "s"}
    table = score(tiny_bert, "pocket", out=tmp_path / "run", **options)
    bias = pd.read_parquet(tmp_path / "run" / "language_bias.parquet")
    assert len(bias) == 4 * 4 * 4  # layers, languages of queries and of candidates
    assert np.allclose(bias.groupby(["layer", "query"])["share"].sum(), 1)
    assert np.allclose(bias.groupby(["layer", "query"])["uniform"].sum(), 1)
    own = bias[bias["query"] == bias["candidates"]].set_index(["layer", "query"])["share"]
    rate = table[table["measure"] == "same_language_rate"].set_index(["layer", "source_code"])["value"]
    assert np.allclose(own, rate.loc[own.index], atol=1e-9)
    assert ((bias["low"] <= bias["share"]) & (bias["share"] <= bias["high"])).all()
    again = score(tiny_bert, "pocket", out=tmp_path / "run", **options)
    pd.testing.assert_frame_equal(again, table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "run" / "language_bias.parquet"), bias)
