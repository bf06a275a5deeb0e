"""Where things are kept between runs."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def home() -> Path:
    """Return $CROSSLINGUAL_HOME, else ~/.cache/crosslingual."""
    given = os.environ.get("CROSSLINGUAL_HOME")
    return Path(given) if given else Path.home() / ".cache" / "crosslingual"


def store_root(given: str | Path | None = None) -> Path:
    """Return the root of the store: as given, else `store` under `home`."""
    return Path(given) if given else home() / "store"


@contextmanager
def open_root(given: str | Path | None = None, *, keep: bool = True) -> Iterator[Path]:
    """Give the root of the store, or of a temporary one that is deleted at the end."""
    if keep:
        yield store_root(given)
    else:
        with tempfile.TemporaryDirectory(prefix="crosslingual-") as folder:
            yield Path(folder)
