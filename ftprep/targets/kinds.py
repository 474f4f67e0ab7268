"""Whether a value is of the kind that its path takes, and if not, what it should be in words."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any


def misfit(kind: str, value: Any) -> str:
    """What a value should be, in words, where it is not of the kind; "" where it is."""
    listed, _, words = kind.partition(":")
    if kind in _KINDS:
        told, fits = _KINDS[kind]
        return "" if fits(value) else told
    allowed = tuple((words or kind).split("|"))
    if listed == "texts":
        right = isinstance(value, list) and bool(value) and all(each in allowed for each in value)
        return "" if right else f"a list of some of: {', '.join(allowed)}"
    return "" if isinstance(value, str) and value in allowed else f"one of: {', '.join(allowed)}"


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value and abs(value) != 1e999


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _scalar(value: Any) -> bool:
    return isinstance(value, (bool, str)) or _number(value)


def _compiles(value: Any) -> bool:
    try:
        return _text(value) and bool(re.compile(value))
    except re.error:
        return False


def _list_of(fits: Any) -> Any:
    return lambda value: isinstance(value, list) and bool(value) and all(map(fits, value))


_KINDS: dict[str, tuple[str, Any]] = {
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "count": ("a whole number, 0 or more", lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0),
    "number": ("a number", _number),
    "text": ("a text", _text),
    "pattern": ("a regular expression", _compiles),
    "date": ("a date such as 2027-01-06", lambda value: isinstance(value, date) and not isinstance(value, datetime)),
    "scalar": ("a text, a number, true or false", _scalar),
    "texts": ("a list of texts", _list_of(_text)),
    "numbers": ("a list of numbers", _list_of(_number)),
    "scalars": ("a list of texts, numbers or truth values", _list_of(_scalar)),
}
