"""Checkpoints: weights and tokenizer at one point of training, opened the same way every time.

A checkpoint is a local folder (transformers or sentence-transformers), a hub id with revision, a folder
with a PEFT adapter, or a GGUF file.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.rows import Columns, Row
from .about import verify_files
from .adapters import merge_adapter
from .devices import free_memory, pick_device
from .errors import refusing
from .families import norm_of, objective_of
from .fingerprint import Identity, Memory, hash_folder
from .folders import Parts, read_settings
from .in_files import encoder_in_files
from .loading import encoder_config, load_model, random_encoder
from .sizes import positions_of, sizes_of
from .skeleton import Skeleton, open_skeleton, whole_only
from .steps import steps_in
from .tokenizers import load_tokenizer
from .weights import check_weights, has_safetensors

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

RANDOM_SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk and how it is to be run; `load` brings it into memory."""

    name: str
    folder: Path
    parts: Parts  # where its parts lie
    revision: str = ""
    label: str = ""  # the revision as it was asked for, or the folder's name
    dtype: str = "float32"
    requested_length: int | None = None
    prefix: str = ""
    device: str = "auto"
    device_map: str | None = None
    allow_pickle: bool = False
    memory: int | None = None  # bytes that the weights may take; None: what is free
    random_seed: int | None = None  # the seed of random weights instead of the folder's
    original: "Checkpoint | None" = None  # what it was quantised from
    about: Row = field(default_factory=dict)  # the folder's crosslingual.json

    @cached_property
    def config(self) -> Any:
        """The transformers configuration of the model."""
        from transformers import AutoConfig

        folder = self.parts.transformer
        with refusing(folder, "its config.json cannot be used"):
            return AutoConfig.from_pretrained(
                folder, trust_remote_code=False, **self.parts.gguf_options()
            )

    @cached_property
    def settings(self) -> Columns:
        """The same as it lies in the folder, read without transformers; a GGUF file's is made of it."""
        if self.parts.gguf:
            found: Columns = self.config.to_dict()
            return found
        return read_settings(self.parts.transformer / "config.json")

    @cached_property
    def layers(self) -> int:
        """L: the number of blocks; hidden states have the indices 0 … L."""
        known = self._remembered
        return known.layers if known else self._shape[0]

    @cached_property
    def max_length(self) -> int:
        """The longest input, in tokens, special ones included; longer texts are truncated."""
        known = self._remembered
        positions = known.positions if known else self._shape[1]
        if self.requested_length is not None:
            if not 1 <= self.requested_length <= (positions or self.requested_length):
                raise ValueError(
                    f"`max_length` {self.requested_length} is not between 1 and the {positions} "
                    f"positions of {self.name}"
                )
            return self.requested_length
        length = self.parts.sentence_settings().get("max_seq_length")
        if length is not None:
            if isinstance(length, bool) or not isinstance(length, int | float) or length < 1:
                raise ValueError(f"{self.folder}: its max_seq_length {length!r} is no number of tokens")
            return int(min(length, positions or length))
        longest = known.longest if known else self.tokenizer.model_max_length
        return int(min(longest, positions or 512, 512))

    @cached_property
    def _shape(self) -> tuple[int, int | None]:
        """L, and the tokens that have a position."""
        with refusing(self.folder, "its config.json does not say how many layers there are"):
            part = encoder_config(self.config)
            shape = int(part.num_hidden_layers), positions_of(part)
        if shape[0] < 1:
            raise ValueError(f"{self.folder}: its config.json says that there are {shape[0]} layers")
        return shape

    @cached_property
    def tokenizer(self) -> "PreTrainedTokenizerBase":
        """The tokenizer, as saved with the checkpoint."""
        lower = bool(self.parts.sentence_settings().get("do_lower_case"))
        own = self.parts.tokenizer == self.parts.transformer
        return load_tokenizer(self.parts.tokenizer, self.parts.gguf if own else "", lower=lower)

    @cached_property
    def _memory(self) -> Memory:
        variant = self.parts.gguf if self.random_seed is None else f"random {self.random_seed}"
        return Memory(self.parts.every, variant)

    @cached_property
    def _remembered(self) -> Identity | None:
        """What is known without importing transformers, which takes seconds."""
        return self._memory.recall()

    @cached_property
    def _identity(self) -> Identity:
        if self._remembered is not None:
            return self._remembered
        verify_files(self.folder, self.about)
        itself = self.random_seed is None and not (self.parts.gguf or self.parts.adapter)
        with encoder_in_files(
            self.parts.transformer,
            self.config,
            quantised=itself and self.quantised,
            load=partial(self.load, checking=True),
            whole_only=partial(self._whole_only, "auto"),
        ) as (model, tensors):
            fingerprint = hash_folder(tensors, self.parts, self.settings, self.tokenizer)
            sizes = sizes_of(model, self.config)
        longest = int(self.tokenizer.model_max_length)
        found = Identity(fingerprint, *sizes, *self._shape, longest)
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

    @property
    def parameters_body(self) -> int:
        """The same without embeddings of tokens: its scale on the other axis; see `sizes`."""
        return self._identity.parameters_body

    @cached_property
    def block_by_block(self) -> bool:
        """Whether its blocks are read from the files one at a time, as it is larger than memory.

        Raises:
            ValueError: it is larger than `memory`, and has to be loaded whole.
        """
        if self.device_map is not None or self.random_seed is not None:
            return False
        import torch

        needed, free = self.parameters * getattr(torch, self.dtype).itemsize, self.memory
        if free is None:
            free = free_memory(pick_device(self.device))
        if needed <= free:
            return False
        sizes = f"{needed / 1e9:.1f} GB, more than {free / 1e9:.1f} GB of memory"
        large = f"{self.name}: its weights take {sizes}"
        reason = self._whole_only(self.dtype)
        if reason and self.memory is not None:
            raise ValueError(f"{large}, and {reason}; take more `memory`, or `device_map` auto")
        if reason:
            logger.warning("%s, and %s", large, reason)
        else:
            logger.warning("%s: its blocks are read from the files one after the other", large)
        return not reason

    @contextmanager
    def skeleton(self) -> Iterator[Skeleton]:
        """Give the encoder with its blocks left in their files."""
        import torch

        folder, dtype = self.parts.transformer, getattr(torch, self.dtype)
        check_weights(folder, allow_pickle=False)
        with open_skeleton(folder, self.config, dtype) as opened:
            yield opened

    def _whole_only(self, dtype: str) -> str:
        """Return why the model can only be loaded whole; nothing where its blocks can be read apart."""
        folder = self.parts.transformer
        if self.random_seed is not None:
            return "its weights are random"
        if self.parts.gguf:
            return "a GGUF file is read as a whole"
        if self.parts.adapter is not None:
            return "an adapter is merged with the whole of its base"
        if self.allow_pickle and not has_safetensors(folder):
            return "its weights are pickled"
        return whole_only(folder, self.config, dtype)

    @property
    def quantised(self) -> bool:
        """Whether its weights are stored, and multiplied, in fewer bits than their dtype has."""
        return getattr(self.config, "quantization_config", None) is not None

    @property
    def compared_with(self) -> "Checkpoint | None":
        """What some of its vectors are compared with: `original`, else itself in float32."""
        if self.original is not None or self.dtype == "float32":
            return self.original
        return replace(self, dtype="float32")

    def random_copies(self) -> "list[Checkpoint]":
        """Return copies with the weights that training begins with, one a seed of `RANDOM_SEEDS`.

        What they score is known from the tokens alone: shared words, lengths, and what a random network
        makes of them. A trained model's score means something above it only.
        """
        named = ((seed, f"{self.name} (random {seed})") for seed in RANDOM_SEEDS)
        return [replace(self, name=name, random_seed=seed) for seed, name in named]

    @property
    def norm(self) -> str:
        """Where its blocks have their norms: pre, post, both; "" where that is not known."""
        return norm_of(self.name, self.settings)

    @property
    def objective(self) -> str:
        """What it was pretrained for: see `families`; "" where that is not known."""
        return objective_of(self.name, self.settings)

    @property
    def step(self) -> int | None:
        """The step of training that its revision, or its folder's name, says."""
        return steps_in(self.label)[0]

    @property
    def tokens(self) -> int | None:
        """The tokens it was trained on, where that name says it."""
        return steps_in(self.label)[1]

    def load(self, *, checking: bool = False) -> "torch.nn.Module":
        """Return the encoder in evaluation mode, in its dtype, on its device.

        Args:
            checking: keep the dtype of the file and stay on the CPU (for the fingerprint).

        Raises:
            ValueError: a pickle-only folder, a missing encoder weight, remote code, no model at all.
        """
        import torch

        folder, adapter = self.parts.transformer, self.parts.adapter
        spread = {} if checking or self.device_map is None else {"device_map": self.device_map}
        model: torch.nn.Module
        if self.random_seed is not None:
            spread = {}
            model = random_encoder(folder, self.config, torch.float32, self.random_seed)
            model = model.to(torch.float32 if checking else getattr(torch, self.dtype))
        else:
            if not self.parts.gguf:
                check_weights(folder, allow_pickle=self.allow_pickle)
            dtype: Any = "auto" if checking else getattr(torch, self.dtype)
            how: Columns = {"gguf": self.parts.gguf, "allow_pickle": self.allow_pickle}
            loaded = load_model(folder, self.config, dtype, spread, **how)
            if adapter is not None and self.quantised:
                raise ValueError(
                    f"{adapter}: an adapter cannot be merged with the quantised weights of {folder}; "
                    "take the base that they were made of"
                )
            if adapter is not None:
                merged = merge_adapter(loaded.model, adapter, allow_pickle=self.allow_pickle)
                loaded = loaded._replace(model=merged)
            model = loaded.encoder()
        if not checking and not spread:
            model = model.to(pick_device(self.device))
        return model.eval()
