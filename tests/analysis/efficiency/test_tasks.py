"""Examples of tasks with their heads: what is run is what evaluation runs."""

import numpy as np
import pytest
import torch

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.analysis.efficiency import measuring, workload
from crosslingual.analysis.efficiency.clocks import TASK_CLOCKS, Running
from crosslingual.analysis.efficiency.options import EfficiencyOptions
from crosslingual.analysis.efficiency.subjects import TimedModel
from crosslingual.data.tasks import TASKS, Choice, Pair, Span, Tagged, TaskData
from crosslingual.training.tasks.features import collate, make_features
from crosslingual.training.tasks.heads import HeadSpec, MultiHead

LONG = "words of a context " * 40
EXAMPLES = {
    "xnli": (Pair("1", "g", "a premise", "a hypothesis", 0), Pair("2", "g", "another " * 9, "b", 1)),
    "xcopa": (Choice("1", "g", "it fell", ("it broke", "it flew away"), 0),) * 3,
    "xquad": (
        Span("1", "g", LONG, "of what", (("context", 11),)),
        Span("2", "g", "a context", "what", (("context", 2),)),
    ),
    "udpos": (Tagged("1", "g", ("some", "words"), (0, 1)), Tagged("2", "g", ("word",), (2,))),
}


@pytest.fixture(params=EXAMPLES)
def task(request, monkeypatch):
    labels = ("a", "b", "c")
    data = [
        TaskData(TASKS[request.param], "test", language, labels, EXAMPLES[request.param])
        for language in ("en", "de")
    ]
    monkeypatch.setattr(workload, "load_task", lambda *_, **__: data)
    return data[0]


def units(subject, task, **options):
    settings = EfficiencyOptions(scenario="task", task=task.task.name, **options)
    return workload.units_of(settings, [subject], {}, {})


def test_every_example_is_in_one_batch(task, tiny_bert):
    subject = TimedModel(open_checkpoint(tiny_bert))
    for budget in (30, 3000):
        found = units(subject, task, batch_tokens=budget)
        for language in ("en", "de"):
            own = [one for unit in found if unit.label == language for one in unit.examples]
            assert sorted(own, key=repr) == sorted(task.examples, key=repr)
    assert len(found) == 2


def test_what_is_run_is_what_evaluation_runs(task, tiny_bert):
    """The same logits as the model with that head, of all windows and options."""
    subject = TimedModel(open_checkpoint(tiny_bert))
    running = Running.of(subject)
    unit = units(subject, task, batch_tokens=10**5)[0]
    seen = {}
    head = running._head(unit, torch.float32)
    head.register_forward_hook(lambda _, __, logits: seen.update(logits=logits))
    sample = running.time(unit)
    checkpoint = subject.checkpoint
    features = make_features(unit.examples, checkpoint.tokenizer, checkpoint.max_length)
    batch = collate(features.rows, "task", checkpoint.tokenizer.pad_token_id)
    model = MultiHead(running.model, {"task": HeadSpec(task.task.kind, 3)}, seed=0).eval()
    del batch["labels"]
    with torch.inference_mode():
        expected = model(**batch)["logits"]
    assert np.allclose(seen["logits"].reshape(expected.shape), expected, atol=1e-6)
    texts = sum(len(row["input_ids"]) if task.task.kind == "choice" else 1 for row in features.rows)
    assert len(seen["logits"]) == texts
    assert sample["tokens"] == int(batch["attention_mask"].sum())
    assert sample["wall"] == pytest.approx(sum(sample[name] for name in TASK_CLOCKS))
    assert set(sample) == {*TASK_CLOCKS, "wall", "cpu", "tokens", "padded"}


def test_a_long_context_costs_windows(tiny_bert, monkeypatch):
    data = TaskData(TASKS["xquad"], "test", "en", (), EXAMPLES["xquad"][:1])
    monkeypatch.setattr(workload, "load_task", lambda *_, **__: [data])
    subject = TimedModel(open_checkpoint(tiny_bert))
    unit = units(subject, data)[0]
    sample = Running.of(subject).time(unit)
    assert sample["padded"] > subject.checkpoint.max_length and unit.count == 1


def test_a_language_that_the_corpus_lacks_is_timed(tiny_bert, monkeypatch):
    """Quechua is in XCOPA, and not in the corpus; English is not in the task."""
    from crosslingual.analysis.efficiency.words import languages_in_words

    task = [
        TaskData(TASKS["xcopa"], "test", language, (), EXAMPLES["xcopa"]) for language in ("qu", "de")
    ]
    monkeypatch.setattr(workload, "load_task", lambda *_, **__: task)
    monkeypatch.setattr(measuring, "memory_of", lambda *_: dict.fromkeys(("peak_mb", "weights_mb"), 1.0))
    result = measuring.efficiency(tiny_bert, languages="de", limit=3, seconds=0.2, scenario="task")
    rows = result.languages.set_index("language")
    assert set(rows.index) == {"qu", "de"} and rows.loc["qu", "time_ratio"] == 1
    assert np.isnan(rows.loc["qu", "premium"]) and rows.loc["de", "premium"] > 0
    assert any(line.startswith("qu") and " - " in line for line in languages_in_words(result))
