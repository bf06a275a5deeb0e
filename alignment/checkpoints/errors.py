"""What libraries raise over files, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def refusing(subject: object, what: str) -> Iterator[None]:
    """Turn what a library raises over a file it is given into one line: what, and why.

    Dozens of kinds are raised over files that cannot be read (SafetensorError, AssertionError, KeyError,
    ImportError, validation errors, …); to whoever gave the file they mean the same.

    Raises:
        ValueError: for any of them.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{subject}: {what} ({first_line(error)})") from error


def first_line(error: BaseException) -> str:
    """Return what a library's error says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0][:300] if lines else ""
    if not said or isinstance(error, KeyError | AssertionError | AttributeError | TypeError):
        return f"{type(error).__name__} {said}".strip()
    return said
