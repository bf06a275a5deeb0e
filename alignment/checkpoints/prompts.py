"""What is put before every sentence: as asked for, else the default prompt of the folder."""

import logging

from .families import find_member
from .folders import Parts

logger = logging.getLogger(__name__)


def prompt_of(name: str, parts: Parts, asked: str | None) -> str:
    """Return a checkpoint's prompt; what was not asked for is said.

    Args:
        name: of the checkpoint.
        parts: its folders.
        asked: what was asked for; None: nothing was said.

    Raises:
        ValueError: the folder's default prompt is not one of its prompts.
    """
    if asked is not None:
        return asked
    default = parts.default_prompt()
    if default:
        logger.warning(
            "%s: every sentence is read after %r, the default prompt of the folder; `prefix` ''"
            " leaves it out",
            name,
            default,
        )
        return default
    member = find_member(name)
    known = parts.prompts() or ([member[1].prompt] if member and member[1].prompt else [])
    if known:
        shown = ", ".join(map(repr, known[:3])) + (", …" if len(known) > 3 else "")
        logger.warning(
            "%s is made for a prompt before every sentence (%s) and read without one; `prefix` "
            "gives it, `prefix` '' says that none is meant",
            name,
            shown,
        )
    return ""
