"""The files of a checkpoint on the hub: what is needed, and pickles only where they are allowed."""

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...data.rows import Columns
from ..runs.files import own_folder, remove_folder
from ..runs.folder import held
from ..runs.paths import home
from .errors import first_line

logger = logging.getLogger(__name__)

# configurations, tokenizers (*.model: sentencepiece), and weights that cannot run code
PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model", "*/config.json", "*/*.safetensors")
PICKLES = ("pytorch_model*.bin", "adapter_model.bin")


def fetch(name: str, revision: str | None = None, *, allow_pickle: bool = False, **options: Any) -> Path:
    """Return the folder of a checkpoint from the hub, named after its commit.

    A pickle is fetched only where it is allowed and there are no safetensors next to it.

    Args:
        name: its id.
        revision: branch, tag or commit.
        allow_pickle: fetch pickles where there are no safetensors.
        options: of `huggingface_hub.snapshot_download`.

    Raises:
        OSError: the hub does not have it, not in a form that is allowed, or cannot be reached.
    """
    folder = _snapshot(name, revision, PATTERNS, **options)
    places = [folder, *(path.parent for path in sorted(folder.glob("*/config.json")))]
    without = [place for place in places if not any(place.glob("*.safetensors"))]
    if allow_pickle:
        below = ("" if place == folder else f"{place.name}/" for place in without)
        wanted = [prefix + pattern for prefix in below for pattern in PICKLES]
        return _snapshot(name, folder.name, wanted, **options) if wanted else folder
    if without == places:
        raise OSError(
            f"{name}: no safetensors to be had from the hub; `allow_pickle` fetches a pickle, if it has "
            "one, which can run code when it is opened"
        )
    return folder


def fetch_file(name: str, file: str, revision: str | None = None) -> Path:
    """Return the place of one file of a model on the hub.

    Raises:
        OSError: the hub does not have it, or cannot be reached.
    """
    path = _snapshot(name, revision, [file]) / file
    if not path.is_file():
        raise OSError(f"{name}: it has no {file}")
    return path


def revisions_of(name: str) -> dict[str, str]:
    """Return the commit of every branch and tag of a model on the hub.

    Raises:
        OSError: the hub does not have it or cannot be reached.
    """
    from huggingface_hub import HfApi

    try:
        refs = HfApi().list_repo_refs(name)
    except Exception as error:  # as above
        raise OSError(f"{name}: its revisions cannot be listed ({first_line(error)})") from error
    return {ref.name: ref.target_commit for ref in (*refs.branches, *refs.tags)}


@contextmanager
def for_a_while(name: str, commit: str, *, allow_pickle: bool) -> Iterator[Path]:
    """Give the folder of a revision; one that is not in the hub's cache is removed afterwards.

    At most one such download is on the disk: what another, or a killed, run left is removed before.

    Args:
        name: the model's id.
        commit: of the revision.
        allow_pickle: fetch pickles where there are no safetensors.

    Raises:
        OSError: the hub does not have it or cannot be reached; another process is downloading.
    """
    cached = _cached(name, commit, allow_pickle)
    if cached is not None:
        yield cached
        return
    place = home() / "revision"
    busy = f"{place}: another process has a revision there; wait until it ends"
    with held(place.parent / "revision.lock", busy):
        whose = place / "commit"
        if not whose.is_file() or whose.read_text("utf-8") != commit:
            own_folder(place)
            whose.write_text(commit, "utf-8")
        try:
            yield fetch(name, commit, allow_pickle=allow_pickle, cache_dir=place)
        finally:
            remove_folder(place)


def _cached(name: str, commit: str, allow_pickle: bool) -> Path | None:
    """Return the folder of a revision that was downloaded before."""
    try:
        return fetch(name, commit, allow_pickle=allow_pickle, local_files_only=True)
    except OSError:
        return None


def _snapshot(name: str, revision: str | None, patterns: Sequence[str], **options: Any) -> Path:
    from huggingface_hub import snapshot_download

    wanted = {"revision": revision, "allow_patterns": list(patterns)} | options
    if not options.get("local_files_only"):
        _refuse_larger_than_disk(name, wanted)
    try:
        return Path(snapshot_download(name, **wanted))
    except Exception as error:  # offline, gated, unknown: dozens of kinds, one meaning
        raise OSError(
            f"{name}: neither a folder nor to be had from the hub ({first_line(error)})"
        ) from error


def _refuse_larger_than_disk(name: str, wanted: Columns) -> None:
    """Say how much is to be downloaded, and raise an OSError where the disk has no room for it."""
    from huggingface_hub import constants, snapshot_download

    try:
        files: Any = snapshot_download(name, **wanted, dry_run=True)
        size = sum(file.file_size or 0 for file in files if file.will_download)
    except Exception as error:  # the download itself meets it again, and says it
        logger.debug("%s: the size of the download is not known (%s)", name, first_line(error))
        return
    place = Path(wanted.get("cache_dir") or constants.HF_HUB_CACHE).absolute()
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise OSError(
            f"{name}: {size / 1e9:.1f} GB are to be downloaded, and {place} has room for "
            f"{free / 1e9:.1f} GB; make room, or set HF_HOME to another disk"
        )
    if size:
        logger.info("%s: %.2f GB are to be downloaded", name, size / 1e9)
