"""Findings are counted exactly, the first of each rule kept, and the order of merging has no say."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ftprep.model import Fault
from ftprep.tally import Kept, Tally, Told

CODES = ("DUP101", "SEP105", "IO104")
FOUND = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 2), st.sampled_from(CODES)), max_size=40, unique_by=lambda f: f[:2]
)


def tally(found: list[tuple[int, int, str]], kept: int) -> Tally:
    made = Tally(kept)
    for number, position, code in sorted(found):
        fault = Fault(code, f"{number}.{position}")
        made.add(number, position, fault, f"mark {number}" if made.wants(code) else "")
    return made


@given(found=FOUND, kept=st.integers(0, 5), data=st.data())
def test_parts_add_up_in_any_order(found: list[tuple[int, int, str]], kept: int, data: st.DataObject) -> None:
    # A part is a chunk: rows of one do not stand between rows of another.
    cuts = sorted(data.draw(st.lists(st.integers(0, 41), max_size=4)))
    bounds = [0, *cuts, 42]
    parts = [tally([f for f in found if low <= f[0] < high], kept) for low, high in pairwise(bounds)]
    total = Tally(kept)
    for part in data.draw(st.permutations(parts)):
        total.merge(part)
    assert total.rules == tally(found, kept).rules
    for code in CODES:
        mine = sorted(f for f in found if f[2] == code)
        rule = total.rules.get(code, Kept())
        assert rule.count == len(mine)
        assert [item[:2] for item in rule.items] == [f[:2] for f in mine[:kept]]


def test_a_fingerprint_is_wanted_only_for_what_is_kept() -> None:
    made = Tally(2)
    wants = []
    for number in range(4):
        wants.append(made.wants("SEP105"))
        made.add(number, 0, Fault("SEP105", "x"), "")
    assert wants == [True, True, False, False]
    assert made.wants("DUP101")


@given(
    chunks=st.lists(st.lists(st.sampled_from(["DUP101", "SEP105"]), max_size=6), min_size=1, max_size=8),
    kept=st.integers(1, 4),
    again=st.integers(0, 9),
)
def test_what_is_left_out_later_is_never_among_the_first(chunks: list[list[str]], kept: int, again: int) -> None:
    """A process that has told enough of a rule counts the rest; the sum is the same, also where a chunk comes again."""
    plain, sparing, told = Tally(kept), Tally(kept), Told()

    def seen(number: int, full: frozenset[str] = frozenset()) -> Tally:
        found = Tally(kept, full=full)
        for position, code in enumerate(chunks[number]):
            found.add(number << 32 | position, 0, Fault(code, "x"), "")
        return found

    order = list(range(len(chunks)))
    order.insert(again, again % len(chunks))
    parts = {}
    for number in order:
        parts[number] = seen(number, told.full(number, kept))
        told.remember(number, parts[number])
    for number in range(len(chunks)):
        plain.merge(seen(number))
        sparing.merge(parts[number])
    assert sparing.rules == plain.rules
