"""What a wrong name may have meant, for messages."""

import difflib
from collections.abc import Iterable


def closest(name: str, known: Iterable[str]) -> str:
    """Return a phrase naming the entries of `known` that look like `name`, for error messages.

    >>> closest("centr", ["none", "centre", "ridge"])
    'did you mean centre?'
    """
    known = sorted(set(known))
    lower = {entry.lower(): entry for entry in reversed(known)}
    close = [lower[hit] for hit in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    if close:
        return "did you mean " + " or ".join(close) + "?"
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"there are {shown}" if known else "there is none"
