"""What a set is: its task with reasons, its labels, and how many things are asked and answered."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sets import CAPITALS, Pairs, classes, dataset_of, sound

from ftprep.dataset import LABEL_CHARACTERS, counted_labels, is_label, label_of


@pytest.mark.parametrize(
    ("text", "stop", "label"),
    [
        (" yes", "", "yes"),
        (" yes END", " END", "yes"),
        (" yes\n", "\n", "yes"),
        ("  card arrival  ", "", "card arrival"),
        (" BEND", " END", "BEND"),
        (" END", " END", ""),
    ],
)
def test_the_label_is_what_stands_between_blanks_and_stop(text: str, stop: str, label: str) -> None:
    assert label_of(text, stop) == label


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("yes", True),
        ("card_payment_fee_charged", True),
        ("one two three four five six", True),
        ("one two three four five six seven", False),
        ("x" * LABEL_CHARACTERS, True),
        ("x" * (LABEL_CHARACTERS + 1), False),
        ("two\nlines", False),
        ("非法制造、买卖、运输枪支罪", True),
        ("是。", True),
        ("好的，我们会处理。", False),
        ("对不起！请稍候", False),
    ],
)
def test_what_can_be_the_name_of_a_class(text: str, is_one: bool) -> None:
    assert is_label(text) is is_one


@given(st.lists(st.sampled_from([" a", "a ", " a END", " b END", "b", " c"]), max_size=20))
def test_counting_labels_loses_none(answers: list[str]) -> None:
    raw = Counter(answers)
    labels = counted_labels(raw, " END")
    assert labels.total() == len(answers)
    assert labels["a"] == raw[" a"] + raw["a "] + raw[" a END"]


CANNED = ("We are very sorry about that and will refund you.", "Your refund is on its way, please be patient.")


@pytest.mark.parametrize(
    ("rows", "task", "count"),
    [
        (classes({"yes": 6, "no": 7}), "classification", 2),
        (classes({"a": 3, "b": 3, "c": 3, "d": 3}), "generation", 0),
        (classes({"a": 4, "b": 3, "c": 3, "d": 3}), "classification", 4),
        (classes({"spam": 20}), "classification", 1),
        (sound(40), "generation", 0),
        ([("", f" {text}") for _, text in sound(20)], "open-ended", 0),
        ([(f"case {i} ->", f" {CANNED[i % 2]}") for i in range(40)], "generation", 0),
        ([*classes({"yes": 40, "no": 40}), ("x ->", " " + "a long answer " * 30)], "classification", 2),
        ([(p, c.replace(" no", " NO ")) for p, c in classes({"yes": 9, "no": 9})], "classification", 2),
        ([(p, c + " END") for p, c in classes({"yes": 9, "no": 9})], "classification", 2),
    ],
)
def test_the_task_is_inferred_with_reasons(rows: Pairs, task: str, count: int) -> None:
    found = dataset_of(rows).task
    assert (found.name, len(found.classes)) == (task, count)
    assert all(reason and not reason.endswith(".") for reason in found.reasons)
    assert found.reasons
    assert list(found.classes.values()) == sorted(found.classes.values(), reverse=True)


def test_classes_are_counted_without_their_stop() -> None:
    rows = [(p, c + " END") for p, c in classes({"yes": 9, "no": 12})]
    assert dataset_of(rows).task.classes == {"no": 12, "yes": 9}


@pytest.mark.parametrize("task", ["classification", "generation", "open-ended"])
def test_the_recipe_has_the_last_word(task: str) -> None:
    rows = classes({"yes": 5, "no": 5})
    found = dataset_of(rows, task=task)
    assert found.task.name == task
    assert found.is_classification is (task == "classification")
    assert found.task.classes == ({"no": 5, "yes": 5} if task == "classification" else {})


@given(rows=st.lists(st.tuples(st.sampled_from(["a", "A", "b", ""]), st.sampled_from(["x", " x", "y"])), max_size=9))
@settings(max_examples=40, deadline=None)
def test_how_many_things_are_asked_and_answered(rows: Pairs) -> None:
    if not rows:
        return
    found = dataset_of(rows)
    assert found.asks == min(2, len({p.lower() for p, _ in rows}))
    assert found.answers == min(2, len({c.strip() for _, c in rows}))
    assert found.examples == found.pairs == len(rows)


def test_settling_keeps_what_is_asked_for_later_and_frees_the_rest() -> None:
    rows = classes({"yes": 9, "no": 9})
    kept, freed = dataset_of(rows), dataset_of(rows)
    freed.settle()
    assert (freed.task, freed.separator.ending, freed.asks) == (kept.task, kept.separator.ending, kept.asks)
    assert (len(freed.surveys.keys), len(kept.surveys.keys)) == (0, len(rows))
    assert freed.examples == len(rows)


def test_shapes() -> None:
    assert dataset_of(sound(3)).shape == "completion"
    assert {a.strip() for a in dataset_of([(c, c) for c in CAPITALS]).labels or ()} == set(CAPITALS)
