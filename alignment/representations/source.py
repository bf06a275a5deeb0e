"""Where the vectors of a run come from: a model through the store, or files; and what is said of it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...data import Side
from ...data.rows import Columns, Row
from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.opening import open_checkpoint
from ..checkpoints.options import LoadOptions
from ..runs.progress import Tick
from .given import PREFIX, GivenVectors
from .opening import open_vectors
from .stored import Representations, encode_share, represent

# what the score table says of a checkpoint besides its name
MODEL_COLUMNS = (
    *("revision", "parameters", "parameters_body", "norm", "objective", "step", "tokens"),
    *("dtype", "max_length", "prefix"),
)

# of `LoadOptions`: what a checkpoint that is open already can follow, too
NOT_OF_OPENING = ("batch_tokens", "device", "memory")

CheckpointLike = Checkpoint | GivenVectors | str | Path  # a folder, a hub id, vectors:DIR, or opened


@dataclass(frozen=True, eq=False)
class Source:
    """A checkpoint ready to be scored."""

    fingerprint: str
    columns: Row  # its columns of the score table
    about: Row  # its folder's crosslingual.json
    layers: Mapping[str, Sequence[int]]  # pooling -> the layers to score
    last: int  # L
    represent: Callable[[], Mapping[str, Representations]]  # pooling -> vectors; encodes what is missing
    take_share: Callable[[str], None]  # encodes that share, if it is one; before a run folder is held


def open_model(checkpoint: CheckpointLike, options: LoadOptions) -> Checkpoint | GivenVectors:
    """Return a checkpoint, opened as the options say, or given vectors.

    Raises:
        ValueError: no checkpoint; options that an opened checkpoint, or vectors, cannot follow any more.
        OSError: the hub does not have it or cannot be reached.
    """
    settings, usual = options.opening(), LoadOptions().opening()
    chosen = [name for name in settings if settings[name] != usual[name] and name not in NOT_OF_OPENING]
    if isinstance(checkpoint, str) and checkpoint.startswith(PREFIX):
        checkpoint = open_vectors(Path(checkpoint.removeprefix(PREFIX)))
    if isinstance(checkpoint, GivenVectors) and chosen:
        raise ValueError(f"{checkpoint.name}: vectors are given as they are; leave out `{chosen[0]}`")
    if isinstance(checkpoint, Checkpoint) and chosen:
        raise ValueError(
            f"{checkpoint.name} is already open: give `{chosen[0]}` to open_checkpoint, or a folder here"
        )
    if isinstance(checkpoint, Checkpoint | GivenVectors):
        return checkpoint
    return open_checkpoint(checkpoint, **settings)


def open_source(
    model: Checkpoint | GivenVectors,
    sides: Sequence[Side],
    *,
    poolings: Sequence[str],
    layers: str,
    root: Path,
    store_dtype: str = "float32",
    batch_tokens: int | None = None,
    progress: Tick | None = None,
) -> Source:
    """Return the source of a run; nothing is encoded yet.

    Args:
        model: see `open_model`.
        sides: whose sentences will be asked for.
        poolings: names of poolings.
        layers: see `parse_layers`.
        root: the store's.
        store_dtype: see `represent`.
        batch_tokens: see `represent`.
        progress: see `represent`.

    Raises:
        ValueError: a layer out of range, a pooling of vectors that are pooled already.
    """
    if isinstance(model, GivenVectors):
        given = {name: model.of(name) for name in poolings}
        model.refuse_mixed(sides)
        return Source(
            model.fingerprint,
            _columns(model.name, model.about),
            model.about.get("about", {}),
            {name: parse_layers(layers, one.available) for name, one in given.items()},
            model.last,
            lambda: given,
            partial(_refuse_share, model.name),
        )
    wanted = parse_layers(layers, range(model.layers + 1))
    encode = partial(
        represent,
        model,
        root=root,
        poolings=poolings,
        layers=wanted,
        store_dtype=store_dtype,
        batch_tokens=batch_tokens,
        progress=progress,
    )
    return Source(
        model.fingerprint,
        _columns(model.name, {name: getattr(model, name) for name in MODEL_COLUMNS}),
        model.about,
        {name: [model.layers] if name == "native" else wanted for name in poolings},
        model.layers,
        partial(encode, sides),
        partial(encode_share, encode, model.prefix, sides),
    )


def _refuse_share(name: str, part: str) -> None:
    if part:
        raise ValueError(f"{name}: there is nothing to encode; leave out `share`")


def _columns(checkpoint: str, known: Row) -> Columns:
    """Return what the score table says of a checkpoint; what is not known is empty."""
    empty = {"dtype": "float32"} | dict.fromkeys(("revision", "norm", "objective", "prefix"), "")
    said = {name: known.get(name, empty.get(name)) for name in MODEL_COLUMNS}
    return {"checkpoint": checkpoint, "protocol": "", **said}


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
        found = re.fullmatch(r"\s*([0-9]{1,9})(?:-([0-9]{1,9}))?\s*", part)
        if found is None:
            raise ValueError(f"`layers` {wanted!r}: expected all, last, or numbers like 0,4-6")
        first, end = int(found[1]), int(found[2] or found[1])
        if end < first:
            raise ValueError(f"`layers` {wanted!r}: a range goes upwards, as {end}-{first}")
        for layer in (first, end):
            if layer not in available:
                raise ValueError(
                    f"`layers` {wanted!r}: layer {layer} is out of range, there are {available[0]} to "
                    f"{available[-1]}"
                )
        layers.update(range(first, end + 1))
    return sorted(layers)
