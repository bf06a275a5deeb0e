"""The loop: every kind can be learnt, labels are what is learnt, and a kill changes nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from crosslingual.data.tasks import TASKS, Choice, Pair, Span, Tagged, TaskData, load_task
from crosslingual.training.controls import shuffled
from crosslingual.training.recipe import Phase, TaskPart
from crosslingual.training.tasks.evaluation import evaluate, score_answers
from crosslingual.training.tasks.features import make_features
from crosslingual.training.tasks.heads import HeadSpec, MultiHead
from crosslingual.training.tasks.prediction import predict
from crosslingual.training.trainer import Hooks, Steps, TaskFeatures, last_whole, train_phase
from tests.training.conftest import new_encoder


def made_up(kind, n=64):
    """Examples whose answers can only be learnt by heart."""
    rng = np.random.default_rng(4)
    words = np.array("ant bee cat dog eel fox gnu hen ibis jay kite lark mole newt owl pig".split())

    def text(k):
        return " ".join(rng.choice(words, k))

    if kind == "pair":
        return TASKS["xnli"], [
            Pair(str(i), str(i), text(5), text(4), int(rng.integers(3))) for i in range(n)
        ]
    if kind == "choice":
        return TASKS["hellaswag"], [
            Choice(str(i), str(i), text(4), tuple(text(3) for _ in range(4)), int(rng.integers(4)))
            for i in range(n)
        ]
    if kind == "tagging":
        return TASKS["ewt"], [
            Tagged(str(i), str(i), tuple(rng.choice(words, 6)), tuple(rng.integers(17, size=6).tolist()))
            for i in range(n)
        ]
    spans = []
    for i in range(n):
        context, place = text(12), int(rng.integers(12))
        word = context.split()[place]
        spans.append(
            Span(
                str(i),
                str(i),
                context,
                text(4),
                ((word, len(" ".join(context.split()[:place])) + (place > 0)),),
            )
        )
    return TASKS["squad"], spans


def fit(tokenizer, tmp_path, data, steps=300, rate=2e-3, **options):
    model = MultiHead(
        new_encoder(tokenizer), {data.task.head: HeadSpec(data.task.kind, len(data.labels))}, seed=0
    )
    phase = Phase("p", (TaskPart(data.task.name),), steps=steps, rate=rate, batch=16)
    features = make_features(data.examples, tokenizer, 64)
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    task = TaskFeatures(data.task.name, data.task.head, features)
    train_phase(model, [task], phase, Steps(steps, [1.0]), work, Hooks(**options))
    return model


@pytest.mark.parametrize("kind", ["pair", "choice", "tagging", "span"])
def test_every_kind_can_be_learnt_by_heart(tokenizer, tmp_path, kind):
    """64 rows, 300 steps: 95 % and more; with shuffled labels the score follows the new ones."""
    task, examples = made_up(kind)
    dealt = shuffled(examples, seed=1)
    data = TaskData(task, "train", "en", task.labels, tuple(dealt))
    model = fit(tokenizer, tmp_path, data)
    answers = predict(model, tokenizer, data, 64)
    results = score_answers(data, answers, [answers])
    assert results[-1].value >= 0.95, "span: exact match"
    true = data.having(examples)
    assert score_answers(true, answers, [answers])[-1].value < 0.6, "what was dealt, not what was there"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "split"),
    [("anli", "dev"), ("rte", "train"), ("pawsx", "dev"), ("hellaswag", "dev"), ("cosmosqa", "dev"),
     ("commonsenseqa", "train"), ("tydiqa", "train"), ("ewt", "dev"), ("ewt-xpos", "dev"), ("wikiann", "train")],
)  # fmt: skip
def test_real_rows_of_every_task_can_be_learnt_by_heart(tokenizer, tmp_path, real_data, name, split):
    (data,) = load_task(name, split, languages="en", data_dir=real_data)
    data = data.having(data.examples[:64])
    model = fit(tokenizer, tmp_path, data)
    assert evaluate(model, tokenizer, data, data, max_length=64)[-1].value >= 0.95


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


class Killed(Exception):
    pass


@pytest.mark.parametrize(("kind", "judged"), [("pair", False), ("span", False), ("pair", True)])
def test_a_killed_run_ends_as_an_undisturbed_one(tokenizer, tmp_path, kind, judged, monkeypatch):
    """Losses of every step and final weights, bit for bit, with dropout and accumulation.

    Also where the best is kept and it stops early: how long nothing was gained is not forgotten.
    """
    from crosslingual.training import trainer

    monkeypatch.setattr(trainer, "SAVE_EVERY", 4)
    task, examples = made_up(kind, 50)
    data = TaskData(task, "train", "en", task.labels, tuple(examples))
    features = make_features(data.examples, tokenizer, 64)

    def run(folder, stop=None):
        folder.mkdir(exist_ok=True)
        encoder = new_encoder(tokenizer, dropout=0.1)
        model = MultiHead(encoder, {task.head: HeadSpec(task.kind, len(task.labels))}, seed=0)

        def progress(step, of, loss):
            if step == stop:
                raise Killed

        phase = Phase(
            "p", (TaskPart(task.name),), steps=14, rate=1e-3, batch=4, accumulate=2,
            evaluate_every=2 if judged else None, patience=3,
        )  # fmt: skip
        judge = (
            (lambda: -round(model.heads[task.head].out.bias.abs().sum().item(), 3)) if judged else None
        )
        train_phase(model, [TaskFeatures(task.name, task.head, features)], phase,
                    Steps(14, [1.0], seed=7), folder, Hooks(judge=judge, progress=progress))  # fmt: skip
        losses = [json.loads(line)["loss"] for line in (folder / "steps.jsonl").read_text().splitlines()]
        return weights(model), losses

    expected, losses = run(tmp_path / "whole")
    assert len(losses) == len(set(losses)) == (8 if judged else 14)
    for stop in (5, 7) if judged else (6, 11):
        with pytest.raises(Killed):
            run(tmp_path / "killed", stop)
    # a checkpoint that was not written to its end is no checkpoint
    broken = tmp_path / "killed" / "checkpoint-99"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"")
    assert last_whole(tmp_path / "killed").endswith("checkpoint-6" if judged else "checkpoint-8")
    found, again = run(tmp_path / "killed")
    assert again == losses
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_accumulated_batches_are_one_batch(tokenizer, tmp_path):
    """Two of 4 are one of 8: the loss is divided by accumulation (Trainer takes **kwargs for a sign not to)."""
    _, examples = made_up("choice", 8)
    features = make_features(examples, tokenizer, 64)
    found = []
    for batch, accumulate in ((8, 1), (4, 2)):
        model = MultiHead(new_encoder(tokenizer), {"choice": HeadSpec("choice")}, seed=0)
        model.eval()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        work = tmp_path / f"{batch}"
        work.mkdir()
        phase = Phase(
            "p", (TaskPart("hellaswag"),), steps=5, rate=1e-3, batch=batch, accumulate=accumulate
        )
        train_phase(model, [TaskFeatures("hellaswag", "choice", features)], phase,
                    Steps(5, [1.0], seed=7), work)  # fmt: skip
        found.append(
            [json.loads(line)["loss"] for line in (work / "steps.jsonl").read_text().splitlines()]
        )
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_a_mixture_steps_on_one_task_at_a_time_and_the_best_is_kept(tokenizer, tmp_path):
    tasks, specs = [], {}
    for kind in ("pair", "choice", "tagging", "span"):
        task, examples = made_up(kind, 20)
        tasks.append(TaskFeatures(task.name, task.head, make_features(examples, tokenizer, 64)))
        specs[task.head] = HeadSpec(task.kind, len(task.labels))
    model = MultiHead(new_encoder(tokenizer), specs, seed=0)
    seen, judged = [], []

    def judge():
        judged.append(weights(model))
        return {1: 0.3, 2: 0.9}.get(len(judged), 0.1)

    phase = Phase(
        "p",
        tuple(TaskPart(t.name) for t in tasks),
        steps=24,
        rate=1e-3,
        batch=4,
        evaluate_every=4,
        patience=3,
    )
    hooks = Hooks(judge=judge, progress=lambda *step: seen.append(step))
    train_phase(model, tasks, phase, Steps(24, [0.25] * 4), tmp_path, hooks)
    heads = [json.loads(line)["head"] for line in (tmp_path / "steps.jsonl").read_text().splitlines()]
    assert set(heads) == set(specs)
    assert len(judged) == 5 and len(seen) == 20, "two gains, then three without one"
    kept = weights(model)
    assert all(torch.equal(kept[name], judged[1][name]) for name in kept)
    assert not all(torch.equal(kept[name], judged[4][name]) for name in kept)


def test_a_loss_that_is_no_number_ends_the_run(tokenizer, tmp_path):
    task, examples = made_up("pair", 20)
    data = TaskData(task, "train", "en", task.labels, tuple(examples))
    with pytest.raises(ValueError, match=r"the loss is nan; take a smaller rate"):
        fit(tokenizer, tmp_path, data, steps=60, rate=1e30)


def test_defect_a_frozen_order_of_labels(tokenizer):
    """Dealing labels anew keeps how many there are of each, and moves most of them."""
    for kind in ("pair", "choice", "tagging"):
        _, examples = made_up(kind, 200)
        dealt = shuffled(examples, 0)
        label = (lambda e: e.tags) if kind == "tagging" else (lambda e: (e.label,))
        flat = [[x for e in some for x in label(e)] for some in (examples, dealt)]
        assert sorted(flat[0]) == sorted(flat[1])
        assert np.mean(np.array(flat[0]) == np.array(flat[1])) < 0.5
        assert [replace(e, **({"tags": ()} if kind == "tagging" else {"label": 0})) for e in dealt] == [
            replace(e, **({"tags": ()} if kind == "tagging" else {"label": 0})) for e in examples
        ]
    _, spans = made_up("span", 100)
    for before, after in zip(spans, shuffled(spans, 0), strict=True):
        ((text, start),) = after.answers
        assert after.context[start : start + len(text)] == text and len(text.split()) == 1
        assert after.context == before.context
