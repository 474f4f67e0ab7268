"""Cohere's fine-tuning form, closed in 2025: messages of System, User and Chatbot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Example, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.ledger import Ledger, to_chat
from ftprep.shapes.dialects.wire import Draft, is_judged, is_list, objects

_ROLES = {"System": "system", "User": "user", "Chatbot": "assistant"}
_NAMES = {role: name for name, role in _ROLES.items()}


@dataclass(frozen=True)
class Cohere:
    """Messages with role and content, where the assistant is called Chatbot."""

    name: ClassVar[str] = "cohere"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "Cohere data (messages of System, User and Chatbot)"

    def fits(self, record: Record) -> bool:
        """Whether a message is the Chatbot's."""
        return any(m.get("role") == "Chatbot" for m in objects(record.get("messages"))) and not is_judged(record)

    def parse(self, record: Record) -> Parsed:
        """The same messages with the usual roles."""
        messages = record.get("messages")
        if not is_list(messages):
            return Parsed(dict(record))
        draft = Draft("messages")
        for place, message in enumerate(messages):
            role = message.get("role") if isinstance(message, dict) else None
            known = _ROLES.get(role) if isinstance(role, str) else None
            draft.add({**message, "role": known} if known else message, f"/messages/{place}")
        return draft.finish(record, pictures=False)

    def write(self, example: Example) -> Written:
        """Roles and texts; the form has nothing else."""
        chat = to_chat(example)
        ledger = Ledger(chat)
        told: list[dict[str, Any]] = []
        for place, message in enumerate(chat.messages):
            if message.role not in _NAMES:
                ledger.lose(f"the role {message.role}", place)
            ledger.lose_keys(message, place)
            turn: dict[str, Any] = {"role": _NAMES.get(message.role, message.role)}
            text = ledger.text(message, place)
            if text is not None:
                turn["content"] = text
            told.append(ledger.put_turn_extra(turn, message, place))
        for _ in ledger.urls:
            ledger.lose("a picture")
        ledger.urls.clear()
        return ledger.finish({"messages": told})
