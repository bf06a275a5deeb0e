"""Checkpoints: weights and tokenizer at one point of training, opened the same way every time.

A checkpoint is a local folder (transformers or sentence-transformers), a hub id with revision, or a
folder with a PEFT adapter. Loading is explicit where transformers guesses: the dtype is named, pickles
are refused, code of the checkpoint is not run, a missing encoder weight is an error, and no pooler is
loaded (a checkpoint without one would get a random one).
"""

import inspect
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .fingerprint import Identity, identify

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

DTYPES = ("float32", "bfloat16", "float16")
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
    about: Mapping[str, Any] = field(default_factory=dict)  # the folder's crosslingual.json

    @cached_property
    def config(self) -> Any:
        """The transformers configuration of the encoder."""
        from transformers import AutoConfig

        folder, _ = _base(self.folder)
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)

    @cached_property
    def layers(self) -> int:
        """L: the number of blocks; hidden states have the indices 0 … L."""
        text = self.config.get_text_config()
        return int(text.num_hidden_layers)

    @cached_property
    def max_length(self) -> int:
        """The longest input, in tokens, special ones included; longer texts are truncated."""
        positions = _positions(self.config.get_text_config())
        if self.requested_length is not None:
            if not 1 <= self.requested_length <= (positions or self.requested_length):
                raise ValueError(
                    f"--max-length {self.requested_length} is not between 1 and the {positions} "
                    f"positions of {self.name}"
                )
            return self.requested_length
        bert = self.folder / "sentence_bert_config.json"
        if bert.is_file():
            length = json.loads(bert.read_text("utf-8")).get("max_seq_length")
            if length:
                return int(length)
        return int(min(self.tokenizer.model_max_length, positions or 512, 512))

    @cached_property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer, as saved with the checkpoint."""
        from transformers import AutoTokenizer

        base, _ = _base(self.folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"{self.folder}: no tokenizer there ({_first_line(error)})") from error
        files = {"tokenizer.json", *tokenizer.vocab_files_names.values()}
        if isinstance(base, Path) and not any((base / name).is_file() for name in files):
            # transformers makes one without a vocabulary, to which every word is unknown
            raise ValueError(f"{self.folder}: no tokenizer there (no {', '.join(sorted(files))})")
        return tokenizer

    @cached_property
    def _identity(self) -> Identity:
        return identify(self.folder, lambda: self.load(checking=True), self.tokenizer)

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

        base, adapter = _base(self.folder)
        _check_weights(base, allow_pickle=self.allow_pickle)
        dtype: Any = "auto" if checking else getattr(torch, self.dtype)
        device_map = None if checking else self.device_map
        model: torch.nn.Module = _pretrained(base, self.config, dtype, device_map, self.allow_pickle)
        if adapter is not None:
            model = _merge_adapter(model, adapter)
        if not checking and device_map is None:
            model = model.to(pick_device(self.device))
        return model.eval()


def open_checkpoint(
    name: str | Path,
    *,
    revision: str | None = None,
    dtype: str = "float32",
    max_length: int | None = None,
    prefix: str = "",
    device: str = "auto",
    device_map: str | None = None,
    allow_pickle: bool = False,
) -> Checkpoint:
    """Find a checkpoint: a folder if there is one of that name, else an id on the hub.

    Args:
        name: a folder or a hub id.
        revision: branch, tag or commit on the hub.
        dtype: "float32" (everywhere the default), "bfloat16" or "float16".
        max_length: in tokens; see `Checkpoint.max_length` for the default.
        prefix: put before every text, as in e5's "query: ".
        device: "auto", "cpu", "cuda", "cuda:1", ….
        device_map: "auto" to spread a model over several devices (needs accelerate).
        allow_pickle: read `pytorch_model.bin` where there are no safetensors.

    Raises:
        ValueError: the folder holds no checkpoint; an unknown dtype.
        OSError: the hub does not have it or cannot be reached.
    """
    if dtype not in DTYPES:
        raise ValueError(f"unknown dtype {dtype!r}: one of {', '.join(DTYPES)}")
    folder = Path(name)
    if folder.exists():
        resolved = ""
    elif str(name).count("/") <= 1 and not str(name).startswith((".", "/", "~")):
        folder, resolved = _from_hub(str(name), revision)
    else:
        raise ValueError(f"{name}: no such folder, and not a hub id (owner/name)")
    if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
        raise ValueError(f"{name}: no checkpoint there (no config.json); save one with save_pretrained")
    about = folder / "crosslingual.json"
    return Checkpoint(
        name=str(name),
        folder=folder.resolve(),
        revision=resolved,
        dtype=dtype,
        requested_length=max_length,
        prefix=prefix,
        device=device,
        device_map=device_map,
        allow_pickle=allow_pickle,
        about=json.loads(about.read_text("utf-8")) if about.is_file() else {},
    )


def pick_device(wanted: str) -> str:
    """Return the device that "auto" means here: the first GPU, else the CPU."""
    import torch

    if wanted != "auto":
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
            f"{name}: neither a folder nor to be had from the hub ({_first_line(error)})"
        ) from error
    return folder, folder.name  # the folder of a snapshot is named after its commit


def _base(folder: Path) -> tuple[Path | str, Path | None]:
    """Return the folder (or hub id) of the base model, and the adapter's folder if there is one."""
    adapter = folder / "adapter_config.json"
    if not adapter.is_file():
        return folder, None
    base = json.loads(adapter.read_text("utf-8")).get("base_model_name_or_path")
    if not base:
        raise ValueError(f"{adapter}: no base_model_name_or_path; the adapter's base is not known")
    relative = folder / base
    return (relative if relative.is_dir() else base), folder


