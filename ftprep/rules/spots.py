"""Where the messages stand in a record of any shape, and what such a place is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ftprep.shapes.quoting import make_pointer

TALKS = ("chat", "preference", "unpaired", "reinforcement")
"""The shapes whose records have messages."""


class Spot(NamedTuple):
    """Where a message stands in a record: the keys of its list, and its 0-based place in that; as text
    `input.messages[1]`."""

    keys: tuple[str, ...]
    place: int

    def __str__(self) -> str:
        return f"{'.'.join(self.keys)}[{self.place}]"

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
