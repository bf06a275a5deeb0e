"""Recipes from end to end: folders that load, controls, heads that are swapped, kills, full disks."""

import gzip
import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from crosslingual.alignment.checkpoints.about import read_about
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.encoding.model_parts import parts_of
from crosslingual.alignment.runs.files import own_folder
from crosslingual.data.splits import Leak
from crosslingual.training.phases import run_recipe
from crosslingual.training.recipe import EvaluationPart, Lora, MaskedPart, Phase, Recipe, TaskPart
from crosslingual.training.saved import load_heads, trained_on

ROWS = [("a cat sat", "an animal sat", "entailment"), ("a dog ran", "a cat sat", "not_entailment")] * 12


@pytest.fixture
def folder(tmp_path):
    """Small files of three tasks."""
    (tmp_path / "rte").mkdir()
    lines = ["index\tsentence1\tsentence2\tlabel"]
    lines += [f"{i}\t{a} {i}\t{b}\t{label}" for i, (a, b, label) in enumerate(ROWS)]
    (tmp_path / "rte" / "train.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "rte" / "dev.tsv").write_text(
        "\n".join([lines[0], *(x.replace("sat", "stood") for x in lines[1:])]) + "\n"
    )
    (tmp_path / "hellaswag").mkdir()
    rows = [{"ctx": f"go {i}", "endings": ["a", "b", "c", "d"], "label": i % 4} for i in range(40)]
    (tmp_path / "hellaswag" / "val.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (tmp_path / "wikiann").mkdir()
    for split in ("train", "dev"):
        text = "\n\n".join(f"Ann{i}\tB-PER\nruns\tO" for i in range(20))
        (tmp_path / "wikiann" / f"{split}-en.tsv").write_text(text + "\n")
    return tmp_path


RTE, SWAG, NER = TaskPart("rte"), TaskPart("hellaswag", train="dev", hold_out=0.25), TaskPart("wikiann")


def phase(name="one", tasks=(RTE,), **options):
    return Phase(name, tasks, **({"steps": 6, "batch": 4, "rate": 1e-3} | options))


def run(little, folder, *phases, out="out", **options):
    return run_recipe(Recipe("r", str(little), phases, **options), folder / out, data_dir=folder)


def state(path):
    return open_checkpoint(path).load().state_dict()


def same(a, b):
    return {name for name in a if torch.equal(a[name], b[name])} == set(a) == set(b)


def test_a_phase_leaves_a_plain_encoder(little, folder):
    from transformers import AutoModel, AutoTokenizer

    (done,) = run(little, folder, phase(tasks=(RTE, SWAG, NER), steps=12))
    model = AutoModel.from_pretrained(done.folder, add_pooling_layer=False)
    assert same(model.state_dict(), state(done.folder))
    assert not same(model.state_dict(), state(little))
    assert AutoTokenizer.from_pretrained(done.folder)("a cat").input_ids
    about = read_about(done.folder)
    assert about == done.about
    assert (about["stage"], about["recipe"], about["seed"], about["control"]) == (
        "intermediate",
        "r",
        0,
        "none",
    )
    assert about["licences"]["rte"] == "none stated" and about["cost"]["steps"] == 12
    scores = {(one["task"], one["metric"]) for one in about["scores"]}
    assert scores == {
        ("rte", "accuracy"),
        ("hellaswag", "accuracy"),
        ("wikiann", "entity_f1"),
        ("wikiann", "accuracy"),
    }
    steps = [json.loads(line) for line in (folder / "out" / "one-steps.jsonl").read_text().splitlines()]
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert len({line["head"] for line in steps}) > 1
    card = (done.folder / "README.md").read_text()
    assert "rte en dev accuracy" in card and "MIT" in card
    hidden = [path.name for path in (folder / "out").iterdir() if path.name.startswith(".")]
    assert hidden == [".lock"], "nothing is left of the work"


def test_the_folder_goes_straight_into_score(little, folder):
    from tests.verbs import score

    (done,) = run(little, folder, phase())
    table = score(
        done.folder, "pocket", languages="de", measures="accuracy", store=folder / "store", limit=40
    )
    assert set(table["stage"]) == {"intermediate"} and set(table["recipe"]) == {"r"}
    assert set(table["train_seed"]) == {0}


def test_resave_differs_by_nothing(minilm, folder):
    """Also where the base's folder says how long an input may be."""
    from tests.verbs import score

    (done,) = run(minilm, folder, phase(tasks=(), control="resave"))
    tables = [
        score(path, "pocket", languages="de,sw", measures="retrieval", store=folder / "store", limit=30)
        for path in (minilm, done.folder)
    ]
    assert tables[0]["max_length"].tolist() == tables[1]["max_length"].tolist()
    assert (tables[0]["value"] - tables[1]["value"]).abs().max() == 0
    assert same(state(minilm), state(done.folder))


def test_the_next_phase_begins_with_the_encoder_and_fresh_heads(little, folder):
    first, second = run(little, folder, phase(), phase("two", (NER,), control="resave"))
    assert same(state(first.folder), state(second.folder)), "a head swap leaves the encoder identical"
    assert second.about["before"] == open_checkpoint(first.folder).fingerprint
    heads = [load_heads(first.folder, open_checkpoint(first.folder).load())]
    assert set(heads[0].heads) == {"rte"}
    # the same phase again, after another: other seeds, so other heads
    again = run(little, folder, phase(), phase("two", (RTE,), steps=1, rate=0.0), out="again")[1]
    fresh = load_heads(again.folder, open_checkpoint(again.folder).load())
    assert not torch.equal(fresh.heads["rte"].dense.weight, heads[0].heads["rte"].dense.weight)
    assert same(state(again.folder), state(first.folder)), "a rate of 0 moves nothing"
    assert again.about["phase_seed"] != first.about["phase_seed"]


def test_saved_heads_say_what_was_said_when_they_were_saved(little, folder):
    from crosslingual.data.tasks import load_task
    from crosslingual.training.tasks.evaluation import evaluate

    (done,) = run(little, folder, phase(tasks=(NER,), steps=30))
    checkpoint = open_checkpoint(done.folder)
    model = load_heads(done.folder, checkpoint.load())
    dev, train = (load_task("wikiann", s, languages="en", data_dir=folder)[0] for s in ("dev", "train"))
    results = evaluate(model, checkpoint.tokenizer, dev, train, max_length=128)
    assert [r.value for r in results] == [one["value"] for one in done.about["scores"]]


@pytest.mark.parametrize("control", ["english-mlm", "shuffled-labels", "weight-noise"])
def test_controls_move_the_weights(little, folder, control):
    (task,) = run(little, folder, phase(), out="task")
    options = {"tasks": (), "like": str(task.folder)} if control == "weight-noise" else {}
    (done,) = run(little, folder, phase(control=control, **options), out=control)
    before, after, other = state(little), state(done.folder), state(task.folder)
    assert not same(before, after) and not same(after, other)
    if control == "weight-noise":
        for name in before:
            moved, meant = ((side[name] - before[name]).norm() for side in (after, other))
            assert moved.item() == pytest.approx(meant.item(), rel=1e-3, abs=1e-5)
    else:
        assert done.about["cost"]["steps"] == task.about["cost"]["steps"], "equal steps"
    assert bool(done.about.get("scores")) == (control == "shuffled-labels")


def test_frozen_parts_stay_and_the_others_move(little, folder):
    (done,) = run(little, folder, phase(freeze="0-1"))
    before, after = state(little), state(done.folder)
    parts = parts_of(open_checkpoint(little).load(), open_checkpoint(little).layers)
    stayed = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in parts if parts[name] <= 1} <= stayed
    moved = {parts[name] for name in set(before) - stayed if name in parts}
    assert moved == {part for part in parts.values() if part > 1}


