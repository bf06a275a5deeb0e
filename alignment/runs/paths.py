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


def store_root(given: str | Path | bool | None = None) -> Path:
    """Return the root of the store: as given, else `store` under `home`."""
    root = Path(given) if isinstance(given, str | Path) and given else home() / "store"
    if root.exists() and not root.is_dir():
        raise OSError(f"{root} is a file; `store` names a folder")
    return root


@contextmanager
def open_root(given: str | Path | bool | None = None) -> Iterator[Path]:
    """Give the root of the store; for False a temporary one that is deleted at the end."""
    if given is False:
        with tempfile.TemporaryDirectory(prefix="crosslingual-") as folder:
            yield Path(folder)
    else:
        yield store_root(given)
