"""Where the vectors of a run come from: a model through the store, or files; and what is said of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..data import Side
from .checkpoint import Checkpoint, open_checkpoint
from .protocols import RetrievalProtocol
from .represent import Progress, Representations, represent
from .vectors import PREFIX, GivenVectors

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Source:
    """A checkpoint ready to be scored."""

    fingerprint: str
    columns: Mapping[str, Any]  # its columns of the score table
    about: Mapping[str, Any]  # its folder's crosslingual.json
    layers: Mapping[str, Sequence[int]]  # pooling -> the layers to score
    last: int  # L
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
    protocol: RetrievalProtocol | None = None,
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
        protocol: decides poolings, layers and the greatest length.

    Raises:
        ValueError: no checkpoint, a layer out of range, a pooling of vectors that are pooled already, a
            checkpoint that the protocol does not fit.
    """
    if isinstance(checkpoint, str) and checkpoint.startswith(PREFIX):
        given = GivenVectors(Path(checkpoint.removeprefix(PREFIX)))
        if protocol is not None:
            layers = protocol.layer(given.last)
        elif list(poolings) != ["mean"]:
            raise ValueError("vectors are pooled already; leave out --pooling")
        return Source(
            given.fingerprint,
            _columns(checkpoint, protocol=protocol),
            {},
            {"mean": parse_layers(layers, given.available)},
            given.last,
            lambda: {"mean": given},
        )
    model = checkpoint if isinstance(checkpoint, Checkpoint) else open_checkpoint(checkpoint)
    if protocol is not None:
        model, poolings, layers = _under(protocol, model)
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
            protocol=protocol,
        ),
        model.about,
        {name: [model.layers] if name == "native" else wanted for name in poolings},
        model.layers,
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
    protocol: RetrievalProtocol | None = None,
) -> dict[str, Any]:
    return {
        "checkpoint": checkpoint,
        "revision": revision,
        "protocol": protocol.name if protocol else "",
        "parameters": parameters,
        "dtype": dtype,
        "max_length": max_length,
        "prefix": prefix,
    }


def _under(protocol: RetrievalProtocol, model: Checkpoint) -> tuple[Checkpoint, tuple[str, ...], str]:
    """Return a checkpoint as a protocol takes it, the poolings and the layers."""
    length = protocol.max_length
    if length is not None:
        if model.requested_length not in (None, length):
            raise ValueError(f"protocol {protocol.name} takes {length} tokens; leave out --max-length")
        model = replace(model, requested_length=length)
    stage = str(model.about.get("stage", ""))
    if stage and protocol.stage not in (stage, "any"):
        logger.warning(
            "protocol %s is for %s checkpoints, this is %s", protocol.name, protocol.stage, stage
        )
    own = (model.folder / "modules.json").is_file()
    poolings = tuple("mean" if one == "native" and not own else one for one in protocol.poolings)
    return model, poolings, protocol.layer(model.layers)


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
