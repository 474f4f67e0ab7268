"""Rules on records whose calls and lists have another form, most of which can be mended exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from ftprep.model import Fault, Function, ToolCall
from ftprep.rule import Card, RecordRule, Sample
from ftprep.rules import repairs
from ftprep.rules.fmt_messages import ASK, CALL, GOOD, REPLY, MessageRule, meant_role, unlike, with_messages
from ftprep.rules.spots import Path, Spot, edited
from ftprep.rules.talk import SPEAKING, place_words
from ftprep.shapes.quoting import make_excerpt, make_pointer, name_kind


def _at(record: Any, path: Path) -> Any:
    """What stands in a place of a record, None where there is nothing."""
    for key in path:
        record = record[key] if isinstance(key, int) else record.get(key)
    return record


class _FormRule(RecordRule):
    shapes: ClassVar[tuple[str, ...]] = SPEAKING

    def edits(self, record: dict[str, Any]) -> dict[Path, Any]:
        """Where the record has the fault, and what belongs there; None where that is not clear."""
        raise NotImplementedError

    def words(self, path: Path) -> str:
        """What is wrong at a place."""
        raise NotImplementedError

    def check(self, record: dict[str, Any]) -> Iterator[Fault]:
        """A fault for each place."""
        for path, value in self.edits(record).items():
            pointer = make_pointer(*path)
            there = _at(record, path)
            excerpt = "" if there is None else make_excerpt(there)
            yield self.fault(self.words(path), pointer, excerpt, fixable=value is not None)

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with what belongs there."""
        return edited(record, {path: value for path, value in self.edits(record).items() if value is not None})


def _where(path: Path) -> str:
    return place_words(make_pointer(*path))


_TWICE = '{"messages": "[{\\"role\\": \\"user\\", \\"content\\": \\"Capital of Mali?\\"}, '
_TWICE += '{\\"role\\": \\"assistant\\", \\"content\\": \\"Bamako.\\"}]"}\n'


