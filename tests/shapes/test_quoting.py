"""Quoting: whatever a record holds, a message stays short and can be written out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.shapes.quoting import LONGEST_EXCERPT, list_names, make_excerpt, make_pointer, name_kind, quote

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("keys", "pointer"),
    [
        ((), ""),
        (("messages", 0, "role"), "/messages/0/role"),
        (("a/b", "c~d"), "/a~1b/c~0d"),
        (("",), "/"),
    ],
)
def test_pointers_are_escaped(keys: tuple[object, ...], pointer: str) -> None:
    assert make_pointer(*keys) == pointer


@pytest.mark.parametrize(
    ("value", "excerpt"),
    [
        ("Hi", '"Hi"'),
        (4, "4"),
        (None, "null"),
        ({"a": [1, True]}, '{"a": [1, true]}'),
        ("x" * 100, '"' + "x" * (LONGEST_EXCERPT - 2) + "…"),
        ("two\nlines", '"two\\nlines"'),
        ("\ud83d", '"\\ud83d"'),
    ],
)
def test_excerpts(value: Any, excerpt: str) -> None:
    assert make_excerpt(value) == excerpt


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_an_excerpt_is_short_and_can_be_written(value: Any) -> None:
    excerpt = make_excerpt(value)
    assert excerpt
    excerpt.encode()
    assert len(excerpt) <= LONGEST_EXCERPT * 6  # each character may be half a pair, written as six


def test_an_excerpt_of_what_is_no_json_is_still_one() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert make_excerpt(circle)
    assert make_excerpt({(1, 2): 3})
    assert make_excerpt(object())


def test_names_are_listed_up_to_a_bound() -> None:
    assert list_names(["a", "b"]) == "'a', 'b'"
    assert list_names([str(i) for i in range(100_000)]).endswith("'11' and 99,988 more")
    assert "\n" not in quote("two\nlines")
    assert len(quote("x" * 1000)) <= LONGEST_EXCERPT + 2


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", "text"),
        (True, "true"),
        (False, "false"),
        (1.5, "a number"),
        (None, "null"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_kinds_are_named_in_the_words_of_json(value: Any, kind: str) -> None:
    assert name_kind(value) == kind
