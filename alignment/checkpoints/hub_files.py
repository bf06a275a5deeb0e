"""The files of a checkpoint on the hub: what is needed, and pickles only where they are allowed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..runs.files import own_folder, remove_folder
from ..runs.folder import held
from ..runs.paths import home
from .errors import first_line

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

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(patterns), **options))
    except Exception as error:  # offline, gated, unknown: dozens of kinds, one meaning
        raise OSError(
            f"{name}: neither a folder nor to be had from the hub ({first_line(error)})"
        ) from error