class DoubleEncoded(_FormRule):
    card: ClassVar[Card] = Card(
        code="FMT134",
        name="double-encoded",
        severity="error",
        finds="Messages, tools, functions, calls or arguments were encoded twice: they are JSON inside a text.",
        why="No turn can be told from another, and no client can run a call whose arguments are a text.",
        bad=Sample(text=GOOD + _TWICE),
        good=Sample(text=GOOD),
        fix="safe",
        mended="Decodes what was encoded twice.",
    )

    def edits(self, record: dict[str, Any]) -> dict[Path, Any]:
        return repairs.twice_encoded(record)

    def words(self, path: Path) -> str:
        kind = "an object" if path[-1] == "arguments" else "a list of objects"
        return f"{_where(path)} was encoded twice: a text that holds {kind} as JSON"

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with what is inside the texts, and what is inside that."""
        for _ in range(3):  # arguments, in messages, may have been encoded twice as well
            mended = super().repair(record)
            if mended is record:
                break
            record = mended
        return record


class CallIdMissing(_FormRule):
    card: ClassVar[Card] = Card(
        code="FMT136",
        name="call-id-missing",
        severity="error",
        finds="A call has no id, or a tool's answer has no tool_call_id.",
        why="Nobody can tell which call an answer belongs to; providers refuse the file.",
        bad=Sample(
            text=with_messages(
                ASK,
                '{"role": "assistant", "tool_calls": [{"type": "function", '
                '"function": {"name": "find", "arguments": "{}"}}]}',
                '{"role": "tool", "content": "Bamako"}',
                REPLY,
            )
        ),
        good=Sample(text=with_messages(ASK, f'{{"role": "assistant", "tool_calls": [{CALL}]}}')),
        fix="safe",
        mended="Gives calls and their answers ids, where count and order say which belong together.",
    )

    def edits(self, record: dict[str, Any]) -> dict[Path, Any]:
        return repairs.missing_ids(record)

    def words(self, path: Path) -> str:
        if path[-1] == "id":
            return f"{_where(path[:-1])}: a call without an id"
        return f"{_where(path[:-1])}: a tool message without tool_call_id: it does not say which call it answers"


class ArgumentsObject(_FormRule):
    card: ClassVar[Card] = Card(
        code="TOOL102",
        name="arguments-object",
        severity="error",
        finds="The arguments of a call are an object instead of JSON text.",
        why="Providers want text there and refuse the file, though some trainers write objects.",
        bad=Sample(
            text=with_messages(
                ASK,
                '{"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", '
                '"function": {"name": "find", "arguments": {"country": "Mali"}}}]}',
            )
        ),
        good=Sample(text=with_messages(ASK, f'{{"role": "assistant", "tool_calls": [{CALL}]}}')),
        fix="safe",
        mended="Writes the arguments as JSON text.",
    )

    def edits(self, record: dict[str, Any]) -> dict[Path, Any]:
        return dict(repairs.unwritten_arguments(record))

    def words(self, path: Path) -> str:
        return f"{_where(path)} is an object, not JSON text"


class ToolCallShape(MessageRule):
    card: ClassVar[Card] = Card(
        code="FMT116",
        name="tool-call-shape",
        severity="error",
        finds="A call is not {id, type, function {name, arguments}}, or is not the assistant's; or a function's answer "
        "does not name it.",
        why="Calls of another form are refused, or trained on as calls that no client can run.",
        bad=Sample(
            text=with_messages(
                ASK,
                '{"role": "assistant", "tool_calls": [{"id": "call_1", "function": {"name": "find", '
                '"arguments": "{}"}}]}',
            )
        ),
        good=Sample(text=with_messages(ASK, f'{{"role": "assistant", "tool_calls": [{CALL}]}}')),
        fix="safe",
        mended="Gives calls of a function their type where they say none.",
    )

    def look(self, message: dict[str, Any], spot: Spot) -> Iterator[Fault]:
        role = meant_role(message.get("role"))
        for key in ("tool_calls", "function_call"):
            if message.get(key) is not None and role not in ("assistant", ""):
                what = f"{key} on a {message['role']} message; only the assistant calls"
                yield self.at(spot, key, what, fixable=False)
        calls = message.get("tool_calls")
        if isinstance(calls, (list, tuple)):
            for number, call in enumerate(calls):
                yield from self._of_call(call, spot, number)
        elif calls is not None and repairs.decoded_list(calls) is None:
            yield self.at(spot, "tool_calls", f"tool_calls is {name_kind(calls)}, not a list", calls, fixable=False)
        legacy = message.get("function_call")
        wrong = "" if legacy is None else unlike(_with_text(legacy), Function)
        if wrong:
            yield self.at(spot, "function_call", f"function_call: {wrong}", legacy, fixable=False)
        if role == "function" and message.get("name") is None:
            yield self.at(spot, "", "a function message without the name of the function", fixable=False)

    def _of_call(self, call: object, spot: Spot, number: int) -> Iterator[Fault]:
        where = f"{spot}: call {number}"
        pointer = spot.pointer("tool_calls", number)
        rest = call
        if isinstance(call, dict):
            rest = {**call, "id": "" if call.get("id") is None else call["id"]}  # FMT136 says so
            if "function" in call:
                rest["function"] = _with_text(call["function"])
            if call.get("type") is None and isinstance(call.get("function"), dict):
                yield self.fault(f"{where}: no type; write 'function'", pointer, make_excerpt(call))
                rest["type"] = "function"
        wrong = unlike(rest, ToolCall)
        if wrong:
            yield self.fault(f"{where}: {wrong}", pointer, make_excerpt(call), fixable=False)

    def repair(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with the types of its calls."""
        return edited(record, repairs.untyped_calls(record))


def _with_text(function: object) -> object:
    """What is called, with a text where its arguments are an object (TOOL102 says so)."""
    if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
        return {**function, "arguments": ""}
    return function


RULES: tuple[type[RecordRule], ...] = (ToolCallShape, DoubleEncoded, CallIdMissing, ArgumentsObject)
