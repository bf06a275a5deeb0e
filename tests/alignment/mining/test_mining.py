"""Mining a haystack whole: vectors with known translations in, pairs, scores and errors out."""

from pathlib import Path

import numpy as np
import pytest

from crosslingual.alignment.mining.mining import mine
from crosslingual.data import Sentence, Side
from crosslingual.data.haystack import Haystack, read_haystack

N, M, G = 300, 400, 80


@pytest.fixture
def haystack(rng, tmp_path) -> tuple[str, Haystack]:
    """80 translations among 300 and 400 sentences; layer 0 knows nothing, 1 little, 2 most."""
    x = rng.standard_normal((N, 24), dtype=np.float32)
    layers = []
    for noise in (9.0, 0.9, 0.5):
        y = rng.standard_normal((M, 24), dtype=np.float32)
        y[:G] = x[:G] + noise * rng.standard_normal((G, 24), dtype=np.float32)
        layers.append(y)
    sides = []
    for code, values in (("de", np.stack([x] * 3)), ("en", np.stack(layers))):
        np.save(tmp_path / f"{code}.npy", values)
        names = [f"{code}{i}" for i in range(values.shape[1])]
        (tmp_path / f"{code}.ids").write_text("\n".join(names) + "\n")
        rows = tuple(Sentence(name, f"sentence {name}") for name in names)
        sides.append(Side(code, code, rows))
    gold = tuple((f"de{i}", f"en{i}") for i in range(G))
    return f"vectors:{tmp_path}", Haystack("files", "made", sides[0], sides[1], gold)


def value(mined, measure, layer=None):
    rows = mined.table[mined.table["measure"] == measure]
    if layer is not None:
        rows = rows[rows["layer"] == layer]
    assert len(rows) == 1
    return rows["value"].iloc[0]


def test_the_layer_that_knows_most_is_chosen_on_tune(haystack):
    found = mine(*haystack)
    assert found.layer == 2
    assert [value(found, "mining_f1", layer) for layer in range(3)] == sorted(
        value(found, "mining_f1", layer) for layer in range(3)
    )
    assert value(found, "mining_f1", 0) < 0.1
    assert value(found, "mining_f1", 2) > 0.8
    assert value(found, "mining_auto_f1") == value(found, "mining_f1", 2)
    rows = found.table[found.table["measure"] == "mining_f1"]
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()
    assert (rows["n"] < N).all()
    assert found.pairs["score"].is_monotonic_decreasing
    assert (found.pairs["score"] >= found.threshold).all()
    right = (found.pairs["source_id"].str[2:] == found.pairs["target_id"].str[2:]).mean()
    assert right > 0.8


def test_fewer_distractors_are_easier(haystack):
    """The thinned haystacks keep all gold targets and about the share of the others they name."""
    found = mine(*haystack, layer="1")
    whole = found.table[found.table["measure"] == "mining_f1"].iloc[0]
    half, quarter = (
        found.table[found.table["measure"] == f"mining_f1@{share}"].iloc[0] for share in ("1/2", "1/4")
    )
    assert whole["candidates"] == M
    assert G + 130 < half["candidates"] < G + 190
    assert G + 50 < quarter["candidates"] < G + 110
    assert quarter["value"] > whole["value"]


def test_every_missed_pair_is_told_and_no_other(haystack):
    found = mine(*haystack, layer="1", folds=3)
    kept = set(zip(found.pairs["source_id"], found.pairs["target_id"], strict=True))
    gold = set(haystack[1].gold)
    assert set(zip(found.errors["source_id"], found.errors["gold_id"], strict=True)) == gold - kept
    assert set(found.errors["reason"]) <= {"another target", "below the threshold", "nothing was mined"}
    other = found.errors[found.errors["reason"] == "another target"]
    assert (other["found_id"] != other["gold_id"]).all()


def test_identical_sentences_are_one(haystack):
    """A copy of a gold target under another id: finding either is right, and k neighbours are k texts."""
    checkpoint, whole = haystack
    alone = mine(checkpoint, whole, layer="2")
    rows = list(whole.target.sentences)
    rows.append(Sentence("copy", rows[0].text))
    gold = (("de0", "copy"), ("de0", "en0"), *whole.gold[1:])
    doubled = Haystack("files", "made", whole.source, Side("en", "en", tuple(rows)), gold)
    found = mine(checkpoint, doubled, layer="2")
    assert found.pairs.equals(alone.pairs)
    assert value(found, "mining_f1") == value(alone, "mining_f1")


def test_oracle_only_under_its_name(haystack):
    found = mine(*haystack, layer="1", oracle=True)
    assert set(found.table["measure"]) >= {"mining_oracle_f1", "mining_oracle_f1@1/2"}
    assert not (found.table["measure"] == "mining_f1").any()
    assert found.table["note"].str.contains("tuned on the same sentences").all()
    honest = mine(*haystack, layer="1", folds=5)
    assert value(found, "mining_oracle_f1") >= value(honest, "mining_f1")


