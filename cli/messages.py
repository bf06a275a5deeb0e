"""Messages of the library, which names settings in backquotes, as the command line words them."""

import re

from .generate import FLAGS


def with_flags(message: str) -> str:
    """Return a message with the flag of each setting it names.

    >>> with_flags("`map_fit` is missing")
    '--map-fit is missing'
    """
    return re.sub(r"`(\w+)`", lambda found: FLAGS.get(found[1], found[1]), message)
