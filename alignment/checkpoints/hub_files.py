"""The files of a checkpoint on the hub: what is needed, and pickles only where they are allowed."""

from collections.abc import Sequence
from pathlib import Path

from .errors import first_line

# configurations, tokenizers (*.model: sentencepiece), and weights that cannot run code
PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model", "*/config.json", "*/*.safetensors")
PICKLES = ("pytorch_model*.bin", "adapter_model.bin")


def fetch(name: str, revision: str | None = None, *, allow_pickle: bool = False) -> Path:
    """Return the folder of a checkpoint from the hub, named after its commit.

    A pickle is fetched only where it is allowed and there are no safetensors next to it.

    Raises:
        OSError: the hub does not have it, not in a form that is allowed, or cannot be reached.
    """
    folder = _snapshot(name, revision, PATTERNS)
    places = [folder, *(path.parent for path in sorted(folder.glob("*/config.json")))]
    without = [place for place in places if not any(place.glob("*.safetensors"))]
    if allow_pickle:
        below = ("" if place == folder else f"{place.name}/" for place in without)
        wanted = [prefix + pattern for prefix in below for pattern in PICKLES]
        return _snapshot(name, folder.name, wanted) if wanted else folder
    if without == places:
        raise OSError(
            f"{name}: no safetensors to be had from the hub; `allow_pickle` fetches a pickle, if it has "
            "one, which can run code when it is opened"
        )
    return folder


def _snapshot(name: str, revision: str | None, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(patterns)))
    except Exception as error:  # offline, gated, unknown: dozens of kinds, one meaning
        raise OSError(
            f"{name}: neither a folder nor to be had from the hub ({first_line(error)})"
        ) from error
