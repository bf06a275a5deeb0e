"""Every verb that encodes takes every flag of a model, and follows it."""

import json
import shutil
from dataclasses import fields

import pytest
import typer.main

from crosslingual.alignment.checkpoints.opening import open_checkpoint
from crosslingual.alignment.checkpoints.options import LoadOptions
from crosslingual.cli import app, main
from tests.conftest import make_tiny

VERBS = {
    "score": "score {model} --languages de --limit 8 --layers last --measures accuracy --out {out}",
    "extract": "extract {model} --texts {text} --limit 8 --layers last --out {out}",
    "compare": "compare {model} --languages de --limit 8 --layers 1 --measure linear_cka --out {out}",
    "mine": "mine {text} {text} --checkpoint {model} --out {out}/p.tsv",
    "probe": "probe {model} --task length --languages de --limit 30 --layers last --out {out}",
    "erase": "erase {model} --languages de,en --limit 8 --layers last --out {out}",
    "index build": "index build {text} --checkpoint {model} --out {out}",
}
# of each: what it is set to, and what the store then says of the vectors; None: nothing
FLAGS = {
    "dtype": ("bfloat16", {"dtype": "bfloat16"}),
    "max_length": ("7", {"max_length": 7}),
    "prefix": ("q: ", None),
    "device": ("cpu", None),
    "batch_tokens": ("64", None),
    "memory": ("1e-4GB", None),
    "original": ("{model}", None),
    "allow_pickle": (None, None),
}
# what has tests of its own: it needs a hub, or several devices
ELSEWHERE = {"revision", "device_map"}


def test_every_flag_is_tried():
    assert {field.name for field in fields(LoadOptions)} == set(FLAGS) | ELSEWHERE


def test_every_verb_that_encodes_is_tried():
    """A command with a flag of the model's is one of those."""

    def all_of(group, prefix=()):
        for name, one in group.commands.items():
            if hasattr(one, "commands"):
                yield from all_of(one, (*prefix, name))
            else:
                yield " ".join((*prefix, name)), {parameter.name for parameter in one.params}

    names = {field.name for field in fields(LoadOptions)}
    found = {verb: flags for verb, flags in all_of(typer.main.get_command(app)) if "max_length" in flags}
    # neither writes to the store; test_measuring has the flags of efficiency
    assert set(found) == {*VERBS, "index search", "efficiency"}
    assert all(names <= flags for flags in found.values())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Five blocks, so that one is less than half of it."""
    folder = tmp_path_factory.mktemp("flags") / "tiny"
    return make_tiny(folder, num_hidden_layers=6)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "text.txt"
    text.write_text("".join(f"a line of words number {i} and more of them\n" for i in range(40)))
    return tmp_path


def run(verb, model, place, out, *flags):
    shutil.rmtree(place / "home" / "store", ignore_errors=True)
    line = VERBS[verb].format(model=model, text=place / "text.txt", out=place / out).split()
    assert main([*line, *flags]) == 0


def spaces(place):
    """What the store says of its vectors."""
    return [json.loads(path.read_text()) for path in (place / "home" / "store").glob("*/*/about.json")]


@pytest.mark.parametrize("verb", VERBS)
def test_flags(verb, model, place, capsys):
    """All at once but `memory`, whose size is that of float32."""
    given, expected = [], {}
    for name, (value, said) in FLAGS.items():
        if name != "memory":
            given += [
                f"--{name.replace('_', '-')}",
                *([] if value is None else [value.format(model=model)]),
            ]
            expected |= said or {}
    run(verb, model, place, "all", *given)
    assert spaces(place) and all(expected.items() <= space.items() for space in spaces(place))
    assert "its blocks are read" not in capsys.readouterr().err
    size = open_checkpoint(model).parameters * 4
    run(verb, model, place, "memory", "--memory", f"{(size - 1) / 1e9:.9f}GB")
    assert "its blocks are read from the files one after the other" in capsys.readouterr().err
