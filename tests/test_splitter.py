"""The split: exact, free of row order, classes on both sides, and steady when rows come and go."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter, defaultdict
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftprep.errors import UsageError
from ftprep.splitter import NAMED_IN_NOTES, Split, assign

Entry = tuple[bytes, str]

entries = st.lists(
    st.tuples(st.sampled_from([b"unit-%03d" % i for i in range(40)]), st.sampled_from("abcd")), min_size=2, max_size=80
).filter(lambda units: len({unit for unit, _ in units}) > 1)


def singles(count: int, classes: str = "a", start: int = 0) -> list[Entry]:
    """Return `count` units of one example, the classes taking turns."""
    return [(b"unit-%08d" % i, classes[i % len(classes)]) for i in range(start, start + count)]


def members(units: list[Entry]) -> dict[str, set[bytes]]:
    found = defaultdict(set)
    for unit, name in units:
        found[name].add(unit)
    return dict(found)


def sizes(units: list[Entry]) -> Counter[bytes]:
    return Counter(unit for unit, _ in units)


@pytest.mark.parametrize(
    ("total", "valid", "expected"),
    [
        (100, 0.1, 10),
        (105, 0.1, 11),  # 10.5: half up, not to even
        (115, 0.1, 12),
        (50, 0.29, 15),  # 14.5, which floats would make 14.499999999999998
        (104, 0.1, 10),
        (3, 0.1, 1),
        (2, 0.5, 1),
        (10, 0.99, 9),
        (1000, 1, 1),
        (1000, 999, 999),
        (20, 7, 7),
    ],
)
@pytest.mark.parametrize("classes", ["a", "abc", ("",)])
def test_size_is_exact(total: int, valid: float, expected: int, classes: Any) -> None:
    split = assign(singles(total, classes), valid=valid)
    assert (split.valid, split.train, len(split.valid_units)) == (expected, total - expected, expected)


@pytest.mark.parametrize("valid", [0, -1, 0.0, 1.0, 1.5, -0.1, float("nan"), float("inf"), True, False, "0.1"])
def test_impossible_size_is_refused(valid: Any) -> None:
    with pytest.raises(UsageError) as caught:
        assign(singles(10), valid=valid)
    assert repr(valid) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("units", "valid", "said"),
    [
        ([], 0.1, "nothing to split (examples: 0,"),
        ([(b"x", "a")], 0.1, "nothing to split (examples: 1,"),
        ([(b"x", "a")] * 20, 0.1, "nothing to split (examples: 20, different prompts or groups: 1)"),
        (singles(10), 10, "10 validation examples of 10 leave none to train on"),
        (singles(10), 11, "11 validation examples of 10 leave none to train on"),
    ],
)
def test_impossible_split_is_refused(units: list[Entry], valid: float, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        assign(units, valid=valid)
    assert caught.value.message.startswith(said)
    assert "\n" not in caught.value.message


def test_none_splits_nothing() -> None:
    assert assign([*singles(3, "ab"), (b"unit-00000000", "a")], valid=None) == Split(
        frozenset(), 4, 0, {"a": (3, 0), "b": (1, 0)}, ()
    )
    assert assign([], valid=None) == Split(frozenset(), 0, 0, {}, ())


def test_is_valid_is_membership() -> None:
    split = assign(singles(10), valid=3)
    assert sum(split.is_valid(unit) for unit, _ in singles(10)) == 3
    assert not split.is_valid(b"never seen")


def test_without_classes_there_is_no_class_table() -> None:
    assert assign(singles(10, ("",)), valid=3).per_class == {}  # type: ignore[arg-type]
    assert assign([*singles(9, ("",)), (b"x", "yes"), (b"y", "yes")], valid=3).per_class.keys() == {"", "yes"}  # type: ignore[arg-type]


def test_choice_is_the_same_on_every_machine() -> None:
    """A release that moves examples from one side to the other must say so: these units were computed once."""
    split = assign(singles(20), valid=4)
    assert sorted(split.valid_units) == [b"unit-000000%02d" % i for i in (9, 14, 16, 18)]


def test_keyed_order_follows_blake2b() -> None:
    key = blake2b(b"7", digest_size=32, person=b"ftprep split").digest()
    first = sorted((blake2b(unit, digest_size=8, key=key).digest(), unit) for unit, _ in singles(50))[:5]
    assert assign(singles(50), valid=5, seed=7).valid_units == {unit for _, unit in first}


@pytest.mark.parametrize("classes", ["a", "abcde"])
def test_seeds_differ(classes: str) -> None:
    chosen = {assign(singles(200, classes), valid=0.1, seed=seed).valid_units for seed in range(-2, 20)}
    assert len(chosen) == 22


def test_seed_of_any_size() -> None:
    assert assign(singles(50), valid=5, seed=10**80) != assign(singles(50), valid=5, seed=-(10**80))


def test_every_row_has_the_same_chance() -> None:
    """Over 400 seeds a row is in a tenth of the validations: 40, standard deviation 6; six of them is beyond chance."""
    hits = Counter(unit for seed in range(400) for unit in assign(singles(50, "ab"), valid=0.1, seed=seed).valid_units)
    assert all(4 <= hits[unit] <= 76 for unit, _ in singles(50)), hits


@given(entries, st.data(), st.randoms(use_true_random=False), st.integers(0, 3))
def test_order_has_no_say(units: list[Entry], data: st.DataObject, rng: random.Random, seed: int) -> None:
    valid = data.draw(st.integers(1, len(units) - 1))
    shuffled = rng.sample(units, len(units))
    assert assign(units, valid=valid, seed=seed) == assign(shuffled, valid=valid, seed=seed)


@given(entries, st.data())
def test_counts_add_up_and_sides_hold_something(units: list[Entry], data: st.DataObject) -> None:
    valid = data.draw(st.integers(1, len(units) - 1))
    split = assign(units, valid=valid)
    per_unit = sizes(units)
    assert split.valid_units <= per_unit.keys()
    assert split.valid == sum(per_unit[unit] for unit in split.valid_units) >= 1
    assert split.train == len(units) - split.valid >= 1
    on_valid = Counter(name for unit, name in units if split.is_valid(unit))
    on_train = Counter(name for unit, name in units if not split.is_valid(unit))
    assert split.per_class == {name: (on_train[name], on_valid[name]) for name in on_train | on_valid}
    assert (split.valid == valid) == (not any(note.startswith("validation has") for note in split.notes))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=120), st.data())
def test_single_units_are_exact_and_every_class_is_on_both_sides(names: list[str], data: st.DataObject) -> None:
    valid = data.draw(st.integers(1, len(names) - 1))
    split = assign([(b"unit-%03d" % i, name) for i, name in enumerate(names)], valid=valid)
    assert split.valid == valid
    counts = Counter(names)
    if valid >= len(counts) and len(names) - valid >= len(counts):
        for name, count in counts.items():
            assert all(split.per_class[name]) if count > 1 else split.per_class[name] == (1, 0)
        assert len(split.notes) == min(list(counts.values()).count(1), NAMED_IN_NOTES + 1)


@given(
    st.dictionaries(st.sampled_from("abcdefghij"), st.integers(10, 60), min_size=1),
    st.sampled_from([0.1, 0.15, 0.3, 0.9]),
)
def test_class_shares_are_within_one_example(counts: dict[str, int], share: float) -> None:
    """As scikit-learn's StratifiedShuffleSplit has it: each class gets its exact share, rounded down or up."""
    names = [name for name, count in counts.items() for _ in range(count)]
    split = assign([(b"unit-%03d" % i, name) for i, name in enumerate(names)], valid=share)
    for name, count in counts.items():
        exact = Fraction(split.valid * count, len(names))
        bounded = min(max(exact, Fraction(1)), Fraction(count - 1))
        assert abs(split.per_class[name][1] - bounded) < 1


