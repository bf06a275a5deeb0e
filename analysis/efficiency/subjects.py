"""What is timed: checkpoints as they are, and reduced forms of one."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ...alignment.checkpoints.checkpoint import Checkpoint
from ...alignment.checkpoints.errors import refusing
from ...alignment.checkpoints.loading import empty_encoder
from ...alignment.encoding.tokens import Tokens, tokenize
from ...alignment.options import split_names
from ...data.nearest import closest
from .options import FORMS

AGAIN = "again"  # the form of what is the same, loaded a second time


@dataclass(frozen=True)
class TimedModel:
    """A checkpoint in a form: "" as it is."""

    checkpoint: Checkpoint
    form: str = ""

    @property
    def name(self) -> str:
        """The checkpoint's name, with the form."""
        return self.checkpoint.name + (f" ({self.form})" if self.form else "")

    @cached_property
    def opened(self) -> Checkpoint:
        """The checkpoint in the dtype of its form."""
        return replace(self.checkpoint, dtype="bfloat16") if self.form == "bfloat16" else self.checkpoint

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the encoder's tensors, by name, without loading it."""
        checkpoint = self.checkpoint
        encoder = empty_encoder(checkpoint.parts.transformer, checkpoint.config)
        return {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}

    def tokens(self, texts: Sequence[str]) -> Tokens:
        """Return the tokens of texts as the model is fed them, with its prefix."""
        checkpoint = self.checkpoint
        fed = [checkpoint.prefix + text for text in texts]
        return tokenize(checkpoint.tokenizer, fed, checkpoint.max_length)

    def load(self) -> Any:
        """Load the model of this form.

        Raises:
            ValueError: it cannot be loaded, or not be had in this form on this machine.
        """
        model = self.opened.load()
        with refusing(self.name, "this form is not to be had here"):
            if self.form == "int8":
                return _in_integers(model)
            if self.form == "compile":
                import torch

                return torch.compile(model)
        return model


def reduced(checkpoint: Checkpoint, forms: str) -> list[TimedModel]:
    """Return the reduced forms of a checkpoint by their names.

    Raises:
        ValueError: an unknown form.
    """
    names = split_names(forms)
    for name in names:
        if name not in FORMS:
            raise ValueError(f"`forms`: {name!r}: {closest(name, FORMS)}")
    return [TimedModel(checkpoint, name) for name in names]


def _in_integers(model: Any) -> Any:
    """Return a model whose matrices are 8-bit integers, and whose inputs become such in each product."""
    import torch

    if next(model.parameters()).device.type != "cpu":
        raise ValueError("dynamic quantisation is for the CPU; take `device` cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch 2.13 has it still, and says that it will go
        quantise: Any = torch.ao.quantization.quantize_dynamic
        return quantise(model, {torch.nn.Linear}, dtype=torch.qint8)
