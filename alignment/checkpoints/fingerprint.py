"""The identity of a checkpoint: what it computes, not what its folder is called.

sha256 over the encoder's tensors (sorted names, dtypes, shapes, bytes), its configuration and its
tokenizer, each without the fields that change nothing. Two copies, a re-sharded copy and one with
another head have the same fingerprint; one changed weight gives another.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...data.rows import Columns
from ..runs.paths import home

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

# Provenance and bookkeeping; everything else in config.json may change what is computed.
_IGNORED_CONFIG = ("_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures")


class Identity(NamedTuple):
    """What a checkpoint computes, and what is to be known of it before it is loaded."""

    fingerprint: str  # 64 hexadecimal digits
    parameters: int  # of the encoder
    layers: int
    positions: int | None  # tokens that have a position; None: no limit
    longest: int  # tokens that the tokenizer is meant for


class Memory:
    """Where the identity of a folder is remembered until one of its files changes.

    The files are looked at once, when it is made: before anything is hashed, so that a file which
    changes meanwhile is not remembered under its new state.
    """

    def __init__(self, folder: Path, variant: str) -> None:
        """Look at the folder; the variant is what else decides what is loaded from it."""
        self.path = home() / "fingerprints" / f"{_stamp(folder, variant)}.json"

    def recall(self) -> Identity | None:
        """Return the identity, if the folder was hashed before and has not changed since."""
        if not self.path.is_file():
            return None
        try:
            return Identity(**json.loads(self.path.read_text("utf-8")))
        except (ValueError, TypeError):
            self.path.unlink(missing_ok=True)  # damaged, or of an older version: hash again
            return None

    def keep(self, identity: Identity) -> None:
        """Remember an identity."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self.path.with_suffix(f".{os.getpid()}")
            unfinished.write_text(json.dumps(identity._asdict()), "utf-8")
            unfinished.replace(self.path)
        except OSError:
            return  # a read-only or full home costs a hash next time, nothing else


def hash_folder(
    model: "torch.nn.Module", folder: Path, tokenizer: "PreTrainedTokenizerBase"
) -> tuple[str, int]:
    """Return the fingerprint of a loaded checkpoint, and its number of parameters."""
    fingerprint = hash_checkpoint(model, _config(folder), _tokenizer(tokenizer))
    return fingerprint, sum(parameter.numel() for parameter in model.parameters())


def hash_checkpoint(model: "torch.nn.Module", config: str, tokenizer: str) -> str:
    """Return sha256 over the sorted tensors of a model and the canonical texts with them."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        tensor = tensor.detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    for text in (config, tokenizer):
        digest.update(b"\0" + text.encode())
    return digest.hexdigest()


def _config(folder: Path) -> str:
    path = folder / "config.json"
    if not path.is_file():  # an adapter: its base's configuration is part of its weights' names
        path = folder / "adapter_config.json"
    config = json.loads(path.read_text("utf-8"))
    return _canonical({key: config[key] for key in config if key not in _IGNORED_CONFIG})


def _tokenizer(tokenizer: "PreTrainedTokenizerBase") -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return _canonical({"class": type(tokenizer).__name__, "vocabulary": tokenizer.get_vocab()})
    state: Columns = json.loads(backend.to_str())
    state["padding"] = state["truncation"] = None  # both are switched off when encoding
    return _canonical(state)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _stamp(folder: Path, variant: str) -> str:
    """Return a hash of path, size, mtime and inode of every file of the folder."""
    digest = hashlib.sha256(variant.encode())
    for path in sorted(folder.iterdir()):
        if path.is_file():
            status = path.stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}\n".encode())
    return digest.hexdigest()[:32]
