"""Which kind of vectors a folder has."""

from pathlib import Path

from .given import GivenVectors
from .mteb_cache import PARTS, CachedVectors
from .token_states import TokenStates, has_token_states


def open_vectors(folder: Path) -> GivenVectors:
    """Return the vectors of a folder: of mteb's cache, states of tokens, or files per language.

    Raises:
        ValueError: none of them.
    """
    if all((folder / name).is_file() for name in PARTS):
        return CachedVectors(folder)
    if has_token_states(folder):
        return TokenStates(folder)
    return GivenVectors(folder)
