"""Gemini: contents with parts, as Vertex AI (Gemini Enterprise Agent Platform) wants them for tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Chat, Example, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.gemini_reading import Reading
from ftprep.shapes.dialects.gemini_tools import read_tools, write_tools
from ftprep.shapes.dialects.gemini_writing import write_contents
from ftprep.shapes.dialects.losses import find_losses, message_wire
from ftprep.shapes.dialects.pieces import pair_calls

_SYSTEM = ("systemInstruction", "system_instruction")
_OWN = frozenset(("contents", "messages", "tools", "parallel_tool_calls", "functions", *_SYSTEM))


@dataclass(frozen=True)
class GeminiDialect:
    """`systemInstruction`, `contents` and `tools`. Calls without an id get one, and answers are matched to the calls
    of the turn before them by name and order."""

    name: ClassVar[str] = "gemini"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "Gemini data (contents with parts)"

    def fits(self, record: Record) -> bool:
        """Contents with parts; data of two completions with scores are preferences."""
        contents = record.get("contents")
        if not isinstance(contents, (list, tuple)) or "messages" in record or "completions" in record:
            return False
        return any(isinstance(c, dict) and "parts" in c for c in contents)

    def parse(self, record: Record) -> Parsed:
        """The conversation. A part that has no place in it stays in the content as it is."""
        out = dict(record)
        if "contents" not in out or "messages" in out:
            return Parsed(out)
        contents = out.pop("contents")
        if not isinstance(contents, (list, tuple)):
            return Parsed({"messages": contents, **out}, {"/messages": "/contents"})
        script = Reading(contents)
        key = next((k for k in _SYSTEM if out.get(k) is not None), None)
        if key:
            script.read_system(out.pop(key), f"/{key}")
        for number, content in enumerate(contents):
            script.read(content, f"/contents/{number}")
        paths = {"/messages": "/contents", **script.paths}
        if isinstance(out.get("tools"), (list, tuple)):
            out["tools"], places = read_tools(out["tools"])
            paths.update(places)
        return Parsed({"messages": script.messages, **out}, paths)

    def write(self, example: Example) -> Written:
        """The conversation as contents; the first system message as `systemInstruction`."""
        if not isinstance(example, Chat):
            raise TypeError("only conversations are written as Gemini data: other examples have to be converted first")
        written, kept = self._write(example, with_ids=False)
        again = self.parse(written).record
        answers = any(m.role == "tool" for m in example.messages)
        if answers and pair_calls(again["messages"]) != pair_calls([message_wire(example.messages[n]) for n in kept]):
            written, kept = self._write(example, with_ids=True)
            again = self.parse(written).record
        return Written(written, find_losses(example, again, kept))

    def _write(self, example: Chat, *, with_ids: bool) -> tuple[dict[str, Any], list[int]]:
        record, kept = write_contents(example.messages, with_ids=with_ids)
        if example.tools is not None:
            record["tools"] = write_tools(example.tools)
        record.update({k: v for k, v in (example.extra or {}).items() if k not in _OWN})
        return record, kept
