"""What of a conversation a record does not keep, in words: the example beside what is read from the record again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from ftprep.model import Chat, Message
from ftprep.shapes.chat import CHAT_EXTRA, MESSAGE_EXTRA
from ftprep.shapes.dialects.pieces import join_text, read_json
from ftprep.shapes.quoting import quote

_ABSENT = object()
_SHOWN = ("role", "name")
_IDS = ("id", "tool_call_id")
_KNOWN = frozenset(f.name for f in msgspec.structs.fields(Chat))
Path = tuple[str | int, ...]


def find_losses(example: Chat, again: Mapping[str, Any], kept: Sequence[int]) -> tuple[str, ...]:
    """What is not the same in `again`, the wire form that is read from the written record.

    `kept` are the messages that were written, by their places in the example, in the order in which they are read.
    """
    said, read = _as_wire(example, CHAT_EXTRA), dict(again)
    messages, found = said.pop("messages"), read.pop("messages", ())
    words = [f"messages[{n}] ({m.role})" for n, m in enumerate(example.messages) if n not in kept]
    # Beside what it is called like, such a key has no place anywhere.
    words += [f"the other key {quote(key)}" for key in example.extra or () if key in _KNOWN]
    if not isinstance(found, (list, tuple)) or len(found) != len(kept):
        return (*words, "where its messages begin and end")
    ids: dict[str, str] = {}
    try:
        for place, message in zip(kept, found, strict=True):
            words += _compare(message_wire(messages[place]), message, ("messages", place), ids)
        words += _compare(said, read, (), ids)
    except RecursionError:
        return (*words, "what is nested too deeply to be compared")
    if ids:
        old, new = next(iter(ids.items()))
        more = f", and {len(ids) - 1:,} more" if len(ids) > 1 else ""
        words.append(f"the ids of calls ({quote(old)} becomes {quote(new)}{more})")
    return tuple(words)


@cache
def _fields(struct: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    return tuple((f.name, f.encode_name) for f in msgspec.structs.fields(struct))


def _as_wire(struct: Chat | Message, extra: str) -> dict[str, Any]:
    """The keys of a struct that are set, with what it keeps beside them; values as they are."""
    wire = {key: v for name, key in _fields(type(struct)) if (v := getattr(struct, name)) is not None}
    return (wire.pop(extra, None) or {}) | wire


def message_wire(message: Message) -> dict[str, Any]:
    """A message as a dictionary in wire form, with its other keys."""
    wire = _as_wire(message, MESSAGE_EXTRA)
    for key in ("content", "tool_calls", "function_call"):
        if key in wire:
            wire[key] = msgspec.to_builtins(wire[key])
    return wire


def _compare(said: Any, read: Any, path: Path, ids: dict[str, str]) -> Iterator[str]:
    if said is read:
        return
    if isinstance(said, dict) and isinstance(read, dict):
        yield from _compare_keys(said, read, path, ids)
    elif isinstance(said, list) and isinstance(read, list):
        yield from _compare_items(said, read, path, ids)
    elif isinstance(said, list) and isinstance(read, str) and len(said) > 1:
        yield from _compare_items(said, [{"type": "text", "text": read}], path, ids)
    elif not _are_equal(said, read):
        if path[-1] in _IDS and isinstance(said, str) and isinstance(read, str):
            ids[said] = read
        else:
            yield _name_change(said, read, path)


def _compare_keys(said: dict[Any, Any], read: dict[Any, Any], path: Path, ids: dict[str, str]) -> Iterator[str]:
    new = {k: v for k, v in read.items() if k not in said}
    for key, value in said.items():
        if key in read:
            yield from _compare(value, read[key], (*path, key), ids)
        elif (other := next((k for k, v in new.items() if _are_equal(value, v)), None)) is not None and path:
            del new[other]
            yield f"{_name((*path, key))} (it becomes {other})"
        else:
            yield _name((*path, key), "empty " if value == "" else "")
    yield from (f"that {_spell(path) or 'it'} has no {key}" for key in new)


def _compare_items(said: list[Any], read: list[Any], path: Path, ids: dict[str, str]) -> Iterator[str]:
    if len(said) == len(read):
        for number, (one, other) in enumerate(zip(said, read, strict=True)):
            yield from _compare(one, other, (*path, number), ids)
        return
    rest = iter(read)
    lost = [n for n, one in enumerate(said) if not any(_are_equal(one, other) for other in rest)]
    yield from (_name((*path, n)) for n in lost) if len(lost) < len(said) else (_name(path),)


def _are_equal(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other and type(one) is type(other))
    except (RecursionError, ValueError, TypeError):
        return False


def _name_change(said: Any, read: Any, path: Path) -> str:
    if isinstance(said, list) and isinstance(read, str) and join_text(said) == read:
        return f"that {_name(path)} is a list"
    if path[-1] in _SHOWN:
        return f"{_name(path)} ({quote(said)} becomes {quote(read)})"
    if isinstance(said, str) and isinstance(read, str) and said != read:
        value = read_json(said)
        if value is not None and _are_equal(value, read_json(read)):
            return f"the spelling of {_name(path)}"
    return _name(path)


def _name(path: Path, what: str = "") -> str:
    *before, last = path
    if isinstance(last, int):
        return _spell(path)
    return f"the {what}{last} of {_spell(tuple(before))}" if before else f"the {what}key {quote(last)}"


def _spell(path: Path) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
