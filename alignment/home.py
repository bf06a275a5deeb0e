"""Where things are kept between runs."""

import os
from pathlib import Path


def home() -> Path:
    """Return $CROSSLINGUAL_HOME, else ~/.cache/crosslingual."""
    given = os.environ.get("CROSSLINGUAL_HOME")
    return Path(given) if given else Path.home() / ".cache" / "crosslingual"


def store_root(given: str | Path | None = None) -> Path:
    """Return the root of the store: as given, else `store` under `home`."""
    return Path(given) if given else home() / "store"