def test_reinitialised_parts_begin_at_random_and_no_others(little, folder):
    options = {"control": "resave", "tasks": (), "steps": None}
    first, again = (run(little, folder, phase(reinitialise="2", **options), out=out)[0] for out in "ab")
    before, after = state(little), state(first.folder)
    parts = parts_of(open_checkpoint(little).load(), open_checkpoint(little).layers)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and {parts[name] for name in changed} == {2}
    assert same(after, state(again.folder)), "the seed decides"
    other = run(little, folder, phase(reinitialise="2", **options), out="c", seed=7)[0]
    assert not same(after, state(other.folder))


def test_parts_that_are_not_there(little, folder):
    with pytest.raises(ValueError, match="layer 9 is out of range"):
        run(little, folder, phase(freeze="9"))


def test_masked_words_are_learnt(little, folder):
    """The loss falls below that of a guess by frequency of the few words there are."""
    run(little, folder, phase(control="english-mlm", steps=300, rate=3e-3, batch=16))
    losses = [
        json.loads(line)["loss"]
        for line in (folder / "out" / "one-steps.jsonl").read_text().splitlines()
    ]
    assert np.mean(losses[-40:]) < 0.4 * np.mean(losses[:10])


def test_checkpoints_along_the_way(little, folder):
    (done,) = run(little, folder, phase(steps=10, keep=(0.0, 0.3, 1.0)))
    there = sorted(path.name for path in (folder / "out").glob("one-at-*"))
    assert there == ["one-at-000000", "one-at-000003", "one-at-000010"]
    states = [state(folder / "out" / name) for name in there]
    assert same(states[0], state(little)) and same(states[2], state(done.folder))
    assert not same(states[1], states[0]) and not same(states[1], states[2])


