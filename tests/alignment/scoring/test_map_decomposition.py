"""The ladder of maps names the cause of a low score that was planted, and no other."""

import numpy as np
import pandas as pd
import pytest

from crosslingual.alignment.runs.folder import read_scores
from crosslingual.alignment.scoring.map_decomposition import PARTS, STEPS, decompose
from crosslingual.data import Bitext, Sentence, Side
from tests.verbs import score

D, N, FITTED = 32, 400, 2000


def bitext(corpus, n):
    sides = [
        Side(
            tag,
            tag,
            tuple(Sentence(f"{corpus}{i}", f"{corpus} {tag} {i}", str(i // 4)) for i in range(n)),
        )
        for tag in ("de", "en")
    ]
    return Bitext(corpus, "test", *sides)


@pytest.fixture
def ladder(rng, tmp_path, monkeypatch):
    """Return a function: a change of the German vectors -> the parts of its accuracy."""
    from crosslingual.alignment.maps import fitting

    tested, held_out = bitext("tested", N), bitext("fit", FITTED)
    monkeypatch.setattr(fitting, "load", lambda *a, **k: [held_out])

    def parts(change, spread=1.0, noise=0.15):
        english = rng.normal(size=(N + FITTED, D)) * spread
        german = change(english + noise * spread * rng.normal(size=english.shape))
        for tag, vectors in (("de", german), ("en", english)):
            np.save(tmp_path / f"{tag}.npy", vectors.astype(np.float32)[None])
            ids = [one.id for b in (tested, held_out) for one in b.source.sentences]
            (tmp_path / f"{tag}.ids").write_text("\n".join(ids) + "\n")
        score(
            f"vectors:{tmp_path}",
            [tested],
            maps="ladder",
            map_fit="fit",
            measures="accuracy,contrast",
            out=tmp_path / "run",
        )
        found = pd.read_parquet(tmp_path / "run" / "decomposition.parquet")
        found = found[(found["measure"] == "accuracy") & (found["direction"] == "mean")]
        assert set(found["map_fit"]) == {"fit/test"}
        return found.set_index("part")

    return parts


def is_only(parts, cause):
    """Whether one part alone is what lowers the score."""
    rest = [part for part in PARTS[1:] if part != cause]
    return parts["low"][cause] > 0.3 and (parts["value"][rest].abs() < 0.05).all()


def test_a_constant_added_is_an_offset(ladder, rng):
    assert is_only(ladder(lambda x: x + 20 * rng.normal(size=D)), "offset")


def test_a_turn_is_a_rotation(ladder, rng):
    turn = np.linalg.qr(rng.normal(size=(D, D)))[0]
    assert is_only(ladder(lambda x: x @ turn), "rotation")


def test_a_stretch_is_scale(ladder, rng):
    """Two dimensions of one language are blown up sixtyfold, and so is what is noise in them."""
    stretch = np.where(np.arange(D) < 2, 60.0, 1.0)
    assert is_only(ladder(lambda x: x * stretch), "scale")


def test_a_noisy_outlier_dimension_is_scale(ladder, rng):
    """One dimension of both languages is large and means nothing: no rotation repairs it."""
    outlier = 40 * (np.arange(D) == 5)
    parts = ladder(lambda x: x + rng.normal(size=(len(x), 1)) * outlier)
    assert is_only(parts, "scale")


def test_a_mixing_map_is_rotation_and_linear(ladder, rng):
    """An ill-conditioned matrix turns and stretches: no scaling of single dimensions repairs it."""
    left, right = (np.linalg.qr(rng.normal(size=(D, D)))[0] for _ in range(2))
    parts = ladder(lambda x: x @ (left * np.geomspace(1, 60, D) @ right))
    assert (parts["value"][["offset", "scale", "content"]].abs() < 0.05).all()
    assert parts["low"]["rotation"] + parts["low"]["linear"] > 0.5


def test_noise_is_content(ladder, rng):
    assert is_only(ladder(lambda x: x + 1.5 * rng.normal(size=x.shape), noise=0.0), "content")


def test_nothing_is_wrong_with_translations_that_agree(ladder):
    parts = ladder(lambda x: x)
    assert (parts["value"][list(PARTS[1:])].abs() < 0.02).all()


def test_the_parts_add_up_and_their_intervals_are_paired(rng):
    rungs = {name: rng.random(size=(60, 3)) for name in STEPS}
    rungs["procrustes"] = rungs["standardise"] + 0.1 * rng.random(size=(60, 3))
    rungs["centre"] = rungs["none"] + 0.1  # the same for every sentence: nothing to be uncertain of
    best = np.array([1.0, 1.0, np.nan])
    values, low, high = decompose(rungs, best, np.arange(60) // 3)
    assert values[:, :2].sum(axis=0) == pytest.approx(np.ones(2), abs=1e-12)
    assert np.isnan(values[-1, 2]) and np.isfinite(values[:-1]).all()
    for each in (values, low, high):
        assert each[1] == pytest.approx(np.full(3, 0.1))
    assert (low[0] < values[0]).all() and (values[0] < high[0]).all()
    for i, (upper, lower) in enumerate(zip(STEPS[1:], STEPS, strict=False), start=1):
        assert values[i] == pytest.approx(rungs[upper].mean(axis=0) - rungs[lower].mean(axis=0))


def test_the_decomposition_is_that_of_the_table(tiny_bert, tmp_path):
    score(
        tiny_bert,
        "pocket",
        languages="de,sw",
        maps="ladder",
        map_fit="in-sample",
        measures="retrieval,contrast",
        layers="1,3",
        store=tmp_path / "s",
        out=tmp_path / "run",
    )
    table = read_scores(tmp_path / "run")
    found = pd.read_parquet(tmp_path / "run" / "decomposition.parquet")
    assert set(table["map_fit"]) == {"", "in-sample"}
    where = ["source", "layer", "measure", "direction"]
    values = table.set_index([*where, "map"])["value"].unstack("map")
    parts = found.set_index([*where, "part"])["value"].unstack("part")
    assert len(parts) == 2 * 2 * (3 + 10 * 3 + 3)  # three are symmetric, d' has no outcomes
    values = values.loc[parts.index]
    for part, (upper, lower) in {
        "offset": ("centre", "none"),
        "scale": ("standardise", "centre"),
    }.items():
        assert parts[part].to_numpy() == pytest.approx(
            (values[upper] - values[lower]).to_numpy(), abs=1e-12
        )
    turned = np.maximum(values["procrustes"], values["standardise"])
    assert parts["rotation"].to_numpy() == pytest.approx(turned - values["standardise"], abs=1e-12)
    assert parts["linear"].to_numpy() == pytest.approx(values["ridge"] - turned, abs=1e-12)
    known = parts["content"].notna()
    assert set(parts.index[~known].get_level_values("measure")) == {"contrast"}
    assert parts[known].sum(axis=1).to_numpy() == pytest.approx(np.ones(known.sum()), abs=1e-12)


def test_what_is_scored_is_not_fitted_on_unless_said(tiny_bert, tmp_path):
    options = {"store": tmp_path / "s", "measures": "accuracy", "layers": "0", "maps": "centre"}
    with pytest.raises(ValueError, match="the map centre is fitted: name a bitext with `map_fit`"):
        score(tiny_bert, "pocket", languages="de", **options)
    with pytest.raises(ValueError, match="`map_fit` pocket/test is what is scored"):
        score(tiny_bert, "pocket", languages="de", map_fit="pocket", **options)
    with pytest.raises(ValueError, match="`map_fit` flores/tests: corpus flores has no split 'tests'"):
        score(tiny_bert, "pocket", languages="de", map_fit="flores/tests", **options)


def test_sentences_of_both_are_left_out_of_the_fit(tiny_bert, tmp_path, caplog):
    from crosslingual.alignment.maps.fitting import fit_bitexts
    from crosslingual.data import load

    (pocket,) = load("pocket", languages="de")
    own = Bitext(
        "own",
        "test",
        *(Side(s.language, s.code, s.sentences[:20]) for s in (pocket.source, pocket.target)),
    )
    with caplog.at_level("INFO"):
        (fit,) = fit_bitexts("pocket", [own], data_dir=None)
    assert len(fit) == len(pocket) - 20 and not set(fit.source.texts) & set(own.source.texts)
    assert "20 of 218 sentences of pocket/test de-en are scored in own/test de-en too" in caplog.text
    whole = Bitext("own", "test", pocket.source, pocket.target)
    with pytest.raises(ValueError, match="0 sentences are left to fit on"):
        fit_bitexts("pocket", [whole], data_dir=None)
    yoruba = Bitext("own", "test", Side("yo", "yor", own.source.sentences), own.target)
    with pytest.raises(ValueError, match="`map_fit` pocket: unknown language 'yo' here"):
        fit_bitexts("pocket", [yoruba], data_dir=None)