def test_without_gold_pairs_are_mined_and_nothing_is_judged(haystack):
    checkpoint, whole = haystack
    blind = Haystack("files", "made", whole.source, whole.target, None)
    found = mine(checkpoint, blind)
    assert found.layer == 2
    assert found.table.empty
    assert len(found.pairs) == len(mine(checkpoint, blind, threshold=-9.0).pairs)
    assert 0 < len(mine(checkpoint, blind, threshold=1.2).pairs) < len(found.pairs)
    with pytest.raises(ValueError, match="compares layers by gold pairs"):
        mine(checkpoint, blind, layer="auto")


def test_protocols_decide_margin_strategy_and_threshold(haystack):
    laser, default, stopes = (
        mine(*haystack, layer="2", protocol=name) for name in ("laser", "", "stopes")
    )
    assert laser.pairs.equals(default.pairs)
    assert set(laser.table["protocol"]) == {"laser"}
    assert stopes.threshold == 1.06
    assert not stopes.pairs.equals(laser.pairs)


def test_k_is_clamped_below_the_number_of_sentences(haystack, caplog):
    checkpoint, whole = haystack
    few = Haystack("files", "few", Side("de", "de", whole.source.sentences[:3]), whole.target, None)
    with caplog.at_level("INFO"):
        mine(checkpoint, few)
    assert "k = 4 is more than files/few de-en allows; 2 is used" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tune_share": 1.0}, "`tune_share` lies between 0 and 1"),
        ({"protocol": "bucc"}, "unknown protocol 'bucc': one of laser"),
        ({"map": "whiten"}, "unknown map 'whiten'"),
        ({"layer": "7"}, "layer 7 is out of range"),
        ({"folds": 120}, "no gold pair among the report sentences"),
    ],
)
def test_what_is_wrong_is_named(haystack, options, message):
    with pytest.raises(ValueError, match=message):
        mine(*haystack, **options)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_laser_on_the_real_sample_is_a_straight_line_computation(minilm, real_data, tmp_path):
    """BUCC zh-en sample, all-MiniLM, last layer: LASER's steps with FAISS, NumPy and loops."""
    import faiss

    from crosslingual.alignment.checkpoints.opening import open_checkpoint
    from crosslingual.alignment.representations.stored import represent
    from crosslingual.data.corpora import load_haystack

    haystack = load_haystack("bucc", "zh", data_dir=real_data)
    found = mine(minilm, haystack, layer="last", protocol="laser", oracle=True, store=tmp_path)
    sides = haystack.source, haystack.target
    vectors = represent(open_checkpoint(minilm), sides, root=tmp_path)["mean"]
    texts, unit = [], []
    for side in sides:
        first: dict[str, int] = {}
        for row, text in enumerate(side.texts):
            first.setdefault(text, row)
        texts.append(list(first))
        rows = vectors.read(side, [vectors.last])[0][list(first.values())]
        unit.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    near = []
    for queries, base in (unit, unit[::-1]):
        index = faiss.IndexFlatIP(base.shape[1])
        index.add(base)
        near.append(index.search(queries, 4))
    means = [scores.mean(axis=1) for scores, _ in near]
    pairs = []
    for i, (scores, ids) in enumerate(zip(*near[0], strict=True)):
        pairs.append(
            max((s / ((means[0][i] + means[1][j]) / 2), i, j) for s, j in zip(scores, ids, strict=True))
        )
    for j, (scores, ids) in enumerate(zip(*near[1], strict=True)):
        pairs.append(
            max((s / ((means[0][i] + means[1][j]) / 2), i, j) for s, i in zip(scores, ids, strict=True))
        )
    taken: tuple[set[int], set[int]] = (set(), set())
    mined = []
    for score, i, j in sorted(pairs, reverse=True):
        if i not in taken[0] and j not in taken[1]:
            mined.append((score, texts[0][i], texts[1][j]))
            taken[0].add(i)
            taken[1].add(j)
    kept = [(a, b) for score, a, b in mined if score >= found.threshold]
    ours = list(zip(found.pairs["source"], found.pairs["target"], strict=True))
    assert set(kept) == set(ours)
    gold = {
        (
            dict(zip(sides[0].ids, sides[0].texts, strict=True))[a],
            dict(zip(sides[1].ids, sides[1].texts, strict=True))[b],
        )
        for a, b in haystack.gold
    }
    right = len(gold & set(kept))
    assert value(found, "mining_oracle_precision") == pytest.approx(right / len(kept))
    assert value(found, "mining_oracle_recall") == pytest.approx(right / len(gold))


def test_files_with_a_model(tiny_bert, tmp_path):
    """Random weights find a sentence's identical copy; the second run encodes nothing."""
    lines = [f"sentence number {i} about {'tea' * (i % 3)}" for i in range(12)]
    a, b = tmp_path / "a.de", tmp_path / "b.en"
    a.write_text("\n".join(lines) + "\n")
    b.write_text("\n".join(reversed(lines)) + "\n")
    asked = []
    for _ in range(2):
        found = mine(
            Path(tiny_bert),
            read_haystack(a, b),
            margin="distance",
            store=tmp_path / "store",
            progress=lambda stage, done, total: asked.append((stage, total)),
        )
        assert (found.pairs["source"] == found.pairs["target"]).all()
        assert len(found.pairs) == 12
    assert asked == [("encoding", 12), ("mining", 1), ("mining", 1)]
