"""Conversations whose messages, roles or contents are called something else: by sight, or as a recipe says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from ftprep.model import Example, ShapeName
from ftprep.shapes.chat import CHAT_KEYS, MESSAGE_KEYS
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.ledger import Ledger, to_chat
from ftprep.shapes.dialects.wire import TURN_KEYS, Draft, is_judged, is_list, objects, put, rest
from ftprep.shapes.quoting import make_pointer

KEYS = (*TURN_KEYS, "chat", "chats", "dialogs", "dialogues", "message", "msgs", "utterances")
"""What messages with role and content are called, other than messages."""


@dataclass(frozen=True)
class KeyMap:
    """What a set calls the messages, their role and their content, and what its roles mean (`{"client": "user"}`)."""

    messages: str = "messages"
    role: str = "role"
    content: str = "content"
    roles: Mapping[str, str] = field(default_factory=dict)

    name: ClassVar[str] = "key-map"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "chat data whose keys the recipe names"

    def fits(self, record: Record) -> bool:
        """Whether a turn has the key of the role."""
        turns = objects(record.get(self.messages))
        return any(self.role in t for t in turns) and (self.messages == "messages" or record.get("messages") is None)

    def parse(self, record: Record) -> Parsed:
        """The same messages under the usual names."""
        turns = record.get(self.messages)
        if not is_list(turns):
            return Parsed(dict(record))
        draft = Draft(self.messages)
        for place, turn in enumerate(turns):
            at = make_pointer(self.messages, place)
            if not isinstance(turn, dict):
                draft.add(turn, at)
                continue
            message = rest(turn, self.role, self.content)
            keys = {}
            for new, key in (("role", self.role), ("content", self.content)):
                if key in turn:
                    put(message, new, turn[key])
                    keys[new] = at + make_pointer(key)
            role = message.get("role")
            if isinstance(role, str):
                message["role"] = self.roles.get(role, role)
            draft.add(message, at, **keys)
        return draft.finish(record, self.messages, pictures=False)

    def write(self, example: Example) -> Written:
        """The conversation with these names; nothing is lost but roles that have no name or share one."""
        chat = to_chat(example)
        ledger = Ledger(chat, *CHAT_KEYS)
        names = {role: name for name, role in reversed(list(self.roles.items()))}
        turns = []
        for place, message in enumerate(chat.messages):
            said = {k: v for k, v in msgspec.to_builtins(message).items() if k in MESSAGE_KEYS}
            name = names.get(message.role, message.role)
            if self.roles.get(name, name) != message.role:
                ledger.lose(f"the role {message.role}", place)
            turn = {self.role: name, **({self.content: said["content"]} if "content" in said else {})}
            for key, value in rest(said, "role", "content").items():
                ledger.put_extra(turn, {key: value}, (self.role, self.content), f"messages[{place}]")
            ledger.put_extra(turn, message.extra, (*MESSAGE_KEYS, self.role, self.content), f"messages[{place}]")
            turns.append(turn)
        record: dict[str, Any] = {self.messages: turns}
        ledger.put_tools(record, chat)
        beside = {k: v for k, v in msgspec.to_builtins(chat).items() if k in CHAT_KEYS - {"messages", "tools"}}
        ledger.put_extra(record, beside, (), "the record")
        return ledger.finish(record, self.messages)


@dataclass(frozen=True)
class RenamedChat:
    """Messages with role and content under another key; they are written under `conversations`."""

    name: ClassVar[str] = "renamed-chat"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "chat data with its messages under another key than messages"

    def fits(self, record: Record) -> bool:
        """Whether there are turns with a role under a known key."""
        return bool(_key(record)) and not is_judged(record)

    def parse(self, record: Record) -> Parsed:
        """The same messages under their usual key."""
        key = _key(record) or "conversations"
        return KeyMap(key).parse(record)

    def write(self, example: Example) -> Written:
        """The conversation under `conversations`."""
        return KeyMap("conversations").write(example)


def _key(record: Record) -> str:
    if record.get("messages") is not None:
        return ""
    return next((k for k in KEYS if any("role" in t for t in objects(record.get(k)))), "")
