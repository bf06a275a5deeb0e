"""The identity of a checkpoint: what it computes, not what its folder is called.

sha256 over the encoder's tensors (sorted names, dtypes, shapes, bytes), its configuration and its
tokenizer, each without the fields that change nothing, and over the modules that sentence-transformers
puts after it. Two copies, a re-sharded copy and one with another head have the same fingerprint; one
changed weight gives another.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...data.rows import Columns
from ..runs.files import Damaged, file_checksum, read_json, write_json
from ..runs.paths import home
from .folders import Parts

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

# Provenance and bookkeeping; everything else in config.json may change what is computed.
_IGNORED_CONFIG = (
    *("_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures"),
    "use_cache",
)

_VERSION = 2  # of what is remembered: 2 counts the part for text of a model for images only


class Identity(NamedTuple):
    """What a checkpoint computes, and what is to be known of it before it is loaded."""

    fingerprint: str  # 64 hexadecimal digits
    parameters: int  # of the encoder
    parameters_body: int  # see `sizes`
    layers: int
    positions: int | None  # tokens that have a position; None: no limit
    longest: int  # tokens that the tokenizer is meant for


class Memory:
    """Where the identity of a folder is remembered until one of its files changes.

    The files are looked at once, when it is made: before anything is hashed, so that a file which
    changes meanwhile is not remembered under its new state.
    """

    def __init__(self, folders: Sequence[Path], variant: str) -> None:
        """Look at the folders; the variant is what else decides what is loaded from them."""
        self.path = home() / "fingerprints" / f"{_stamp(folders, variant)}.json"

    def recall(self) -> Identity | None:
        """Return the identity, if the folder was hashed before and has not changed since."""
        if not self.path.is_file():
            return None
        try:
            return Identity(**read_json(self.path))
        except (Damaged, TypeError):
            self.path.unlink(missing_ok=True)  # damaged, or of an older version: hash again
            return None

    def keep(self, identity: Identity) -> None:
        """Remember an identity."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, identity._asdict())
        except OSError:
            return  # a read-only or full home costs a hash next time, nothing else


def hash_folder(
    tensors: Iterable[tuple[str, "torch.Tensor"]],
    parts: Parts,
    config: Columns,
    tokenizer: "PreTrainedTokenizerBase",
) -> str:
    """Return the fingerprint of a checkpoint of which all tensors come, sorted by name."""
    return hash_checkpoint(tensors, [_config(config), _tokenizer(tokenizer), *_modules(parts)])


def hash_checkpoint(tensors: Iterable[tuple[str, "torch.Tensor"]], texts: Iterable[str]) -> str:
    """Return sha256 over the sorted tensors of a model and the canonical texts with them."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in tensors:
        tensor = tensor.detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    for text in texts:
        digest.update(b"\0" + text.encode())
    return digest.hexdigest()


def _config(config: Columns) -> str:
    return _canonical({key: config[key] for key in config if key not in _IGNORED_CONFIG})


def _tokenizer(tokenizer: "PreTrainedTokenizerBase") -> str:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return _canonical({"class": type(tokenizer).__name__, "vocabulary": tokenizer.get_vocab()})
    state: Columns = json.loads(backend.to_str())
    state["padding"] = state["truncation"] = None  # both are switched off when encoding
    if tokenizer.truncation_side != "right":
        state["truncation_side"] = tokenizer.truncation_side
    return _canonical(state)


def _modules(parts: Parts) -> Iterator[str]:
    """Yield what decides 'native' vectors besides the encoder: classes and files of the modules."""
    for kind, place in parts.modules or ():
        files = (
            sorted(path for path in place.glob("*") if path.is_file()) if place != parts.folder else []
        )
        yield _canonical([kind, *([path.name, file_checksum(path)] for path in files)])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _stamp(folders: Sequence[Path], variant: str) -> str:
    """Return a hash of path, size, mtime and inode of every file of some folders."""
    digest = hashlib.sha256(f"{_VERSION}\0{variant}".encode())
    for path in sorted(path for folder in folders for path in folder.glob("*")):
        if path.is_file():
            status = path.stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}\n".encode())
    return digest.hexdigest()[:32]
