"""ms-swift: query and response with earlier turns, or messages with tool_call and tool_response and a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ftprep.model import Example, Message, ShapeName
from ftprep.shapes.dialect import Parsed, Record, Written
from ftprep.shapes.dialects.alpaca import begin, has_before, say
from ftprep.shapes.dialects.ledger import Ledger, to_chat
from ftprep.shapes.dialects.wire import CALLERS, ROLES, Draft, as_weight, is_judged, objects, rest, spell

_NAMES = {"tool": "tool_response", "function": "tool_response", "developer": "system"}
_SPECIAL = (CALLERS | set(ROLES)) - {"system", "user", "assistant", "tool"}


@dataclass(frozen=True)
class Swift:
    """What ms-swift 4.6.0 reads beside OpenAI's form. Neighbouring calls are one message, together with the text of
    the assistant before them, as its templates train them."""

    name: ClassVar[str] = "swift"
    shape: ClassVar[ShapeName] = "chat"
    title: ClassVar[str] = "ms-swift data (query and response, or messages with tool_call or loss)"

    def fits(self, record: Record) -> bool:
        """Whether there are query and response with something before, or messages with its roles or losses."""
        if is_judged(record):
            return False
        if record.get("messages") is None:
            return "query" in record and "response" in record and has_before(record)
        return any(_is_special(message) for message in objects(record["messages"]))

    def parse(self, record: Record) -> Parsed:
        """The conversation; calls get the ids call_1, call_2 and so on, and their results take them in order."""
        messages = record.get("messages")
        if messages is None and ("query" in record or "response" in record):
            draft, used = begin(record)
            for role, key in (("user", "query"), ("assistant", "response")):
                say(draft, role, record, key)
            return draft.finish(record, *used, "query", "response")
        if not isinstance(messages, (list, tuple)):
            return Parsed(dict(record))
        draft = Draft("messages")
        used = draft.begin(record.get("system"), [m.get("role") for m in objects(messages)[:1]])
        calling = False
        for place, message in enumerate(messages):
            calling = _read(draft, message, f"/messages/{place}", calling)
        return draft.finish(record, *used)

    def write(self, example: Example) -> Written:
        """Messages with tool_call and tool_response, `loss` for weights, and tools as JSON text."""
        chat = to_chat(example)
        ledger = Ledger(chat, "tools")
        record: dict[str, Any] = {"messages": []}
        for place, message in enumerate(chat.messages):
            record["messages"] += _write(ledger, message, place)
            before = chat.messages[place - 1] if place else None
            if message.tool_calls and not message.content and before and before.role == "assistant":
                ledger.lose("that the calls stand apart from the turn before", place)
        tools = ledger.tools(chat)
        return ledger.finish(record if tools is None else {**record, "tools": tools}, "query", "response", "history")


def _is_special(message: dict[Any, Any]) -> bool:
    role = message.get("role")
    is_ours = isinstance(role, str) and role in _SPECIAL
    return is_ours or ("role" in message and any(message.get(k) is not None for k in ("loss", "loss_scale")))


def _read(draft: Draft, said: Any, at: str, calling: bool) -> bool:
    """Add one message; whether the last message now is one with calls that a next call can join."""
    if not isinstance(said, dict):
        draft.add(said, at)
        return False
    message, keys = rest(said, "loss", "loss_scale"), {}
    key = next((k for k in ("loss", "loss_scale") if _is_weight(said.get(k))), "")
    message |= {k: said[k] for k in ("loss", "loss_scale") if k != key and said.get(k) is not None}
    if key:
        message["weight"], keys["weight"] = as_weight(said[key]), f"{at}/{key}"
    role = said.get("role")
    if isinstance(role, str) and role in CALLERS and "content" in said:
        _call(draft, message, at, calling, keys)
        return True
    if isinstance(role, str):
        message["role"] = ROLES.get(role, role)
    if message.get("weight") == 0 and key and message.get("role") in ("system", "user", "tool"):
        del message["weight"]
    draft.add(draft.answer(message) if message.get("role") == "tool" else message, at, **keys)
    return False


def _is_weight(value: Any) -> bool:
    return isinstance(as_weight(value), int)


def _call(draft: Draft, message: dict[Any, Any], at: str, calling: bool, keys: dict[str, str]) -> None:
    """Add a call: to the calls before it, to the text before it, or as a message of its own."""
    before = draft.messages[-1] if draft.messages else None
    content, _ = message.pop("content"), message.pop("role")
    if isinstance(before, dict) and before.get("role") == "assistant" and not rest(message, "role", "weight"):
        is_open = calling if "tool_calls" in before else isinstance(before.get("content"), str)
        if is_open and before.get("weight") == message.get("weight") and draft.join(before, content, f"{at}/content"):
            return
    draft.call(content, message, at, "content", **keys)


def _write(ledger: Ledger, message: Message, place: int) -> list[dict[str, Any]]:
    turn: dict[str, Any] = {"role": _NAMES.get(message.role, message.role)}
    if message.role in ("developer", "function"):
        ledger.lose(f"the role {message.role}", place)
    text = ledger.text(message, place)
    calls = ledger.calls(message, place) if message.tool_calls is not None else []
    ledger.answers(message, place)
    ledger.lose_keys(message, place, "weight", "tool_calls", "tool_call_id")
    loss = {} if message.weight is None else {"loss": bool(message.weight)}
    if message.role != "assistant" and message.weight == 0:
        ledger.lose("the weight", place)
    if text is not None:
        turn["content"] = text
    if calls and (text == "" or (message.extra and not text)):
        ledger.lose("what stands beside the calls", place)
    turn = ledger.put_turn_extra({**turn, **loss}, message, place)
    told = [{"role": "tool_call", "content": spell(call), **loss} for call in calls]
    return [turn, *told] if text or not calls else told