def test_adapters_are_merged(little, folder):
    (done,) = run(little, folder, phase(steps=20), lora=Lora(rank=4, targets=("query", "value")))
    before, after = state(little), state(done.folder)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert set(after) == set(before)
    assert moved == {name for name in before if name.endswith(("query.weight", "value.weight"))}
    with pytest.raises(ValueError, match="lora: .*; name its targets"):
        run(little, folder, phase(), lora=Lora(targets=("nowhere",)), out="wrong")


def test_what_was_trained_on_is_known(little, folder):
    first, second = run(little, folder, phase(tasks=(SWAG,)), phase("two", (NER,)))
    groups = trained_on(first.folder)
    assert all(group.startswith("hellaswag/") for group in groups)
    assert (
        len(groups)
        == first.about["examples"]["hellaswag"][0]
        == 40 - first.about["examples"]["hellaswag"][1]
    )
    assert trained_on(second.folder) > groups, "phases add up"
    with gzip.open(second.folder / "trained-on.txt.gz", "rt") as stream:
        assert sum(1 for _ in stream) == len(trained_on(second.folder))


def test_running_again_trains_nothing_and_another_recipe_is_refused(little, folder):
    (done,) = run(little, folder, phase())
    times = [path.stat().st_mtime_ns for path in sorted(done.folder.iterdir())]
    (again,) = run(little, folder, phase())
    assert again.about == done.about
    assert times == [path.stat().st_mtime_ns for path in sorted(done.folder.iterdir())]
    with pytest.raises(ValueError, match="holds another recipe's phase one"):
        run(little, folder, phase(rate=2e-3))


def test_a_folder_is_used_by_one_process(little, folder):
    from crosslingual.alignment.runs.folder import locked

    with locked(folder / "out"), pytest.raises(OSError, match="another process is writing there"):
        run(little, folder, phase())


def test_training_and_dev_share_nothing(little, folder):
    with pytest.raises(ValueError, match="cannot be dev too; hold_out"):
        run(little, folder, phase(tasks=(TaskPart("hellaswag", train="dev"),)))
    failures = (folder / "out" / "failures.jsonl").read_text().splitlines()
    assert "hold_out" in json.loads(failures[0])["error"], "failures are reported, not dropped"


def test_a_full_disk_leaves_what_was_there(little, folder, monkeypatch):
    from crosslingual.training import objective as lesson

    run(little, folder, phase())
    whole = state(folder / "out" / "one")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lesson, "save_heads", full)
    with pytest.raises(
        OSError, match="two cannot be written .*No space left.*; make room and run again"
    ):
        run(little, folder, phase(), phase("two", (NER,)))
    assert same(whole, state(folder / "out" / "one"))
    assert not (folder / "out" / "two").exists()
    monkeypatch.undo()
    done = run(little, folder, phase(), phase("two", (NER,)))
    assert done[1].about["cost"]["steps"] == 6


def test_a_disk_that_is_full_at_a_checkpoint_is_one_line(little, folder, monkeypatch):
    import torch

    def full(*args, **kwargs):
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="no checkpoint can be written .*unexpected pos.*; make room and"):
        run(little, folder, phase())
    monkeypatch.undo()
    (done,) = run(little, folder, phase())
    assert done.about["cost"]["steps"] == 6


