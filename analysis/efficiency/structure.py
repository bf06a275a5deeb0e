"""First by structure: two checkpoints of the same make take the same time, and no clock is needed.

What is compared: the encoder's tensors and their shapes, the dtype, the attention implementation, the
tokens of every sentence that is timed, the side of padding, the greatest length, the heads in the files.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...alignment.checkpoints.weights import has_safetensors, stored_names
from .subjects import AGAIN, TimedModel


class Difference(NamedTuple):
    """What differs between two checkpoints."""

    what: str
    base: str
    other: str

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"{self.what} ({self.base} and {self.other})"


TOKENS = "tokens of the sentences"
SHAPES = "shapes of the encoder"
HEAD = "head in the files, which is not run"


def differences(base: TimedModel, other: TimedModel, texts: Sequence[str]) -> list[Difference]:
    """Return what may make two checkpoints take different times; nothing where nothing does.

    Args:
        base: one.
        other: the other.
        texts: that are timed.

    Raises:
        ValueError: one cannot be read.
    """
    found = _encoders(base, other)
    facts = [_facts(one) for one in (base, other)]
    found += [
        Difference(name, str(value), str(facts[1][name]))
        for name, value in facts[0].items()
        if value != facts[1][name]
    ]
    tokens = base.tokens(texts), other.tokens(texts)
    ids = [[one.of(row).tolist() for row in range(len(texts))] for one in tokens]
    unlike = [at for at, (mine, theirs) in enumerate(zip(*ids, strict=True)) if mine != theirs]
    if unlike:
        first = unlike[0]
        counts = [f"{len(one[first])} tokens in {texts[first][:30]!r}" for one in ids]
        found.append(Difference(f"{TOKENS}, {len(unlike)} of {len(texts)}", *counts))
    return found


def _encoders(base: TimedModel, other: TimedModel) -> list[Difference]:
    shapes = base.shapes, other.shapes
    names = [name for name in {**shapes[0], **shapes[1]} if shapes[0].get(name) != shapes[1].get(name)]
    if not names:
        return []
    mine, theirs = (str(one.get(names[0], "none")) for one in shapes)
    return [Difference(f"{SHAPES}, {len(names)} tensors, first {names[0]}", mine, theirs)]


def _facts(subject: TimedModel) -> dict[str, Any]:
    checkpoint = subject.opened
    quantised = " of quantised weights" if checkpoint.quantised else ""
    return {
        "dtype": checkpoint.dtype + quantised,
        "form": "" if subject.form == AGAIN else subject.form,
        "attention": getattr(checkpoint.config, "_attn_implementation", None) or "by default",
        "side of padding": checkpoint.tokenizer.padding_side,
        "greatest length": checkpoint.max_length,
        "prefix": repr(checkpoint.prefix),
        HEAD: _heads(subject) or "none",
    }


def _heads(subject: TimedModel) -> str:
    """Return the tensors in the files that are no part of the encoder: they are not timed."""
    checkpoint = subject.checkpoint
    folder: Path = checkpoint.parts.transformer
    if checkpoint.parts.gguf or not has_safetensors(folder):
        return ""
    known = set(subject.shapes)
    others = [
        name
        for name in stored_names(folder)
        if not _ends_in(name, known) and "pooler" not in name and "position_ids" not in name
    ]
    return ", ".join(sorted({name.rsplit(".", 1)[0] for name in others}))


def _ends_in(name: str, known: set[str]) -> bool:
    """Return whether a name is one that is known, after a prefix."""
    parts = name.split(".")
    return any(".".join(parts[at:]) in known for at in range(len(parts)))