@pytest.mark.parametrize(
    ("counts", "valid", "expected"),
    [
        ({"a": 32, "b": 33, "c": 35}, 10, {"a": 3, "b": 3, "c": 4}),  # 3.2, 3.3, 3.5: to the largest remainder
        ({"a": 35, "b": 33, "c": 32}, 10, {"a": 4, "b": 3, "c": 3}),
        ({"a": 25, "b": 25, "c": 25, "d": 25}, 6, {"a": 2, "b": 2, "c": 1, "d": 1}),  # 1.5 each: by name
        ({"big": 990, "x": 5, "y": 5}, 10, {"big": 8, "x": 1, "y": 1}),  # one at least
        ({"big": 990, "x": 5, "y": 5}, 990, {"big": 982, "x": 4, "y": 4}),  # one at least for training
        ({"m": 90, "a": 5, "z": 5}, 2, {"m": 1, "a": 1, "z": 0}),  # two places: the larger classes first
        ({"a": 5, "m": 6, "z": 90}, 2, {"a": 0, "m": 1, "z": 1}),
    ],
)
def test_quotas(counts: dict[str, int], valid: int, expected: dict[str, int]) -> None:
    names = [name for name, count in counts.items() for _ in range(count)]
    split = assign([(b"unit-%04d" % i, name) for i, name in enumerate(names)], valid=valid)
    assert {name: sides[1] for name, sides in split.per_class.items()} == expected


