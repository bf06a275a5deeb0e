"""Recipes: what is wrong in one is said with its line, before anything is loaded."""

import dataclasses
import typing

import pytest

from crosslingual.training import recipe as module
from crosslingual.training.recipe import Lora, Phase, read_recipe

CLASSES = [
    one
    for one in vars(module).values()
    if dataclasses.is_dataclass(one) and one.__module__ == module.__name__
]


GOOD = """\
name: r
base: some/model
seed: 3
lora: {rank: 4, targets: [query, value]}
phases:
  - name: one
    tasks:
      - {task: hellaswag, train: dev, hold_out: 0.2}
      - task: rte
    steps: 200
    rate: 1e-5
    keep: [0, 0.03, 1]
  - name: two
    stage: target
    tasks: [{task: ewt}]
    epochs: 2
"""


def read(tmp_path, text):
    path = tmp_path / "r.yaml"
    path.write_text(text, "utf-8")
    return read_recipe(path)


def test_a_recipe(tmp_path):
    recipe = read(tmp_path, GOOD)
    one, two = recipe.phases
    assert (recipe.seed, recipe.lora) == (3, Lora(rank=4, targets=("query", "value")))
    assert (one.rate, one.keep, one.steps, one.sampler) == (1e-5, (0.0, 0.03, 1.0), 200, "capped")
    assert [part.task for part in one.tasks] == ["hellaswag", "rte"]
    assert (two.stage, two.epochs, two.steps) == ("target", 2.0, None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hellaswag,", "helaswag,", r"r.yaml:8: unknown task 'helaswag': did you mean hellaswag"),
        ("hold_out", "holdout", r"r.yaml:8: unknown field 'holdout': did you mean hold_out"),
        ("rate: 1e-5", "rates: 1e-5", r"r.yaml:11: unknown field 'rates': did you mean rate"),
        ("rate: 1e-5", "rate: fast", r"r.yaml:11: rate must be float, got 'fast'"),
        (
            "rate: 1e-5",
            "sampler: proportionl",
            r"r.yaml:11: unknown sampler 'proportionl': did you mean proportional",
        ),
        ("rate: 1e-5", "control: resav", r"unknown control 'resav': did you mean resave"),
        ("rate: 1e-5", "batch: 0", r"batch must be at least 1, got 0"),
        ("rate: 1e-5", "batch: 1.5", r"r.yaml:11: batch must be int"),
        ("rate: 1e-5", "batch: true", r"r.yaml:11: batch must be int"),
        ("rate: 1e-5", "epochs: 1", r"phase one: steps or epochs, one of the two"),
        ("steps: 200", "clip: 1", r"phase one: steps or epochs, one of the two"),
        ("hold_out: 0.2", "hold_out: 2", r"hold_out must be at most 1, got 2"),
        ("base: some/model", "revision: main", r"no base"),
        ("base: some/model", "seed: 2", r"r.yaml:3: seed is given twice"),
        ("keep: [0, 0.03, 1]", "keep: 3", r"r.yaml:12: keep must be a list, got 3"),
        ("keep: [0, 0.03, 1]", "keep: [3]", r"keep must be at most 1, got 3"),
        ("name: r\n", "name: [\n", r"r.yaml: not YAML"),
        ("steps: 200", "injection: {layer: 2}", r"phase one: (steps or epochs|tasks or injection)"),
        ("rate: 1e-5", "injection: {layer: 2}", r"phase one: tasks or injection, one of the two"),
        ("rate: 1e-5", "injection: {loss: cosine, layer: 2}", r"r.yaml:11: unknown loss 'cosine'"),
        ("rate: 1e-5", "injection: {}", r"r.yaml:11: no layer"),
        (
            "rate: 1e-5",
            "injection: {layer: 2, file: a}",
            r"languages names the one language of the file",
        ),
        ("rate: 1e-5", "mlm: {share: 0.2}", r"r.yaml:11: mlm: corpus or files, one of the two"),
        ("rate: 1e-5", "mlm: {corpus: a, share: 2}", r"r.yaml:11: share must be at most 0.99, got 2"),
        ("task: rte", "{task: rte, language: 7}", r"r.yaml:9: language must be str, got 7"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        read(tmp_path, GOOD.replace(old, new, 1))


def test_an_empty_recipe(tmp_path):
    for text in ("", "name: r\nbase: b\nphases: []\n"):
        with pytest.raises(ValueError, match=r"r.yaml:?1?: (empty|no phases)"):
            read(tmp_path, text)


@pytest.mark.parametrize(
    "name",
    ["/x", "../victim", "", ".", "..", "a/b", "a\\\\b", ".hidden", "-x", "a b", "a\\tb", "recipe.yaml"],
)
def test_a_phase_has_a_folder_of_its_name_and_no_path(tmp_path, name):
    with pytest.raises(ValueError, match="a phase gets a folder of its name"):
        read(tmp_path, GOOD.replace("name: two", f'name: "{name}"'))


@pytest.mark.parametrize("name", ["one", "ONE", "one-at-7"])
def test_two_phases_do_not_share_a_folder(tmp_path, name):
    with pytest.raises(ValueError, match="another phase needs a folder of this name"):
        read(tmp_path, GOOD.replace("name: two", f"name: {name}"))


def bounds(hint):
    """Return the least and greatest value that a type's annotations name."""
    inner = [hint, *typing.get_args(hint)]
    found = [meta for one in inner for meta in getattr(one, "__metadata__", ())]
    found += [meta for field in found for meta in getattr(field, "metadata", ())]
    return {name: getattr(meta, name) for meta in found for name in ("ge", "le") if hasattr(meta, name)}


def kinds(hint):
    """Return the plain types in an annotation."""
    return {hint} | {
        one for part in typing.get_args(hint) if isinstance(part, typing.Hashable) for one in kinds(part)
    }


def numbers(cls):
    """Return the fields of a class that hold numbers, with their types."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {name: hint for name, hint in hints.items() if kinds(hint) & {int, float}}


def test_every_number_has_a_range():
    assert len(CLASSES) == 8
    for cls in CLASSES:
        for name, hint in numbers(cls).items():
            limits = bounds(hint)
            assert limits.get("ge", 1) < limits.get("le", 0), (cls, name)


@pytest.mark.parametrize("name", sorted(numbers(Phase)))
@pytest.mark.parametrize("value", [".nan", ".inf", "-1", "-.inf", "1e300"])
def test_numbers_outside_their_range(tmp_path, name, value):
    shown = f"[{value}]" if name == "keep" else value
    text = GOOD.replace("stage: target", f"stage: target\n    {name}: {shown}")
    if name == "epochs":
        text = GOOD.replace("epochs: 2", f"epochs: {value}")
    with pytest.raises(ValueError, match=r"r\.yaml:\d+: "):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: &a r\nbase: *a\n", r"r.yaml:1: anchors, aliases and tags"),
        ("name: !!python/object:os.system r\n", r"r.yaml:1: anchors, aliases and tags"),
        ("name: " + "[" * 5000, r"r.yaml:1: more than 32 lists or mappings in each other"),
        ("name: r\n" * 200_000, "more than 1,048,576 bytes"),
        ("? [a]\n: b\n", r"the name of a field must be a word"),
        ("\x00", "not YAML"),
    ],
)
def test_yaml_that_no_settings_need(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_dev_gives_way_to_training_unless_the_official_one_is_asked_for(tmp_path, caplog):
    """Of RTE's dev, rows that share a premise with train are left out, and that is said."""
    from crosslingual.training.material import load_material
    from crosslingual.training.recipe import TaskPart

    (tmp_path / "rte").mkdir()
    for split, premises in (("train", "abc"), ("dev", "cde")):
        rows = "".join(f"{i}\tpremise {p}\th {i}\tentailment\n" for i, p in enumerate(premises))
        (tmp_path / "rte" / f"{split}.tsv").write_text("index\tsentence1\tsentence2\tlabel\n" + rows)
    with caplog.at_level("INFO", logger="crosslingual"):
        apart = load_material(TaskPart("rte"), tmp_path, 0)
    assert [one.group for one in apart.dev.examples] and len(apart.dev.examples) == 2
    assert "rte: 1 of 3 dev examples share a premise" in caplog.text
    official = load_material(TaskPart("rte", official=True), tmp_path, 0)
    assert len(official.dev.examples) == 3
