"""A whole study: what is made is compared with its base, what is finished is kept, what is said is so."""

import json
import threading
import time
from dataclasses import replace

import pandas as pd
import pytest

from crosslingual.alignment.runs.folder import read_cells, read_scores
from crosslingual.alignment.runs.table import MACRO, canonical_hash
from crosslingual.analysis.study.costs import validated
from crosslingual.analysis.study.expected import Expected
from crosslingual.analysis.study.options import StudyOptions
from crosslingual.analysis.study.plan import make_plan
from crosslingual.analysis.study.registration import register
from crosslingual.analysis.study.spec import (
    CorpusPart,
    Pretrained,
    Primary,
    Study,
    Treatment,
    read_study,
    write_study,
)
from crosslingual.analysis.study.status import status_of
from crosslingual.analysis.study.studying import study
from crosslingual.training.recipe import Phase, TaskPart
from tests.conftest import make_corpora, make_tiny, write_rte


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = make_corpora(tmp_path_factory.mktemp("corpora"))
    write_rte(folder)
    return folder


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Two scales; a copy, and another model as if it were trained."""
    folder = tmp_path_factory.mktemp("models")
    for name, seed in (("one", 0), ("two", 1), ("other", 5)):
        make_tiny(folder / name, seed=seed, hidden_size=32 if name != "two" else 48)
    return Study(
        name="small",
        families={"tiny": {name: Pretrained(str(folder / name)) for name in ("one", "two")}},
        treatments={
            "copy": Treatment(checkpoints={"tiny/one": (str(folder / "one"),) * 3}, control=True),
            "other": Treatment(checkpoints={"tiny/one": (str(folder / "other"),) * 3}),
        },
        seeds=(0, 1, 2),
        test=(CorpusPart("tatoeba", languages="de,ru", limit=40),),
        dev=CorpusPart("flores/dev", limit=40),
        score={"measures": "mrr", "layers": "0,3"},
        margin=0.05,
        primary=Primary("tatoeba", measure="mrr"),
        against="copy",
    )


@pytest.fixture(scope="module")
def few(asked):
    """One seed, and a recipe."""
    (folder,) = set(asked.treatments["other"].checkpoints["tiny/one"])
    treatments = {
        "copy": Treatment(phases=(Phase("copy", (), control="resave"),), control=True),
        "other": Treatment(checkpoints={"tiny/one": (folder,)}),
    }
    return replace(asked, seeds=(0,), treatments=treatments)


@pytest.fixture(scope="module")
def short(few, data, tmp_path_factory):
    return study(few, out=tmp_path_factory.mktemp("few"), data_dir=data, processes=1)


@pytest.fixture(scope="module")
def made(asked, data, tmp_path_factory):
    return study(asked, out=tmp_path_factory.mktemp("study"), data_dir=data, processes=1)


def bytes_of(folder):
    return {name: (folder / f"{name}.parquet").read_bytes() for name in ("retention", "scores")}


def test_every_checkpoint_is_compared_with_its_base(asked, made):
    table = made.table
    best = table[
        (table["chosen"] == "best") & (table["measure"] == "mrr") & (table["direction"] == "mean")
    ]
    names = {f"tiny-one-{name}-seed{seed}" for name in ("copy", "other") for seed in range(3)}
    assert set(best["checkpoint"]) == names
    assert (best.groupby("checkpoint").size() == 2 + 1).all(), "languages and their mean"
    copies = best[best["treatment"] == "copy"]
    assert (copies[["delta", "delta_low", "delta_high"]] == 0).all(axis=None)
    assert set(copies["verdict"]) <= {"retained", "not assessable"}
    others = best[(best["treatment"] == "other") & (best["source"] == MACRO)]
    assert others["delta"].nunique() == 1 and (others["delta"] != 0).all()
    assert set(best["base_checkpoint"]) == {"tiny-one"}
    assert best.groupby("scale")["parameters"].nunique().eq(1).all()
    assert (best["parameters_body"] < best["parameters"]).all()


def test_recipes_over_their_seeds(made):
    recipes = made.recipes
    assert (recipes["seeds"] == 3).all()
    assert set(zip(recipes["scale"], recipes["treatment"], strict=True)) == {
        ("one", "copy"),
        ("one", "other"),
    }
    one = recipes[(recipes["treatment"] == "other") & (recipes["measure"] == "mrr")]
    alone = made.table[(made.table["treatment"] == "other") & (made.table["train_seed"] == 0)]
    both = one.merge(alone[alone["chosen"] == "best"], on=["source", "measure", "direction"])
    assert len(both) and both["delta_x"].to_numpy() == pytest.approx(both["delta_y"].to_numpy())
    assert both["delta_error_x"].to_numpy() == pytest.approx(both["delta_error_y"].to_numpy())


def test_what_is_said(made):
    text = made.in_words()
    assert (
        "primary: mrr (mean) on tatoeba" in text and "margin 0.05; layers chosen on flores/dev" in text
    )
    assert "this recipe at this scale, 3 seeds" in text and "copy (control)" in text
    assert "scale, copy: nothing about scale: 1 scales with 3 seeds" in text
    assert "beyond copy" in text and "t over seeds" in text
    assert (made.folder / "findings.txt").read_text("utf-8").splitlines() == list(made.lines)
    assert "8 of 8" in next(status_of(made.folder))


def test_published_figures_are_held_against_its_own(few, short, data):
    scores = read_scores(short.folder / "scores" / "tiny-one" / "tatoeba")
    kept = scores[(scores["measure"] == "mrr") & (scores["direction"] == "mean")]
    values = kept.set_index(["layer", "source"])["value"]
    last = values[3].to_dict()
    figures = {
        "all right": Expected("", "tiny/one", "tatoeba", 1e-6, values=last | {"sw": 0.5}, layer=3),
        "one off": Expected("", "tiny/one", "tatoeba", 0.1, values=last | {"rus": last["ru"] + 0.2}),
        "at the bound": Expected(
            "", "tiny/one", "tatoeba", 0.25, values={"de": last["de"] - 0.25}, layer=3
        ),
        "mean": Expected(
            "", "tiny/one", "tatoeba", 0.0, mean=sum(last.values()) / 2, languages="deu,ru"
        ),
        "mean of more": Expected(
            "", "tiny/one", "tatoeba", 9.0, mean=0.1, languages="de,ru,sw", layer=3
        ),
        "of another": Expected("", "tiny/one/other", "tatoeba", 9.0, values={"de": 0.1}, layer=0),
        "no layer": Expected("", "tiny/one", "tatoeba", 9.0, values={"de": 0.1}, layer=9),
    }
    asked = tuple(replace(one, source=name, measure="mrr") for name, one in figures.items())
    found = study(replace(few, expected=asked), out=short.folder, data_dir=data, processes=1)
    table = pd.read_parquet(short.folder / "expected.parquet").set_index("source")
    assert (
        table.loc["all right", "within"].sum() == 2 and table.loc["all right", "found"].isna().sum() == 1
    )
    assert table.loc["at the bound", "within"].all()
    assert set(table.loc["mean", "layer"]) == {0, 3}
    at = table.loc["mean"].set_index("layer")
    assert at.loc[3, "within"] and at.loc[3, "difference"] == pytest.approx(0, abs=1e-12)
    assert at.loc[0, "found"] == pytest.approx(values[0].mean())
    of_other = read_scores(short.folder / "scores" / "tiny-one-other-seed0" / "tatoeba")
    kept = of_other[(of_other["measure"] == "mrr") & (of_other["direction"] == "mean")]
    first = kept[(kept["layer"] == 0) & (kept["source"] == "de")]["value"].item()
    assert table.loc["of another", "found"] == first
    lines = {line.partition(")")[0]: line for line in found.lines if line.startswith("expected (")}
    assert "layer 3: 2 of 2 within 1e-06" in lines["expected (all right"]
    assert lines["expected (all right"].endswith("1 not scored")
    assert "layer 3, the nearest" in lines["expected (mean"] and "1 of 1" in lines["expected (mean"]
    assert "farthest ru" in lines["expected (one off"]
    assert "no language of it was scored" in lines["expected (mean of more"]
    assert "no language of it was scored" in lines["expected (no layer"]


def test_nothing_is_done_twice_and_what_is_lost_is_done_again(asked, made, data):
    plan = make_plan(asked, made.folder)
    before = bytes_of(made.folder)
    run = plan.run(plan.subjects[3], asked.test[0])
    cells = {path: path.stat().st_mtime_ns for path in made.folder.rglob("cells/*.parquet")}
    lost = next((run / "items").glob("*.parquet"))
    lost.unlink()
    (run / "scores.parquet").unlink()
    again = study(asked, out=made.folder, data_dir=data, processes=1)
    after = {path: path.stat().st_mtime_ns for path in made.folder.rglob("cells/*.parquet")}
    changed = {path for path in cells if cells[path] != after[path]}
    assert changed == {run / "cells" / lost.name}
    assert bytes_of(again.folder) == before
    pd.testing.assert_frame_equal(again.table, made.table)


def test_shares_give_the_same_tables(few, short, data, tmp_path):
    for share in ("1/2", "2/2"):
        part = study(few, out=tmp_path, data_dir=data, share=share, processes=1)
        assert part.table.empty and f"share {share} is done" in part.in_words()
    whole = study(few, out=tmp_path, data_dir=data, processes=1)
    assert bytes_of(whole.folder) == bytes_of(short.folder)
    assert not list((tmp_path / "vectors").iterdir()), "vectors are gone"


@pytest.mark.slow
def test_processes_give_the_same_tables(few, short, data, tmp_path):
    two = study(few, out=tmp_path, data_dir=data, processes=2)
    assert bytes_of(two.folder) == bytes_of(short.folder)


def test_what_fails_is_a_row_and_the_rest_is_kept(few, short, data):
    lost = Treatment(checkpoints={"tiny/one": (str(short.folder / "no"),)})
    broken = replace(few, treatments={**few.treatments, "lost": lost})
    message = "1 of 6 checkpoints failed, the others are kept; the first: tiny-one-lost-seed0: "
    with pytest.raises(ValueError, match=message):
        study(broken, out=short.folder, data_dir=data, processes=1)
    (row,) = map(json.loads, (short.folder / "failures.jsonl").read_text().splitlines())
    assert row["checkpoint"] == "tiny-one-lost-seed0"
    lines = list(status_of(short.folder))
    assert "5 of 6" in lines[0] and any("failed: tiny-one-lost-seed0" in line for line in lines)
    again = study(few, out=short.folder, data_dir=data, processes=1)
    assert len(again.table) and not (short.folder / "failures.jsonl").exists()


def test_a_margin_that_was_changed_after_scores_is_shown(few, short, data):
    wider = study(replace(few, margin=0.4), out=short.folder, data_dir=data, processes=1)
    assert wider.lines[0].startswith("warning: margin was 0.05 and was changed to 0.4 on ")
    assert wider.lines[0].endswith("when 3 fine-tuned checkpoints had been scored")
    back = study(few, out=short.folder, data_dir=data, processes=1)
    assert [line.startswith("warning: margin was") for line in back.lines[:3]] == [True, True, False]


def test_a_margin_that_is_changed_before_scores_is_nobodys_business(asked, tmp_path):
    for margin in (0.1, 0.2):
        register(make_plan(replace(asked, margin=margin), tmp_path))
    entries = json.loads((tmp_path / "registered.json").read_text())["registered"]
    assert [one["margin"] for one in entries] == [0.1, 0.2] and not any(one["scored"] for one in entries)
    assert entries[0]["hash"] == canonical_hash(replace(asked, margin=0.1).registered)


@pytest.mark.slow
def test_noise_is_a_dimension(few, short, data, tmp_path):
    """The same corpus with and without it: other scores, the plain ones as without the other."""
    (plain,) = few.test
    both = replace(few, test=(plain, replace(plain, noise="char@0.5")))
    made = study(both, out=tmp_path, data_dir=data, processes=1)
    assert set(made.table["split"]) == {"test", "test+char@0.5"}
    kept = made.table[made.table["split"] == "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[short.table.columns], short.table)
    assert made.lines[:3] == short.lines[:3], "the primary cells are those without noise"
    noisy = study(
        replace(both, primary=replace(both.primary, noise="char@0.5")),
        out=tmp_path / "n",
        data_dir=data,
        processes=1,
    )
    assert "on tatoeba with char@0.5" in noisy.lines[0] and noisy.lines[1] != made.lines[1]


def test_two_studies_do_not_share_a_folder(few, short, data, tmp_path):
    with pytest.raises(ValueError, match="holds the study small; take another `out`"):
        study(replace(few, name="other"), out=short.folder, data_dir=data, processes=1)
    (tmp_path / "cells").mkdir()
    with pytest.raises(ValueError, match="holds a run of another command"):
        study(few, out=tmp_path, data_dir=data, processes=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"dev": CorpusPart("flores/dev", languages="de")},
            r"dev: flores/dev has no ru-en, which tatoeba is asked",
        ),
        (
            {
                "dev": CorpusPart("tatoeba", limit=10),
                "test": (CorpusPart("tatoeba/test"),),
                "primary": Primary("tatoeba/test"),
            },
            "the same",
        ),
        ({"test": (CorpusPart("tatoebaa"),), "primary": Primary("tatoebaa")}, "did you mean tatoeba"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(asked, data, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        study(replace(asked, **change), out=tmp_path / "s", data_dir=data, processes=1)
    assert not (tmp_path / "s" / "scores").exists()


def test_a_study_says_what_it_takes_and_what_it_cannot_show(asked, data, tmp_path):
    nli = Treatment(phases=(Phase("one", (TaskPart("rte"),), steps=20, batch=4),))
    few = replace(asked, treatments={"nli": nli}, seeds=(0,), against="")
    text = "\n".join(validated(few, StudyOptions(data_dir=data, out=tmp_path / "s", processes=1)))
    assert "2 scales, 1 treatments (of them 0 controls), 1 seeds: 4 checkpoints, 2 to be trained" in text
    assert "min with 1 processes on this machine" in text and "GB of checkpoints" in text
    for what in (
        "about a recipe",
        "a trend over the scales",
        "about other languages",
        "just more training",
    ):
        assert f"cannot be concluded: {what}" in text or what in text
    assert not (tmp_path / "s").exists()


def test_checkpoints_that_are_not_here_are_costed_by_arithmetic(asked, data):
    hub = {"x": {"l": Pretrained("some/model", parameters=560e6, parameters_body=303e6)}}
    far = replace(
        asked,
        families=hub,
        treatments={"nli": Treatment(phases=(Phase("one", (TaskPart("rte"),), steps=10),))},
        against="",
    )
    text = "\n".join(validated(far, StudyOptions(data_dir=data)))
    assert "some/model cannot be opened here" in text and "GPU hours" in text


def test_the_command(few, data, tmp_path, command):
    write_study(few, tmp_path / "small.yaml")
    done = command("study", "run", tmp_path / "small.yaml", "--data-dir", data, "--processes", 1)
    assert done.returncode == 0, done.stderr
    assert "this checkpoint, seed 0" in done.stdout
    assert command("study", "status", "runs/small").stdout.startswith("small: 5 of 5 checkpoints")
    assert read_study(tmp_path / "runs" / "small" / "study.yaml") == few
    assert all(
        len(list(read_cells(folder))) for folder in (tmp_path / "runs" / "small").glob("scores/*/*")
    )
    assert command("study", "status", tmp_path).stderr.startswith("error: ")
    assert command("study", "template").stdout.startswith("# crosslingual study")
    assert json.loads(command("study", "template", "--schema").stdout)["title"] == "Study"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cluster_gives_the_same_table(few, short, data, tmp_path):
    """Two workers, one of which is killed: its checkpoint is done by another, the rest is not done again."""
    ray = pytest.importorskip("ray")
    killed: list[int] = []
    killer = threading.Thread(target=kill_a_worker, args=(tmp_path / "ray", killed))
    killer.start()
    made = study(few, out=tmp_path / "ray", data_dir=data, engine="ray")
    killer.join()
    assert len(killed) == 1
    assert not ray.is_initialized()
    keys = ["checkpoint", "source", "measure", "direction", "chosen", "layer"]
    columns = ["value", "base", "delta", "delta_low", "delta_high", "area"]
    left, right = (one.table.sort_values(keys)[columns].to_numpy() for one in (made, short))
    assert left == pytest.approx(right, abs=2e-6, nan_ok=True)
    assert list(made.table["verdict"]) == list(short.table["verdict"])


def kill_a_worker(folder, killed):
    """Kill a worker that is at work on a checkpoint, when another one is finished."""
    psutil = pytest.importorskip("psutil")
    for _ in range(2000):
        if any(folder.glob("scores/*/flores-dev/scores.parquet")):
            for one in psutil.process_iter(["cmdline"]):
                if any("ray::_on_worker" in part for part in one.info["cmdline"] or ()):
                    one.kill()
                    killed.append(one.pid)
                    return
        time.sleep(0.05)


def test_a_cluster_that_does_not_answer_is_one_line(few, data, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")

    def refused(*args, **kwargs):
        raise ConnectionError("no answer\nat all")

    monkeypatch.setattr(ray, "init", refused)
    options = {"engine": "ray", "address": "10.0.0.1:6379", "out": tmp_path, "data_dir": data}
    with pytest.raises(OSError, match=r"no ray cluster answers at 10.0.0.1:6379 \(no answer at all\)"):
        study(few, **options)
