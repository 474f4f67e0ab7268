"""Data that is known by sight but cannot be read as examples: what it is called and how it is recognised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

READS = "it holds no examples that can be read as they are"

Record = Mapping[str, Any]


def _objects(record: Record, key: str) -> list[dict[Any, Any]]:
    """The list under a key if all of it are objects, else an empty one."""
    value = record.get(key)
    return value if isinstance(value, list) and all(isinstance(v, dict) for v in value) else []


def _has_no_roles(record: Record) -> bool:
    messages = _objects(record, "messages")
    return bool(messages) and not any("role" in m for m in messages)


# The first that fits names the record.
FOREIGN: tuple[tuple[str, Callable[[Record], bool]], ...] = (
    ("messages without roles", _has_no_roles),
    ("nested seed tasks (an instruction with its instances in a list)", lambda r: bool(_objects(r, "instances"))),
    ("tokenised data (input_ids)", lambda r: isinstance(r.get("input_ids"), list)),
)


def recognise(record: Record) -> str:
    """What a record is called if it has one of the shapes that are not read, "" otherwise."""
    return next((words for words, fits in FOREIGN if fits(record)), "")
