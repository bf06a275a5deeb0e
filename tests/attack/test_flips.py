"""Every file of ours is damaged, bit by bit: it is found, repaired, or nothing depends on it.

The files are those that the commands write: a new one fails here until it is said who notices its damage.
"""

import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import crosslingual
from crosslingual.alignment.checkpoints.about import read_about, verify_files
from crosslingual.alignment.lookup.index import load_index
from crosslingual.alignment.representations.given import GivenVectors
from crosslingual.alignment.representations.shard import Shard
from crosslingual.alignment.runs.files import Damaged, read_json, read_table
from crosslingual.alignment.runs.folder import read_cells, read_scores
from crosslingual.cli import main
from tests.training.test_phases import phase
from tests.training.test_phases import run as train

FLIPS = 25  # of each file
# written for people, or again by every command: nothing is computed from them
NOT_READ = (
    r"run/(study\.yaml|provenance\.json|\.lock|errors\.tsv)",
    r"vectors/\.lock",
    r"store/.*/about\.json",
    r"trained/(recipe\.yaml|\.lock|.*-steps\.jsonl)",
    r"work/steps\.jsonl",
)


@pytest.fixture(scope="module")
def made(tiny_bert, tmp_path_factory) -> Path:
    """A folder with everything that commands write."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CROSSLINGUAL_HOME", str(folder / "home"))
        options = {"languages": "de,sw", "measures": "accuracy,linear_cka", "errors": True}
        crosslingual.score(tiny_bert, out=folder / "run", store=folder / "store", **options)
        (folder / "a.en").write_text("".join(f"sentence {i} of {i * 7 % 13}\n" for i in range(40)))
        build = ["index", "build", folder / "a.en", "--checkpoint", tiny_bert, "--out", folder / "index"]
        assert main([str(one) for one in build]) == 0
        crosslingual.extract(tiny_bert, languages="de", layers="0,3", out=folder / "vectors")
    (folder / "a.en").unlink()
    shutil.rmtree(folder / "home" / "store")
    return folder


def texts_of(tables) -> list[bytes]:
    return [one.to_csv().encode() for one in tables]


def check_run(path: Path) -> object:
    run = next(parent for parent in path.parents if parent.name == "run")
    if path.parent == run:
        return texts_of([read_scores(run)])
    return texts_of(one for cell in read_cells(run) for one in cell)


def check_table(path: Path) -> object:
    return texts_of([read_table(path)])


def check_shard(path: Path) -> object:
    shard = Shard(path.parent)
    if problem := shard.damage(shard.layers):
        raise Damaged(problem)
    return [
        np.asarray(one).tobytes() for one in (shard.values(), shard.keys, shard.tokens, shard.counts)
    ]


def check_index(path: Path) -> object:
    index = load_index(path.parent)
    found = index.search(np.eye(1, index.faiss.d, dtype=np.float32), 5)
    return [one.tobytes() for one in found], index.ids, index.texts, dict(index.about)


def check_vectors(path: Path) -> object:
    folder = next(parent for parent in path.parents if parent.name == "vectors")
    return GivenVectors(folder).fingerprint


READERS = {
    r"run/(cells|items|moves)/[0-9a-f]+\.(parquet|json)": check_run,
    r"run/(scores\.parquet|tables\.json)": check_run,
    r"run/errors\.parquet": check_table,
    r"store/.*/(values|keys|tokens|counts)\.npy": check_shard,
    r"store/.*/meta\.json": check_shard,
    r"index/.*": check_index,
    r"vectors/.*": check_vectors,
    r"home/fingerprints/.*\.json": read_json,
}


def reader_of(name: str):
    return next((read for pattern, read in READERS.items() if re.fullmatch(pattern, name)), None)


def damaged(data: bytes, random: random.Random):
    for _ in range(FLIPS):
        at = random.randrange(len(data))
        yield data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    yield from (b"", data[:-1], data[: len(data) // 2])


@pytest.mark.slow
def test_no_damage_is_silent(made):
    chance = random.Random(1)
    files = [path for path in sorted(made.rglob("*")) if path.is_file()]
    tried = 0
    for path in files:
        name = path.relative_to(made).as_posix()
        if any(re.fullmatch(pattern, name) for pattern in NOT_READ):
            continue
        read = reader_of(name)
        assert read is not None, f"who notices damage of {name}?"
        data, expected = path.read_bytes(), read(path)
        for bad in damaged(data, chance):
            tried += 1
            path.write_bytes(bad)
            try:
                assert read(path) == expected, f"{name}: silent"
            except (ValueError, OSError) as error:
                assert str(error)
        path.write_bytes(data)
    assert tried > 300


@pytest.mark.slow
def test_no_damage_of_a_trained_checkpoint_is_silent(tiny_bert, tmp_path):
    (done,) = train(tiny_bert, tmp_path, phase(control="resave", tasks=(), steps=None))
    folder, chance = done.folder, random.Random(2)
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        for bad in damaged(data, chance):
            path.write_bytes(bad)
            try:
                about = read_about(folder)
                verify_files(folder, about)
                assert about == done.about, path.name
            except Damaged as error:
                assert path.name in str(error) or "crosslingual.json" in str(error)
        path.write_bytes(data)
        path.unlink()
        with pytest.raises(Damaged, match="missing"):
            verify_files(folder, read_about(folder))
        path.write_bytes(data)
