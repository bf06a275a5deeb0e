"""Every command is given bad values for each of its parameters: one line, never a traceback.

The parameters are those that the command line has: a new command fails here until it has a good call to
start from, and a new flag is tried without anybody adding it.
"""

import gzip
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from crosslingual.cli import app
from tests.alignment.runs.test_files import flipped
from tests.conftest import make_corpora

SAMPLE = 300  # calls; all there are would be thousands
TEXT = ["", " ", ",", "nope", "../../x", "\x1b[2Jx", "a/b", "²", "en,en", "-1", "9" * 40]
NUMBERS = ["x", "-1", "0", "nan", "inf", "9" * 40, "1e400", "1.5", ""]
# what every call is made of, by command; {…} are files made by `places`
GOOD = {
    "score": "score {model} --languages de --limit 8 --layers last --measures accuracy --out {out}",
    "curve": "curve {steps} --by step --out {out}/c.png",
    "heatmap": "heatmap {run} --out {out}/h.png",
    "plot layers": "plot layers {run} --out {out}/l.png",
    "plot forest": "plot forest {run} --layer last --out {out}/f.png",
    "plot depth": "plot depth {steps} --out {out}/d.png",
    "plot parts": "plot parts {decomposed} --out {out}/p.png",
    "plot verdicts": "plot verdicts {compared} --out {out}/v.png",
    "plot sentences": "plot sentences {model} --languages de --limit 8 --out {out}/s.png",
    "report": "report {run} --out {out}/r.html",
    "compare": "compare {model} --languages de --limit 8 --layers 0 --measure linear_cka --out {out}",
    "extract": "extract {model} --texts {text} --limit 8 --layers 0 --out {out}",
    "check": "check {run} --published {tsv}",
    "export": "export {run} --mteb {out}/m.json",
    "mine": "mine {text} {text2} --checkpoint {model} --out {out}/p.tsv",
    "probe": "probe {model} --task length --languages de --limit 30 --layers last --out {out}",
    "erase": "erase {model} --languages de,en --limit 8 --layers last --out {out}",
    "train": "train {recipe} --out {out}",
    "locate": "locate {model} {model} --languages de --sentences 8 --out {out}",
    "study run": "study run {study} --out {out} --processes 1 --data-dir {data}",
    "study validate": "study validate {study} --processes 1 --data-dir {data}",
    "study status": "study status {done}",
    "study template": "study template",
    "efficiency": "efficiency {model} --languages de --limit 2 --seconds 0.1 --out {out}",
    "retention": "retention {run} --base {run} --out {out}",
    "average": "average xtreme {tsv}",
    "transfer": "transfer {run} --tasks {tsv} --out {out}",
    "index build": "index build {text} --checkpoint {model} --out {out}/i",
    "index info": "index info {index}",
    "index search": "index search {index} {text}",
    "list corpora": "list corpora",
    "list families": "list families",
    "list hub": "list hub",
    "list measures": "list measures",
    "list poolings": "list poolings",
    "list probes": "list probes",
    "list protocols": "list protocols",
    "list tasks": "list tasks",
    "cache ls": "cache ls",
    "cache verify": "cache verify",
    "cache prune": "cache prune",
    "demo": "demo --out {out}",
}

STUDY = """
name: s
families: {{tiny: {{one: {{checkpoint: {} }} }} }}
treatments: {{copy: {{phases: [{{name: copy, control: resave}}] }} }}
test: [{{corpus: tatoeba, languages: de}}]
dev: {{corpus: flores/dev, languages: de}}
score: {{measures: accuracy}}
margin: 0.05
primary: {{corpus: tatoeba}}
"""


def commands(group=None, prefix=()) -> Iterator[tuple[str, object]]:
    group = group or typer.main.get_command(app)
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, (*prefix, name))
        else:
            yield " ".join((*prefix, name)), one


