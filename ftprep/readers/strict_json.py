"""JSON by the letter, fast: one value, no key twice, no number changed; what is wrong is said by `json_faults`."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from ftprep.readers.base import MAX_DEPTH
from ftprep.readers.json_faults import BadJson, explain
from ftprep.readers.json_tokens import loses_digits

__all__ = ["BadJson", "Number", "loads", "number_text"]

_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_SURE_DIGITS = 15
"""A double keeps any number of so many digits (IEEE 754, DBL_DIG)."""


class Number(str):
    """A number as it was written."""

    __slots__ = ()


def loads(data: bytes, line: int = 1, column: int = 1, depth: int = 0) -> Any:
    """The value of UTF-8 JSON text that starts at a line and column (for messages), integers exact; raises BadJson for
    all that is not strict JSON, for a key twice in an object, for numbers that a float would change, and for nesting
    beyond `depth` levels (MAX_DEPTH where it is 0)."""
    depth = depth or MAX_DEPTH
    if data.count(b"[") + data.count(b"{") > depth and _is_deep(data, depth):
        raise explain(data, line, column, depth) or BadJson("IO114", f"nested deeper than {depth} levels")
    try:
        value = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        bad = explain(data, line, column, depth)
        if bad:
            try:
                raise bad from None
            finally:
                del bad  # it holds this frame, and this frame must not hold it: a chunk would stay in memory
        return json.loads(data)  # a sound number of hundreds of digits, which the fast reader does not take
    if not _has_all_keys(data, value) and _repeats_key(data) and (bad := explain(data, line, column, depth)):
        raise bad
    return value


def number_text(data: bytes) -> Any:
    """The value of JSON text that `loads` took, with every number as a `Number`: the digits as they were written."""
    return json.loads(data, parse_int=Number, parse_float=Number)


def _float(literal: str) -> float:
    """The double of a literal; raises ValueError where that is another number."""
    value = float(literal)
    # The rest of the test is slow, and short literals of an ordinary size always pass it.
    if (len(literal) > _SURE_DIGITS or not 1e-300 < abs(value) < 1e300) and loses_digits(literal):
        raise ValueError
    return value


_decode = msgspec.json.Decoder(float_hook=_float).decode
_encode = msgspec.json.Encoder().encode


def _has_all_keys(data: bytes, value: Any) -> bool:
    """Whether a decoded value surely has every key that its text has: False may be a false alarm, True never is.

    The text has two quotation marks for each key and string and one for each escaped mark in them. Written again, the
    value has as many, but fewer where a key was dropped; only marks escaped as \\u0022 could make up for those.
    """
    try:
        written = _encode(value)
    except OverflowError:  # an integer of more than 64 bits
        return False
    return data.count(b'"') == written.count(b'"') and b"\\u0022" not in data


class _Repeated(Exception):  # noqa: N818 - no error, an answer
    """A key stands twice in one object."""


def _repeats_key(data: bytes) -> bool:
    """Whether an object of sound JSON text has a key twice: exact, but slow."""
    try:
        json.loads(data, object_pairs_hook=_unique)
    except _Repeated:
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _Repeated


def _is_deep(data: bytes, most: int) -> bool:
    """Whether brackets outside of strings nest beyond so many levels, counted without recursion."""
    depth = 0
    for match in _TOKENS.finditer(data):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            if depth > most:
                return True
        elif token in (b"]", b"}"):
            depth -= 1
    return False
