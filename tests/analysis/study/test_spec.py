"""The file of a study: what is wrong in it is said with its line; the shipped ones are right."""

from pathlib import Path

import pytest
import yaml

from crosslingual.analysis.study.costs import validated
from crosslingual.analysis.study.options import StudyOptions
from crosslingual.analysis.study.plan import BASE, make_plan
from crosslingual.analysis.study.spec import SCORING, Study, read_study, write_study
from crosslingual.analysis.study.template import TEMPLATE
from crosslingual.data.settings_file import schema_of

SHIPPED = sorted((Path(__file__).parents[3] / "studies").glob("*.yaml"))
GOOD = """\
name: s
families:
  pocket:
    xs: {checkpoint: pocket-xs}
    s: {checkpoint: pocket-s}
treatments:
  nli:
    phases: [{name: one, tasks: [{task: rte}], steps: 5}]
  ready:
    checkpoints: {pocket/xs: [./a, ./b]}
  plain:
    control: true
    phases: [{name: one, control: resave}]
seeds: [3, 1]
test:
  - {corpus: tatoeba, languages: "de,no"}
dev: {corpus: ntrex}
score: {measures: accuracy, random_init: false}
margin: 0.05
primary: {corpus: tatoeba}
"""


def read(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text, "utf-8")
    return read_study(tmp_path / "s.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("margin: 0.05\n", "", r"s.yaml:1: no margin"),
        ("margin: 0.05", "margin: 0", r"s.yaml:19: margin must be at least 1e-06, got 0"),
        ("margin: 0.05", "margins: 0.05", r"s.yaml:19: unknown field 'margins': did you mean margin"),
        ("measures: acc", "measure: acc", r"s.yaml:18: unknown field 'measure': did you mean measures"),
        ("random_init: false", "duplicates: x", r"s.yaml:18: unknown `duplicates` 'x'"),
        ("score: {", "score: {corpus: x, ", r"s.yaml:18: unknown field 'corpus'"),
        ("task: rte", "task: rtee", r"s.yaml:8: unknown task 'rtee': did you mean rte"),
        ("steps: 5", "step: 5", r"s.yaml:8: unknown field 'step': did you mean steps"),
        ("steps: 5", "steps: 0", r"s.yaml:8: steps must be at least 1"),
        ("steps: 5}", "steps: 5, epochs: 1}", r"phase one: steps or epochs, one of the two"),
        ("pocket/xs:", "pocket/xl:", r"treatment ready: 'pocket/xl': did you mean pocket/xs"),
        ("[./a, ./b]", "[a, b, c]", r"treatment ready: pocket/xs has more checkpoints than seeds"),
        ("seeds: [3, 1]", "seeds: [1, 1]", r"s.yaml:14: seeds: at least one, none twice"),
        ("corpus: ntrex", "corpus: tatoeba", r"dev: layers chosen on tatoeba cannot be reported on it"),
        (
            "primary: {corpus: tatoeba}",
            "primary: {corpus: tatoba}",
            r"primary: corpus 'tatoba': did you",
        ),
        ("primary: {", "primary: {direction: up, ", r"s.yaml:20: direction: "),
        ("corpus: ntrex", "corpus: ntrex, noise: chr@1", r"unknown `noise` 'chr@1': did you mean char"),
        ("primary: {", "primary: {noise: char@1, ", r"primary: corpus 'tatoeba\+char@1': did you mean"),
        ("  nli:", "  a/b:", r"name 'a/b': folders get it"),
        ("    control: true\n", "    checkpoints: {pocket/xs: [a]}\n", r"phases or checkpoints"),
        ("dev:", "against: nil\ndev:", r"against: 'nil': did you mean nli"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        read(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "tolerances: 1, values: {de: 0.1}",
            r"s.yaml:23: unknown field 'tolerances': did you mean tolerance",
        ),
        ("tolerance: 1", r"expected: values or a mean"),
        ("tolerance: -1, values: {de: 0.1}", r"s.yaml:23: tolerance must be at least 0"),
        ("tolerance: 1, mean: 0.5", r"a mean needs the languages that it is over"),
        ("tolerance: 1, values: {nothing: 0.1}", r"'nothing' is no language code"),
        ("tolerance: 1, mean: 1, languages: 'de,nothing'", r"'nothing' is no language code"),
        ("tolerance: 1, values: {de: 0.1}, layer: best", r"s.yaml:2[23]: .*layer"),
    ],
)
def test_what_is_wrong_in_published_figures_is_said(tmp_path, entry, message):
    start = f"{GOOD}expected:\n  - {{source: x, checkpoint: pocket/xs, corpus: tatoeba, "
    with pytest.raises(ValueError, match=message):
        read(tmp_path, f"{start}{entry}}}\n".replace("tatoeba, tol", "tatoeba,\n     tol"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pocket/xs", "pocket/xl", r"expected: checkpoint 'pocket/xl': did you mean pocket/xs"),
        ("pocket/xs", "pocket", r"expected: checkpoint 'pocket': did you mean pocket/"),
        ("pocket/xs", "pocket/xs/nil", r"expected: treatment 'nil': did you mean nli"),
        ("ntrex", "flores", r"expected: corpus 'flores': it must be one of|expected: corpus 'flores'"),
    ],
)
def test_published_figures_are_of_what_the_study_has(tmp_path, old, new, message):
    entry = "expected:\n  - {source: x, checkpoint: pocket/xs, corpus: ntrex, tolerance: 1, values: {de: 1}}\n"
    assert read(tmp_path, GOOD + entry).expected[0].values == {"de": 1}
    with pytest.raises(ValueError, match=message):
        read(tmp_path, GOOD + entry.replace(old, new))


