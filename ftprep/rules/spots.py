"""Where the messages stand in a record of any shape, and what such a place is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ftprep.shapes.quoting import make_pointer

Path = tuple[str | int, ...]
"""Where something stands in a record: keys and places from the outside in."""

TALKS = ("chat", "preference", "unpaired", "reinforcement")
"""The shapes whose records have messages."""


class Spot(NamedTuple):
    """Where a message stands in a record: the keys of its list, and its 0-based place in that; as text
    `input.messages[1]`."""

    keys: tuple[str, ...]
    place: int

    def __str__(self) -> str:
        return f"{'.'.join(self.keys)}[{self.place}]"

    @property
    def path(self) -> Path:
        """The keys and places that lead to the message."""
        return (*self.keys, self.place)

    def pointer(self, *keys: object) -> str:
        """The JSON pointer to the message, or to a key in it."""
        return make_pointer(*self.keys, self.place, *keys)


PAIR = ("preferred_output", "non_preferred_output")


def is_answered(record: dict[str, Any]) -> bool:
    """Whether a record is a question with answers beside it, not one conversation: what else it has is no matter."""
    asked = record.get("input")
    if any(name in record for name in PAIR):
        return True
    if not isinstance(asked, dict):
        return False
    return ("output" in record and "label" in record) or ("messages" in asked and "messages" not in record)


def lists_of(record: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Every list of messages that a record in the wire form of any shape has, with the keys that lead to it."""
    found: list[tuple[tuple[str, ...], Any]] = [(("messages",), record.get("messages"))]
    if is_answered(record):
        asked = record.get("input")
        found = [(("input", "messages"), asked.get("messages") if isinstance(asked, dict) else None)]
        names = PAIR if any(name in record for name in PAIR) else ("output",)
        found += [((name,), record.get(name)) for name in names]
    for keys, messages in found:
        if isinstance(messages, (list, tuple)):
            yield keys, list(messages)


def talks_of(record: dict[str, Any]) -> Iterator[tuple[Spot, dict[str, Any]]]:
    """The messages of a record that are objects, with where they stand."""
    for keys, messages in lists_of(record):
        for place, message in enumerate(messages):
            if isinstance(message, dict):
                yield Spot(keys, place), message


def calls_in(record: dict[str, Any]) -> Iterator[tuple[Path, dict[Any, Any]]]:
    """The calls of a record that are objects."""
    for spot, message in talks_of(record):
        calls = message.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, (list, tuple)) else ()):
            if isinstance(call, dict):
                yield (*spot.path, "tool_calls", place), call


def functions_in(record: dict[str, Any]) -> Iterator[tuple[Path, dict[Any, Any]]]:
    """What holds name and arguments: the function of each call, and each function_call of old."""
    for path, call in calls_in(record):
        if isinstance(call.get("function"), dict):
            yield (*path, "function"), call["function"]
    for spot, message in talks_of(record):
        if isinstance(message.get("function_call"), dict):
            yield (*spot.path, "function_call"), message["function_call"]


def edited(record: dict[str, Any], edits: dict[Path, Any]) -> dict[str, Any]:
    """The record with other values in places that are there; what leads to them is copied, the rest is shared. The very
    same record where there is nothing to edit."""
    if not edits:
        return record
    root: Any = dict(record)
    fresh: dict[Path, Any] = {(): root}
    for path, value in edits.items():
        at: Path = ()
        for key in path[:-1]:
            holder, at = fresh[at], (*at, key)
            if at not in fresh:
                inner = holder[key]
                fresh[at] = holder[key] = dict(inner) if isinstance(inner, dict) else list(inner)
        fresh[at][path[-1]] = value
    made: dict[str, Any] = root
    return made
