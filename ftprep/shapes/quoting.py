"""How records are quoted in messages: JSON pointers, short excerpts, names of columns."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import islice
from typing import Any

LONGEST_EXCERPT = 60
"""Characters; enough to recognise a value, short enough for one line of a terminal."""

MOST_NAMES = 12
"""Names of columns in one message; a table may have a hundred thousand."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


def make_pointer(*keys: object) -> str:
    """The JSON pointer (RFC 6901) to a place in a record: object keys and 0-based positions, from the outside in."""
    return "".join("/" + _writable(str(k).replace("~", "~0").replace("/", "~1")) for k in keys)


def make_excerpt(value: Any) -> str:
    """The beginning of a value as JSON text, at most LONGEST_EXCERPT characters, whatever the value is."""
    if isinstance(value, str):
        value = value[: LONGEST_EXCERPT + 1]
    text = ""
    try:
        for piece in _ENCODER.iterencode(value):
            text += piece[: LONGEST_EXCERPT + 1]
            if len(text) > LONGEST_EXCERPT:
                break
    except (TypeError, ValueError, RecursionError):
        text = text or name_kind(value)
    return _writable(_cut(text))


def quote(name: object) -> str:
    """A name between single quotes, on one line, with what cannot be printed escaped."""
    return repr(_cut(str(name)))


def list_names(names: Collection[object]) -> str:
    """Names in quotes, the first MOST_NAMES of them and how many more there are."""
    shown = ", ".join(quote(n) for n in islice(names, MOST_NAMES))
    more = len(names) - MOST_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown


def name_kind(value: Any) -> str:
    """What a value is, in JSON's words: text, a number, true or false, null, a list, an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "text"),
        ((int, float), "a number"),
        (type(None), "null"),
        ((list, tuple), "a list"),
        (dict, "an object"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), f"a {type(value).__name__}")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_EXCERPT else text[: LONGEST_EXCERPT - 1] + "…"


def _writable(text: str) -> str:
    # Half a surrogate pair could not be written out later on.
    return text.encode("utf-8", "backslashreplace").decode()
