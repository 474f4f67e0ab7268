"""What mends records of another form exactly: encoded twice, arguments as objects, calls without type or id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ftprep.readers.strict_json import BadJson, loads
from ftprep.rules.spots import Path, calls_in, functions_in, lists_of, talks_of

_DEEPEST = 4
"""Times that a value may have been encoded."""


def decoded(value: object) -> Any:
    """What a text holds that is JSON, once or several times over, and says the same when it is written again; None for
    all else."""
    inner: Any = value if isinstance(value, str) else None
    for _ in range(_DEEPEST):
        if not isinstance(inner, str) or inner.lstrip()[:1] not in ("[", "{", '"'):
            break
        try:
            inner = loads(inner.encode())
        except (BadJson, ValueError, RecursionError):
            return None
    return inner if isinstance(inner, (list, dict)) else None


def decoded_list(value: object) -> list[dict[str, Any]] | None:
    """The list of objects that a text holds as JSON, None where it does not."""
    found = decoded(value)
    return found if isinstance(found, list) and all(isinstance(v, dict) for v in found) else None


def decoded_arguments(value: object) -> str | None:
    """The JSON text of an object that a text holds as JSON text, None where it does not."""
    if not isinstance(value, str) or value.lstrip()[:1] != '"':
        return None
    inner: Any = value
    for _ in range(_DEEPEST):
        try:
            inner = loads(inner.encode())
        except (BadJson, ValueError, RecursionError):
            return None
        if not isinstance(inner, str):
            return None
        if inner.lstrip()[:1] == "{":
            return inner if isinstance(decoded(inner), dict) else None
    return None


def encoded(value: dict[Any, Any]) -> str | None:
    """An object as compact JSON text, None where that would say something else."""
    try:
        text = msgspec.json.encode(value)
        return text.decode() if msgspec.json.decode(text) == value else None
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def twice_encoded(record: dict[str, Any]) -> dict[Path, Any]:
    """Where a record holds JSON inside a text, and what it should hold."""
    edits: dict[Path, Any] = {}
    asked = record.get("input")
    holders: list[tuple[Path, dict[Any, Any]]] = [((), record)]
    holders += [(("input",), asked)] if isinstance(asked, dict) else []
    for path, holder in holders:
        for key in ("messages", "tools", "functions"):
            if (found := decoded_list(holder.get(key))) is not None:
                edits[*path, key] = found
    outputs = ("preferred_output", "non_preferred_output", *(("output",) if isinstance(asked, dict) else ()))
    for key in outputs:
        if (found := decoded_list(record.get(key))) is not None:
            edits[key,] = found
    for spot, message in talks_of(record):
        if (found := decoded_list(message.get("tool_calls"))) is not None:
            edits[*spot.path, "tool_calls"] = found
    for path, function in functions_in(record):
        if (text := decoded_arguments(function.get("arguments"))) is not None:
            edits[*path, "arguments"] = text
    return edits


def unwritten_arguments(record: dict[str, Any]) -> dict[Path, str | None]:
    """Where arguments are an object, and its JSON text (None where it has no exact one)."""
    found = ((path, function.get("arguments")) for path, function in functions_in(record))
    return {(*path, "arguments"): encoded(value) for path, value in found if isinstance(value, dict)}


def untyped_calls(record: dict[str, Any]) -> dict[Path, Any]:
    """Where calls of a function say no type, and the one there is."""
    return {
        (*path, "type"): "function"
        for path, call in calls_in(record)
        if call.get("type") is None and isinstance(call.get("function"), dict)
    }


def missing_ids(record: dict[str, Any]) -> dict[Path, str | None]:
    """Where a call has no id, or a tool's answer does not say which call it answers; and what belongs there, None where
    count and order do not tell."""
    used = {str(call.get("id")) for _, call in calls_in(record)}
    used |= {str(message.get("tool_call_id")) for _, message in talks_of(record)}
    fresh = (name for n in range(1, 1_000_000_000) if (name := f"call_{n}") not in used)
    edits: dict[Path, Any] = {}
    for path, messages in lists_of(record):
        for place, message in enumerate(messages):
            if not isinstance(message, dict):
                continue
            if message.get("role") == "tool" and message.get("tool_call_id") is None:
                edits.setdefault((*path, place, "tool_call_id"), None)
            calls = message.get("tool_calls")
            if isinstance(calls, (list, tuple)) and calls and all(isinstance(c, dict) for c in calls):
                edits |= _ids_of_turn(path, messages, place, fresh)
    return {path: name if isinstance(name, str) else None for path, name in edits.items()}


def _ids_of_turn(path: Path, messages: Any, place: int, fresh: Iterator[str]) -> dict[Path, Any]:
    """The ids that the calls of one message and the answers behind it lack."""
    edits: dict[Path, Any] = {}
    calls, places = messages[place]["tool_calls"], _answers(messages, place + 1)
    paired = _paired(list(calls), [messages[at] for at in places])
    for number, call in enumerate(calls):
        at = None if paired is None or number not in paired else places[paired[number]]
        said = None if at is None else messages[at].get("tool_call_id")
        known = said if call.get("id") is None else call["id"]
        name = next(fresh) if known is None and paired is not None else known
        if call.get("id") is None:
            edits[*path, place, "tool_calls", number, "id"] = name
        if at is not None and said is None:
            edits[*path, at, "tool_call_id"] = name
    return edits


def _answers(messages: Any, start: int) -> list[int]:
    """The places of the tool messages that follow at once."""
    places = []
    for place in range(start, len(messages)):
        if not isinstance(messages[place], dict) or messages[place].get("role") != "tool":
            break
        places.append(place)
    return places


def _paired(calls: list[dict[Any, Any]], answers: list[dict[Any, Any]]) -> dict[int, int] | None:
    """Which call (by number) which message answers: by id, and what is left in order. None where that is not clear."""
    ids = [call.get("id") for call in calls]
    pairs: dict[int, int] = {}
    left: list[int] = []
    for at, answer in enumerate(answers):
        said = answer.get("tool_call_id")
        number = ids.index(said) if said is not None and said in ids else -1
        if number >= 0 and number not in pairs:
            pairs[number] = at
        else:
            left.append(at)
    rest = [number for number in range(len(calls)) if number not in pairs]
    if not left:
        return pairs
    if len(left) != len(rest):
        return None
    for number, at in zip(rest, left, strict=True):
        call, answer = calls[number], answers[at]
        if (call.get("id") is not None and answer.get("tool_call_id") is not None) or _named_otherwise(call, answer):
            return None
        pairs[number] = at
    return pairs


def _named_otherwise(call: dict[Any, Any], answer: dict[Any, Any]) -> bool:
    """Whether an answer names another function than was called."""
    function, name = call.get("function"), answer.get("name")
    called = function.get("name") if isinstance(function, dict) else None
    return isinstance(name, str) and isinstance(called, str) and name != called
