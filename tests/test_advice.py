"""How to use the tuned model: every sentence true of the set, none about nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_sets import Pairs, classes, dataset_of, sound

from ftprep.advice import advice, positive_class
from ftprep.tokens import Counter as TokenCounter

END_PROMPTS = 'End every prompt with the separator " ->", exactly as in the file.'
STOP = 'Pass stop=[" END"], so that the model ends where a completion ends.'
SPACE = "Completions begin with a space: strip it from what the model answers."


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (sound(8), (END_PROMPTS, STOP, SPACE)),
        ([("", c) for _, c in sound(8)], (STOP,)),
        ([(p, c.strip()) for p, c in sound(8)], (END_PROMPTS, STOP)),
        ([(p.removesuffix(" ->"), c.removesuffix(" END")) for p, c in sound(8)], (SPACE,)),
        ([*sound(8), ("Oman ->", " the END of it END")], (END_PROMPTS, SPACE)),
        ([*sound(8), ("Oman", " Muscat END")], (STOP, SPACE)),
        (classes({"spam": 20}), (END_PROMPTS, SPACE)),
    ],
)
def test_only_what_holds_for_all_rows_is_told(rows: Pairs, told: tuple[str, ...]) -> None:
    assert advice(dataset_of(rows)) == told


def test_two_classes_of_one_token() -> None:
    told = advice(dataset_of(classes({"yes": 9, "no": 9})))
    assert told == (
        END_PROMPTS,
        "Pass max_tokens=1: each of the 2 classes is one token.",
        "Pass logprobs=2 to get the probability of each class.",
        'For precision and recall the positive class is " yes" (by its name).',
        SPACE,
    )


def test_classes_that_begin_alike_need_more_than_one_token() -> None:
    labels = {"card_arrival": 9, "card_linking": 9, "card_swallowed": 9}
    (line,) = [told for told in advice(dataset_of(classes(labels))) if "max_tokens" in told]
    longest = max(TokenCounter("o200k_base").count([f" {label}" for label in labels]))
    assert line.startswith(f"Pass max_tokens={longest}: ")
    assert not any("logprobs" in told for told in advice(dataset_of(classes(labels))))


def test_many_classes_have_no_probabilities_each() -> None:
    labels = dict.fromkeys(("red", "green", "blue", "black", "white", "pink"), 6)
    told = advice(dataset_of(classes(labels)))
    assert "Pass max_tokens=1: each of the 6 classes is one token." in told
    assert not any("logprobs" in line or "positive" in line for line in told)


def test_labels_that_are_too_many_to_count_are_not_counted() -> None:
    rows = [(f"p {i} ->", f" label{i}") for i in range(2100)]
    assert advice(dataset_of(rows, task="classification")) == (END_PROMPTS, SPACE)


@pytest.mark.parametrize(
    ("counts", "label", "why"),
    [
        ({"no": 90, "yes": 10}, "yes", "by its name"),
        ({"Positive": 10, "Negative": 90}, "Positive", "by its name"),
        ({"0": 10, "1": 90}, "1", "by its name"),
        ({"ham": 10, "spam": 90}, "spam", "by its name"),
        ({"cat": 90, "dog": 10}, "dog", "the rarer one; name another if it is not the one you look for"),
        (
            {"cat": 10, "dog": 10},
            "cat",
            "the first by name, since both are as frequent; name another if it is not the one you look for",
        ),
    ],
)
def test_the_positive_class(counts: dict[str, int], label: str, why: str) -> None:
    assert positive_class(counts) == (label, why)


WORD = st.sampled_from(["", "a", "yes", "no", " ->", "END", " END", "\n", "?", ".", "}", " "])
TEXT = st.lists(WORD, max_size=3).map("".join)


@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=12))
@settings(max_examples=100)
def test_no_advice_is_untrue(rows: Pairs) -> None:
    told = advice(dataset_of(rows))
    assert not any('""' in line for line in told)
    asked = [p for p, _ in rows if p.strip()]
    answered = [c for _, c in rows if c.strip()]
    for line in told:
        mark = re.search(r'"((?:[^"\\]|\\.)*)"', line)
        quoted = mark[1].encode().decode("unicode_escape") if mark else ""
        if line.startswith("End every"):
            assert all(prompt.endswith(quoted) for prompt in asked)
        elif line.startswith("Pass stop"):
            assert all(completion.endswith(quoted) for completion in answered)
            assert all(
                quoted not in completion.rstrip("\n")[: -len(quoted.strip("\n")) or None] for completion in answered
            )
        elif line == SPACE:
            assert all(completion.startswith(" ") for completion in answered)


def test_nothing_is_told_of_an_empty_set() -> None:
    assert advice(dataset_of([("", " ")])) == ()
