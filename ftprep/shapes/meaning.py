"""Whether two examples teach the same, however they are spelt: ids of calls, blanks in arguments, a text in a list."""

from __future__ import annotations

from typing import Any

import msgspec

from ftprep.model import Example, Message, Pair, Stepwise, TextPart


def is_same(one: Example, other: Example) -> bool:
    """Whether nothing but spelling sets two examples apart.

    The same: a content that is one text part and that text; calls whose ids differ but belong together in the same way;
    arguments, or answers of tools, that are equal as JSON; a weight of 1 and none; no content and an empty one beside
    calls.
    """
    if isinstance(one, (Pair, Stepwise)) or type(one) is not type(other):
        return one == other
    return bool(_plain(one) == _plain(other))


def _plain(example: Any) -> Any:
    """The example as builtins in one spelling."""
    ids: dict[str, str] = {}
    value = msgspec.to_builtins(example)
    for key in ("messages", "preferred_output", "non_preferred_output", "output"):
        if key in value:
            value[key] = [_spelt(m, ids) for m in getattr(example, key)]
    if "input" in value:
        value["input"]["messages"] = [_spelt(m, ids) for m in example.input.messages]
    return value


def _spelt(message: Message, ids: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(message)
    content = message.content
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], TextPart):
        told["content"] = content[0].text
    if not told.get("content") and (message.tool_calls or message.function_call):
        told.pop("content", None)
    if message.role == "tool" and isinstance(told.get("content"), str):
        told["content"] = _value(told["content"])
    if told.get("weight") == 1:
        del told["weight"]
    for call in told.get("tool_calls") or ():
        call["id"] = ids.setdefault(call["id"], f"call_{len(ids)}")
        call["function"]["arguments"] = _value(call["function"]["arguments"])
    if message.tool_call_id is not None:
        told["tool_call_id"] = ids.get(message.tool_call_id, message.tool_call_id)
    return told


def _value(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
