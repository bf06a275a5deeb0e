"""Splits by group: disjoint, the same in every language, and a leak is refused."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosslingual.data.splits import Leak, hold_out, position, refuse_leak


@dataclass(frozen=True)
class Item:
    id: int
    group: str


@given(st.lists(st.integers(0, 30), min_size=40, max_size=80), st.floats(0.2, 0.8), st.integers(0, 3))
def test_groups_are_never_torn(groups, share, seed):
    items = [Item(i, f"g{group}") for i, group in enumerate(groups)]
    try:
        stays, held = hold_out(items, share, seed)
    except ValueError:
        return  # one side would be empty
    assert sorted(stays + held, key=lambda item: item.id) == items
    assert not {item.group for item in stays} & {item.group for item in held}
    # another language, of which some rows lack: every group stays on its side
    fewer = [item for item in items if item.id % 2]
    out = {item.group for item in held}
    assert all((position(item.group, seed) < share) == (item.group in out) for item in fewer)


def test_the_share_is_held_out_about():
    items = [Item(i, f"g{i}") for i in range(5000)]
    stays, held = hold_out(items, 0.1)
    assert len(held) == pytest.approx(500, abs=5 * (5000 * 0.09) ** 0.5)
    other = hold_out(items, 0.1, seed=1)[1]
    assert len({i.id for i in held} & {i.id for i in other}) < 100, "another seed draws others"
    assert len(stays) + len(held) == 5000


def test_wrong_shares():
    for share in (0.0, 1.0, -0.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            hold_out([Item(0, "a"), Item(1, "b")], share)
    with pytest.raises(ValueError, match="leaves one side empty"):
        hold_out([Item(0, "a")], 0.5)


def test_leaks_are_refused():
    refuse_leak(["a", "b"], ["c"], "t")
    with pytest.raises(Leak, match="t: 1 of 2 groups are trained on"):
        refuse_leak(["a", "b"], ["b", "c", "c"], "t")
