"""From a name to a checkpoint: built in, a folder, a GGUF file, an id on the hub."""

from pathlib import Path

from ..options import takes
from .about import read_about
from .checkpoint import Checkpoint
from .devices import pick_device
from .families import PREFIX, members_of
from .folders import find_folder, find_parts
from .options import LoadOptions
from .prompts import prompt_of


@takes(LoadOptions)
def open_checkpoint(name: str | Path, options: LoadOptions) -> Checkpoint:
    """Find a checkpoint: built in, else a folder of that name, else an id on the hub.

    Args:
        name: pocket-xs, pocket-s or pocket-m, a folder, a hub id, or a GGUF file: a path, or
            owner/name/file.gguf on the hub.

    Raises:
        ValueError: the folder holds no checkpoint; a setting that is none.
        OSError: the hub does not have it or cannot be reached.
    """
    if str(name).startswith(PREFIX):
        members = ", ".join(one.id for one in members_of(str(name).removeprefix(PREFIX)))
        raise ValueError(f"{name} is several checkpoints, which `score` takes; here name one: {members}")
    if options.device not in ("auto", "cpu"):
        pick_device(options.device)
    folder, resolved = find_folder(str(name), options.revision, allow_pickle=options.allow_pickle)
    parts = find_parts(folder, allow_pickle=options.allow_pickle)
    return Checkpoint(
        name=str(name),
        folder=parts.folder,
        parts=parts,
        revision=resolved,
        label=options.revision or Path(parts.gguf).stem or parts.folder.name,
        dtype=options.dtype,
        requested_length=options.max_length,
        prefix=prompt_of(str(name), parts, options.prefix),
        device=options.device,
        device_map=options.device_map,
        allow_pickle=options.allow_pickle,
        memory=options.memory_bytes,
        original=_original(options),
        about=read_about(parts.folder),
    )


def _original(options: LoadOptions) -> Checkpoint | None:
    """Open what a checkpoint was quantised from, to be run in float32 on the same device."""
    if options.original is None:
        return None
    plain = {"revision": None, "dtype": "float32", "original": None}
    return open_checkpoint(options.original, **(options.opening() | plain))