def test_what_is_written_is_read_as_the_same(tmp_path):
    study = read(tmp_path, GOOD)
    write_study(study, tmp_path / "again.yaml")
    assert read_study(tmp_path / "again.yaml") == study
    assert study.test[0].languages == "de,no"


def test_the_plan(tmp_path):
    plan = make_plan(read(tmp_path, GOOD), tmp_path)
    names = [subject.name for subject in plan.subjects]
    assert names[:2] == ["pocket-xs", "pocket-s"] and len(set(names)) == len(names)
    assert set(names[2:]) == {
        *(
            f"pocket-{scale}-{name}-seed{seed}"
            for scale in ("xs", "s")
            for name in ("nli", "plain")
            for seed in (3, 1)
        ),
        *("pocket-xs-ready-seed3", "pocket-xs-ready-seed1"),
    }
    ready = {one.name: one.checkpoint for one in plan.subjects if one.treatment == "ready"}
    assert ready == {"pocket-xs-ready-seed3": "./a", "pocket-xs-ready-seed1": "./b"}
    for subject in plan.treated():
        base = plan.base_of(subject)
        assert (base.scale, base.treatment) == (subject.scale, BASE)
        if subject.recipe:
            assert (subject.recipe.base, subject.recipe.seed) == (base.checkpoint, subject.seed)


@pytest.mark.parametrize("count", [1, 3, 7, 50])
def test_shares_are_all_of_it_and_nothing_twice(tmp_path, count):
    plan = make_plan(read(tmp_path, GOOD), tmp_path)
    shares = [one.name for i in range(count) for one in plan.share(f"{i + 1}/{count}")]
    assert sorted(shares) == sorted(one.name for one in plan.subjects)
    for scale in ("xs", "s"):
        sizes = [sum(one.scale == scale for one in plan.share(f"{i + 1}/{count}")) for i in range(count)]
        assert max(sizes) - min(sizes) <= 1, "every share has as many of each size"


@pytest.mark.parametrize("share", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3"])
def test_shares_that_are_none(tmp_path, share):
    with pytest.raises(ValueError, match="`share` must be one of several"):
        make_plan(read(tmp_path, GOOD), tmp_path).share(share)


def test_the_template_and_its_schema(tmp_path):
    study = read(tmp_path, TEMPLATE)
    assert len(study.seeds) == 3 and study.against in study.treatments
    schema = schema_of(Study)
    assert set(yaml.safe_load(TEMPLATE)) <= set(schema["properties"])
    assert {"margin", "primary", "dev"} <= set(schema["required"])
    assert set(schema["properties"]["score"]["properties"]) == set(SCORING)
    assert all(
        field.get("description") for field in schema["properties"]["score"]["properties"].values()
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_studies(path):
    assert read_study(path).name == path.stem


@pytest.mark.parametrize("name", ["xlmr-stilts", "e5-f2llm"])
def test_those_of_models_that_are_not_here_are_valid_and_costed(name, real_data):
    (path,) = (path for path in SHIPPED if path.stem == name)
    said = list(validated(path, StudyOptions(data_dir=real_data)))
    (hours,) = (line for line in said if "GPU hours" in line)
    assert "0.0 GPU hours" not in hours and any("a loss of" in line for line in said)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_the_shipped_studies_give_by_hand_is_so(path):
    """Parameters are those of the table of families: a body is smaller, scales grow on both axes."""
    for family in read_study(path).families.values():
        scales = [one for one in family.values() if one.parameters is not None]
        sizes = [(one.parameters, one.parameters_body) for one in scales]
        assert all(body < whole for whole, body in sizes)
        assert sizes == sorted(sizes) and [body for _, body in sizes] == sorted(
            body for _, body in sizes
        )
