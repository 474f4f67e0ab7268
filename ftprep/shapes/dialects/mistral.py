"""Mistral: OpenAI's chat form with other names for its keys, thinking in chunks, and ids of nine characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Chat, Example, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.losses import find_losses
from ftprep.shapes.dialects.mistral_ids import choose_ids
from ftprep.shapes.dialects.mistral_messages import (
    ROLES,
    add_type,
    hold_back,
    is_own,
    read_message,
    rename_keys,
    write_message,
    write_tools,
)

_RENAMING = ("interactions", "available_tools", "system_prompt", "only_last")
_OWN = frozenset(("messages", "tools", "parallel_tool_calls", "functions", *_RENAMING))


@dataclass(frozen=True)
class MistralDialect:
    """`messages` or `interactions` with `content` or `text`; what is written has the names of the first kind.

    Reading turns `only_last` into weights, since mistral-finetune trains on no other reply then.
    """

    name: ClassVar[str] = "mistral"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "Mistral data (interactions, or messages with Mistral's own keys)"

    def fits(self, record: Record) -> bool:
        """Interactions, or messages beside a key or with a chunk that only Mistral has."""
        if isinstance(record.get("interactions"), (list, tuple)) and "messages" not in record:
            return True
        messages = record.get("messages")
        if not isinstance(messages, (list, tuple)) or "system" in record:
            return False
        if any(key in record for key in ("available_tools", "system_prompt", "only_last")):
            return True
        return any(is_own(m) for m in messages)

    def parse(self, record: Record) -> Parsed:
        """The conversation; where both names of a key are there, the second is an unknown one."""
        out, paths = rename_keys(record)
        if not isinstance(out.get("messages"), (list, tuple)):
            return Parsed(out, paths)
        base = paths.get("/messages", "/messages")
        messages: list[Any] = []
        if isinstance(out.get("system_prompt"), str):
            messages.append({"role": "system", "content": out["system_prompt"]})
            paths["/messages/0"] = paths["/messages/0/role"] = paths["/messages/0/content"] = "/system_prompt"
        if out.get("system_prompt") is None or messages:
            out.pop("system_prompt", None)
        for number, message in enumerate(out["messages"]):
            at, origin = f"/messages/{len(messages)}", f"{base}/{number}"
            paths[at] = origin
            messages.append(read_message(message, at, origin, paths))
        if isinstance(out.get("only_last"), bool) and out.pop("only_last"):
            hold_back(messages, paths)
        out["messages"] = messages
        if isinstance(out.get("tools"), (list, tuple)):
            out["tools"] = [add_type(tool) for tool in out["tools"]]
        return Parsed(out, paths)

    def write(self, example: Example) -> Written:
        """The conversation with ids as Mistral wants them; those that are right are kept."""
        if not isinstance(example, Chat):
            raise TypeError("only conversations are written as Mistral data: other examples have to be converted first")
        kept = [n for n, m in enumerate(example.messages) if m.role in ROLES]
        ids = choose_ids(example.messages[n] for n in kept)
        record: dict[str, Any] = {"messages": [write_message(example.messages[n], ids) for n in kept]}
        if example.tools is not None:
            record["tools"] = write_tools(example.tools)
        record.update({k: v for k, v in (example.extra or {}).items() if k not in _OWN})
        return Written(record, find_losses(example, self.parse(record).record, kept))
