"""What is fetched from the hub: never a pickle that was not allowed, or that is not needed."""

import json
import shutil
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from crosslingual.alignment.checkpoints.hub_files import fetch
from crosslingual.alignment.checkpoints.opening import open_checkpoint
from tests.verbs import score

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub: owner/name is a folder; what is fetched is added to the snapshot of its commit."""
    import huggingface_hub

    def snapshot_download(name, *, revision, allow_patterns, dry_run=False):
        there = tmp_path / "hub" / name
        if not there.is_dir() or revision not in (None, "main", COMMIT):
            raise huggingface_hub.errors.RepositoryNotFoundError(
                f"404 {name}@{revision}", response=_Answer()
            )
        here = tmp_path / "snapshots" / name / COMMIT
        wanted = [
            (path, path.relative_to(there))
            for path in there.rglob("*")
            if path.is_file()
            and any(fnmatch(path.relative_to(there).as_posix(), pattern) for pattern in allow_patterns)
        ]
        if dry_run:
            return [
                SimpleNamespace(file_size=path.stat().st_size, will_download=not (here / place).exists())
                for path, place in wanted
            ]
        here.mkdir(parents=True, exist_ok=True)
        for path, place in wanted:
            (here / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, here / place)
        return str(here)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return tmp_path / "hub"


def as_pickle(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_pickle_is_left_where_there_are_safetensors(hub, tiny_bert):
    shutil.copytree(tiny_bert, hub / "o" / "both")
    as_pickle(hub / "o" / "both")
    (hub / "o" / "both" / "training_args.bin").write_bytes(b"x")
    for allowed in (False, True):
        found = names(fetch("o/both", allow_pickle=allowed))
        assert "model.safetensors" in found and not any(name.endswith(".bin") for name in found)


def test_only_a_pickle(hub, tiny_bert, tmp_path):
    """As facebook/xlm-roberta-xxl and google/mt5-xl are."""
    there = hub / "o" / "old"
    shutil.copytree(tiny_bert, there)
    as_pickle(there)
    (there / "model.safetensors").unlink()
    (there / "training_args.bin").write_bytes(b"x")
    with pytest.raises(OSError, match=r"o/old: no safetensors to be had from the hub; `allow_pickle`"):
        open_checkpoint("o/old")
    opened = open_checkpoint("o/old", allow_pickle=True, revision="main")
    assert opened.revision == COMMIT
    assert "pytorch_model.bin" in names(opened.folder) and "training_args.bin" not in names(
        opened.folder
    )
    options = {"languages": "de", "measures": "accuracy", "layers": "last", "limit": 30}
    found = score("o/old", "pocket", allow_pickle=True, store=tmp_path / "s1", **options)
    expected = score(tiny_bert, "pocket", store=tmp_path / "s2", **options)
    assert found["value"].tolist() == expected["value"].tolist()
    assert set(found["revision"]) == {COMMIT}


def test_an_adapter_whose_base_is_a_pickle(hub, tiny_bert):
    there = hub / "o" / "base"
    shutil.copytree(tiny_bert, there)
    as_pickle(there)
    (there / "model.safetensors").unlink()
    adapter = hub / "o" / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "o/base"}))
    (adapter / "adapter_model.safetensors").write_bytes(b"x")
    with pytest.raises(OSError, match="o/base: no safetensors"):
        open_checkpoint("o/adapter")
    assert open_checkpoint("o/adapter", allow_pickle=True).parts.transformer.name == COMMIT


def test_modules_of_sentence_transformers(hub, tiny_bert):
    """Each module's weights by themselves: safetensors in one folder, a pickle in another."""
    there = hub / "o" / "dense"
    shutil.copytree(tiny_bert, there)
    for name in ("1_Pooling", "2_Dense"):
        (there / name).mkdir()
        (there / name / "config.json").write_text("{}")
    (there / "2_Dense" / "pytorch_model.bin").write_bytes(b"x")
    assert "2_Dense/pytorch_model.bin" not in names(fetch("o/dense"))
    found = names(fetch("o/dense", allow_pickle=True))
    assert "2_Dense/pytorch_model.bin" in found and "pytorch_model.bin" not in found


def test_what_is_not_there_is_one_line(hub):
    with pytest.raises(OSError, match="o/none: neither a folder nor to be had from the hub"):
        open_checkpoint("o/none")
    with pytest.raises(ValueError, match="no such folder, and not a hub id"):
        open_checkpoint("./none")


def test_what_has_no_room_is_refused_before(hub, tiny_bert, monkeypatch, caplog):
    """With the size, and nothing fetched; what is there already needs no room."""
    shutil.copytree(tiny_bert, hub / "o" / "large")
    size = (hub / "o" / "large" / "model.safetensors").stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size // 2))
    with pytest.raises(OSError, match=r"o/large: 0\.\d GB are to be downloaded, and .* set HF_HOME"):
        fetch("o/large")
    assert not (hub.parent / "snapshots").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * size))
    with caplog.at_level("INFO"):
        fetch("o/large")
    assert "o/large: 0.00 GB are to be downloaded" in caplog.text
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    fetch("o/large")
