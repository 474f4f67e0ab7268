"""Units of a split: counted with numpy as without, in the order of their hashes whatever the order of the examples."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep import units
from ftprep.splitter import assign
from ftprep.units import Units, gather

ENTRIES = st.lists(
    st.tuples(st.integers(0, 12).map(lambda n: n.to_bytes(8)), st.sampled_from(["", "a", "b", "cé"])), max_size=40
)


def told(found: Units) -> list[tuple[bytes, int, tuple[tuple[str, int], ...]]]:
    return [(found.key(n), found.kind(n).size, found.kind(n).parts) for n in range(len(found))]


@given(entries=ENTRIES, seed=st.integers(0, 3), shuffle=st.randoms(use_true_random=False))
def test_many_are_what_few_are(entries: list[tuple[bytes, str]], seed: int, shuffle: random.Random) -> None:
    few = gather(entries, seed)
    other = list(entries)
    shuffle.shuffle(other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "MANY", 1)
        assert told(gather(other, seed)) == told(few)
    assert {unit for unit, _, _ in told(few)} == {unit for unit, _ in entries}
    assert sum(size for _, size, _ in told(few)) == len(entries)
    assert all(size == sum(count for _, count in parts) for _, size, parts in told(few))


@given(entries=ENTRIES, share=st.sampled_from([0.1, 0.3, 0.5]))
def test_a_split_of_many_is_that_of_few(entries: list[tuple[bytes, str]], share: float) -> None:
    if len({unit for unit, _ in entries}) < 2:
        return
    few = assign(entries, valid=share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units, "MANY", 1)
        assert assign(entries, valid=share) == few


def test_another_seed_is_another_order() -> None:
    entries = [(n.to_bytes(8), "") for n in range(50)]
    orders = [[found.key(n) for n in range(50)] for found in (gather(entries, seed) for seed in range(3))]
    assert orders[0] != orders[1] != orders[2]
    assert [sorted(order) for order in orders] == [[unit for unit, _ in entries]] * 3


def test_keys_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(b"a", ""), (b"long enough", "x"), (b"a", "")]
    plain = told(gather(entries, 0))
    monkeypatch.setattr(units, "MANY", 1)
    assert told(gather(entries, 0)) == plain
    with pytest.raises(ValueError, match="some keys have 8 bytes"):
        gather([(bytes(8), ""), (b"a", "")], 0)
