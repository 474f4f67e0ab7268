"""Templates: braces, literal text, optional pieces, and values that are no text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.errors import RecipeError
from ftprep.shapes.template import Piece, Template, exact_text, from_column, literal_text, parse_template


@pytest.mark.parametrize(
    ("text", "record", "filled"),
    [
        ("Item={Item}, Color={Color}->", {"Item": "bag", "Color": "green"}, "Item=bag, Color=green->"),
        ("{a}{b}", {"a": "1", "b": "2"}, "12"),
        ("{a} and {a}", {"a": "x"}, "x and x"),
        ("{{{a}}}", {"a": "x"}, "{x}"),
        ("{{literal}} {a}", {"a": "x"}, "{literal} x"),
        ("{a b: c!}", {"a b: c!": "x"}, "x"),
        ("{a}", {"a": "{b}"}, "{b}"),
    ],
)
def test_a_template_is_filled(text: str, record: dict[str, str], filled: str) -> None:
    assert parse_template(text).fill(record, exact_text) == filled


@pytest.mark.parametrize("text", ["", "no column", "{}", "{a", "a}", "{a}}", "{{{a}}", "{a{b}}"])
def test_a_template_that_does_not_hold_is_refused(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_template(text)
    assert caught.value.hint


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.text())
def test_literal_text_comes_back_as_it_was(literal: str, value: str) -> None:
    escaped = literal.replace("{", "{{").replace("}", "}}")
    assert parse_template(escaped + "{x}" + escaped).fill({"x": value}, exact_text) == literal + value + literal


def test_one_column_alone_is_known_as_such() -> None:
    assert from_column("q").column == "q"
    assert parse_template("{q}").column == "q"
    assert parse_template("{q} ->").column == ""
    assert Template().fill({}, exact_text) == ""


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_an_optional_blank_piece_is_left_out_with_the_text_before_it(value: str | None) -> None:
    template = Template((Piece("a"), Piece("b", "\n\n", optional=True)))
    assert template.fill({"a": "x", "b": value}, exact_text) == "x"
    assert template.fill({"a": "x"}, exact_text) == "x"
    assert template.fill({"a": "x", "b": "y"}, exact_text) == "x\n\ny"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("007", "007"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (2**70, str(2**70)),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (float("nan"), None),
        (float("inf"), None),
        pytest.param(10**5000, None, id="more digits than are written out"),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_numbers_and_booleans_are_written_as_json_does(value: Any, text: str | None) -> None:
    assert literal_text(value) == text
    assert exact_text(value) == (value if isinstance(value, str) else None)
