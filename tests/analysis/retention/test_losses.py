"""A loss that was planted is named: its part carries it, the others do not, and all add up."""

import numpy as np
import pytest
import scipy.stats

import crosslingual
from crosslingual.alignment.runs.table import MACRO
from crosslingual.data import Bitext, Sentence, Side

D, N, FITTED = 24, 300, 1500
CAUSES = ("offset", "scale", "rotation", "linear", "content")


def bitext(corpus, n, language):
    sides = [
        Side(
            tag,
            tag,
            tuple(Sentence(f"{corpus}{i}", f"{corpus} {tag} {i}", str(i // 3)) for i in range(n)),
        )
        for tag in (language, "en")
    ]
    return Bitext(corpus, "test", *sides)


@pytest.fixture
def runs(rng, tmp_path, monkeypatch):
    """Return a function: a name and a change of the German vectors -> a run, of German and of Finnish."""
    from crosslingual.alignment.maps import fitting

    tested = [bitext("tested", N, tag) for tag in ("de", "fi")]
    held_out = [bitext("fit", FITTED, tag) for tag in ("de", "fi")]
    monkeypatch.setattr(fitting, "load", lambda *a, **k: held_out)
    english = rng.normal(size=(N + FITTED, D))
    others = {tag: english + 0.3 * rng.normal(size=english.shape) for tag in ("de", "fi")}

    def run(name, change):
        folder = tmp_path / name
        folder.mkdir()
        for tag, vectors in (others | {"de": change(others["de"]), "en": english}).items():
            np.save(folder / f"{tag}.npy", vectors.astype(np.float32)[None])
            ids = [one.id for b in (tested[0], held_out[0]) for one in b.source.sentences]
            (folder / f"{tag}.ids").write_text("\n".join(ids) + "\n")
        options = {"maps": "decomposition", "map_fit": "fit", "measures": "accuracy"}
        return crosslingual.score(f"vectors:{folder}", tested, out=folder / "run", **options)

    return run


@pytest.mark.parametrize("cause", ["nothing", "offset", "rotation", "content"])
def test_what_was_planted_is_named(runs, rng, cause):
    turn = scipy.stats.ortho_group.rvs(D, random_state=rng)
    plants = {
        "nothing": lambda vectors: vectors,
        "offset": lambda vectors: vectors + 4.0 * rng.normal(size=D),
        "rotation": lambda vectors: vectors @ turn,
        "content": lambda vectors: vectors + 1.5 * rng.normal(size=vectors.shape),
    }
    base, tuned = runs("base", plants["nothing"]), runs("tuned", plants[cause])
    parts = crosslingual.retention(tuned, base=base).parts
    one = parts[(parts["direction"] == "mean") & (parts["measure"] == "accuracy")]
    found = {source: own.set_index("part")["delta"] for source, own in one.groupby("source")}
    assert set(found) == {"de", "fi", MACRO}
    for deltas in found.values():
        assert deltas[list(CAUSES)].sum() == pytest.approx(deltas["score"], abs=1e-12)
    assert (found["fi"] == 0).all(), "nothing was done to it"
    assert found[MACRO].to_numpy() == pytest.approx((found["de"] + found["fi"]).to_numpy() / 2)
    if cause == "nothing":
        assert (found["de"] == 0).all()
        return
    assert found["de"]["score"] < -0.2
    rest = [part for part in CAUSES if part != cause]
    assert found["de"][cause] < 0.8 * found["de"]["score"] and (found["de"][rest].abs() < 0.06).all()
    row = one[(one["source"] == "de") & (one["part"] == cause)].iloc[0]
    assert row["delta_low"] < row["delta"] < row["delta_high"] < 0


def test_without_all_maps_there_are_no_parts(runs, tmp_path, command):
    base, tuned = runs("base", lambda vectors: vectors), runs("tuned", lambda vectors: vectors + 2.0)
    done = command("retention", tuned.folder, "--base", base.folder, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "what the changes are made of, at the last layer" in done.stdout
    assert (tmp_path / "out" / "losses.parquet").is_file()
    (base.folder / "decomposition.parquet").unlink()
    assert crosslingual.retention(tuned, base=base).parts.empty
