"""Bedrock Converse: content blocks without a type, as Nova and Llama are tuned with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Chat, Example, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.converse_reading import BLOCKS, Reading
from ftprep.shapes.dialects.converse_writing import write_messages
from ftprep.shapes.dialects.losses import find_losses
from ftprep.shapes.dialects.pieces import wire_tools

VERSION = "bedrock-conversation-2024"
"""What Llama's records must say and Nova's samples do (AWS Bedrock user guide, read 2026)."""

_OWN = frozenset(("messages", "tools", "parallel_tool_calls", "functions", "system", "toolConfig", "schemaVersion"))


@dataclass(frozen=True)
class ConverseDialect:
    """`schemaVersion`, `system`, `messages` and `toolConfig`. The version that all records have is not kept, any other
    one stays an extra key."""

    name: ClassVar[str] = "converse"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "Bedrock Converse data (content blocks without a type)"

    def fits(self, record: Record) -> bool:
        """A schema version, or blocks as this form has them; data with candidates are preferences."""
        messages = record.get("messages")
        if not isinstance(messages, (list, tuple)):
            return False
        turns = [m for m in messages if isinstance(m, dict)]
        if any("candidates" in m for m in turns):
            return False
        return "schemaVersion" in record or any(_is_block(b) for m in turns for b in _blocks(m))

    def parse(self, record: Record) -> Parsed:
        """The conversation. A block that has no place in it (video, document) stays in the content as it is."""
        out = dict(record)
        messages = out.get("messages")
        if not isinstance(messages, (list, tuple)):
            return Parsed(out)
        script = Reading()
        if out.get("schemaVersion") == VERSION:
            del out["schemaVersion"]
        if out.get("system") is not None:
            script.read_system(out.pop("system"))
        for number, message in enumerate(messages):
            script.read(message, f"/messages/{number}")
        out["messages"] = script.messages
        if "tools" not in out:
            script.read_tools(out)
        return Parsed(out, script.paths)

    def write(self, example: Example) -> Written:
        """The conversation in blocks; the first system message as `system`."""
        if not isinstance(example, Chat):
            raise TypeError("only conversations are written as Converse data: others have to be converted first")
        extra = example.extra or {}
        record: dict[str, Any] = {"schemaVersion": extra.get("schemaVersion", VERSION)}
        body, kept = write_messages(example.messages)
        record |= body
        config = extra.get("toolConfig")
        rest = {k: v for k, v in config.items() if k != "tools"} if isinstance(config, dict) else {}
        if example.tools is not None:
            record["toolConfig"] = {"tools": _write_tools(example.tools), **rest}
        elif rest:
            record["toolConfig"] = rest
        record.update({k: v for k, v in extra.items() if k not in _OWN})
        return Written(record, find_losses(example, self.parse(record).record, kept))


def _blocks(message: dict[Any, Any]) -> list[Any]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _is_block(block: Any) -> bool:
    return isinstance(block, dict) and "type" not in block and not BLOCKS.isdisjoint(block)


def _write_tools(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    for is_function, tool in wire_tools(tools):
        if is_function:
            spec = {k: v for k, v in tool.items() if k not in ("parameters", "inputSchema")}
            # The schema is required; a function without one takes nothing.
            schema = tool.get("parameters", {"type": "object", "properties": {}})
            written.append({"toolSpec": {**spec, "inputSchema": {"json": schema}}})
        elif "type" not in tool:
            written.append(tool)
    return written
