"""Strict JSON: what it takes it takes exactly, and what it refuses it names with its column."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftprep.readers.base import MAX_DEPTH
from ftprep.readers.json_faults import explain
from ftprep.readers.json_tokens import loses_digits
from ftprep.readers.strict_json import BadJson, Number, loads, number_text

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)

REFUSED = [
    # bytes, code, part of the message, column
    (b'{"a":1,}', "IO104", "trailing comma after the last member", 7),
    (b"[1,]", "IO104", "trailing comma after the last element", 3),
    (b"{'a':1}", "IO104", "single quotes; JSON wants double quotes (a Python dict? use json.dumps)", 2),
    ("{“a”: 1}".encode(), "IO104", "the quotation mark “", 2),
    (b'{"a":`x`}', "IO104", "the quotation mark `", 6),
    (b'{"a":None}', "IO104", "None is Python", 6),
    (b'{"a": True}', "IO104", "True is Python", 7),
    (b'{"a":undefined}', "IO104", "undefined is not JSON", 6),
    (b'{"a":hello}', "IO104", "the bare word hello", 6),
    (b"{a:1}", "IO104", "the key a without double quotes", 2),
    (b"{1:1}", "IO104", "the key 1 without double quotes", 2),
    (b'{"a":1 // no\n}', "IO104", "a comment", 8),
    (b"# no\n{}", "IO104", "a comment", 1),
    (b'{"a":007}', "IO104", "starts with a zero", 6),
    (b'{"a":1.}', "IO104", "1. is not how JSON writes a number", 6),
    (b'{"a":.5}', "IO104", ".5 is not how JSON writes a number", 6),
    (b'{"a":+1}', "IO104", "+1 is not how JSON writes a number", 6),
    (b'{"a":0x10}', "IO104", "0x10 is not a number", 6),
    (b'{"a":2020-01-01}', "IO104", "2020-01-01 is not a number", 6),
    (b'{"a" 1}', "IO104", 'no colon after the key "a"', 6),
    (b'{"a":1 "b":2}', "IO104", "no comma between two members", 8),
    (b"[1 2]", "IO104", "no comma between two elements", 4),
    (b'{"a":"say "hi" there"}', "IO104", 'a double quote inside a string is written \\"', 12),
    (b"[1}", "IO104", "} where an array that starts at column 1 should end", 3),
    (b'{"a":1}}', "IO104", "} closes nothing", 8),
    (b'{"a":1},', "IO104", "a comma after the value", 8),
    (b'{"a":1} x', "IO104", "x after the value", 9),
    (b'{"a":1} {"b":2}', "IO120", "a second value on one line", 9),
    (b'{"a":"x\ty"}', "IO104", "a raw tab inside a string", 8),
    (b'{"a":"x\ny"}', "IO104", "a raw line break inside a string", 8),
    (b'{"a":"x\x01y"}', "IO104", "U+0001 inside a string", 8),
    (b'{"a":"x\0\0y"}', "IO104", "2 NUL bytes inside a string", 8),
    (b'{"a":"x\\qy"}', "IO104", "\\q is no JSON escape", 8),
    (b'{"a":"\\u12g4"}', "IO104", "\\u12g4 is no JSON escape", 7),
    (b"\0" * 4096, "IO104", "4,096 NUL bytes", 1),
    (b'{"a":1}\0\0', "IO104", "2 NUL bytes after the value", 8),
    (b"\xef\xbb\xbf{}", "IO104", "a byte-order mark", 1),
    ('{"a":\xa01}'.encode(), "IO104", "the character U+00A0 between the values", 6),
    ('{"äö":1,}'.encode(), "IO104", "trailing comma", 8),
    (b"", "IO104", "the line ends where a value should stand", 1),
    (b'{"a":1,"a":2}', "IO105", 'the key "a" stands twice', 8),
    (b'{"x":[{"a" :1, "a":2}]}', "IO105", 'the key "a" stands twice', 16),
    (b'{"a\\"":1,"a\\u0022":2}', "IO105", "stands twice", 10),
    (b'{"a":1,"\\u0061":2}', "IO105", 'the key "a" stands twice', 8),
    (b'{"a":NaN}', "IO106", "NaN is not a JSON number", 6),
    (b'{"a":-Infinity}', "IO106", "-Infinity is not a JSON number", 6),
    (b'{"a":1e400}', "IO106", "1e400 would become inf", 6),
    (b'{"a":1e-400}', "IO106", "1e-400 would become 0.0", 6),
    (b'{"a":3.141592653589793238}', "IO106", "would become 3.141592653589793", 6),
    (b'{"a":9007199254740993.0}', "IO106", "would become 9007199254740992.0", 6),
    (b"[" + b"1" * 5000 + b"]", "IO106", "an integer of 5,000 digits", 2),
    (b'{"a":"\\ud800"}', "IO107", "\\ud800 is half of a surrogate pair", 7),
    (b'{"a":"\\ude00\\ud83d"}', "IO107", "\\ude00 is half of a surrogate pair", 7),
    (b'{"a":"\\ud83dx"}', "IO107", "\\ud83d is half of a surrogate pair", 7),
    (b'{"\\ud83d\\ud83d":1}', "IO107", "\\ud83d is half of a surrogate pair", 3),
    (b"[" * 100_000, "IO114", f"nested deeper than {MAX_DEPTH} levels", MAX_DEPTH + 1),
    (b'{"a":' * 100_000, "IO114", f"nested deeper than {MAX_DEPTH} levels", MAX_DEPTH * 5 + 1),
    (b'{"a":"\xe9"}', "IO101", "byte 0xE9 at byte offset 6", 7),
]

CUT = [
    (b'{"a":"hello', "the line ends inside a string that starts at column 6"),
    (b'{"a":"\\u12', "the line ends inside a string that starts at column 6"),
    (b'{"a":"x\\', "the line ends inside a string that starts at column 6"),
    (b'{"a":"hello"', "the line ends inside an object that starts at column 1"),
    (b'{"a":[1', "the line ends inside an array that starts at column 6"),
    (b'{"a":', "the line ends where a value should stand"),
    (b'{"a"', 'the line ends after the key "a"'),
    (b'{"a', "the line ends inside a string that starts at column 2"),
    (b"{", "the line ends where a key in double quotes should stand"),
    (b'{"a":tru', "the line ends inside a value"),
]

TAKEN: list[tuple[bytes, Any]] = [
    (b'{"a":":x"}', {"a": ":x"}),
    (b'{"a":"b\\":"}', {"a": 'b":'}),
    (b'{"a\\\\":1,"b" :2}', {"a\\": 1, "b": 2}),
    (b'{"a":"\\u0022"}', {"a": '"'}),
    (b'{"a":{"b":1},"b":{"a":1}}', {"a": {"b": 1}, "b": {"a": 1}}),
    (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    (b'{"a":"\\\\ud800"}', {"a": "\\ud800"}),
    (b'{"a":"\\u0000"}', {"a": "\0"}),
    ('{"a":"\u2028\u2029\x85\x7f"}'.encode(), {"a": "\u2028\u2029\x85\x7f"}),
    (b" [1 ,\t2]\r", [1, 2]),
    (b"18446744073709551617", 18446744073709551617),
    (b"-0.10000000000000001", -0.1),
    (b"5.960464477539063e-08", 2.0**-24),
    (b"5.960464477539062e-08", 5.960464477539062e-08),
    (b"1e23", 1e23),
    (b"1.10", 1.1),
    (b"0e1", 0.0),
    (b"0.0", 0.0),
    (b"4.9406564584124654e-324", 5e-324),
    (b"1" * 400 + b"e-200", float("1" * 400 + "e-200")),
]


@pytest.mark.parametrize(("data", "code", "words", "column"), REFUSED)
def test_refuses_and_says_what_and_where(data: bytes, code: str, words: str, column: int) -> None:
    with pytest.raises(BadJson) as caught:
        loads(data)
    assert (caught.value.code, caught.value.column) == (code, column)
    assert words in caught.value.message
    assert len(caught.value.excerpt) <= 48


@pytest.mark.parametrize(("data", "words"), CUT)
def test_knows_text_that_ends_too_early(data: bytes, words: str) -> None:
    with pytest.raises(BadJson, match="ends") as caught:
        loads(data)
    assert caught.value.cut
    assert words in caught.value.message


@pytest.mark.parametrize(("data", "value"), [pair for pair in TAKEN if len(pair[0]) < 400])
def test_takes_sound_json_exactly(data: bytes, value: Any) -> None:
    got = loads(data)
    assert got == value
    assert type(got) is type(value)
    assert explain(data) is None


def test_takes_a_float_of_more_digits_than_the_fast_reader() -> None:
    data = b"[" + b"1" + b"0" * 400 + b"e-200]"
    assert loads(data) == [1e200]


def test_places_are_counted_from_where_the_text_stands() -> None:
    with pytest.raises(BadJson) as caught:
        loads(b'{"a": 1,\n "b": x}', line=7, column=5)
    assert (caught.value.line, caught.value.column) == (8, 7)
    assert "line 8, column 7" in caught.value.message
    with pytest.raises(BadJson) as caught:
        loads(b'{"a": x}', line=7, column=5)
    assert (caught.value.line, caught.value.column) == (7, 11)


def test_depth_up_to_the_bound_is_taken() -> None:
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert loads(json.dumps(["[{" * 100]).encode()) == ["[{" * 100]
    assert loads(b"[" + b"[]," * 100 + b"[]]") == [[]] * 101


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
@example({"a": '"', "b": '\\"'}, True, None)
def test_agrees_with_the_standard_library(value: Any, ascii_only: bool, indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert loads(data) == json.loads(data)
    assert explain(data) is None


BLANK = st.text(" \t\r\n", max_size=2)


@st.composite
def written(draw: st.DrawFn, depth: int = 3) -> tuple[str, bool]:
    """JSON text with white space anywhere, and whether an object in it has a key twice."""
    kind = draw(st.sampled_from(["scalar", "list", "object"] if depth else ["scalar"]))
    if kind == "scalar":
        # what looks like keys, and quotes written in both ways
        text = draw(st.sampled_from(['"\\":"', '":"', '"\\\\"', '"\\u0022"', '"a"', "1", "0.5", "null"]))
        return text, False
    before, after = draw(BLANK), draw(BLANK)
    parts = draw(st.lists(written(depth=depth - 1), max_size=3))
    doubled = any(bad for _, bad in parts)
    if kind == "list":
        return "[" + f"{before},{after}".join(text for text, _ in parts) + before + "]", doubled
    spelled = ['"a"', '"\\u0061"', '"b"', '"\\""', '"\\u0022"', '"\\\\"', '""']
    keys = [draw(st.sampled_from(spelled)) for _ in parts]
    doubled = doubled or len({json.loads(key) for key in keys}) < len(keys)
    members = (f"{before}{key}{after}:{before}{text}" for key, (text, _) in zip(keys, parts, strict=True))
    return "{" + f"{after},".join(members) + after + "}", doubled


@given(written())
@example(('{"a" :1,"a":2}', True))
@example(('{"a":"\\u0022","a":1}', True))
@example(('{"a":1,"a":"\\u0022"}', True))
def test_no_repeated_key_is_missed_and_none_invented(case: tuple[str, bool]) -> None:
    text, doubled = case
    if doubled:
        with pytest.raises(BadJson) as caught:
            loads(text.encode())
        assert caught.value.code == "IO105"
    else:
        assert loads(text.encode()) == json.loads(text)


@given(st.binary(max_size=40) | st.text('{}[]":,\\u0123deEtrunfals.- \n', max_size=40).map(str.encode))
def test_any_bytes_are_taken_or_refused_as_the_standard_library_does(data: bytes) -> None:
    bad = explain(data)
    if bad is None:
        assert loads(data) == json.loads(data.decode("utf-8"))
        return
    with pytest.raises(BadJson) as caught:
        loads(data)
    assert (caught.value.code, caught.value.message) == (bad.code, bad.message)
    if bad.code in ("IO101", "IO104", "IO120"):
        with pytest.raises(ValueError, match=r"."):
            json.loads(data.decode("utf-8"))


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(2.0**-24)
def test_a_written_double_loses_nothing(value: float) -> None:
    for text in (repr(value), f"{value:.16e}", f"{value:.25e}"):
        assert not loses_digits(text)
        assert loads(text.encode()) == value


@given(st.integers(-(10**20), 10**20), st.integers(0, 25))
def test_a_decimal_loses_digits_where_it_is_another_number(digits: int, scale: int) -> None:
    literal = f"{digits}e-{scale}"
    significant = str(abs(digits)).strip("0")
    if len(significant) <= 15 or Decimal(float(literal)) == Decimal(literal):
        assert not loses_digits(literal)


def test_numbers_as_they_are_written() -> None:
    value = number_text(b'{"a": 1.10, "b": [1e2, -0, 007], "c": "1.0", "d": true}'.replace(b", 007", b""))
    assert value == {"a": "1.10", "b": ["1e2", "-0"], "c": "1.0", "d": True}
    assert [type(v) for v in (value["a"], value["c"])] == [Number, str]
