"""Prompt/completion: nothing is cast in silence, nothing is lost, and what is written comes back."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftprep.model import Chat, Message, Pair, Row
from ftprep.shapes.completion import PairShape
from ftprep.shapes.template import Piece, Template, exact_text, from_column, parse_template

SHAPE = PairShape()
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(["prompt", "completion", "Prompt", "messages", "input", "id", "chosen", "rejected"])


def read(record: dict[str, Any], shape: PairShape = SHAPE) -> Pair | None:
    row = Row(0, 1, record)
    if not shape.read(row):
        assert row.example is None
        return None
    assert isinstance(row.example, Pair)
    return row.example


def test_texts_are_taken_to_the_character() -> None:
    assert read({"prompt": " 007", "completion": "NA\n"}) == Pair(" 007", "NA\n")
    extra = {"id": 7, "note": None}
    assert read({"prompt": "a", "completion": "b", **extra}) == Pair("a", "b", extra)


@given(
    record=st.dictionaries(KEYS, WORDS | st.none(), max_size=5),
    shape=st.sampled_from(
        [
            SHAPE,
            PairShape(from_column("id"), from_column("completion")),
            PairShape(from_column("input"), from_column("input")),
            PairShape(Template(after="Say: "), from_column("completion")),
            PairShape(Template((Piece("prompt", "Q: "), Piece("input", "\n", optional=True))), from_column("id")),
        ]
    ),
)
def test_what_no_column_needs_is_extra(record: dict[str, Any], shape: PairShape) -> None:
    prompt, completion = shape.prompt.fill(record, exact_text), shape.completion.fill(record, exact_text)
    extra = {k: v for k, v in record.items() if k not in shape.prompt.columns + shape.completion.columns}
    whole = prompt is not None and completion is not None
    assert read(record, shape) == (Pair(prompt or "", completion or "", extra or None) if whole else None)


@pytest.mark.parametrize(
    ("record", "codes", "loose"),
    [
        ({"prompt": "a"}, ["FMT120"], None),
        ({}, ["FMT120", "FMT120"], None),
        ({"prompt": "a", "completion": None}, ["FMT120"], None),
        ({"prompt": "a", "completion": float("nan")}, ["FMT120"], None),
        ({"prompt": 5, "completion": True}, ["FMT121", "FMT121"], Pair("5", "true")),
        ({"prompt": "a", "completion": 1.0}, ["FMT121"], Pair("a", "1.0")),
        ({"prompt": "a", "completion": 9007199254740993}, ["FMT121"], Pair("a", "9007199254740993")),
        ({"prompt": "a", "completion": ["b"]}, ["FMT122"], None),
        ({"prompt": {"x": 1}, "completion": None}, ["FMT122", "FMT120"], None),
        ({"prompt": "a", "completion": float("inf")}, ["FMT122"], None),
        ({"messages": [{"role": "user", "content": "Hi"}]}, ["FMT117"], None),
        ({"conversations": [{"from": "human", "value": "Hi"}]}, ["FMT117"], None),
        ({"completion": "b", "messages": []}, ["FMT120"], None),
    ],
)
def test_every_fault_is_named(record: dict[str, Any], codes: list[str], loose: Pair | None) -> None:
    assert read(record) is None
    faults = list(SHAPE.faults(record))
    assert [f.code for f in faults] == codes
    assert all(f.fixable == (f.code == "FMT121") for f in faults)
    told = SHAPE.read_loosely(record)
    assert told == loose if loose else isinstance(told, str) and told


def test_a_missing_column_is_told_with_the_one_that_is_meant() -> None:
    (fault,) = SHAPE.faults({"prompt": "a", "Completion": "b"})
    assert fault.message == "completion column 'completion' is missing; there is 'Completion'"


def test_a_column_of_a_template_is_never_filled_with_the_word_none() -> None:
    shape = PairShape(parse_template("{item}, {size} ->"))
    assert read({"item": "bag", "size": "S", "completion": "x"}, shape) == Pair("bag, S ->", "x")
    for record in ({"item": "bag", "completion": "x"}, {"item": "bag", "size": None, "completion": "x"}):
        assert read(record, shape) is None
        assert [f.code for f in shape.faults(record)] == ["FMT120"]
        assert isinstance(shape.read_loosely(record), str)
    numbered = {"item": "bag", "size": 4, "completion": "x"}
    assert [f.pointer for f in shape.faults(numbered)] == ["/size"]
    assert shape.read_loosely(numbered) == Pair("bag, 4 ->", "x")


def test_an_optional_column_may_be_null_but_not_a_list() -> None:
    shape = PairShape(Template((Piece("a"), Piece("b", " ", optional=True))))
    assert read({"a": "x", "b": None, "completion": "y"}, shape) == Pair("x", "y")
    assert [f.code for f in shape.faults({"a": "x", "b": [1], "completion": "y"})] == ["FMT122"]


@pytest.mark.parametrize("text", ["a/b", "日本", 'say "hi"', "a\u2028b", "\x00", "\\", "😀\n"])
def test_lines_are_plain_json_in_utf_8(text: str) -> None:
    line = SHAPE.write(Pair(text, text, {"id": 1}))
    assert json.loads(line) == {"prompt": text, "completion": text}
    assert b"\n" not in line
    assert b"\\/" not in line
    assert b"\\u65e5" not in line


@settings(max_examples=100, deadline=None)
@given(WORDS, WORDS)
def test_what_is_written_reads_back(prompt: str, completion: str) -> None:
    assert read(json.loads(SHAPE.write(Pair(prompt, completion)))) == Pair(prompt, completion)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_a_record_is_read_or_its_faults_are_told(record: dict[str, Any]) -> None:
    faults = list(SHAPE.faults(record))
    if read(record) is not None:
        assert not faults
        return
    assert faults
    if any(f.code != "FMT121" for f in faults):
        assert isinstance(SHAPE.read_loosely(record), str)
    else:
        assert isinstance(SHAPE.read_loosely(record), Pair)


def test_a_conversation_is_not_written_as_a_pair() -> None:
    with pytest.raises(TypeError, match="converted"):
        SHAPE.write(Chat([Message("user", "Hi")]))


def test_a_shape_travels_between_processes() -> None:
    shape = PairShape(parse_template("{a} ->"))
    assert shape.columns == ("a", "completion")
    assert pickle.loads(pickle.dumps(shape)) == shape
