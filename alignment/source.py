"""Where the vectors of a run come from: a model through the store, or files; and what is said of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data import Side
from .checkpoint import Checkpoint, open_checkpoint
from .represent import Progress, Representations, represent
from .vectors import PREFIX, GivenVectors


@dataclass(frozen=True, eq=False)
class Source:
    """A checkpoint ready to be scored."""

    fingerprint: str
    columns: Mapping[str, Any]  # its columns of the score table
    about: Mapping[str, Any]  # its folder's crosslingual.json
    layers: Mapping[str, Sequence[int]]  # pooling -> the layers to score
    represent: Callable[[], Mapping[str, Representations]]  # pooling -> vectors; encodes what lacks


def open_source(
    checkpoint: Checkpoint | str | Path,
    sides: Sequence[Side],
    *,
    poolings: Sequence[str],
    layers: str,
    root: Path,
    store_dtype: str,
    budget: int | None,
    progress: Progress | None,
) -> Source:
    """Return the source of a run; nothing is encoded yet.

    Args:
        checkpoint: a folder, a hub id, `vectors:DIR`, or an opened checkpoint.
        sides: whose sentences will be asked for.
        poolings: names of poolings.
        layers: see `parse_layers`.
        root: the store's.
        store_dtype: see `represent`.
        budget: see `represent`.
        progress: see `represent`.

    Raises:
        ValueError: no checkpoint, a layer out of range, a pooling of vectors that are pooled already.
    """
    if isinstance(checkpoint, str) and checkpoint.startswith(PREFIX):
        given = GivenVectors(Path(checkpoint.removeprefix(PREFIX)))
        if list(poolings) != ["mean"]:
            raise ValueError("vectors are pooled already; leave out --pooling")
        return Source(
            given.fingerprint,
            _columns(checkpoint),
            {},
            {"mean": parse_layers(layers, given.available)},
            lambda: {"mean": given},
        )
    model = checkpoint if isinstance(checkpoint, Checkpoint) else open_checkpoint(checkpoint)
    wanted = parse_layers(layers, range(model.layers + 1))
    return Source(
        model.fingerprint,
        _columns(
            model.name,
            revision=model.revision,
            parameters=model.parameters,
            dtype=model.dtype,
            max_length=model.max_length,
            prefix=model.prefix,
        ),
        model.about,
        {name: [model.layers] if name == "native" else wanted for name in poolings},
        lambda: represent(
            model,
            sides,
            root=root,
            poolings=poolings,
            layers=wanted,
            store_dtype=store_dtype,
            budget=budget,
            progress=progress,
        ),
    )


def _columns(
    checkpoint: str,
    *,
    revision: str = "",
    parameters: int | None = None,
    dtype: str = "float32",
    max_length: int | None = None,
    prefix: str = "",
) -> dict[str, Any]:
    return {
        "checkpoint": checkpoint,
        "revision": revision,
        "protocol": "",
        "parameters": parameters,
        "dtype": dtype,
        "max_length": max_length,
        "prefix": prefix,
    }


def parse_layers(wanted: str, available: Sequence[int]) -> list[int]:
    """Return layer numbers from "all", "last", or numbers and ranges: "0,4-6".

    Raises:
        ValueError: not such a list, or a layer that is not available.
    """
    if wanted == "all":
        return list(available)
    if wanted == "last":
        return [available[-1]]
    layers: set[int] = set()
    for part in wanted.split(","):
        first, _, end = part.strip().partition("-")
        if not first.isdecimal() or (end and not end.isdecimal()):
            raise ValueError(f"--layers {wanted!r}: expected all, last, or numbers like 0,4-6")
        layers.update(range(int(first), int(end or first) + 1))
    outside = sorted(layers - set(available))
    if outside:
        raise ValueError(
            f"layer {outside[0]} is out of range: there are the layers {available[0]} to {available[-1]}"
        )
    return sorted(layers)
