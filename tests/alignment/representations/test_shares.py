"""Shares: several processes encode for one store, and the last one finds everything there."""

import numpy as np
import pytest

import crosslingual
from crosslingual.alignment.representations.store import Store, spaces
from crosslingual.alignment.runs.shares import SharePending, parse_share, share_of
from tests.conftest import make_tiny
from tests.verbs import score

FEW = {"languages": "de", "measures": "accuracy,mrr", "layers": "0,3"}


def keys_of(root):
    return {one for space in spaces(root) for one in Store(space)._index}


def test_the_last_share_goes_on(tiny_bert, tmp_path):
    store = tmp_path / "s"
    found = []
    for number in (1, 2):
        with pytest.raises(
            SharePending, match=rf"share {number}/3 is encoded; [\d,]+ of [\d,]+ sentences"
        ):
            score(tiny_bert, "pocket", store=store, out=tmp_path / "r", share=f"{number}/3", **FEW)
        found.append(keys_of(store))
    assert not (tmp_path / "r").exists(), "no run folder is held while others encode"
    shared = score(tiny_bert, "pocket", store=store, out=tmp_path / "r", share="3/3", **FEW)
    assert {share_of(one, 3) for one in found[0]} == {1}
    assert {share_of(one, 3) for one in found[1]} == {1, 2} and found[0] < found[1] < keys_of(store)
    alone = score(tiny_bert, "pocket", store=tmp_path / "alone", **FEW)
    assert keys_of(store) == keys_of(tmp_path / "alone")
    assert np.allclose(shared["value"], alone["value"], atol=2e-6)
    again = score(tiny_bert, "pocket", store=store, out=tmp_path / "r", share="1/3", **FEW)
    assert again["value"].tolist() == shared["value"].tolist(), "any share finds all there"


def test_shares_are_about_as_large(rng):
    counts = np.bincount([share_of(rng.bytes(16), 8) for _ in range(8000)], minlength=9)
    assert counts[0] == 0 and counts[1:].min() > 850


def test_a_share_of_each_of_two_checkpoints(tiny_bert, tmp_path):
    other = make_tiny(tmp_path / "other", seed=9)
    options = {"other": other, "languages": "de", "limit": 30, "layers": "3", "store": tmp_path / "s"}
    with pytest.raises(SharePending):
        crosslingual.compare(tiny_bert, share="1/2", **options)
    assert len(crosslingual.compare(tiny_bert, share="2/2", **options).table)


@pytest.mark.parametrize("verb", ["score", "extract", "compare", "probe", "erase", "mine"])
def test_every_verb_that_encodes_has_shares(verb, tiny_bert, tmp_path):
    options = {"layers": "3", "store": tmp_path / "s", "limit": 40}
    if verb == "mine":
        for name in ("a.de", "b.en"):
            (tmp_path / name).write_text("".join(f"{name} {i}\n" for i in range(40)))
        options |= {"source": tmp_path / "a.de", "target": tmp_path / "b.en", "layer": "3"}
        del options["layers"]
    else:
        options |= {"languages": "de,en" if verb == "probe" else "de,sw"}
    if verb == "probe":
        options |= {"task": "length"}
    run = getattr(crosslingual, verb)
    with pytest.raises(SharePending):
        run(tiny_bert, out=tmp_path / "r", share="1/2", **options)
    assert run(tiny_bert, out=tmp_path / "r", share="2/2", **options).folder == tmp_path / "r"


@pytest.mark.parametrize("text", ["0/8", "9/8", "1", "a/b", "-1/2", "1/0", "1/2/3"])
def test_what_is_no_share_is_said(text, tiny_bert, tmp_path):
    with pytest.raises(ValueError, match=r"`share` must be one of several, as 2/8"):
        score(tiny_bert, "pocket", share=text, store=tmp_path, **FEW)
    with pytest.raises(ValueError, match=r"`share` must be one of several"):
        parse_share(text)


def test_vectors_have_no_shares(tiny_bert, tmp_path):
    crosslingual.extract(tiny_bert, "pocket", languages="de", out=tmp_path / "v")
    with pytest.raises(ValueError, match="there is nothing to encode; leave out `share`"):
        score(f"vectors:{tmp_path / 'v'}", "pocket", share="1/2", **FEW)


def test_the_command_of_an_array_job(command, tiny_bert, tmp_path):
    arguments = [
        "score",
        tiny_bert,
        "--languages",
        "de",
        "--measures",
        "accuracy",
        "--store",
        tmp_path / "s",
    ]
    first, last = (command(*arguments, "--share", f"{i}/2", "--out", tmp_path / "r") for i in (1, 2))
    assert first.returncode == last.returncode == 0
    assert (
        first.stdout == ""
        and "share 1/2 is encoded" in first.stderr
        and "without --share" in first.stderr
    )
    assert "table:" in last.stdout
