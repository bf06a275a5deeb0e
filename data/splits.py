"""Splits by group: what was translated from one original, or taken from one text, stays together.

A group's side is decided by a hash of its name, so that it is the same in every language and in every
run.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Grouped(Protocol):
    """Anything with a group."""

    @property
    def group(self) -> str:
        """The name of what must not be torn apart."""


Item = TypeVar("Item", bound=Grouped)


class Leak(ValueError):
    """Training and test share groups."""


def hold_out(items: Sequence[Item], share: float, seed: int = 0) -> tuple[list[Item], list[Item]]:
    """Split into what stays and what is held out, by group.

    Args:
        items: anything with a group.
        share: of the groups that is held out, about: each is drawn for itself.
        seed: of the draw.

    Returns:
        The items that stay and those held out, in their order.

    Raises:
        ValueError: a share outside (0, 1), or a side that would be empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"the share held out must lie between 0 and 1, got {share}")
    groups = {item.group for item in items}
    out = {group for group in groups if position(group, seed) < share}
    stays = [item for item in items if item.group not in out]
    held = [item for item in items if item.group in out]
    if not stays or not held:
        raise ValueError(f"of {len(groups)} groups a share of {share} leaves one side empty")
    return stays, held


def first_groups(groups: Sequence[str], limit: int, seed: int = 0) -> list[int]:
    """Return `count` rows, ascending, of as few groups as that needs; which ones the seed draws."""
    order = sorted(range(len(groups)), key=lambda i: (position(groups[i], seed), i))
    return sorted(order[:limit])


def position(group: str, seed: int = 0) -> float:
    """Return a number in [0, 1) that a group has, whoever asks."""
    digest = hashlib.blake2b(f"{seed}\0{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def refuse_leak(
    train: Iterable[str],
    test: Iterable[str],
    what: str,
    advice: str = "hold them out, or pass `allow_parallel_leak`",
) -> None:
    """Raise where groups of the test were trained on.

    Args:
        train: groups of everything trained on.
        test: groups of the test.
        what: the test's name, for the message.
        advice: what to do, for the message.

    Raises:
        Leak: there are shared groups.
    """
    tested = set(test)
    shared = sorted(tested.intersection(train))
    if shared:
        raise Leak(
            f"{what}: {len(shared)} of {len(tested)} groups are trained on, in this or another language "
            f"(first: {shared[0]}); {advice}"
        )
