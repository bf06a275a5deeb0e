"""Messages of the library, which names settings in backquotes, as the command line words them."""

import re

import typer

from .generate import FLAGS

# of terminals: C0 and C1 controls but tab and line feed, and what turns the direction of text around
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text to standard output or error; everything that commands print goes through here."""
    typer.echo(printable(text), err=err, nl=nl)


def one_line(error: BaseException) -> str:
    """Return what an error says, in one line that is safe to print."""
    said = str(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        said = f"{error.filename}: {error.strerror}"
    return with_flags(printable(" ".join(said.split()) or type(error).__name__))


def with_flags(message: str) -> str:
    """Return a message with the flag of each setting it names.

    >>> with_flags("`map_fit` is missing")
    '--map-fit is missing'
    """
    return re.sub(r"`(\w+)`", lambda found: FLAGS.get(found[1], found[1]), message)


def printable(text: str) -> str:
    r"""Return a text in which what a terminal would obey is written out.

    Names of files and columns, and sentences, come from anywhere: ESC and its like move the cursor and
    rename the window.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