def test_stopped_at_its_end_a_phase_leaves_nothing_to_clear_up(little, folder):
    (done,) = run(little, folder, phase())
    work = folder / "out" / f".work-one-{done.about['key'][:8]}"
    assert not work.exists()
    own_folder(work)  # saved, and then stopped
    run(little, folder, phase())
    assert not work.exists()


def test_zero_shot_in_every_language(little, folder):
    for code, word in (("de", "rennt"), ("sw", "anakimbia")):
        text = "\n\n".join(f"Ann{i}\tB-PER\n{word}\tO" for i in range(20))
        (folder / "wikiann" / f"test-{code}.tsv").write_text(text + "\n")
    tested = (EvaluationPart("wikiann"),)
    (done,) = run(little, folder, phase(tasks=(NER,), steps=60, rate=3e-3, evaluate=tested))
    rows = pd.DataFrame(done.about["zero_shot"])
    assert set(zip(rows["language"], rows["metric"], strict=True)) == {
        (tag, metric) for tag in ("de", "sw") for metric in ("entity_f1", "accuracy")
    }
    assert (rows[["low", "high"]].notna().all(axis=None)) and not rows["leaks"].any()
    entity = rows[rows["metric"] == "entity_f1"]
    assert (entity["value"] > 0.9).all() and not entity["at_baseline"].any()
    with pytest.raises(ValueError, match="rte needs a 'rte' head, and this phase trains 'ner'"):
        run(little, folder, phase(tasks=(NER,), evaluate=(EvaluationPart("rte", "dev"),)), out="none")


def pawsx(folder):
    """Thirty pairs in English and German."""
    (folder / "pawsx").mkdir()
    for code in ("en", "de"):
        lines = [f"{code} {i}\tsome {code} words\t{i % 2}" for i in range(30)]
        (folder / "pawsx" / f"dev-{code}.tsv").write_text("\n".join(lines) + "\n")


def test_a_translation_of_what_was_trained_on_is_refused(little, folder):
    """Row 7 in German is row 7 in English; it is refused before anything is trained."""
    pawsx(folder)
    task, tested = TaskPart("pawsx", train="dev", hold_out=0.3), (EvaluationPart("pawsx", "dev", "de"),)
    with pytest.raises(
        Leak, match=r"pawsx/dev \(de\): .* of 30 groups are trained on.*`allow_parallel_leak`"
    ):
        run(little, folder, phase(tasks=(task,), evaluate=tested))
    assert not list((folder / "out").glob("*steps*"))
    recipe = Recipe("r", str(little), (phase(tasks=(task,), evaluate=tested),))
    (done,) = run_recipe(recipe, folder / "leak", data_dir=folder, allow_parallel_leak=True)
    assert [row["leaks"] for row in done.about["zero_shot"]] == [True], "it is stored with the score"


RECIPE = """\
name: cli
base: {base}
phases:
  - name: one
    tasks: [{{task: rte}}, {{task: hellaswag, train: dev, hold_out: 0.25}}]
    steps: {steps}
    batch: 4
    rate: 1e-4
    evaluate_every: 5
"""


def test_command(command, little, folder):
    (folder / "r.yaml").write_text(RECIPE.format(base=little, steps=10))
    done = command("train", folder / "r.yaml", "--out", "t", "--data-dir", folder)
    assert done.returncode == 0, done.stderr
    assert (
        "one: t/one" in done.stdout
        and "rte en dev accuracy" in done.stdout
        and "tokens/s" in done.stdout
    )
    assert Path("t/recipe.yaml").is_file()
    wrong = command("train", folder / "r.yaml", "--out", "u", "--data-dir", folder / "rte")
    assert wrong.returncode == 1 and wrong.stderr.count("error:") == 1
    (folder / "r.yaml").write_text(RECIPE.format(base=little, steps=10).replace("rate", "rat"))
    wrong = command("train", folder / "r.yaml")
    assert wrong.stderr.strip().endswith(
        "r.yaml:8: unknown field 'rat': did you mean rate or watch or batch?"
    )