def test_places_of_one_example_classes_go_to_the_others_in_proportion() -> None:
    """60 places of 600 such classes: of 100, the class of 9 in 400 gets its 2.25, not the least that it must have."""
    names = ["a"] * 9 + ["b"] * 391 + [f"one {i}" for i in range(600)]
    split = assign([(b"unit-%04d" % i, name) for i, name in enumerate(names)], valid=100)
    assert (split.per_class["a"][1], split.per_class["b"][1]) == (2, 98)


def test_class_shares_are_those_of_scikit_learn() -> None:
    from sklearn.model_selection import StratifiedShuffleSplit

    names = ["a"] * 613 + ["b"] * 251 + ["c"] * 99 + ["d"] * 37
    split = assign([(b"unit-%04d" % i, name) for i, name in enumerate(names)], valid=100)
    _, theirs = next(StratifiedShuffleSplit(1, test_size=100, random_state=0).split(names, names))
    expected = Counter(names[int(i)] for i in theirs)
    for name, (_, valid) in split.per_class.items():
        assert abs(valid - expected[name]) <= 1


@pytest.mark.parametrize("classes", ["a", "abc", "aaaaaaaabc", "abcdefghijklmnopqrst"])
@pytest.mark.parametrize("change", ["first row gone", "last row gone", "one row more", "reversed"])
def test_a_row_more_or_less_keeps_the_validation_set(classes: str, change: str) -> None:
    rows = singles(1000, classes)
    changed = {
        "first row gone": rows[1:],
        "last row gone": rows[:-1],
        "one row more": [(b"new", classes[0]), *rows],
        "reversed": rows[::-1],
    }[change]
    before = assign(rows, valid=0.1).valid_units
    assert len(before & assign(changed, valid=0.1).valid_units) >= 0.98 * len(before)


@given(st.sets(st.integers(0, 10**6), min_size=20, max_size=200), st.data())
def test_leaving_out_one_row_moves_at_most_one_other(keys: set[int], data: st.DataObject) -> None:
    rows = [(b"unit-%07d" % key, "") for key in sorted(keys)]
    gone = data.draw(st.integers(0, len(rows) - 1))
    valid = data.draw(st.integers(1, len(rows) - 2))
    before = assign(rows, valid=valid).valid_units
    after = assign(rows[:gone] + rows[gone + 1 :], valid=valid).valid_units
    assert len(before - after) <= 1
    assert len(after - before) <= 1
    assert before - after <= {rows[gone][0]}


@given(st.lists(st.sampled_from("aaabbc"), min_size=60, max_size=150), st.integers(0, 59))
def test_leaving_out_one_row_moves_at_most_a_unit_a_class(names: list[str], gone: int) -> None:
    rows = [(b"unit-%03d" % i, name) for i, name in enumerate(names)]
    before = assign(rows, valid=0.2).valid_units
    after = assign(rows[:gone] + rows[gone + 1 :], valid=0.2).valid_units
    assert len(before ^ after) <= 2 * len(set(names))


def test_class_of_one_example_stays_in_training_and_a_note_says_so() -> None:
    rows = [(b"unit-%03d" % i, "rare" if i == 41 else "yes" if i % 2 else "no") for i in range(100)]
    split = assign(rows, valid=0.1)
    assert split.valid == 10
    assert split.per_class["rare"] == (1, 0)
    assert split.notes == (
        "class 'rare' has one example (or all its examples share one prompt): it is on the training side only",
    )


def test_class_of_one_prompt_stays_in_training() -> None:
    rows = [*singles(97, "ab"), *[(b"same", "rare")] * 3]
    split = assign(rows, valid=0.1)
    assert (split.valid, split.per_class["rare"]) == (10, (3, 0))
    assert "'rare'" in split.notes[0]


def test_more_classes_than_places() -> None:
    rows = [(b"unit-%04d" % i, f"class {i % 40:02}") for i in range(400)]
    split = assign(rows, valid=10)
    assert split.valid == 10
    assert sorted(valid for _, valid in split.per_class.values()) == [0] * 30 + [1] * 10
    assert len(split.notes) == NAMED_IN_NOTES + 1
    assert split.notes[-1].startswith("25 more classes likewise: each is on the training side only")


def test_every_row_its_own_class_is_still_exact() -> None:
    split = assign([(b"unit-%03d" % i, f"class {i}") for i in range(100)], valid=0.1)
    assert split.valid == 10
    assert any("is on the validation side only" in note for note in split.notes)


@pytest.mark.parametrize("name", ["x" * 5000, "two\nlines", "\udcff", "naïve ' quote"])
def test_notes_are_one_short_line(name: str) -> None:
    (note,) = assign([*singles(20), (b"odd", name)], valid=4).notes
    assert len(note) < 200
    assert note.isprintable()


def nearest_by_trying(per_unit: Counter[bytes], goal: int) -> int:
    """Return the nearest sum of whole units by trying all, both sides held, the lower of two as near."""
    units = list(per_unit.values())
    sums = {sum(some) for count in range(1, len(units)) for some in itertools.combinations(units, count)}
    return min(sums, key=lambda total: (abs(total - goal), total))