def test_every_command_is_tried():
    assert {name for name, _ in commands()} == set(GOOD)


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bad")
    lines = "".join(f"Satz {i} von vielen\n" for i in range(200)).encode()
    packed = gzip.compress(lines)
    made = {
        "binary": os.urandom(3000),
        "empty": b"",
        "lines": b"\n" * 1000,
        "nul.txt": b"a\0b\n" * 6,
        "utf16.txt": "ä\nö\n".encode("utf-16"),
        "cut.gz": packed[:-40],
        "flipped.gz": flipped(packed)[8 * (len(packed) // 2)],
        "deep.json": b"[" * 100_000,
        "list.json": b"[1]",
        "bad.yaml": b"a: [",
        "cut.parquet": b"PAR1" + os.urandom(99),
        "bad.tsv": b"a\tb\n1\n",
        "evil\x1b[2J.txt": b"x\n",
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    return [*(folder / name for name in made), folder / "folder", folder / "loop", folder / "missing"]


@pytest.fixture(scope="module")
def places(tiny_bert, tmp_path_factory) -> dict[str, str]:
    import crosslingual
    from crosslingual.cli import main

    folder = tmp_path_factory.mktemp("good")
    lines = [f"sentence {i} of {i * 7 % 13} things\n" for i in range(30)]
    (folder / "a.en").write_text("".join(lines))
    (folder / "b.de").write_text("".join(line.upper() for line in lines))
    (folder / "t.tsv").write_text("xnli\tde\taccuracy\t0.5\n")
    recipe = "name: r\nbase: {}\nphases:\n  - name: one\n    control: resave\n"
    (folder / "r.yaml").write_text(recipe.format(tiny_bert))
    store, run = folder / "store", folder / "run"
    crosslingual.score(tiny_bert, languages="de,sw", measures="accuracy", store=store, out=run)
    for step in (1, 2):
        shutil.copytree(tiny_bert, folder / "models" / f"step{step}")
    options = {"languages": "de", "measures": "accuracy", "limit": 8, "store": store}
    crosslingual.score(folder / "models", revisions="*", out=folder / "steps", **options)
    build = ["index", "build", folder / "a.en", "--checkpoint", tiny_bert, "--out", folder / "index"]
    assert main([str(one) for one in build]) == 0
    (folder / "s.yaml").write_text(STUDY.format(tiny_bert))
    make_corpora(folder / "data")
    (folder / "done").mkdir()
    (folder / "done" / "study.yaml").write_text(STUDY.format(tiny_bert))
    names = {
        "model": tiny_bert,
        "run": run,
        "steps": folder / "steps",
        "text": folder / "a.en",
        "text2": folder / "b.de",
    }
    dev = {"dev": run, "base_dev": run, "margin": 0.1}
    crosslingual.retention(run, base=run, out=folder / "compared", **dev)
    names["compared"], names["decomposed"] = folder / "compared", folder / "decomposed"
    parts = {"map": "decomposition", "map_fit": "in-sample", "measures": "accuracy"}
    options = {"languages": "de", "limit": 20, "layers": "last", "store": store}
    crosslingual.score(tiny_bert, out=folder / "decomposed", **options, **parts)
    names |= {"tsv": folder / "t.tsv", "recipe": folder / "r.yaml", "index": folder / "index"}
    names |= {"study": folder / "s.yaml", "done": folder / "done", "data": folder / "data"}
    return {name: str(place) for name, place in names.items()}


def calls(places, bad_files, out) -> Iterator[list[str]]:
    """Yield a good call of every command with one parameter replaced by each bad value."""
    for name, command in commands():
        good = [part.format(out=out, **places) for part in GOOD[name].split()]
        fixed = len(name.split())
        for parameter in command.params:
            kind = str(parameter.type_descriptor.annotation)
            if parameter.name == "help" or getattr(parameter, "is_flag", False):
                continue
            values = [str(one) for one in bad_files] if "Path" in kind else TEXT
            values = NUMBERS if "int" in kind or "float" in kind else values
            for value in values:
                if parameter.param_type_name == "argument":
                    yield [*good[:fixed], value, *good[fixed + 1 :]]
                else:
                    yield [*good, parameter.opts[0], value]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_bad_values_are_one_line(places, bad_files, tmp_path, command, part, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    every = list(calls(places, bad_files, tmp_path / "out"))
    tried = random.Random(part).sample(every, min(SAMPLE // 4, len(every)))
    for arguments in tried:
        if arguments[0] == "demo" and "--out" not in arguments[3:]:
            continue  # minutes of work, and nothing bad in it
        done = command(*arguments)
        assert "Traceback" not in done.stderr, (arguments, done.stderr)
        assert done.returncode in (0, 1, 2), arguments
        assert "\x1b" not in done.stderr + done.stdout, arguments
        last = done.stderr.splitlines()[-1] if done.stderr.strip() else ""
        if done.returncode:
            start = {1: "error: ", 2: "usage: "}[done.returncode]
            assert last.startswith(start) or "damaged" in done.stdout, (arguments, done.stderr)
