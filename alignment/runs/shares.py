"""Shares of a piece of work that several processes do, as the tasks of a scheduler's array job."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

Subject = TypeVar("Subject")


class Share(NamedTuple):
    """One of several shares."""

    number: int  # from 1
    of: int


class SharePending(Exception):
    """This process's share is done, others' are not: the process that is last goes on."""


def parse_share(text: str) -> Share | None:
    """Return which of how many shares a setting names, None where it is empty.

    Raises:
        ValueError: no such share.

    >>> parse_share("2/8")
    Share(number=2, of=8)
    """
    if not text:
        return None
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise ValueError(f"`share` must be one of several, as 2/8, got {text!r}")
    return Share(int(number), int(count))


def for_each(do: Callable[[Subject], None], subjects: Iterable[Subject]) -> None:
    """Do the share of every one of several, before it is said that others' are missing.

    Raises:
        SharePending: that of one of them.
    """
    pending: SharePending | None = None
    for subject in subjects:
        try:
            do(subject)
        except SharePending as error:
            pending = error
    if pending is not None:
        raise pending


def share_of(key: bytes, count: int) -> int:
    """Return the share, from 1, of something with a uniform key: the same in every process."""
    return 1 + int.from_bytes(key[:8], "little") % count