def _check_weights(base: Path | str, *, allow_pickle: bool) -> None:
    if allow_pickle or not isinstance(base, Path) or any(base.glob("*.safetensors")):
        return
    pickles = sorted(path.name for path in base.glob("*.bin"))
    if pickles:
        raise ValueError(
            f"{base}: only a pickle ({pickles[0]}), which can run code when it is opened; convert it "
            "to safetensors or pass --allow-pickle"
        )
    raise ValueError(f"{base}: no weights there (no *.safetensors)")


def _pretrained(
    base: Path | str, config: Any, dtype: Any, device_map: str | None, allow_pickle: bool
) -> Any:
    """Load the encoder, and refuse one that lacks weights of its own."""
    from transformers import AutoModel, AutoModelForTextEncoding

    encoder_only = config.is_encoder_decoder and type(config) in AutoModelForTextEncoding._model_mapping
    factory: Any = AutoModelForTextEncoding if encoder_only else AutoModel
    if type(config) not in factory._model_mapping:
        raise ValueError(f"{base}: transformers has no encoder for model type {config.model_type!r}")
    options: dict[str, Any] = {"dtype": dtype, "trust_remote_code": False}
    if device_map is not None:
        options["device_map"] = device_map
    kind = factory._model_mapping[type(config)]
    kind = kind[0] if isinstance(kind, tuple | list) else kind
    if "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
        options["add_pooling_layer"] = False
    options["use_safetensors"] = not allow_pickle or None  # None: whichever is there
    if allow_pickle:
        options["weights_only"] = True
    try:
        model, info = factory.from_pretrained(base, output_loading_info=True, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"{base}: cannot be loaded ({_first_line(error)})") from error
    whole = config.is_encoder_decoder and not encoder_only
    missing = sorted(
        key
        for key in info["missing_keys"]
        if "pooler" not in key.split(".") and (not whole or key.startswith(("encoder.", "shared.")))
    )
    mismatched = sorted(str(key[0]) for key in info.get("mismatched_keys", ()))
    for problem, keys in (("lacks", missing), ("has the wrong shape for", mismatched)):
        if keys:
            raise ValueError(
                f"{base}: the checkpoint {problem} {len(keys)} encoder weights, first {keys[0]}; "
                "they would be random"
            )
    return model.get_encoder() if whole else model


def _merge_adapter(model: Any, adapter: Path) -> Any:
    try:
        from peft import PeftModel
    except ImportError:
        raise ValueError(
            f"{adapter}: an adapter needs peft; pip install 'crosslingual[train]'"
        ) from None
    return PeftModel.from_pretrained(model, adapter).merge_and_unload()


def _positions(config: Any) -> int | None:
    positions = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    if positions is None or positions <= 0:  # relative positions (T5) or -1 (XLNet): no limit
        return None
    if config.model_type in _OFFSET_POSITIONS:
        return int(positions) - int(config.pad_token_id or 0) - 1
    return int(positions)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
