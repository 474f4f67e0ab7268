"""Conversations in OpenAI's chat form: strict and fast for what is sound, loose for unknown keys, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import msgspec

from ftprep.model import Chat, Example, Fault, Message, Pair, Preference, Row, ShapeName, Stepwise
from ftprep.shapes.dialect import Parsed

_ENCODER = msgspec.json.Encoder()


def _wire_extra(struct: type[msgspec.Struct]) -> str:
    return next(f.encode_name for f in msgspec.structs.fields(struct) if f.name == "extra")


def _known_keys(struct: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(f.encode_name for f in msgspec.structs.fields(struct) if f.name != "extra")


CHAT_EXTRA, MESSAGE_EXTRA = _wire_extra(Chat), _wire_extra(Message)
CHAT_KEYS, MESSAGE_KEYS = _known_keys(Chat), _known_keys(Message)

_WITH_EXTRA = frozenset(("messages", "input", "output", "preferred_output", "non_preferred_output"))

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What a message's `name` must match in full (OpenAI API reference, chat completions, 2024)."""


@dataclass(frozen=True)
class ChatShape:
    """Conversations; `keep_extra` says whether keys beside the known ones are written back."""

    keep_extra: bool = True
    name: ClassVar[ShapeName] = "chat"
    dialect: ClassVar[str] = "openai-chat"

    def parse(self, record: dict[str, Any]) -> Parsed:
        """The record itself."""
        return Parsed(record)

    def read(self, row: Row) -> bool:
        """Set the example if the record is a sound conversation without unknown keys."""
        chat = self.example_of(row.record)
        if chat is None:
            return False
        row.example = chat
        return True

    def example_of(self, record: dict[str, Any]) -> Chat | None:
        """The conversation that a record says, None where it is not sound or has unknown keys."""
        try:
            chat = msgspec.convert(record, Chat)
        except (msgspec.ValidationError, RecursionError):
            return None
        return chat if CHAT_EXTRA not in record and _is_sound(chat, record["messages"]) else None

    def read_loosely(self, record: dict[str, Any]) -> Example | str:
        """The conversation with its unknown keys put aside as `extra`, or what is wrong with it."""
        messages = record.get("messages")
        if not isinstance(messages, (list, tuple)) or not messages:
            return "there is no list of messages" if not messages else "messages is not a list"
        told = aside(record, CHAT_KEYS, CHAT_EXTRA)
        told["messages"] = [aside(m, MESSAGE_KEYS, MESSAGE_EXTRA) if isinstance(m, dict) else m for m in messages]
        try:
            return msgspec.convert(told, Chat)
        except msgspec.ValidationError as error:
            return explain(error)
        except RecursionError:
            return "nested too deeply"

    def write(self, example: Example) -> bytes:
        """The conversation as one JSON line: messages, tools and what belongs to them, then the extra keys."""
        if not isinstance(example, Chat):
            raise TypeError("prompt and completion have to be converted before they are written as a conversation")
        if example.extra is None and not any(m.extra for m in example.messages):
            return _ENCODER.encode(example)
        return _ENCODER.encode(put_back(msgspec.to_builtins(example), self.keep_extra))

    def faults(self, record: dict[str, Any]) -> Iterator[Fault]:
        """Nothing: the FMT rules look at the record themselves."""
        del record
        yield from ()


def put_back(value: Any, keep: bool = True) -> Any:
    """An example as builtins with its unknown keys among the known ones again, at any depth, or without them."""
    if isinstance(value, list):
        return [put_back(v, keep) for v in value]
    if not isinstance(value, dict):
        return value
    extra = value.pop(CHAT_EXTRA, None)
    # What stood beside the known keys is as the file said it and is not looked into.
    told = {k: put_back(v, keep) if k in _WITH_EXTRA else v for k, v in value.items()}
    return told | {k: v for k, v in (extra or {}).items() if k not in told} if keep else told


def has_calls(message: dict[str, Any]) -> bool:
    """Whether a message of a record says something other than its content: calls, or a refusal."""
    other = message.get("function_call") is not None or message.get("refusal") is not None
    return other or bool(message.get("tool_calls"))


def explain(error: msgspec.ValidationError) -> str:
    """What msgspec says, in plain words: where, then what was expected."""
    what, _, where = str(error).replace("`", "").partition(" - at ")
    what = what[:1].lower() + what[1:].replace(" | ", " or ")
    place = where.removeprefix("$.").removeprefix("$")
    return f"{place}: {what}" if place else what


def aside(record: dict[str, Any], known: frozenset[str], wire: str) -> dict[str, Any]:
    """The record with its unknown keys under one key, where the structs of the model expect them."""
    told = {k: v for k, v in record.items() if k in known}
    extra = {k: v for k, v in record.items() if k not in known}
    if extra:
        told[wire] = extra
    return told


def _is_sound(chat: Chat, said: list[dict[str, Any]]) -> bool:
    """What the types cannot say; each refusal here is a fault that one of the FMT rules names."""
    messages = chat.messages
    replies = [m for m in messages if m.role == "assistant"]
    return bool(messages) and are_sound(messages, said) and (not replies or any(m.weight != 0 for m in replies))


def are_sound(messages: list[Message], said: list[dict[str, Any]]) -> bool:
    """Whether each of some messages is sound in what the types cannot say; `said` is what the record says of each."""
    for message, record in zip(messages, said, strict=True):
        content = message.content
        if content is None:
            if not has_calls(record):
                return False
        elif content == []:
            return False
        if (message.name is not None and not NAME.fullmatch(message.name)) or MESSAGE_EXTRA in record:
            return False
        if message.role != "assistant" and _says_too_much_or_little(message):
            return False
        if message.tool_calls and any(c.function.arguments.lstrip()[:1] == '"' for c in message.tool_calls):
            return False  # encoded twice
    return True


def _says_too_much_or_little(message: Message) -> bool:
    """Whether another than the assistant has a weight or calls, or a tool does not say what it answers."""
    if message.weight is not None or message.tool_calls is not None or message.function_call is not None:
        return True
    if message.role == "tool":
        return message.tool_call_id is None
    return message.role == "function" and message.name is None


class DropKeys(msgspec.Struct, frozen=True, tag=True):
    """Leave out the unknown keys of the record, or of its messages; a mend."""

    of: Literal["record", "messages"]
    order: int = 5

    def apply(self, example: Example) -> Example:
        """The example without them, or the very same object where there are none."""
        if isinstance(example, (Pair, Stepwise)):
            return example
        lists: dict[str, Any] = {}
        if isinstance(example, Chat):
            lists = {"messages": self._messages(example.messages)}
        else:
            lists = {"input": self.apply(example.input)}
            keys = ("preferred_output", "non_preferred_output") if isinstance(example, Preference) else ("output",)
            lists |= {key: self._messages(getattr(example, key)) for key in keys}
        if self.of == "record":
            lists["extra"] = None
        changed = {key: value for key, value in lists.items() if value is not getattr(example, key)}
        return msgspec.structs.replace(example, **changed) if changed else example

    def _messages(self, messages: list[Message]) -> list[Message]:
        if self.of == "record" or not any(m.extra for m in messages):
            return messages
        return [msgspec.structs.replace(m, extra=None) if m.extra else m for m in messages]
