"""Repeats among digests: which rows say the same, which answer the same, which answer otherwise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ftprep import keys
from ftprep.rules.dup import find_many_repeats, find_repeats

A, B, C = b"a" * 8, b"ab" * 4, b"\xff" * 8


def _entries(rows: list[tuple[bytes, bytes, bytes]]) -> list[bytes]:
    """Sorted, as a survey gives them: asked, answered, said, and the place in the data."""
    return sorted(asked + answered + said + n.to_bytes(8) for n, (asked, answered, said) in enumerate(rows))


def test_each_kind_of_repeat_is_told_with_what_it_repeats() -> None:
    rows = [(A, A, A), (A, B, B), (A, A, A), (A, A, C), (B, A, A), (A, C, C), (A, B, B), (B, A, A), (C, A, A)]
    assert find_repeats(_entries(rows)) == {
        "DUP101": [(2, 0), (6, 1), (7, 4)],
        "DUP102": [(3, 0)],
        "DUP104": [(1, 0), (5, 0)],
    }


def test_those_that_ask_nothing_do_not_contradict_each_other() -> None:
    rows = [(keys.BLANK, A, A), (keys.BLANK, B, B), (keys.BLANK, B, B)]
    assert find_repeats(_entries(rows)) == {"DUP101": [(2, 1)], "DUP102": [], "DUP104": []}


@given(
    rows=st.lists(st.tuples(st.sampled_from([A, B, C, keys.BLANK]), *2 * [st.sampled_from([A, B, C])])),
    cuts=st.sets(st.sampled_from([A, B, C])),
)
def test_many_are_found_as_few_are(rows: list[tuple[bytes, bytes, bytes]], cuts: set[bytes]) -> None:
    entries = _entries(rows)
    numbers = np.frombuffer(b"".join(entries), ">u8").reshape(-1, 4).astype(np.uint64)
    # Arrays may end wherever a question does.
    ends = [0, *sorted(sum(entry[:8] <= cut for entry in entries) for cut in cuts), len(entries)]
    parts = [numbers[start:end] for start, end in pairwise(ends)]
    assert find_many_repeats(parts) == find_repeats(entries)