@pytest.mark.slow
def test_what_the_page_says(command, little, folder, real_data, monkeypatch):
    """Its recipe, shortened, and its commands."""
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
    ((text,), (commands,)) = (
        [part for part in re.findall(f"```{kind}\n(.*?)```", page, re.S) if mark in part]
        for kind, mark in (("yaml", "phases:"), ("sh", "crosslingual train"))
    )
    for old, new in (
        ("./my-model", str(little)), ("steps: 2000", "steps: 8"), ("every: 200", "every: 8"),
        ("epochs: 3", "steps: 4"), ("{task: hellaswag}", "{task: hellaswag, train: dev, hold_out: 0.25}"),
    ):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    for name in ("ewt", "pud", "masakhapos"):
        (folder / name).symlink_to(real_data / name)
    Path("recipe.yaml").write_text(text)
    for line in commands.splitlines():
        arguments = shlex.split(
            line.replace("./my-model", str(little)).replace("./corpora", str(folder)), comments=True
        )
        done = command(*arguments[1:])
        assert done.returncode == 0, done.stderr
        if arguments[1] == "train":
            assert "pud zh-Hant accuracy" in done.stdout
    assert "of 11 language pairs" in done.stdout


@pytest.mark.slow
def test_kill_9_and_the_same_command(little, folder):
    """Final weights and losses are those of an undisturbed run."""
    (folder / "r.yaml").write_text(RECIPE.format(base=little, steps=60))
    entry = [
        str(Path(sys.executable).with_name("crosslingual")),
        "train",
        str(folder / "r.yaml"),
        "--data-dir",
        str(folder),
    ]
    subprocess.run([*entry, "--out", str(folder / "whole")], check=True, capture_output=True)
    for _ in range(3):
        running = subprocess.Popen([*entry, "--out", str(folder / "killed")], stderr=subprocess.DEVNULL)
        log = None
        while running.poll() is None and log is None:
            log = next((folder / "killed").glob(".work-*/checkpoint-*"), None)
            time.sleep(0.05)
        running.kill()
        running.wait()
    subprocess.run([*entry, "--out", str(folder / "killed")], check=True, capture_output=True)
    assert same(state(folder / "whole" / "one"), state(folder / "killed" / "one"))
    losses = [
        pd.read_json(folder / name / "one-steps.jsonl", lines=True)["loss"].tolist()
        for name in ("whole", "killed")
    ]
    assert losses[0] == losses[1]


def test_masked_words_in_other_languages_beside_the_task(little, folder):
    """A share of the steps; the labels stay English, and the text counts as nothing trained on."""
    texts = folder / "texts.txt"
    texts.write_text(
        "\n".join(f"ein hund läuft um {i} uhr\nmbwa {i} anakimbia" for i in range(20)) + "\n"
    )
    mlm = MaskedPart(files=(str(texts),), share=0.25)
    (done,) = run(little, folder, phase(steps=80, batch=2, mlm=mlm))
    steps = [json.loads(line) for line in (folder / "out" / "one-steps.jsonl").read_text().splitlines()]
    assert 8 <= sum(step["head"] == "mlm" for step in steps) <= 33
    assert done.about["mlm_texts"] == 40 and {one["task"] for one in done.about["scores"]} == {"rte"}
    (other,) = run(little, folder, phase(steps=4, mlm=MaskedPart("pocket", "de,sw")), out="corpus")
    assert other.about["mlm_texts"] > 500


def test_translated_examples_are_trained_on_where_the_recipe_says_so(little, folder):
    """Selection stays English; of a translated pair and its original the same are held out."""
    pawsx(folder)
    part = TaskPart("pawsx", train="dev", hold_out=0.3, language="de")
    (done,) = run(little, folder, phase(tasks=(part,)))
    trained, dev = done.about["examples"]["pawsx (de)"]
    assert trained + dev == 30 and done.about["tasks"] == ["pawsx (de)"]
    with pytest.raises(Leak, match="groups are trained on"):
        evaluate = (EvaluationPart("pawsx", "dev", "en"),)
        run(little, folder, phase(tasks=(part,), evaluate=evaluate), out="leak")
    whole = TaskPart("pawsx", train="dev", language="de")
    with pytest.raises(ValueError, match="cannot be dev too"):
        run(little, folder, phase(tasks=(whole,)), out="whole")


def test_another_language_is_trained_on_only_where_the_recipe_says_so(little, folder):
    pawsx(folder)
    (folder / "pawsx" / "dev-en.tsv").unlink()
    with pytest.raises(ValueError, match="en"):
        run(little, folder, phase(tasks=(TaskPart("pawsx", train="dev", hold_out=0.3),)))
