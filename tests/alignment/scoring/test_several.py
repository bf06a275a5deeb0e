"""Families and revisions: one table, one download on the disk, resumed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from crosslingual import read
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.checkpoints.several import revision_subjects
from crosslingual.analysis.figures.curves import curve_points
from crosslingual.analysis.figures.options import CurveOptions
from crosslingual.analysis.results import score as score_verb
from tests.alignment.checkpoints.test_checkpoint import load_tensors, save_tensors
from tests.conftest import make_tiny
from tests.verbs import score

OPTIONS = {"languages": "de", "measures": "accuracy", "limit": 60}
STEPS = (0, 100, 200, 300, 400, 500, 1000, 2000)


@pytest.fixture
def drifting(tiny_bert, tmp_path):
    """Eight folders: at every step more noise in the embeddings of letters that only German has."""
    steps = tmp_path / "steps"
    noise = torch.randn(load_tensors(tiny_bert)["embeddings.word_embeddings.weight"].shape)
    for place, step in enumerate(STEPS):
        folder = Path(shutil.copytree(tiny_bert, steps / f"step{step}"))
        tensors = load_tensors(folder)
        tensors["embeddings.word_embeddings.weight"] += 0.02 * place * noise
        save_tensors(folder, tensors)
    (steps / "logs").mkdir()
    return steps


def test_a_planted_drift_shows_in_the_curve(drifting, tmp_path):
    result = score_verb(drifting, "pocket", revisions="step*", out=tmp_path / "out", **OPTIONS)
    table = result.table
    assert list(dict.fromkeys(table["step"])) == list(STEPS)
    for step in STEPS:  # each is the table of that checkpoint alone
        alone = score(drifting / f"step{step}", "pocket", **OPTIONS)
        own = table[table["step"] == step]
        assert own["value"].tolist() == alone["value"].tolist()
        assert own["key"].tolist() == alone["key"].tolist()
    points = curve_points(table, CurveOptions(measure=table["measure"].iloc[0]))
    assert set(points["by"]) == {"step"} and sorted(set(points["axis"])) == list(STEPS)
    first = points[points["line"] == 0].sort_values("axis")["value"].to_numpy()
    assert len(np.unique(first)) > 3
    assert read(tmp_path / "out").table["value"].tolist() == table["value"].tolist()
    assert read(tmp_path / "out" / "step100").table["step"].eq(100).all()
    assert result.curves(lines="language", layer=1).axes
    with pytest.raises(ValueError, match="a curve needs two and more"):
        result.curves(by="tokens")
    with pytest.raises(ValueError, match="`layer` 99 is not in the table"):
        result.curves(lines="language", layer=99)


def test_kill_and_resume(drifting, tmp_path, process):
    """`kill -9` in the middle; the same command then gives the undisturbed table, byte for byte."""
    whole = score_verb(drifting, "pocket", revisions="step*", out=tmp_path / "whole", **OPTIONS)
    command = [
        *(sys.executable, "-m", "crosslingual", "score", str(drifting), "--revisions", "step*"),
        *(
            "--languages",
            "de",
            "--measures",
            "accuracy",
            "--limit",
            "60",
            "--out",
            str(tmp_path / "out"),
        ),
    ]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((tmp_path / "out").glob("step[1-9]*/cells/*.json")):
        assert running.poll() is None
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "out" / "scores.parquet").exists()
    finished = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*/cells/*.parquet")}
    subprocess.run(command, check=True, capture_output=True)
    assert all(path.stat().st_mtime_ns == at for path, at in finished.items())
    files = [folder / "scores.parquet" for folder in (tmp_path / "out", whole.folder)]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.fixture
def hub(drifting, tmp_path, monkeypatch):
    """A hub with a repository of eight branches; counts downloads, and looks at what is on the disk."""
    import huggingface_hub

    names = {f"step{step}": f"{step:040x}" for step in STEPS}
    seen = SimpleNamespace(downloads=[], most=0, fail="")

    def snapshot_download(name, *, revision, allow_patterns, cache_dir=None, local_files_only=False):
        if local_files_only or name != "o/steps":
            raise huggingface_hub.errors.LocalEntryNotFoundError("not in the cache")
        branch = next(branch for branch, commit in names.items() if commit == revision)
        if seen.fail == branch:
            raise OSError("no room")
        here = Path(cache_dir or tmp_path / "cache") / revision
        if not here.is_dir():
            seen.downloads.append(branch)
        here.mkdir(parents=True, exist_ok=True)
        for path in (drifting / branch).iterdir():
            if any(fnmatch(path.name, pattern) for pattern in allow_patterns):
                shutil.copy(path, here / path.name)
        seen.most = max(seen.most, len(list(Path(cache_dir).glob("*/model.safetensors"))))
        return str(here)

    class Api:
        def list_repo_refs(self, name):
            refs = [SimpleNamespace(name=one, target_commit=sha) for one, sha in names.items()]
            main = SimpleNamespace(name="main", target_commit="f" * 40)
            return SimpleNamespace(branches=[main, *refs[:4]], tags=refs[4:])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    return seen


def test_one_revision_on_the_disk_at_a_time(hub, drifting, tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "home"))
    table = score_verb("o/steps", "pocket", revisions="step*", out=tmp_path / "out", **OPTIONS).table
    assert hub.downloads == [f"step{step}" for step in STEPS] and hub.most == 1
    assert not (tmp_path / "home" / "revision").exists()
    assert set(table["checkpoint"]) == {"o/steps"} and list(dict.fromkeys(table["step"])) == list(STEPS)
    folders = score_verb(drifting, "pocket", revisions="step*", **OPTIONS).table
    assert table["value"].tolist() == folders["value"].tolist()
    again = score_verb("o/steps", "pocket", revisions="step*", out=tmp_path / "out", **OPTIONS).table
    assert len(hub.downloads) == len(STEPS) and again.equals(table)  # nothing is downloaded once more


def test_a_revision_that_fails_is_named_and_the_others_are_kept(hub, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "home"))
    hub.fail = "step200"
    options = {"revisions": "step*", "out": tmp_path / "out", **OPTIONS}
    with pytest.raises(ValueError, match=r"1 of 8 checkpoints could not be scored, first o/steps"):
        score_verb("o/steps", "pocket", **options)
    assert set(read(tmp_path / "out").table["step"]) == {*STEPS} - {200}
    assert "going on with the others" in caplog.text
    hub.fail, before = "", len(hub.downloads)
    assert set(score_verb("o/steps", "pocket", **options).table["step"]) == {*STEPS}
    assert hub.downloads[before:] == ["step200"]


def test_what_a_killed_run_left_is_not_a_second_download(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "home"))
    from crosslingual.alignment.runs.files import own_folder

    left = tmp_path / "home" / "revision"
    own_folder(left)
    (left / "commit").write_text("a" * 40)
    (left / ("a" * 40)).mkdir()
    (left / ("a" * 40) / "model.safetensors").write_bytes(b"half")
    score_verb("o/steps", "pocket", revisions="step[01]*", **OPTIONS)
    assert hub.most == 1


def test_a_family_in_one_table(tmp_path):
    result = score_verb("family:pocket", "pocket", out=tmp_path / "out", **OPTIONS)
    table = result.table
    assert list(dict.fromkeys(table["checkpoint"])) == ["pocket-xs", "pocket-s", "pocket-m"]
    assert set(table["family"]) == {"pocket"} and set(table["norm"]) == {"post"}
    points = curve_points(table, CurveOptions())
    assert set(points["by"]) == {"parameters"}
    assert list(dict.fromkeys(points["line"])) == ["0%", "100%", "25%", "50%", "75%"]
    last = points[points["line"] == "100%"].sort_values("axis")
    for (_, point), name in zip(last.iterrows(), ("pocket-xs", "pocket-s", "pocket-m"), strict=True):
        rows = table[(table["checkpoint"] == name) & (table["direction"] == "mean")]
        own = rows[rows["layer"] == rows["layer"].max()]
        assert point["value"] == own["value"].mean() and point["axis"] == own["parameters"].iloc[0]


def test_bad_input(drifting, tiny_bert, tmp_path):
    for subject, options, message in (
        (drifting, {"revisions": "epoch*"}, "no revision matches 'epoch\\*'; there are logs, step0"),
        ("family:pocket", {"revisions": "step*"}, "`revisions` are of one model"),
        (drifting, {"revisions": "step*", "revision": "main"}, "`revisions` are of one model"),
        ("family:xlmr", {}, "unknown family 'xlmr'"),
        ("pocket-s", {"revisions": "*"}, "pocket-s has no revisions"),
        (f"vectors:{tmp_path}", {"revisions": "*"}, "has no revisions"),
        ("no where/at all", {"revisions": "*"}, "neither a folder nor to be had|cannot be listed"),
        (drifting, {"revisions": "logs"}, "1 of 1 checkpoints could not be scored"),
    ):
        with pytest.raises((ValueError, OSError), match=message):
            score_verb(subject, "pocket", **OPTIONS, **options)


def test_a_family_is_for_score():
    with pytest.raises(
        ValueError, match="family:pocket is several checkpoints, which `score` takes; he"
    ):
        open_checkpoint("family:pocket")


def test_revisions_come_in_the_order_of_their_steps(tmp_path):
    for name in ("step10", "step9", "final", "step100", "checkpoint-9"):
        (tmp_path / name).mkdir()
    found = [Path(one.checkpoint).name for one in revision_subjects(str(tmp_path), "*")]
    assert found == ["checkpoint-9", "step9", "step10", "step100", "final"]


def test_another_model_is_no_finished_member(tmp_path, tiny_bert):
    """The folder of a member is named after it; what it was made of decides, not its name."""
    folder = tmp_path / "steps"
    shutil.copytree(tiny_bert, folder / "step1")
    first = score_verb(folder, "pocket", revisions="*", out=tmp_path / "out", **OPTIONS).table
    shutil.rmtree(folder / "step1")
    shutil.copytree(make_tiny(tmp_path / "other", seed=5), folder / "step1")
    second = score_verb(folder, "pocket", revisions="*", out=tmp_path / "out", **OPTIONS).table
    assert first["value"].tolist() != second["value"].tolist()
