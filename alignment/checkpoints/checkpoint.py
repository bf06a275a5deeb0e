"""Checkpoints: weights and tokenizer at one point of training, opened the same way every time.

A checkpoint is a local folder (transformers or sentence-transformers), a hub id with revision, or a
folder with a PEFT adapter.
"""

import json
import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.rows import Columns, Row
from ..options import takes
from .fingerprint import Identity, Memory, hash_folder
from .loading import check_weights, find_base, first_line, load_encoder, merge_adapter, random_encoder
from .options import LoadOptions

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

ABOUT = "crosslingual.json"
# Absolute positions of these start after the padding index, so fewer remain for tokens.
_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk and how it is to be run; `load` brings it into memory."""

    name: str
    folder: Path
    revision: str = ""
    dtype: str = "float32"
    requested_length: int | None = None
    prefix: str = ""
    device: str = "auto"
    device_map: str | None = None
    allow_pickle: bool = False
    random_seed: int | None = None  # the seed of random weights instead of the folder's
    about: Row = field(default_factory=dict)  # the folder's crosslingual.json

    @cached_property
    def config(self) -> Any:
        """The transformers configuration of the encoder."""
        from transformers import AutoConfig

        folder, _ = find_base(self.folder)
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)

    @cached_property
    def layers(self) -> int:
        """L: the number of blocks; hidden states have the indices 0 … L."""
        known = self._remembered
        return known.layers if known else int(self.config.get_text_config().num_hidden_layers)

    @cached_property
    def max_length(self) -> int:
        """The longest input, in tokens, special ones included; longer texts are truncated."""
        known = self._remembered
        positions = known.positions if known else _positions(self.config.get_text_config())
        if self.requested_length is not None:
            if not 1 <= self.requested_length <= (positions or self.requested_length):
                raise ValueError(
                    f"`max_length` {self.requested_length} is not between 1 and the {positions} "
                    f"positions of {self.name}"
                )
            return self.requested_length
        bert = self.folder / "sentence_bert_config.json"
        if bert.is_file():
            length = json.loads(bert.read_text("utf-8")).get("max_seq_length")
            if length:
                return int(length)
        longest = known.longest if known else self.tokenizer.model_max_length
        return int(min(longest, positions or 512, 512))

    @cached_property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer, as saved with the checkpoint."""
        from transformers import AutoTokenizer

        base, _ = find_base(self.folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"{self.folder}: no tokenizer there ({first_line(error)})") from error
        files = {"tokenizer.json", *tokenizer.vocab_files_names.values()}
        if isinstance(base, Path) and not any((base / name).is_file() for name in files):
            # transformers makes one without a vocabulary, to which every word is unknown
            raise ValueError(f"{self.folder}: no tokenizer there (no {', '.join(sorted(files))})")
        return tokenizer

    @cached_property
    def _memory(self) -> Memory:
        return Memory(self.folder, "" if self.random_seed is None else f"random {self.random_seed}")

    @cached_property
    def _remembered(self) -> Identity | None:
        """What is known without importing transformers, which takes seconds."""
        return self._memory.recall()

    @cached_property
    def _identity(self) -> Identity:
        if self._remembered is not None:
            return self._remembered
        hashed = hash_folder(self.load(checking=True), self.folder, self.tokenizer)
        text, longest = self.config.get_text_config(), self.tokenizer.model_max_length
        found = Identity(*hashed, int(text.num_hidden_layers), _positions(text), int(longest))
        self._memory.keep(found)
        return found

    @property
    def fingerprint(self) -> str:
        """Identity of what is computed: sha256 of weights, configuration and tokenizer."""
        return self._identity.fingerprint

    @property
    def parameters(self) -> int:
        """Number of parameters of the encoder: the checkpoint's scale."""
        return self._identity.parameters

    def load(self, *, checking: bool = False) -> "torch.nn.Module":
        """Return the encoder in evaluation mode, in its dtype, on its device.

        Args:
            checking: keep the dtype of the file and stay on the CPU (for the fingerprint).

        Raises:
            ValueError: a pickle-only folder, a missing encoder weight, remote code, no model at all.
        """
        import torch

        base, adapter = find_base(self.folder)
        device_map = None if checking else self.device_map
        model: torch.nn.Module
        if self.random_seed is not None:
            device_map, adapter = None, None
            model = random_encoder(base, self.config, torch.float32, self.random_seed)
            model = model.to(torch.float32 if checking else getattr(torch, self.dtype))
        else:
            check_weights(base, allow_pickle=self.allow_pickle)
            dtype: Any = "auto" if checking else getattr(torch, self.dtype)
            model = load_encoder(base, self.config, dtype, device_map, self.allow_pickle)
        if adapter is not None:
            model = merge_adapter(model, adapter)
        if not checking and device_map is None:
            model = model.to(pick_device(self.device))
        return model.eval()


@takes(LoadOptions)
def open_checkpoint(name: str | Path, options: LoadOptions) -> Checkpoint:
    """Find a checkpoint: a folder if there is one of that name, else an id on the hub.

    Args:
        name: a folder or a hub id.

    Raises:
        ValueError: the folder holds no checkpoint; a setting that is none.
        OSError: the hub does not have it or cannot be reached.
    """
    folder = Path(name)
    if folder.exists():
        resolved = ""
    elif str(name).count("/") <= 1 and not str(name).startswith((".", "/", "~")):
        folder, resolved = _from_hub(str(name), options.revision)
    else:
        raise ValueError(f"{name}: no such folder, and not a hub id (owner/name)")
    if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
        raise ValueError(f"{name}: no checkpoint there (no config.json); save one with save_pretrained")
    return Checkpoint(
        name=str(name),
        folder=folder.resolve(),
        revision=resolved,
        dtype=options.dtype,
        requested_length=options.max_length,
        prefix=options.prefix,
        device=options.device,
        device_map=options.device_map,
        allow_pickle=options.allow_pickle,
        about=read_about(folder),
    )


def read_about(folder: Path) -> Columns:
    """Return what a folder says of itself in crosslingual.json; nothing if it says nothing."""
    path = folder / ABOUT
    about: Columns = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return about


def pick_device(wanted: str) -> str:
    """Return the device that "auto" means here: the first GPU, else the CPU.

    Raises:
        ValueError: no device of that name here.
    """
    import torch

    if wanted != "auto":
        try:
            kind = torch.device(wanted).type
        except RuntimeError:
            raise ValueError(f"unknown `device` {wanted!r}: auto, cpu, cuda or cuda:1") from None
        if kind == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"`device` {wanted}: torch finds no CUDA here; take cpu or auto")
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _from_hub(name: str, revision: str | None) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.safetensors", "*.txt", "*.model", "*/config.json", "*/*.safetensors"]
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except Exception as error:  # offline, gated, unknown: dozens of kinds, one meaning
        raise OSError(
            f"{name}: neither a folder nor to be had from the hub ({first_line(error)})"
        ) from error
    return folder, folder.name  # the folder of a snapshot is named after its commit


def _positions(config: Any) -> int | None:
    positions = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    if positions is None or positions <= 0:  # relative positions (T5) or -1 (XLNet): no limit
        return None
    if config.model_type in _OFFSET_POSITIONS:
        return int(positions) - int(config.pad_token_id or 0) - 1
    return int(positions)