@given(st.lists(st.integers(1, 9), min_size=2, max_size=9), st.data())
def test_large_units_come_as_near_as_whole_units_can(counts: list[int], data: st.DataObject) -> None:
    rows = [(b"unit-%02d" % i, "a") for i, count in enumerate(counts) for _ in range(count)]
    goal = data.draw(st.integers(1, len(rows) - 1))
    split = assign(rows, valid=goal)
    assert split.valid == nearest_by_trying(sizes(rows), goal)


@pytest.mark.parametrize(
    ("counts", "goal", "expected"),
    [
        ([50, 50], 10, 50),
        ([90, 10], 10, 10),
        ([90, 10], 40, 10),
        ([3, 2, 2], 4, 4),
        ([4, 4, 4], 6, 4),  # 4 and 8 are as near: below
        ([7, 7, 7, 1], 8, 8),
        ([1000, 1, 1], 2, 2),
    ],
)
def test_units_that_overshoot_are_passed_over(counts: list[int], goal: int, expected: int) -> None:
    rows = [(b"unit-%02d" % i, "") for i, count in enumerate(counts) for _ in range(count)]
    split = assign(rows, valid=goal)
    assert split.valid == expected
    assert bool(split.notes) == (goal != expected)


@pytest.mark.parametrize("seed", range(8))
def test_groups_meet_number_and_class_shares(seed: int) -> None:
    """300 groups of 3 to 12 examples, each of one class: the number is met, and so is each class's share."""
    rng = random.Random(seed)
    rows = []
    for i in range(300):
        rows += [(b"group-%03d" % i, rng.choices("abc", [6, 3, 1])[0])] * rng.randint(3, 12)
    split = assign(rows, valid=0.1)
    assert split.valid == int(len(rows) * 0.1 + 0.5)
    totals = Counter(name for _, name in rows)
    for name, (_, valid) in split.per_class.items():
        assert abs(valid - split.valid * totals[name] / len(rows)) <= 1


def test_large_groups_are_not_left_out() -> None:
    """Meeting the number must not fill validation with the smallest groups: their mean size stays that of all."""
    rng = random.Random(6)
    rows = [(b"group-%03d" % i, "") for i in range(300) for _ in range(rng.randint(5, 20))]
    means = [
        split.valid / len(split.valid_units) for seed in range(20) for split in [assign(rows, valid=0.2, seed=seed)]
    ]
    assert len(rows) / 300 * 0.9 < sum(means) / len(means) < len(rows) / 300 * 1.1


def test_a_unit_of_several_classes_is_not_parted() -> None:
    """The same prompt with two answers: both on one side, counted for both classes, which are on both sides."""
    rows = [(b"unit-%03d" % (i // 2), "yes" if i % 2 else "no") for i in range(200)]
    split = assign(rows, valid=0.1)
    assert split.valid == 20
    assert split.per_class == {"no": (90, 10), "yes": (90, 10)}


@given(st.integers(4, 25), st.randoms(use_true_random=False))
def test_a_rare_class_within_mixed_units_is_on_both_sides(count: int, rng: random.Random) -> None:
    rows = singles(4 * count, "ab")
    for unit in rng.sample(rows, 2):
        rows.append((unit[0], "rare"))
    split = assign(rows, valid=0.5)
    assert split.per_class["rare"] == (1, 1)
    assert split.valid == int(len(rows) * 0.5 + 0.5)


@pytest.mark.parametrize(
    ("parts", "goal", "expected"),
    [
        (["0aa", "1bbcccc", "2c", "3ab", "4abb", "5aaaab"], 12, 11),
        (["0c", "1bbc", "2aaaac", "3bcc", "4ac", "5cccc"], 3, 5),
    ],
)
def test_small_sets_of_mixed_units(parts: list[str], goal: int, expected: int) -> None:
    """Every class is on both sides, at the nearest number for which that can be (found by trying all subsets)."""
    rows = [(b"unit-%02d" % int(part[0]), name) for part in parts for name in part[1:]]
    split = assign(rows, valid=goal)
    for units in members(rows).values():
        assert 0 < len(units & split.valid_units) < len(units)
    assert split.valid == expected


@pytest.mark.parametrize(("size", "expected"), [(1, 20_001), (2, 20_000), (7, 20_002)])  # one unit of 7 has only 3
def test_two_hundred_thousand_rows_in_a_moment(size: int, expected: int) -> None:
    rows = ((b"u-%06d" % (i // size), "abcde"[i % 5]) for i in range(200_000))
    start = time.process_time()
    split = assign(rows, valid=20_001)
    assert split.valid == expected
    assert time.process_time() - start < 5
